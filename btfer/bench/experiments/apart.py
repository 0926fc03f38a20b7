"""Cells in processes of their own: on this machine, one a GPU, or on a cluster.

What a process begins with must not load Keras, which looks for GPUs then: it sees its own only afterwards. So a
cell travels as bytes. Its process writes its record, as everywhere; the command tells what came out.
"""

import pickle
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from btfer.bench.experiments.clock import Clock
from btfer.bench.runs.record import RunRecord
from btfer.engine import Ended, Engine, each_in_its_own_process
from btfer.errors import BtferError
from btfer.files import only_one
from btfer.progress import SILENT
from btfer.quiet import quiet_stderr

if TYPE_CHECKING:
    from btfer.bench.experiments.cells import GridCell
    from btfer.bench.experiments.grid import GridContext

TRIES = 2


@dataclass(frozen=True)
class Job:
    """A cell on its way to a process. number: its place in the grid. data: the pickled cell and its grid."""

    number: int
    data: bytes


@dataclass(frozen=True)
class CellEnd:
    """What became of a cell. is_busy: a process of another command is running it."""

    number: int
    record: RunRecord
    is_busy: bool = False


def each_apart(
    numbers: Sequence[int],
    wanted: "list[GridCell]",
    grid: "GridContext",
    clock: Clock,
    engine: Engine,
) -> Iterator[CellEnd]:
    """The cells of these numbers as they end, each in a process of its own; one that fails is tried once more.

    What is done already needs no process. Left early, it ends the processes.
    """
    from btfer.bench.experiments.grid import folder_of
    from btfer.bench.experiments.watch import Watch

    say, total = grid.store.progress.say, len(wanted)
    left = []
    for number in numbers:
        if record := _finished(wanted[number], grid):
            clock.skip(number)
            yield CellEnd(number, record)
        else:
            left.append(number)
    if done := len(numbers) - len(left):
        say(f"{done} of {total} cells are done already")

    def name(number: int) -> str:
        return f"[{number + 1}/{total}] {wanted[number]}"

    def jobs() -> Iterator[Job]:
        """Made only as a process is free, so a line can tell that it begins."""
        for number in left:
            clock.begin(number)
            say(name(number))
            watch.begin(name(number), folder_of(wanted[number], grid))
            yield Job(number, pickle.dumps((wanted[number], _lent(grid, wanted[number]))))

    ends = each_in_its_own_process(_run, jobs(), engine=engine, tries=TRIES)
    with Watch(say) as watch, closing(cast("Generator[Ended[Job, CellEnd]]", ends)):
        for ended in ends:
            found = _end(ended, wanted, grid)
            watch.end(name(found.number))
            clock.done(found.number, found.record)
            say(f"{name(found.number)}: {_told(found, ended.tries)}{clock.left()}")
            yield found


def _finished(cell: "GridCell", grid: "GridContext") -> RunRecord | None:
    from btfer.bench.experiments.grid import finished_record

    return finished_record(cell, grid)


def _lent(grid: "GridContext", cell: "GridCell") -> "GridContext":
    """What a cell needs of the grid, and what can be sent: the process shows nothing."""
    own = (
        grid.splits
        if grid.cross or not cell.training
        else {cell.training: grid.splits[cell.training]}
    )
    return replace(grid, splits=own, store=replace(grid.store, progress=SILENT))


def _run(job: Job) -> CellEnd:
    """In the cell's process. Raises BtferError where it failed, which its record says too."""
    with quiet_stderr():
        cell, grid = pickle.loads(job.data)  # loads Keras
        from btfer.bench.experiments.grid import run_cell

    record, is_busy = run_cell(cell, grid)
    if record.state == "failed" and not is_busy:
        raise BtferError(record.error or "failed")
    return CellEnd(job.number, record, is_busy)


def _end(ended: Ended[Job, CellEnd], wanted: "list[GridCell]", grid: "GridContext") -> CellEnd:
    if ended.result is not None:
        return ended.result
    return CellEnd(ended.item.number, _failed(wanted[ended.item.number], grid, ended))


def _failed(cell: "GridCell", grid: "GridContext", ended: Ended[Job, CellEnd]) -> RunRecord:
    """The record of a cell that failed, kept: a process that was killed could not write it."""
    from btfer.bench.experiments.grid import record_of, unrun_record

    if record := _finished(cell, grid):  # it was killed when all was done
        return record
    known = record_of(cell, grid) or unrun_record(cell, grid)
    if known.state == "failed" and known.error == ended.error:
        return known
    failed = known.changed(state="failed", error=ended.error)
    with suppress(BtferError), only_one(failed.folder, "run"):  # another command may have it now
        grid.store.write(failed)
    return failed


def _told(found: CellEnd, tries: int) -> str:
    record = found.record
    if found.is_busy:
        return "left out: another process is running it"
    if not record.is_done:
        return f"failed {tries} times: {record.error}"
    scores = record.cross_scores or record.own_scores
    return f"done: accuracy {scores['accuracy']:.3f}" if "accuracy" in scores else "done"
