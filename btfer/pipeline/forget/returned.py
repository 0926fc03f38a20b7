"""What was forgotten and is here again: a release, or a training set, that came back from a backup.

Known by keyed marks of the bytes, of the sha256 that sources.csv states, and of the `photo_id`. Whichever request it
was: what is forgotten is to be nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue import Catalogue, erasures
from btfer.files import sha256_file
from btfer.pipeline.forget.folders import files_in, read_table, release_folders, training_sets
from btfer.pipeline.forget.resolve import Resolved
from btfer.pipeline.verify import Check
from btfer.settings import Settings

_SHA256_DIGITS = 64


@dataclass(frozen=True)
class Returned:
    """What a folder holds that was forgotten. names: its images. images, photos: sha256."""

    folder: Path
    names: tuple[str, ...]
    images: frozenset[str]
    photos: frozenset[str]


def came_back(cat: Catalogue, settings: Settings) -> Resolved:
    """Photos and images that an erasure took, and that a folder holds all the same."""
    found = Resolved()
    for one in _returned(cat, settings.data_dir):
        found.photos |= one.photos
        found.images |= one.images
    return found


def check_forgotten(cat: Catalogue, settings: Settings) -> Check:
    """Whether nothing that was forgotten has come back, and what cannot be said of it."""
    problems = [
        f"{one.folder / name} was forgotten: run btfer forget {one.folder.name}/{Path(name).name}"
        for one in _returned(cat, settings.data_dir)
        for name in one.names
    ]
    return Check("nothing that was forgotten has come back", problems, list(not_known(cat)))


def not_known(cat: Catalogue) -> tuple[str, ...]:
    """What cannot be said of erasures that were done before names and images were remembered."""
    old = erasures.without_images(cat)
    if not old:
        return ()
    return (
        f"{len(old)} erasures, the last of {old[-1]}, were done by an earlier btfer, which did not remember the crops: "
        "where one comes again, from a backup or as a photo, it is not known; look for it by hand",
    )


def _returned(cat: Catalogue, data_dir: Path) -> Iterator[Returned]:
    for folder in (*release_folders(data_dir), *training_sets(data_dir)):
        photo_of, hidden_as = _column(folder, "sources.csv"), _column(folder, "metadata.csv")
        digests = {
            path.relative_to(folder).as_posix(): sha256_file(path)
            for path in files_in(folder)
            if path.suffix == ".png"
        }
        marks = {*photo_of.values(), *hidden_as.values(), *digests.values()}
        gone = erasures.forgotten_at(cat, marks, exact=True)
        every = (digests, photo_of, hidden_as)
        names = sorted({name for its in every for name, mark in its.items() if mark in gone})
        if names:
            images = frozenset(digests[name] for name in names if name in digests)
            yield Returned(folder, tuple(names), images, frozenset(gone) & {*photo_of.values()})


def _column(folder: Path, file: str) -> dict[str, str]:
    """What a table of a release says of the photo of each image: its sha256, or its `photo_id`."""
    table = read_table(folder / file)
    column = "photo_sha256" if file == "sources.csv" else "photo_id"
    rows = table.records() if table else ()
    found = {row.get("file_name", ""): row.get(column, "") for row in rows}
    whole = file != "sources.csv"
    return {
        name: one
        for name, one in found.items()
        if name and one and (whole or len(one) == _SHA256_DIGITS)
    }
