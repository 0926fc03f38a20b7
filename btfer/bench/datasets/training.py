"""Finding and reading a training set, whatever its layout."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from btfer.bench.datasets import affectnet, fer2013, ferplus, rafdb
from btfer.bench.datasets.folders import (
    LAYOUT,
    folders,
    load_release,
    part_folders,
    read_folders,
)
from btfer.bench.datasets.sets import Split, TrainingSource
from btfer.bench.datasets.split import split_source
from btfer.errors import UsageError
from btfer.release_record import FILE as RECORD

ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"}


def find_training(folder: Path) -> dict[str, Path]:
    """Every sub-folder of `folder` by name: {} where there is none."""
    return {one.name: one for one in folders(folder)} if folder.is_dir() else {}


def load_training(
    path: Path,
    name: str = "",
    seed: int = 0,
    split: str = "authors",
    cache: Path | None = None,
    labels: str = "",
) -> Split:
    """A training set of a known layout, parted. Raises UsageError that shows the layout it should have."""
    return split_source(read_source(path, name, cache, labels), split, seed)


def read_source(
    path: Path, name: str = "", cache: Path | None = None, labels: str = ""
) -> TrainingSource:
    """A training set as it lies on disk; its layout is recognised by what is there.

    cache: where images are unpacked that lie inside a CSV; None = `.unpacked` beside it. labels: what numbers of
    folders mean, `0=angry,1=disgust,...`. Raises UsageError that shows the expected layout, where the set is
    missing or partly unpacked, and where two sets lie in one folder.
    """
    name = name or path.name
    if path.is_file() and path.name in fer2013.CSV_NAMES:
        unpacked = cache or path.parent / ".unpacked"
        return fer2013.read_fer2013(path.parent, name, unpacked)
    if not path.is_dir():
        raise UsageError(f"training set '{name}': {path} is not a folder: {LAYOUT}")
    if _is_release(path):
        return _release(path, name)
    unpacked = cache or path / ".unpacked"
    kinds: dict[str, tuple[object, Callable[[], TrainingSource]]] = {
        "RAF-DB's list": (rafdb.find_list(path), lambda: rafdb.read_rafdb(path, name)),
        "FER2013's csv": (
            fer2013.find_csv(path),
            lambda: fer2013.read_fer2013(path, name, unpacked),
        ),
        "FER+'s parts": (ferplus.find_parts(path), lambda: ferplus.read_ferplus(path, name)),
        "AffectNet's annotations": (
            affectnet.find_sets(path),
            lambda: affectnet.read_annotations(path, name),
        ),
        "AffectNet's lists": (
            affectnet.find_lists(path),
            lambda: affectnet.read_lists(path, name),
        ),
    }
    found = [what for what, (there, _) in kinds.items() if there]
    annotated = any(
        one.startswith("AffectNet") for one in found
    )  # its parts are folders train_set, ...
    parts = part_folders(path) if found and not annotated else []
    if len(found) > 1 or parts:
        beside = [*found, *(f"class folders in {one.name}" for one in parts)]
        raise UsageError(
            f"training set '{name}': {path} holds {' and '.join(beside)}: give the folder or file of the one "
            "that is meant"
        )
    if found:
        return kinds[found[0]][1]()
    _check_unpacked(path, name)
    return read_folders(path, name, labels)


def _is_release(path: Path) -> bool:
    """Whether it has a release's table: a metadata.csv of something else makes no release of a set."""
    table = path / "metadata.csv"
    if not table.is_file():
        return False
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        columns = {one.strip(' "\r\n') for one in file.readline().split(",")}
    return {"file_name", "label"} <= columns or (path / RECORD).exists()


def _release(path: Path, name: str) -> TrainingSource:
    return TrainingSource("release", "a release", replace(load_release(path), name=name), {})


def _check_unpacked(path: Path, name: str) -> None:
    archives = [one.name for one in sorted(path.iterdir()) if one.suffix.lower() in ARCHIVES]
    if archives and not folders(path):
        raise UsageError(
            f"training set '{name}': {path} holds {', '.join(archives[:3])}: unpack it; {LAYOUT}"
        )
