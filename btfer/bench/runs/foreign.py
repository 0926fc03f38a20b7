"""A folder of runs that somebody else made, or another machine: which runs it holds, and the files of each."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from btfer.bench.runs.definition import run_id
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RECORD, RunStore
from btfer.bucket_url import as_written
from btfer.errors import UsageError
from btfer.files import check_size
from btfer.progress import Progress
from btfer.safe_paths import is_digest, path_inside

ID_DIGITS = 12
_FOLD = re.compile(r"fold-[0-9]{1,4}")


@dataclass(frozen=True)
class RunFiles:
    """A run and its files, by their names below its folder; those of folds are `fold-1/...`."""

    record: RunRecord
    names: frozenset[str]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.record.folder


def runs_folder(path: Path) -> Path:
    """The folder of runs that `path` is, or has as a data folder does. Raises UsageError where it holds no run."""
    if not path.is_dir():
        raise UsageError(
            f"{as_written(path)} is not a folder: name a data folder of btfer, or its folder of runs"
        )
    for folder in (path / "runs", path):
        if folder.is_dir() and any(_has_record(folder / name) for name in _names(folder)):
            return folder
    raise UsageError(f"{path} holds no run: name a data folder of btfer, or its folder of runs")


def runs_in(folder: Path, progress: Progress) -> tuple[list[RunFiles], list[str]]:
    """The runs in a folder of runs, and the folders whose runs cannot be taken, each told with one line."""
    store, found, left_out = RunStore(folder, progress), list[RunFiles](), list[str]()
    for name in _names(folder):
        if not _has_record(folder / name):
            continue
        try:
            run = _run(store, name)
        except (UsageError, OSError) as error:
            progress.say(f"left out {folder / name}: {getattr(error, 'strerror', error)}")
            run = None
        if run:
            found.append(run)
        else:
            left_out.append(str(folder / name))
    return found, left_out


def own_run(store: RunStore, id_: str) -> RunFiles | None:
    """The run of this id that is here; None where there is none, or none that can be read."""
    record = store.read(store.runs_dir / id_)
    if record is None:
        return None
    inside = [*record.folder.glob("[!.]*"), *record.folder.glob("fold-*/[!.]*")]
    names = (one.relative_to(record.folder).as_posix() for one in inside if one.is_file())
    return RunFiles(record, frozenset(names))


def _run(store: RunStore, name: str) -> RunFiles | None:
    """The run in one folder; None where its record cannot be read, which the store tells.

    Raises UsageError for a link out of the folder of runs, what is no file, and an id that is not its own.
    """
    names = frozenset(_files(store.runs_dir, name))
    if RECORD not in names:
        raise UsageError(f"{RECORD} is not a file")
    check_size(store.runs_dir / name / RECORD)
    record = store.read(store.runs_dir / name)
    if record is None:
        return None
    if not is_digest(record.id, ID_DIGITS) or record.id != run_id(record.definition):
        raise UsageError(f"its id {record.id[:ID_DIGITS]!r} is not that of its definition")
    return RunFiles(record, names)


def _files(root: Path, run: str) -> Iterator[str]:
    """Names of a run's files and of those in its folds; exports and hidden files can be made again."""
    path_inside(root, run, where="a folder")
    for name in _names(root / run):
        path = path_inside(root, f"{run}/{name}", where="a file")
        if not path.is_dir():
            yield _checked(path, name)
        elif _FOLD.fullmatch(name):
            for inner in _names(path):
                below = f"{name}/{inner}"
                yield _checked(path_inside(root, f"{run}/{below}", where="a file"), below)


def _checked(path: Path, name: str) -> str:
    """Raises UsageError for a pipe, which never ends, a device, a folder, and what may not be read."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise UsageError(f"{name} is not a file")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{name} may not be read")
    return name


def _names(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name[0] not in "._")


def _has_record(folder: Path) -> bool:
    """Whether something lies there as the record of a run, readable or not."""
    try:
        (folder / RECORD).lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True
