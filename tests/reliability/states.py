"""What a command has left in its folder: rows of the catalogues and files, without what clocks and counters wrote."""

import fcntl
import hashlib
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py

State = Mapping[str, object]
CLOCKS = {"at", "done_at", "until", "seconds"}
RANDOM = {"uid", "sealed", "mark", "erasure.id"}
"""Columns that are drawn, or keyed with what is drawn."""
COUNTERS = {"id": int, "number": int, "undoes": int, "attempts": int}
"""Columns of numbers in the order of arrival, which is another one after a kill."""

APART = ("sqlite_", "stage_mark")
"""How the tables begin that can be computed again: where a stage left off is known after its next run at the latest."""

MEASURED = ("edge.", "edge-")
"""How the names of files begin that hold nothing but what was measured."""

_SPEEDS = {"seconds", "seconds_per_step", "images_per_second", "memory"}
_TIMES = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|\+00:00)?")
_ERASURE = re.compile(r"erasure-[0-9a-f]{12}")
_TEXT = {".json", ".html", ".csv", ".md", ".tex", ".txt", ".toml", ".cff", ".jsonl"}


def state_of(folder: Path) -> State:
    """Rows by table and files by name, to be compared; raises AssertionError for a damaged catalogue or a held lock."""
    found: dict[str, object] = {}
    catalogues = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name.startswith(".") and path.name.endswith(".lock"):
            assert_free(path)
        elif path.suffix == ".db" or ".db.before-" in path.name:
            catalogues.append(path)
        elif path.is_file():
            found[_ERASURE.sub("erasure-ID", name)] = _digest(path)
    for one in catalogues:  # which may make files beside them
        name = str(one.relative_to(folder))
        found |= {f"{name}: {table}": rows for table, rows in rows_of(one).items()}
    return found


def differences(one: State, other: State) -> list[str]:
    """What differs, a line each."""
    lines = [f"only now: {name}" for name in sorted(other.keys() - one.keys())]
    lines += [f"missing: {name}" for name in sorted(one.keys() - other.keys())]
    for name in sorted(one.keys() & other.keys()):
        if one[name] != other[name]:
            lines.append(f"differs: {name}{_of_rows(one[name], other[name])}")
    return lines


def _of_rows(one: Any, other: Any) -> str:
    if isinstance(one, str):
        return ""
    more, less = [r for r in other if r not in one], [r for r in one if r not in other]
    return f" ({len(one)} rows, now {len(other)}; new {more[:2]}; gone {less[:2]})"[:600]


def rows_of(file: Path) -> dict[str, list[str]]:
    """Every row of a catalogue by table."""
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], file
        assert db.execute("PRAGMA foreign_key_check").fetchall() == [], file
        tables = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {one: _rows(db, one) for one in sorted(tables) if not one.startswith(APART)}


def _rows(db: sqlite3.Connection, table: str) -> list[str]:
    found = db.execute(f'SELECT * FROM "{table}"')
    names = [one[0] for one in found.description]
    return sorted(
        json.dumps(
            {
                name: value
                for name, value in zip(names, row, strict=True)
                if not {name, f"{table}.{name}"} & (CLOCKS | RANDOM)
                and not isinstance(value, COUNTERS.get(name, ()))
            },
            default=repr,
        )
        for row in found
    )


def _digest(path: Path) -> str:
    """Of the bytes, without times and measured speeds."""
    data = b"" if path.name.startswith(MEASURED) else path.read_bytes()
    if path.suffix == ".keras":
        data = repr(_weights(path)).encode()
    elif path.name == "run.json":
        data = json.dumps(_without_speeds(json.loads(data)), sort_keys=True).encode()
    elif path.name == "history.csv":
        data = b"\n".join(line.rpartition(b",")[0] for line in data.splitlines())
    if path.suffix in _TEXT:
        text = data.decode("utf-8", "replace").replace(path.stem.removeprefix("erasure-"), "ID")
        data = _TIMES.sub("TIME", text).encode()
    return hashlib.sha256(data).hexdigest()


def _weights(file: Path) -> list[tuple[str, str]]:
    """The arrays of a network, by name; the file has times in it."""
    found: list[tuple[str, str]] = []

    def look(name: str, one: Any) -> None:
        if isinstance(one, h5py.Dataset):
            found.append((name, hashlib.sha256(one[()].tobytes()).hexdigest()))

    with (
        zipfile.ZipFile(file) as parts,
        h5py.File(io.BytesIO(parts.read("model.weights.h5"))) as h5,
    ):
        h5.visititems(look)
    return sorted(found)


def _without_speeds(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _without_speeds(one) for key, one in found.items() if key not in _SPEEDS}
    return [_without_speeds(one) for one in found] if isinstance(found, list) else found


def assert_free(lock: Path) -> None:
    """Nobody holds it."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
