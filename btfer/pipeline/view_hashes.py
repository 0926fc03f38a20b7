"""The hashes by which dedup finds its candidates: ours, or one of the imagehash package's.

Ours is the pHash of the picture, of it without its frame, and of eleven parts (`images.views`). The others are of
the picture alone, as imagehash makes them from the thumbnail, in at most 64 bits; of `crop_resistant`, of each segment.
Kinds are stored beside each other, and hashes of two kinds are never compared.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from btfer.catalogue import Catalogue, comparisons
from btfer.catalogue.comparisons import Hashes, ViewHashes
from btfer.catalogue.rows import IndexedHashes
from btfer.engine import SERIAL, Engine, map_unordered
from btfer.errors import ImageError
from btfer.images import CRASHED, Pixels, decode_rgb
from btfer.images.hashes import phash_pairs
from btfer.images.views import views_of
from btfer.paths import thumbnail_path
from btfer.progress import SILENT, Progress
from btfer.settings import Settings
from btfer.store import store_of

VERSION = "2"
AT_ONCE = 256
IN_PROCESSES_FROM = 5000  # thumbnails; fewer take less time than starting processes


def _views(pixels: Pixels) -> ViewHashes:
    import cv2

    views, wholes = views_of(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))
    return ViewHashes(phash_pairs(views), wholes)


def _by_imagehash(name: str, pixels: Pixels) -> ViewHashes:
    import imagehash
    from PIL import Image

    image = Image.fromarray(pixels)
    sides = [getattr(imagehash, name)(one) for one in (image, Image.fromarray(pixels[:, ::-1]))]
    segments = [getattr(side, "segment_hashes", [side]) for side in sides]
    # Of a mirrored picture the segments come in another order: each side is a hash without a mirror image.
    if len(segments[0]) > 1 or len(segments[1]) > 1:
        pairs = [(_word(one), _word(one)) for one in (*segments[0], *segments[1])]
    else:
        pairs = [(_word(segments[0][0]), _word(segments[1][0]))]
    return ViewHashes(np.array(pairs, np.uint64).view(np.int64), len(pairs))


def _word(hashed: Any) -> int:
    bits = np.packbits(np.asarray(hashed.hash).ravel()).tobytes()
    return int.from_bytes(bits[:8].ljust(8, b"\0"))


HASHES: dict[str, Callable[[Pixels], ViewHashes]] = {
    "phash": _views,
    "dhash": partial(_by_imagehash, "dhash"),
    "whash": partial(_by_imagehash, "whash"),
    "colorhash": partial(_by_imagehash, "colorhash"),
    "crop_resistant": partial(_by_imagehash, "crop_resistant_hash"),
}
"""What candidates are found by, by the name that the setting `hash` gives."""


def all_hashes(
    cat: Catalogue,
    settings: Settings,
    index: Sequence[IndexedHashes],
    progress: Progress = SILENT,
) -> list[ViewHashes]:
    """The hashes of the chosen kind of every photo of the index; what is not known yet is computed and remembered."""
    kind = f"{settings.hash} {VERSION}"
    known = comparisons.view_hashes(cat, kind)
    missing = [row.sha256 for row in index if row.sha256 not in known]
    for found in _computed(missing, settings, progress):
        comparisons.add_view_hashes(cat, kind, found)
        known |= found
    return [_of_photo(known.get(row.sha256), row, settings.hash) for row in index]


def _computed(
    photos: Sequence[str], settings: Settings, progress: Progress
) -> Iterator[Mapping[str, ViewHashes]]:
    parts = [photos[at : at + AT_ONCE] for at in range(0, len(photos), AT_ONCE)]
    engine = Engine.of(settings) if len(photos) > IN_PROCESSES_FROM else SERIAL
    work = partial(hashes_of, kind=settings.hash, data_dir=settings.data_dir)
    of = store_of(settings).at_worker(work, partial(_thumbnails, data_dir=settings.data_dir))
    done = 0
    for found in map_unordered(of, parts, engine=engine, died=_crashed, split=_singly):
        done += len(found)
        progress.update("hashes", done, len(photos))
        yield found


def _thumbnails(photos: Sequence[str], *, data_dir: Path) -> list[Path]:
    return [thumbnail_path(data_dir, name) for name in photos]


def hashes_of(photos: Sequence[str], *, kind: str, data_dir: Path) -> dict[str, ViewHashes]:
    """The hashes of some photos, from their thumbnails; a lost thumbnail has none."""
    found = {}
    for name in photos:
        try:
            pixels = decode_rgb(thumbnail_path(data_dir, name).read_bytes())
        except (OSError, ImageError):
            continue
        found[name] = HASHES[kind](pixels)
    return found


def _singly(photos: Sequence[str]) -> list[Sequence[str]]:
    return [[one] for one in photos] if len(photos) > 1 else []


def _crashed(photos: Sequence[str]) -> dict[str, ViewHashes]:
    """As `hashes_of`, of a thumbnail of which worker processes died: it is compared by what its photo's row has."""
    for name in photos:
        logging.getLogger("btfer").warning("the thumbnail of photo %s %s", name, CRASHED)
    return {}


def _of_photo(known: ViewHashes | None, row: IndexedHashes, kind: str) -> ViewHashes:
    """With the pHash that the catalogue has, of the picture at full size."""
    hashes: Hashes = np.empty((0, 2), np.int64) if known is None else known.hashes
    wholes = 0 if known is None else known.wholes
    if kind != "phash":
        return ViewHashes(hashes, wholes)
    own = np.array([(row.phash, row.mirror_phash)], np.int64)
    return ViewHashes(np.concatenate([own, hashes[1:]]), max(1, wholes))
