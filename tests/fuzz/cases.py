"""Cases that are nearly right: files with bytes, segments and fields changed, JSON with values of another kind."""

import json
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

Mutation = tuple[str, float, int]
"""What is done, where (a share of the length), and a number that says how."""

FIELDS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 3.7, 1e308, 10**400, float("nan"), float("inf"), "", "x", "a" * 10_000, "../../etc/passwd",
    "\x1b[2J", "\ud800", "\0", "=HYPERLINK(0)", "0001-01-01T00:00:00+14:00", "http://[bad", "<![x[", "<b>" * 600,
    [], [None], [[]], {}, {"a": 1}, {"a": []},
)  # fmt: skip


def _flip(data: bytearray, at: int, how: int) -> None:
    if data:
        data[at % len(data)] ^= 1 << how % 8


def _byte(data: bytearray, at: int, how: int) -> None:
    if data:
        data[at % len(data)] = how % 256


def _field(data: bytearray, at: int, how: int) -> None:
    width = (2, 4)[how % 2]
    number = FIELDS[how // 4 % len(FIELDS)] & (2 ** (8 * width) - 1)
    data[at : at + width] = number.to_bytes(width, ("big", "little")[how // 2 % 2])


def _cut(data: bytearray, at: int, how: int) -> None:
    del data[at : at + 1 + how % 300]


def _end(data: bytearray, at: int, _how: int) -> None:
    del data[at:]


def _zeros(data: bytearray, at: int, how: int) -> None:
    stop = min(len(data), at + 1 + how % 300)
    data[at:stop] = bytes(stop - at)


def _twice(data: bytearray, at: int, how: int) -> None:
    data[at:at] = data[at : at + 1 + how % 300]


def _moved(data: bytearray, at: int, how: int) -> None:
    part = bytes(data[at : at + 1 + how % 100])
    del data[at : at + len(part)]
    to = how % (len(data) + 1)
    data[to:to] = part


MUTATIONS: dict[str, Callable[[bytearray, int, int], None]] = {
    "flip": _flip, "byte": _byte, "field": _field, "cut": _cut, "end": _end, "zeros": _zeros, "twice": _twice,
    "moved": _moved,
}  # fmt: skip


def mutations(most: int = 6) -> st.SearchStrategy[list[Mutation]]:
    """Some changes, to be made one after the other."""
    one = st.tuples(
        st.sampled_from(sorted(MUTATIONS)),
        st.floats(0, 1, allow_nan=False),
        st.integers(0, 2**16),
    )
    return st.lists(one, min_size=1, max_size=most)


def mutated(data: bytes, changes: Iterable[Mutation]) -> bytes:
    """The data after these changes."""
    found = bytearray(data)
    for name, share, how in changes:
        MUTATIONS[name](found, int(share * len(found)), how)
    return bytes(found)


def damaged(wholes: Iterable[bytes]) -> st.SearchStrategy[bytes]:
    """One of some files with changes."""
    return st.builds(mutated, st.sampled_from(list(wholes)), mutations())


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what is in them, so that its reader looks at that."""
    found, at = bytearray(data), 8
    while at + 12 <= len(found):
        stop = at + 8 + int.from_bytes(found[at : at + 4])
        if stop + 4 > len(found):
            break
        found[stop : stop + 4] = struct.pack(">I", zlib.crc32(found[at + 4 : stop]))
        at = stop + 4
    return bytes(found)


def with_other_pixels(data: bytes, changes: Iterable[Mutation]) -> bytes:
    """A PNG whose packed pixels and row filters are changed before they are packed."""
    start = data.index(b"IDAT") - 4
    stop = start + 12 + int.from_bytes(data[start : start + 4])
    rows = mutated(zlib.decompress(data[start + 8 : stop - 4]), changes)
    packed = zlib.compress(rows, 1)
    chunk = struct.pack(">I", len(packed)) + b"IDAT" + packed + bytes(4)
    return with_checksums(data[:start] + chunk + data[stop:])


def segments(data: bytes) -> list[bytes]:
    """The segments of a JPEG up to its scan, and the rest as the last."""
    found, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        found.append(data[at:stop])
        at = stop
    return [*found, data[at:]]


def with_other_segments(data: bytes, changes: Iterable[Mutation]) -> bytes:
    """A JPEG with segments changed inside, left out, doubled or in another place; their lengths stay right."""
    found = segments(data)
    for name, share, how in changes:
        at = min(int(share * len(found)), len(found) - 1)
        if name == "cut":
            del found[at]
        elif name == "twice":
            found.insert(how % (len(found) + 1), found[at])
        elif name == "moved":
            found.insert(how % len(found), found.pop(at))
        else:
            inside = mutated(found[at][4:], [(name, how % 97 / 97, how)])
            kept = found[at][:2] + struct.pack(">H", (len(inside) + 2) & 0xFFFF)
            found[at] = (kept if 0 < at < len(found) - 1 else found[at][:4]) + inside
        if not found:
            break
    return b"".join(found)


def places(record: Any, above: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """Where the values of a record are; of a list its first two."""
    yield above
    keys: Iterable[Any] = ()
    if isinstance(record, dict):
        keys = record
    elif isinstance(record, list):
        keys = range(min(len(record), 2))
    for key in keys:
        yield from places(record[key], (*above, key))


def with_value(record: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A record with another value in one place; `...` takes it away."""
    if not place:
        return value if value is not ... else None
    found = json.loads(json.dumps(record))
    parent = found
    for key in place[:-1]:
        parent = parent[key]
    if value is ...:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return found


def junk() -> st.SearchStrategy[Any]:
    """A value of any kind."""
    plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
    nested = st.recursive(plain, _containers, max_leaves=6)
    return st.one_of(st.sampled_from([..., *JUNK]), nested)


def _containers(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3)


@st.composite
def odd_records(draw: st.DrawFn, record: Any) -> Any:
    """A record with up to four values of another kind."""
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(list(places(record))))
        record = with_value(record, place, draw(junk()))
        if not isinstance(record, dict | list):
            break
    return record


def as_json(record: Any) -> bytes:
    """Its text, also of what JSON has no word for."""
    return json.dumps(record).encode("utf-8", "surrogatepass")


def odd_texts(words: Iterable[str], most: int = 12) -> st.SearchStrategy[str]:
    """Words of a trade in any order, with other characters between and within them."""
    word = st.one_of(st.sampled_from(list(words)), st.text(max_size=5))
    long = st.builds(lambda one, times: one * times, word, st.sampled_from([1] * 20 + [40, 1_000]))
    return st.lists(long, max_size=most).map("".join)
