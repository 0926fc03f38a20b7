"""Is the catalogue true to its photos? Every file is read again and compared with its row."""

from functools import partial

from btfer.catalogue import Catalogue, photos
from btfer.catalogue.rows import Photo
from btfer.engine import SERIAL, Engine, map_unordered
from btfer.errors import ImageError
from btfer.images import CRASHED, decode_rgb, read_photo
from btfer.paths import photo_path, thumbnail_path
from btfer.pipeline.verify import Check
from btfer.progress import SILENT, Progress
from btfer.settings import Settings
from btfer.store import Store, store_of

FACTS = {
    "format": "format",
    "width": "width_px",
    "height": "height_px",
    "n_bytes": "n_bytes",
    "phash": "phash",
    "mirror_phash": "mirror_phash",
}
"""What intake measures, and the fields of a stored photo that must be the same."""
FEW = 50  # photos that are read before worker processes would have started
SOUND = "the database is sound"
PRESENT = "every photo's file is there"
BYTES = "every photo has the bytes of its name"
FITS = "every row fits its photo"
THUMBNAIL = "every thumbnail can be read"
CHECKS = (SOUND, PRESENT, BYTES, FITS, THUMBNAIL)


def verify_catalogue(
    cat: Catalogue, settings: Settings, progress: Progress = SILENT
) -> list[Check]:
    """Check the database, and every photo of the catalogue: file, sha256, format, size, both hashes, thumbnail.

    Of a damaged database only that is told: what it says of photos may be wrong.
    """
    if damage := cat.damage():
        return [Check(SOUND, damage)]
    rows = photos.find(cat, "")
    problems: dict[str, list[str]] = {name: [] for name in CHECKS}
    store = store_of(settings)
    check = partial(check_photo, store=store)
    died = partial(crashed, store=store)
    engine = Engine.of(settings) if len(rows) > FEW else SERIAL
    for number, found in enumerate(map_unordered(check, rows, engine=engine, died=died), 1):
        for name, problem in found:
            problems[name].append(problem)
        progress.update("verify", number, len(rows))
    return [Check(name, sorted(found)) for name, found in problems.items()]


def check_photo(photo: Photo, *, store: Store) -> list[tuple[str, str]]:
    """What is wrong with one photo: the check that fails, and how; runs in worker processes."""
    sha256 = photo.sha256
    path = photo_path(store.folder, sha256, photo.format)
    place = store.place(path)
    try:
        seen = read_photo(store.read(path))
    except OSError as error:
        return [(PRESENT, f"{place}: {error.strerror}")]
    except ImageError as error:
        return [(BYTES, f"{place}: {error}")]
    found = []
    if seen.sha256 != sha256:
        found.append((BYTES, f"{place} has other bytes, {seen.sha256[:12]}"))
    for name, field in FACTS.items():
        now, stored = getattr(seen, name), getattr(photo, field)
        if now != stored:
            found.append((FITS, f"{sha256}: {name} is {now}, the catalogue has {stored}"))
    return found + [(THUMBNAIL, problem) for problem in _thumbnail(store, sha256)]


def crashed(photo: Photo, *, store: Store) -> list[tuple[str, str]]:
    """As `check_photo`, of a photo of which worker processes died."""
    path = store.place(photo_path(store.folder, photo.sha256, photo.format))
    return [(BYTES, f"{path} or its thumbnail {CRASHED}")]


def _thumbnail(store: Store, sha256: str) -> list[str]:
    path = thumbnail_path(store.folder, sha256)
    try:
        decode_rgb(store.read(path))
    except OSError as error:
        return [f"{store.place(path)}: {error.strerror}"]
    except ImageError as error:
        return [f"{store.place(path)}: {error}"]
    return []
