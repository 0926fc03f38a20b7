"""Rebuild: a release from its `sources.csv` alone, by fetching each photo again and cutting its face out as before.

The addresses are written into the crawl's journal and fetched as in any crawl: robots.txt, opt-outs, the block
list, withdrawals and `licences` hold, what was fetched is not fetched again, and what the data folder has is
used. Every photo and every crop must have the bytes that the release names; what has not is listed and left out.
"""

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from pathlib import Path

from btfer.catalogue import Catalogue, faces, journal, photos, withdrawals
from btfer.catalogue.journal import Sighting
from btfer.catalogue.rows import Face
from btfer.catalogue.stage_lock import only_one
from btfer.engine import SERIAL, Engine, map_unordered
from btfer.errors import ImageError, Incomplete, UsageError
from btfer.faces.cut import Cut, cut_face, read_cut
from btfer.faces.modes import CropSettings
from btfer.files import sha256_file, write_atomic
from btfer.images import CRASHED, MAX_PIXELS, PACKINGS, decode_rgb, encode_png
from btfer.paths import photo_path, rebuilding_dir
from btfer.pipeline import crawl, release, verify
from btfer.pipeline.release_images import ReleaseImage
from btfer.pipeline.release_metadata import (
    ImageMetadata,
    Origin,
    read_credits,
    read_metadata,
    read_origins,
)
from btfer.queries import Query, QueryPlan
from btfer.release_record import WITH, ReleaseRecord, next_version, read_record
from btfer.settings import Settings
from btfer.sources.search import SearchFeeder, SearchParser, Source
from btfer.sources.web import Web
from btfer.store import store_of

SOURCE = Source("release", "", SearchFeeder, SearchParser)
FEW = 50  # faces that are cut before worker processes would have started
NO_ADDRESS = "no address"
OTHER_PHOTO = "other bytes"
OTHER_CROP = "other crop"
IMAGE_PX = 256
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


@dataclass(frozen=True)
class Rebuilt:
    """The release that was made, and why each image that is not in it has gone, by its file name."""

    made: release.Release
    gone: dict[str, str]

    def lines(self) -> list[str]:
        """For people: what is there, and how many have gone for which reason."""
        counts = Counter(self.gone.values())
        return [
            f"{self.made.images} images: {self.made.path}",
            *(f"  {n:6} gone: {reason}" for reason, n in sorted(counts.items())),
        ]


def rebuild(cat: Catalogue, settings: Settings, folder: Path, *, web: Web | None = None) -> Rebuilt:
    """Make the release of a folder that has sources.csv; `web` with manners of its own.

    Where everything is still there it is, byte for byte, the release that `--with-sources` makes. Raises
    UsageError for a folder that is not a release or is damaged, and Incomplete where no photo could be downloaded.
    """
    origins = _checked(folder)
    record = read_record(folder)
    stated = {one.file_name: one for one in read_metadata(folder)}
    credit = read_credits(folder)
    _fetch(cat, settings, [(one, stated[one.file_name]) for one in origins], web)
    with only_one(cat, settings.data_dir, "rebuild"), _own_folder(settings.data_dir) as cuts:
        gone = _write_crops(cat, settings, origins, record.settings.crop, cuts)
        found = [
            ReleaseImage(
                one.file_name.removeprefix("images/"),
                _cut_file(cuts, number),
                one.face,
                stated[one.file_name],
                credit.get(one.file_name),
                one,
            )
            for number, one in enumerate(origins)
            if one.file_name not in gone
        ]
        if not found:
            most = Counter(gone.values()).most_common(1)[0][0]
            raise Incomplete(
                f"none of the {len(origins)} photos could be downloaded; the most frequent reason: {most}"
            )
        new = _next_record(folder, record, found, gone)
        # What is all there is that release, with the page of those who published it.
        page = folder / "optout.html"
        kept = page.read_bytes() if not gone and page.is_file() else b""
        made = release.write(cat, settings, found, new, name=_name(folder), page=kept)
    return Rebuilt(made, gone)


def _checked(folder: Path) -> list[Origin]:
    """The rows of sources.csv, of a folder that is as it was published."""
    if not (folder / "sources.csv").is_file():
        raise UsageError(
            f"{folder} has no sources.csv: only a release made with --sources-only or --with-sources "
            "can be rebuilt"
        )
    problems = [problem for check in verify.verify(folder) for problem in check.problems]
    if problems:
        raise UsageError(f"{folder} is damaged ({problems[0]}): get it again")
    origins, crop = list(read_origins(folder).values()), read_record(folder).settings.crop
    if crop.size_px != IMAGE_PX:
        raise UsageError(f"{folder} has faces of {crop.size_px} px: {IMAGE_PX} px are expected")
    other = [one.file_name for one in origins if one.face.split("-")[1] != crop.digest]
    if other:
        raise UsageError(
            f"{folder} is damaged (the face of {other[0]} was not cut with the settings of release.json)"
        )
    return origins


@contextmanager
def _own_folder(data_dir: Path) -> Iterator[Path]:
    """An empty folder for crops, gone afterwards: the catalogue's own crops are never written over."""
    folder = rebuilding_dir(data_dir)
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cut_file(folder: Path, number: int) -> Path:
    """The file of one crop: named by its place, not by what the release calls it."""
    return folder / f"{number:06d}.png"


