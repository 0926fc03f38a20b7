"""Runs of other folders brought into this one, each once, whole or not at all. Loads no Keras.

Of two runs with one id, finished beats unfinished; of two scorings of one training, the one on more releases and
sets; else the one that is here stays, and a second training of the same thing is named. Whoever made a folder:
links out of it are not followed, and a run whose id is not that of its definition is left out.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from btfer.bench.runs.foreign import RunFiles, own_run, runs_folder, runs_in
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.errors import BtferError, Busy, UsageError
from btfer.files import only_one
from btfer.progress import SILENT, Progress

_STAGING = ".merging"
_ASIDE = ".aside"
"""Ends the name of what was here, while another takes its place."""

_UNFINISHED, _TRAINED, _DONE = range(3)
_STATES = {"trained": _TRAINED, "done": _DONE}


@dataclass(frozen=True)
class Merged:
    """What became of the runs of other folders, by id.

    new: were not here. replaced: took the place of one that is less. same: are here already. behind: are less than
    those here. differing: were done here and there, and stayed as they are here. busy: are at work just now.
    left_out: folders whose run cannot be taken.
    """

    new: list[str]
    replaced: list[str]
    same: list[str]
    behind: list[str]
    differing: list[str]
    busy: list[str]
    left_out: list[str]


def merge(
    runs_dir: Path, sources: Sequence[Path], progress: Progress = SILENT, *, dry_run: bool = False
) -> Merged:
    """Bring the runs of `sources` into `runs_dir`, in their order; what became of each.

    sources: data folders, or their folders of runs. dry_run: only say what would become of them. Raises UsageError
    for a folder without runs, before anything is copied, Busy where another merge is at work here, BtferError where
    the disk is full.
    """
    folders = [runs_folder(one) for one in sources]
    for folder in folders:
        if folder.resolve() == runs_dir.resolve():
            raise UsageError(f"{folder} is the folder to merge into: name another one")
    if dry_run:
        return _merge(runs_dir, folders, progress, lambda run: True)
    with only_one(runs_dir, "merge"):
        _clear(runs_dir)
        try:
            return _merge(runs_dir, folders, progress, lambda run: _bring(run, runs_dir))
        except OSError as error:
            raise BtferError(
                f"cannot copy to {runs_dir}: {error.strerror}. What was brought in is kept: "
                "make room on the disk and run the command again"
            ) from error
        finally:
            _clear(runs_dir)


def _merge(
    runs_dir: Path, folders: list[Path], progress: Progress, bring: Callable[[RunFiles], bool]
) -> Merged:
    """bring: puts a run in its place; False where it is at work."""
    store, here = RunStore(runs_dir, progress), dict[str, RunFiles | None]()
    became: dict[str, list[str]] = {one.name: [] for one in fields(Merged)}
    for folder in folders:
        runs, left_out = runs_in(folder, progress)
        became["left_out"] += left_out
        for done, run in enumerate(runs, start=1):
            id_ = run.record.id
            if id_ not in here:
                here[id_] = own_run(store, id_)
            known = here[id_]
            what = compare(known, run)
            if what in ("new", "replaced"):
                if bring(run):
                    here[id_] = run
                else:
                    what = "busy"
            became[what].append(id_)
            if said := _said(what, known, run):
                progress.say(said)
            progress.update(f"merging {folder}", done, len(runs))
    return Merged(**became)


def compare(here: RunFiles | None, there: RunFiles) -> str:
    """What becomes of the run there: `new`, `replaced`, `same`, `behind` or `differing`, as in `Merged`."""
    if here is None:
        return "new"
    if here.record.to_json() == there.record.to_json():
        return "replaced" if here.names < there.names else "same"
    ours, theirs = (_STATES.get(one.record.state, _UNFINISHED) for one in (here, there))
    if ours != theirs:
        return "replaced" if ours < theirs else "behind"
    if ours == _UNFINISHED:
        return "behind"
    if _training(here.record) != _training(there.record):
        return "differing"
    if _scored(there.record) <= _scored(here.record):
        return "behind"
    return "replaced" if _scored(here.record) < _scored(there.record) else "differing"


def _training(record: RunRecord) -> Mapping[str, object]:
    """Facts that two trainings of the same thing do not share, but for a rare coincidence."""
    kept = ("validation", "test", "held_out", "in_domain")
    scores = {name: record.metrics[name] for name in kept if name in record.metrics}
    return {"seconds": record.seconds, "counts": record.training_counts, "scores": scores}


def _scored(record: RunRecord) -> set[str]:
    """Digests of what it was scored on: releases, and parts of training sets."""
    releases = {one.release.digest for one in record.scorings if one.release}
    return releases | {str(one["digest"]) for one in (record.other_sets or {}).values()}


def _said(what: str, here: RunFiles | None, there: RunFiles) -> str:
    """A line about a run that is not simply brought in or here already; else empty."""
    name = there.record.title
    if what == "busy":
        return (
            f"{name} is at work, here or in {there.folder}: left out; merge again when it is done"
        )
    if here is None or what in ("same", "behind"):
        return ""
    if what == "replaced":
        return f"{name}: {_result(there)} in {there.folder} takes the place of {_result(here)} here"
    return (
        f"{name} was done twice: {_result(here)} here, which is kept, and {_result(there)} in {there.folder}; "
        f"to have the other, move {here.folder} away and merge again"
    )


def _result(run: RunFiles) -> str:
    record = run.record
    scores = record.cross_scores or record.own_scores
    accuracy = f", accuracy {scores['accuracy']:.4f}" if "accuracy" in scores else ""
    return f"{record.state}{accuracy}, {len(run.names)} files"


def _bring(run: RunFiles, runs_dir: Path) -> bool:
    """Copy a run beside the others, then put it in its place; False where it is at work here or there."""
    ready, place = runs_dir / _STAGING / run.record.id, runs_dir / run.record.id
    aside = ready.with_name(ready.name + _ASIDE)
    try:
        _copy_all(run, ready)
        if not place.exists():
            ready.rename(place)
            return True
        with only_one(place, "run"):
            place.rename(aside)
            ready.rename(place)
    except Busy:
        _remove(ready)
        return False
    _remove(aside)
    return True


def _copy_all(run: RunFiles, target: Path) -> None:
    """Raises Busy where the files change meanwhile."""
    try:
        for name in run.names:
            _copy(run.folder / name, target / name)
    except FileNotFoundError as error:
        raise Busy(f"{error.filename} has gone") from None
    if RunStore(run.folder.parent).read(run.folder) != run.record:
        raise Busy(f"{run.folder} has changed")


def _copy(source: Path, target: Path) -> None:
    """Copy bytes and time of a file, to the disk itself: the folder gets its name afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())
        found = os.fstat(read.fileno())
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _clear(runs_dir: Path) -> None:
    """Delete what a merge that was killed has left; a run that it had put aside goes back to its place."""
    staging = runs_dir / _STAGING
    for aside in staging.glob(f"*{_ASIDE}"):
        place = runs_dir / aside.name.removesuffix(_ASIDE)
        if not place.exists():
            aside.rename(place)
    _remove(staging)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
