"""Rebuild: a release from its `sources.csv` alone, by fetching each photo again and cutting its face out as before.

The addresses are written into the crawl's journal and fetched as in any crawl: robots.txt, opt-outs, the block
list, withdrawals and `licences` hold, what was fetched is not fetched again, and what the data folder has is
used. Every photo and every crop must have the bytes that the release names; what has not is told and left out.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from btfer.catalogue import Catalogue, journal, photos, withdrawals
from btfer.catalogue.journal import Sighting
from btfer.catalogue.store import Row
from btfer.engine import map_unordered
from btfer.errors import ImageError, Incomplete, UsageError
from btfer.faces.cut import Cut, cut_face
from btfer.faces.modes import CropSettings
from btfer.files import only_one, write_atomic
from btfer.images import decode_rgb, encode_png
from btfer.paths import face_path, photo_path
from btfer.pipeline import crawl, release, release_metadata, verify
from btfer.pipeline.overview import GROUP
from btfer.pipeline.release_metadata import ReleaseImage
from btfer.queries import Query, QueryPlan
from btfer.settings import Settings
from btfer.sources.search import SearchFeeder, SearchParser, Source
from btfer.sources.web import Web

SOURCE = Source("release", "", SearchFeeder, SearchParser)
PLACE = ("page_url", "title", "author", "licence", "licence_url")
FEW = 50  # faces that are cut before worker processes would have started
NO_ADDRESS = "no address"
OTHER_PHOTO = "other bytes"
OTHER_CROP = "other crop"


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
    UsageError for a folder that is none or is damaged, and Incomplete where no photo could be downloaded.
    """
    rows = _checked(folder)
    record = verify.read_record(folder)
    described = {
        one["file_name"]: one for one in release_metadata.read_rows(folder / "metadata.csv")
    }
    credit = {
        one["file_name"]: one for one in release_metadata.read_rows(folder / "attribution.csv")
    }
    _fetch(cat, settings, [described[row["file_name"]] | row for row in rows], web)
    with only_one(settings.data_dir, "rebuild"):
        gone = _write_crops(cat, settings, rows, CropSettings(**record["settings"]["crop"]))
        found = [
            ReleaseImage(
                row["file_name"].removeprefix("images/"),
                face_path(settings.data_dir, row["face"]),
                row["face"],
                described[row["file_name"]],
                credit.get(row["file_name"]),
                row,
            )
            for row in rows
            if row["file_name"] not in gone
        ]
        if not found:
            most = Counter(gone.values()).most_common(1)[0][0]
            raise Incomplete(
                f"none of the {len(rows)} photos could be downloaded; most often: {most}"
            )
        made = release.write(
            cat, settings, found, record | _facts(record, found, gone), name=_name(folder)
        )
    return Rebuilt(made, gone)


def _checked(folder: Path) -> list[Row]:
    """The rows of sources.csv, of a folder that is as it was published."""
    if not (folder / "sources.csv").is_file():
        raise UsageError(
            f"{folder} has no sources.csv: only a release made with --sources-only or --with-sources "
            "can be rebuilt"
        )
    problems = [problem for check in verify.verify(folder) for problem in check.problems]
    if problems:
        raise UsageError(f"{folder} is damaged ({problems[0]}): get it again")
    return release_metadata.read_rows(folder / "sources.csv")


def _fetch(cat: Catalogue, settings: Settings, rows: Sequence[Row], web: Web | None) -> None:
    here = photos.known(cat, {row["photo_sha256"] for row in rows})
    asked: dict[Query, list[Sighting]] = {}
    for row in rows:
        if row["url"] and row["photo_sha256"] not in here:
            intent = {name: row[name] for name in ("language", *GROUP)}
            place = {name: row[name] for name in PLACE}
            seen = Sighting(row["url"], SOURCE.name, **place)
            asked.setdefault(Query(row["query"], row["intended"], **intent), []).append(seen)
    for query, its in asked.items():
        journal.add_found(cat, query, its)
    if asked:  # a plan without queries: nothing is searched, and what waits is fetched
        retry = ["failed"]  # what was down the last time may be there now
        crawl.run(cat, settings, [SOURCE], QueryPlan([], "", []), retry=retry, web=web)


def _write_crops(
    cat: Catalogue, settings: Settings, rows: Sequence[Row], crop: CropSettings
) -> dict[str, str]:
    """Write the crop of every face that can be cut; why the others cannot, by file name."""
    names = ("url", "page_url", "photo_sha256")
    withdrawn = withdrawals.among(cat, {row[name] for row in rows for name in names})
    here = {photo.sha256: photo.format for photo in photos.find(cat, "")}
    gone, todo = {}, []
    for row in rows:
        sha256 = row["photo_sha256"]
        if withdrawn & {row[name] for name in names}:
            gone[row["file_name"]] = "withdrawn"
        elif sha256 not in here:
            gone[row["file_name"]] = _lost(cat, row)
        else:
            todo.append((row, photo_path(settings.data_dir, sha256, here[sha256])))
    engine = settings.engine if len(todo) > FEW else "serial"
    work = partial(cut_again, crop=crop)
    for row, png, why in map_unordered(work, todo, engine=engine, workers=settings.workers):
        if why:
            gone[row["file_name"]] = why
        else:
            write_atomic(face_path(settings.data_dir, row["face"]), png)
    return {row["file_name"]: gone[row["file_name"]] for row in rows if row["file_name"] in gone}


def cut_again(one: tuple[Row, Path], crop: CropSettings) -> tuple[Row, bytes, str]:
    """The PNG of one face out of its photo's file, or the word why there is none; runs in worker processes."""
    row, path = one
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != row["photo_sha256"]:
            return row, b"", OTHER_PHOTO
        left, top, right, bottom = (int(row[side]) for side in release_metadata.CUT[:4])
        cut = Cut(left, top, right, bottom, reflected=tuple(row["reflected"].split()))
        png = encode_png(cut_face(decode_rgb(data), cut, crop))
    except ImageError as error:
        return row, b"", error.reason
    except OSError:
        return row, b"", "file missing"
    other = hashlib.sha256(png).hexdigest() != row["image_sha256"]
    return (row, b"", OTHER_CROP) if other else (row, png, "")


def _lost(cat: Catalogue, row: Row) -> str:
    """Why the photo at an address is not here."""
    if not row["url"]:
        return NO_ADDRESS
    end = journal.end_of(cat, row["url"])
    return OTHER_PHOTO if end.state == "kept" else end.reason or end.state


def _facts(record: Row, found: Sequence[ReleaseImage], gone: dict[str, str]) -> Row:
    labels = [one.metadata["label"] for one in found]
    version = record["version"] + bool(gone)
    words = [f"version {version}: {name.split('/')[-1]} has gone ({gone[name]})" for name in gone]
    return {
        "counts": {label: labels.count(label) for label in record["counts"]},
        "sources": release.WITH,
        "version": version,
        "changes": [*record["changes"], *words],
    }


def _name(folder: Path) -> str:
    return folder.resolve().name.rpartition("-")[0] or "rebuilt"
