"""Release folders as they lie on disk, whole or damaged: their files and tables, read without trust.

The catalogue may not know a folder (its row was never written, or an old database was restored), and a table may
be damaged or not be UTF-8: what can be read of it is, since a face in it must still be found.
"""

import csv
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.files import write_atomic
from btfer.parsing import parse_json
from btfer.paths import releases_dir, training_dir

TABLES = ("metadata.csv", "attribution.csv", "sources.csv")
ANY_BYTES = "latin-1"  # reads every byte and writes it back as it was
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # little and big end first


@dataclass(frozen=True)
class Table:
    """A CSV file as it stands: header and rows, of which some may be short."""

    header: list[str]
    rows: list[list[str]]

    def records(self) -> Iterator[dict[str, str]]:
        """Each row by column, in their order; what is no letter in a column's name is left out (a stray BOM)."""
        columns = [
            "".join(c for c in name if c.isascii() and c.isprintable()) for name in self.header
        ]
        for row in self.rows:
            yield dict(zip(columns, row, strict=False))

    def without(self, names: set[str]) -> "Table":
        """The rows in which no cell is one of these, in whatever column: its header may be damaged."""
        return Table(self.header, [row for row in self.rows if names.isdisjoint(row)])


def release_folders(data_dir: Path) -> list[Path]:
    """Every folder below `releases`, known to the catalogue or not; but for what is being written."""
    return _folders(releases_dir(data_dir))


def training_sets(data_dir: Path) -> list[Path]:
    """Every training set: any may be a copy of a release, or of its images alone.

    Not one that is a link: it lies elsewhere and may be other people's too, so it is searched and not changed.
    """
    return [one for one in _folders(training_dir(data_dir)) if not one.is_symlink()]


def _folders(home: Path) -> list[Path]:
    if not home.is_dir():
        return []
    return sorted(one for one in home.iterdir() if one.is_dir() and not one.name.startswith("."))


def files_in(folder: Path) -> Iterator[Path]:
    """Every file below a folder that is one: no link, no pipe."""
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(root) / name
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def everything_in(folder: Path, unsearched: list[str]) -> Iterator[Path]:
    """Every file below a folder, each once, also behind links; what cannot be followed is added to `unsearched`."""
    seen: set[Path] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            for path in sorted(here.iterdir()):
                real = path.resolve()
                if path.is_symlink() and folder.resolve().is_relative_to(real):
                    unsearched.append(f"{path}: a link to {real}, which holds all of {folder}")
                elif path.is_dir() and real not in seen:
                    waiting.append(path)
                    seen.add(real)
                elif path.is_file():
                    yield path
        except (OSError, RuntimeError) as error:  # the second: a link that leads to itself
            unsearched.append(f"{here}: {getattr(error, 'strerror', error)}")


def read_table(path: Path) -> Table | None:
    """A CSV file; None where there is none, or where it is not a CSV file at all."""
    try:
        text = path.read_bytes().decode(ANY_BYTES)
        header, *rows = csv.reader(io.StringIO(text, newline=""))
    except (OSError, csv.Error, ValueError):
        return None
    return Table(header, rows)


def write_table(path: Path, table: Table) -> None:
    """Write a table back, with the bytes of its cells as they were."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.header, *table.rows])
    write_atomic(path, text.getvalue().encode(ANY_BYTES))


def seed_in(folder: Path) -> int | None:
    """The seed that a release says it was made with; None where it cannot be read."""
    try:
        told: Any = parse_json((folder / "release.json").read_text(encoding="utf-8"))
        return int(told["settings"]["seed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