def _fetch(
    cat: Catalogue,
    settings: Settings,
    wanted: Sequence[tuple[Origin, ImageMetadata]],
    web: Web | None,
) -> None:
    here = photos.known(cat, {origin.photo_sha256 for origin, _ in wanted})
    asked: dict[Query, list[Sighting]] = {}
    for origin, stated in wanted:
        if origin.url and origin.photo_sha256 not in here:
            asked.setdefault(_query(origin, stated), []).append(_sighting(origin))
    for query, its in asked.items():
        journal.add_found(cat, query, its)
    if asked:  # a plan without queries: nothing is searched, and what waits is fetched
        retry = ["failed"]  # what was down the last time may be there now
        crawl.run(cat, settings, [SOURCE], QueryPlan([], "", []), retry=retry, web=web)


def _query(origin: Origin, stated: ImageMetadata) -> Query:
    return Query(
        origin.query,
        origin.intended,
        language=stated.language,
        ethnicity=stated.ethnicity,
        gender=stated.gender,
        age=stated.age,
    )


def _sighting(origin: Origin) -> Sighting:
    return Sighting(
        origin.url,
        SOURCE.name,
        page_url=origin.page_url,
        title=origin.title,
        author=origin.author,
        licence=origin.licence,
        licence_url=origin.licence_url,
    )


def _names(origin: Origin) -> set[str]:
    """Under which a photo may have been withdrawn."""
    return {origin.url, origin.page_url, origin.photo_sha256}


def _write_crops(
    cat: Catalogue,
    settings: Settings,
    origins: Sequence[Origin],
    crop: CropSettings,
    cuts: Path,
) -> dict[str, str]:
    """Write the crop of every face that can be cut; why the others cannot, by file name."""
    own = faces.by_id(cat, [one.face for one in origins])
    places = {one.file_name: number for number, one in enumerate(origins)}
    withdrawn = withdrawals.among(cat, set[str]().union(*map(_names, origins)))
    here = {photo.sha256: photo.format for photo in photos.find(cat, "")}
    gone, todo = {}, []
    for one in origins:
        sha256 = one.photo_sha256
        if withdrawn & _names(one):
            gone[one.file_name] = "withdrawn"
        elif sha256 not in here:
            gone[one.file_name] = _lost(cat, one)
        elif one.face in own and not _is_same_cut(own[one.face], one):
            gone[one.file_name] = OTHER_CROP  # under the name of a face that was cut otherwise here
        else:
            todo.append((one, photo_path(settings.data_dir, sha256, here[sha256])))
    engine = Engine.of(settings) if len(todo) > FEW else SERIAL
    work = store_of(settings).at_worker(partial(cut_again, crop=crop), itemgetter(1))
    for one, png, why in map_unordered(work, todo, engine=engine, died=crashed):
        if why:
            gone[one.file_name] = why
        else:
            write_atomic(_cut_file(cuts, places[one.file_name]), png)
    return {one.file_name: gone[one.file_name] for one in origins if one.file_name in gone}


def _is_same_cut(face: Face, origin: Origin) -> bool:
    if face.photo != origin.photo_sha256 or not face.crop:
        return False
    here = read_cut(face.crop)
    return (here.left, here.top, here.right, here.bottom) == (
        origin.cut.left,
        origin.cut.top,
        origin.cut.right,
        origin.cut.bottom,
    )


def cut_again(wanted: tuple[Origin, Path], crop: CropSettings) -> tuple[Origin, bytes, str]:
    """The PNG of one face out of its photo's file, or the word why there is none; runs in worker processes."""
    one, path = wanted
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != one.photo_sha256:
            return one, b"", OTHER_PHOTO
        pixels = decode_rgb(data)
        if not _fits(one.cut, *pixels.shape[:2]):
            return one, b"", OTHER_CROP
        face = cut_face(pixels, one.cut, crop)
    except ImageError as error:
        return one, b"", error.reason
    except OSError:
        return one, b"", "file missing"
    for packing in PACKINGS:
        png = encode_png(face, packing=packing)
        if hashlib.sha256(png).hexdigest() == one.image_sha256:
            return one, png, ""
    return one, b"", OTHER_CROP


def crashed(wanted: tuple[Origin, Path]) -> tuple[Origin, bytes, str]:
    """As `cut_again`, of a photo of which worker processes died."""
    return wanted[0], b"", CRASHED


def _fits(cut: Cut, height: int, width: int) -> bool:
    """Whether a rectangle lies in the photo; beyond its border only where that shows its mirror image."""
    if cut.reflected:
        return cut.width * cut.height <= MAX_PIXELS and 0 <= cut.share_beyond(width, height) < 1
    inside = 0 <= cut.left < cut.right <= width and 0 <= cut.top < cut.bottom <= height
    return inside


def _lost(cat: Catalogue, origin: Origin) -> str:
    """Why the photo at an address is not here."""
    if not origin.url:
        return NO_ADDRESS
    end = journal.end_of(cat, origin.url)
    return OTHER_PHOTO if end.state == "kept" else end.reason or end.state


def _next_record(
    folder: Path, record: ReleaseRecord, found: Sequence[ReleaseImage], gone: dict[str, str]
) -> ReleaseRecord:
    labels = [one.metadata.label for one in found]
    if gone:
        digest = sha256_file(folder / "SHA256SUMS")
        record = next_version(record, folder.resolve().name, digest, minor=True)
    changes = [
        f"version {record.version}: {name.split('/')[-1]} has gone ({gone[name]})" for name in gone
    ]
    return replace(
        record,
        counts={label: labels.count(label) for label in record.counts},
        sources=WITH,
        changes=(*record.changes, *changes),
    )


def _name(folder: Path) -> str:
    """The name before the digest, where it is a plain one."""
    name = folder.resolve().name.rpartition("-")[0]
    return name if _PLAIN.fullmatch(name) else "rebuilt"
