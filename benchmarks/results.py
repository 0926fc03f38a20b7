"""Where measured figures stay: `benchmarks/results/DATE-SCRIPT.csv`, a row each; every benchmark has `--save`.

A row says what was measured, ours and a peer's figure in one unit, what must be reached, and on what
machine under which load: a busy machine measures itself. Rows are added, never changed.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent / "results"
TYPED = tuple(sys.argv)
"""The command. What runs in this process later, as a test may, has words of its own in sys.argv."""
COLUMNS = ("date", "command", "what", "value", "unit", "peer", "limit", "machine", "load")


@dataclass(frozen=True)
class Measured:
    """One figure. peer: another program's, named in `what`, in the same unit. limit: such as `< 20` or `>= 1`."""

    what: str
    value: float
    unit: str
    peer: float | None = None
    limit: str = ""


def add_save(parser: argparse.ArgumentParser) -> None:
    """Give a benchmark the option `--save`."""
    parser.add_argument("--save", action="store_true", help=f"keep the figures in {FOLDER.name}/")


def save(
    rows: Iterable[Measured], *, folder: Path = FOLDER, more: Mapping[str, str] | None = None
) -> Path:
    """Add today's figures of the script that runs; the file.

    more: columns that only this script has, the same of them each time, with their values in these rows.
    """
    more = more or {}
    script = Path(TYPED[0])
    today = date.today().isoformat()
    command = " ".join([f"benchmarks/{script.name}", *map(_shown, TYPED[1:])])
    command = command.replace(" --save", "")
    load = f"{os.getloadavg()[0]:.1f}"
    folder.mkdir(exist_ok=True)
    path = folder / f"{today}-{script.stem}.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow([*COLUMNS, *more])
        for one in rows:
            peer = "" if one.peer is None else f"{one.peer:.6g}"
            figures = (one.what, f"{one.value:.6g}", one.unit, peer, one.limit)
            machine = (f"{os.cpu_count()} cores", load)
            writer.writerow((today, command, *figures, *machine, *more.values()))
    return path


def _shown(argument: str) -> str:
    """An argument; of a path only its last name, since others have no such folders."""
    return Path(argument).name if os.sep in argument else argument
