"""Twelve ways in which a table or a record of a stranger is hostile, each as files for every reader."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

BOM = b"\xef\xbb\xbf"
VALUES: dict[str, tuple[str, ...]] = {
    "formulas": ("=HYPERLINK(0)", "+1+1", "@SUM(1)", "-2+3+cmd|' /C calc'!A0"),
    "control characters and long names": ("\x1b[2J", "a\x07b", "\u202ex", "\u2028", "n" * 10_000, "long " * 2_000),
    "numbers out of range": ("1e999", "NaN", "inf", "-inf", "-1", "9" * 400, "9" * 5_000, "1e-400", "²", "0x10"),
    "odd times": (
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00", "2026-05-17T25:00:00Z",
        "+292277026596-01-01", "2026-05-17T12:00:00+99:99",
    ),
}  # fmt: skip
"""What stands in a cell or in the place of a value."""
KINDS = (
    "an open quote", "zero bytes", "a byte order mark", "UTF-16", "semicolons", "a doubled header",
    "a million columns", "cells of 10 MB", *VALUES,
)  # fmt: skip
MILLION, TEN_MB = 1_000_000, 10_000_000
MOST_PLACES = 12
Files = Iterator[bytes]


def dealt(kind: str, places: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    """A place and a value of the kind, so that each value is tried somewhere, and each place with two at least."""
    values = VALUES[kind]
    each = max(2, math.ceil(len(values) / len(places)))
    for number, place in enumerate(places):
        for more in range(each):
            yield place, values[(number * each + more) % len(values)]


def of_text(kind: str, good: str, comma: str) -> Files:
    """What can be done to any text: it is cut, or is in another encoding. comma: what divides it."""
    data, middle = good.encode(), len(good) // 2
    if kind == "an open quote":
        places = [one.start() for one in re.finditer('"', good)]
        yield from (f"{good[:at]}{good[at + 1 :]}".encode() for at in places[:3])
        yield from (
            data + b'"',
            b'"' + data,
            good[:middle].encode() + b'"' + good[middle:].encode(),
        )
    elif kind == "zero bytes":
        yield from (b"\0" * 600, data + b"\0", data[:middle] + b"\0" + data[middle:])
    elif kind == "a byte order mark":
        yield from (BOM, BOM + data, BOM + BOM + data, data[:middle] + BOM + data[middle:])
    elif kind == "UTF-16":
        yield from (good.encode("utf-16"), good.encode("utf-16-le"), good.encode("utf-16")[:-1])
        yield b"\xff\xfe" + data
    elif kind == "semicolons":
        yield from (good.replace(comma, ";").encode(), good.replace(comma, ";", 1).encode())


def table(kind: str, header: str, rows: str) -> Files:
    """A table with commas. header: '' for one that has none. rows: lines that are right."""
    first, *_ = lines = rows.splitlines()
    top = f"{header}\n" if header else ""
    good, cells = f"{top}{rows}\n", first.split(",")

    def with_cell(at: int, cell: str) -> bytes:
        quoted = '"' + cell.replace('"', '""') + '"'
        return f"{top}{','.join([*cells[:at], quoted, *cells[at + 1 :]])}\n".encode()

    if kind in VALUES:
        yield from (with_cell(*one) for one in dealt(kind, range(len(cells))))
    elif kind == "a doubled header":
        doubled = "\n".join(f"{one},{one}" for one in [*([header] if header else []), *lines])
        yield from (
            f"{top}{good}".encode(),
            f"{doubled}\n".encode(),
            f"{top}{rows}\n{good}".encode(),
        )
    elif kind == "a million columns":
        names = ",".join(f"c{one}" for one in range(MILLION))
        yield f"{header},{names}\n{first},{names}\n".encode()
        fewer = ",".join(f"{one:x}" for one in range(MILLION * 6 // 10))  # within the most of a row
        yield f"{header},{fewer}\n{first},{fewer}\n".encode()
        yield f"{top}{first}{',x' * MILLION}\n".encode()
        yield f"{header}{',' * MILLION}\n{first}{',' * MILLION}\n".encode()
    elif kind == "cells of 10 MB":
        for at in {0, len(cells) - 1}:
            yield from (with_cell(at, one) for one in ("x" * TEN_MB, "x " * (TEN_MB // 2)))
        yield f"{'x' * TEN_MB},{header}\n{rows}\n".encode()
        yield with_cell(0, "x\n" * (TEN_MB // 2))
    else:
        yield from of_text(kind, good, ",")


def _places(record: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if above:
        yield above
    keys: Any = (
        record
        if isinstance(record, dict)
        else range(min(len(record), 1))
        if isinstance(record, list)
        else ()
    )
    for key in keys:
        yield from _places(record[key], (*above, key))


def _with(record: Any, place: tuple[Any, ...], value: Any) -> str:
    changed = json.loads(json.dumps(record))
    parent = changed
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return json.dumps(changed)


def record(kind: str, good: Any) -> Files:
    """A record as JSON."""
    text, places = json.dumps(good), list(_places(good))
    chosen = places[:: max(1, len(places) // MOST_PLACES)]
    if kind in VALUES:
        yield from (_with(good, *one).encode() for one in dealt(kind, chosen))
        for place in chosen[:3]:
            if kind == "numbers out of range":
                yield from (
                    _with(good, place, one).encode()
                    for one in (float("nan"), float("inf"), -1, 10**400)
                )
    elif kind == "a doubled header":
        yield f"{text[:-1]}, {text[1:]}".encode()
    elif kind == "a million columns":
        names = ", ".join(f'"c{one}": 0' for one in range(MILLION))
        yield f"{text[:-1]}, {names}}}".encode()
        yield _with(good, places[0], [0] * MILLION).encode()
    elif kind == "cells of 10 MB":
        yield from (_with(good, place, "x" * TEN_MB).encode() for place in (places[0], places[-1]))
        yield f'{{"{"x" * TEN_MB}": 1}}'.encode()
    else:
        yield from of_text(kind, text, ",")


def toml(kind: str, good: str) -> Files:
    """Settings, a plan or a card as TOML."""
    keys = [
        one for one in re.finditer(r"^(\S+) = .*$", good, re.MULTILINE) if good.count(one[0]) == 1
    ]

    def with_value(found: "re.Match[str]", value: str) -> bytes:
        return f"{good[: found.start()]}{found[1]} = {value}{good[found.end() :]}".encode()

    if kind in VALUES:
        bare = kind in ("numbers out of range", "odd times")
        for found, one in dealt(kind, keys[:MOST_PLACES]):
            yield with_value(found, json.dumps(one))
            if bare:
                yield with_value(found, one.lower().replace("t", "T"))
    elif kind == "a doubled header":
        yield from (f"{good}\n{good}".encode(), f"{good}\n{keys[0][0]}\n".encode())
    elif kind == "a million columns":
        names = "".join(f"c{one} = 0\n" for one in range(MILLION // 10))
        yield f"{names}{good}".encode()
        yield with_value(keys[0], f"[{'0,' * (MILLION // 10)}]")
    elif kind == "cells of 10 MB":
        yield from (
            with_value(keys[0], f'"{"x" * TEN_MB}"'),
            f"{'x' * TEN_MB} = 1\n{good}".encode(),
        )
    else:
        yield from of_text(kind, good, ",")


def lines(kind: str, good: str) -> Files:
    """A list with an entry in each line."""
    if kind in VALUES:
        yield from (f"{good}{one}\n".encode() for one in VALUES[kind])
    elif kind == "a doubled header":
        yield f"{good}{good}".encode()
    elif kind == "a million columns":
        yield from (
            f"{good}{'a ' * MILLION}\n".encode(),
            f"{good}{','.join(['a'] * MILLION)}\n".encode(),
        )
    elif kind == "cells of 10 MB":
        yield from (f"{good}{one}\n".encode() for one in ("x" * TEN_MB, "x " * (TEN_MB // 2)))
    else:
        yield from of_text(kind, good, ".")
