"""Runs of the benchmark that saw a forgotten face: its rows go out of their prediction tables, their scores stay."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.files import write_atomic
from btfer.parsing import parse_json


@dataclass(frozen=True)
class RunTable:
    """A prediction table that has rows of forgotten faces.

    gone: their file names. rows: how many. trained: the network has learnt from the release. after: what its run
    then counts as forgotten, with what it has lost before.
    """

    path: Path
    gone: frozenset[str]
    rows: int
    trained: bool
    after: int


def tables_with(
    runs_dir: Path, files_of: Mapping[str, set[str]]
) -> tuple[list[RunTable], list[str]]:
    """Prediction tables with rows of these images, and what could not be read.

    files_of: the images (`images/sad/sad-001.png`) by the name of their release.
    """
    found, unread = [], []
    counted: dict[Path, int] = {}
    for path in sorted(runs_dir.glob("**/predictions_*.parquet")):
        record = _record(path.parent)
        learnt_from = _text(record.get("training"))
        names = {_release_of(record, path.name), learnt_from}
        gone = set[str]().union(*(files_of.get(name, set()) for name in names))
        if not gone:
            continue
        try:
            rows = sum(file in gone for file in _read(path)["file"].to_pylist())
        except (OSError, ValueError, KeyError) as error:
            unread.append(f"{path}: {error}")
            continue
        if rows:
            trained = bool(_part(record, "definition").get("fold")) or learnt_from in files_of
            before = record.get("forgotten", 0)
            after = rows + counted.get(path.parent, before if isinstance(before, int) else 0)
            counted[path.parent] = after  # a run may have several tables
            found.append(RunTable(path, frozenset(gone), rows, trained, after))
    return found, unread


def prune(tables: Sequence[RunTable]) -> None:
    """Take the rows out; each run's record counts them as `forgotten`."""
    for one in tables:
        table = _read(one.path)
        keep = [file not in one.gone for file in table["file"].to_pylist()]
        _note(one.path.parent, one.after)
        _write(one.path, table.filter(keep))


def _release_of(record: Mapping[str, Any], table: str) -> str:
    """Name of the release that a table's images are of: a run may have been scored on several, training sets too."""
    for name, one in _part(record, "other_sets").items():
        if isinstance(one, Mapping) and one.get("predictions") == table:
            return name
    others = record.get("also_scored")
    for one in others if isinstance(others, list) else []:
        if isinstance(one, Mapping) and one.get("predictions") == table:
            return _text(_part(one, "release").get("name"))
    return _text(_part(record, "release").get("name"))


def _record(folder: Path) -> dict[str, Any]:
    try:
        found = parse_json((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = record.get(key)
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _note(folder: Path, n_forgotten: int) -> None:
    record = _record(folder)
    if record:
        record["forgotten"] = n_forgotten
        write_atomic(folder / "run.json", f"{json.dumps(record, indent=2)}\n".encode())


def _read(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _write(path: Path, table: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_atomic(path, sink.getvalue().to_pybytes())
