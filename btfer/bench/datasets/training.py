"""Finding and reading a training set, whatever its layout."""

from dataclasses import replace
from pathlib import Path

from btfer.bench.datasets import affectnet, fer2013, rafdb
from btfer.bench.datasets.folders import LAYOUT, folders, load_release, read_folders
from btfer.bench.datasets.sets import Split, TrainingSource
from btfer.bench.datasets.split import split_source
from btfer.errors import UsageError

ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"}


def find_training(folder: Path) -> dict[str, Path]:
    """Every sub-folder of `folder` by name: {} where there is none."""
    return {one.name: one for one in folders(folder)} if folder.is_dir() else {}


def load_training(
    path: Path, name: str = "", seed: int = 0, split: str = "authors", cache: Path | None = None
) -> Split:
    """A training set of a known layout, parted. Raises UsageError that shows the layout it should have."""
    return split_source(read_source(path, name, cache), split, seed)


def read_source(path: Path, name: str = "", cache: Path | None = None) -> TrainingSource:
    """A training set as it lies on disk; its layout is recognised by what is there.

    cache: where images are unpacked that lie inside a CSV; None = `.unpacked` beside it. Raises
    UsageError that shows the expected layout, where the set is missing or partly unpacked.
    """
    name = name or path.name
    if path.is_file() and path.name in fer2013.CSV_NAMES:
        path = path.parent
    if not path.is_dir():
        raise UsageError(f"training set '{name}': {path} is not a folder: {LAYOUT}")
    if (path / "metadata.csv").is_file():
        return _release(path, name)
    if rafdb.find_list(path):
        return rafdb.read_rafdb(path, name)
    if fer2013.find_csv(path):
        return fer2013.read_fer2013(path, name, cache or path / ".unpacked")
    if affectnet.find_sets(path):
        return affectnet.read_annotations(path, name)
    if affectnet.find_lists(path):
        return affectnet.read_lists(path, name)
    _check_unpacked(path, name)
    return read_folders(path, name)


def _release(path: Path, name: str) -> TrainingSource:
    return TrainingSource("release", "a release", replace(load_release(path), name=name), {})


def _check_unpacked(path: Path, name: str) -> None:
    archives = [one.name for one in sorted(path.iterdir()) if one.suffix.lower() in ARCHIVES]
    if archives and not folders(path):
        raise UsageError(
            f"training set '{name}': {path} holds {', '.join(archives[:3])}: unpack it; {LAYOUT}"
        )
