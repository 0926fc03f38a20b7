"""What was forgotten and is here again: a release, or a training set, that came back from a backup."""

from collections.abc import Iterator
from pathlib import Path

from btfer.catalogue import Catalogue, erasures
from btfer.files import sha256_file
from btfer.pipeline.forget.folders import files_in, read_table, release_folders, training_sets
from btfer.pipeline.forget.resolve import Resolved
from btfer.settings import Settings


def came_back(cat: Catalogue, settings: Settings) -> Resolved:
    """Photos and images that an erasure took, and that a folder holds all the same.

    Known by keyed marks of their bytes, of the sha256 that sources.csv states, and of their `photo_id`. Whichever
    request it was: what is forgotten is to be nowhere.
    """
    found = Resolved()
    for folder in (*release_folders(settings.data_dir), *training_sets(settings.data_dir)):
        stated = dict(_stated_photos(folder))
        images = {path: sha256_file(path) for path in files_in(folder) if path.suffix == ".png"}
        named = dict(_named_images(folder))
        gone = erasures.forgotten_at(cat, {*stated, *images.values(), *named.values()})
        found.photos |= {one for one in stated if one in gone}
        found.images |= {one for one in images.values() if one in gone}
        of_name = {path.relative_to(folder).as_posix(): digest for path, digest in images.items()}
        found.images |= {
            of_name[name]
            for name, photo_id in named.items()
            if photo_id in gone and name in of_name
        }
    return found


def _stated_photos(folder: Path) -> Iterator[tuple[str, str]]:
    table = read_table(folder / "sources.csv")
    for row in table.records() if table else ():
        if len(row.get("photo_sha256", "")) == 64:
            yield row["photo_sha256"], row.get("file_name", "")


def _named_images(folder: Path) -> Iterator[tuple[str, str]]:
    """The `photo_id` of each image, as its metadata have it."""
    table = read_table(folder / "metadata.csv")
    for row in table.records() if table else ():
        if row.get("photo_id"):
            yield row.get("file_name", ""), row["photo_id"]
