"""An AVIF without what its reader stumbles over, though the picture is whole; no byte longer or shorter.

libavif refuses a file for broken EXIF or gain maps, for a group of pictures that it does not understand, for a table of
properties that comes in parts (by cavif before 2022: browsers show such pictures), and for a transparency that does not
say its size (by cavif-rs before 2021). The bytes of the pictures stay as they are, and a damaged one stays damaged.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from btfer.images.boxes import boxes, inside

# An entry of the item list that is EXIF, or a gain map for screens of more brightness: its type is the last word.
_SIDE_ITEM = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))(?:Exif|tmap)", re.DOTALL)
_SKIPPED = b"skip"
_GROUPS = b"grpl"
_WIDE_INDEX = 1  # the only flag of `ipma` that means something
_FIRST_FREE_FLAG = 2


class Association(NamedTuple):
    """One item's properties by the table `ipma`.

    places: where the number of each begins in the table; numbers: of the properties, from 1, in their order.
    """

    item: int
    places: tuple[int, ...]
    numbers: tuple[int, ...]


def without_side_data(data: bytes) -> bytes:
    """The same file, in which no item is EXIF or a gain map, and every table is as libavif wants it."""
    for name, start, stop in boxes(data, 0, len(data)):
        if name == b"ftyp":  # else a gain map must be there
            data = data[:start] + data[start:stop].replace(b"tmap", b"mif1") + data[stop:]
        if name == b"meta":
            meta = bytearray(data[start:stop])
            _mend(meta)
            return data[:start] + bytes(meta) + data[stop:]
    return data


def grey_and_transparency(data: bytes) -> tuple[bytes, bytes] | None:
    """A grey picture without its transparency, and that as if it were the picture; None for any other file."""
    meta = inside(data, 0, len(data), b"meta")
    refers = meta and inside(data, meta[0] + 4, meta[1], b"iref")
    first = meta and inside(data, meta[0] + 4, meta[1], b"pitm")
    if not meta or not refers or not first:
        return None
    wide = 4 if any(data[refers[0] : refers[0] + 1]) else 2  # by the table's version
    picture = int.from_bytes(data[first[0] + 4 : first[1]])
    for name, at, _ in boxes(data, refers[0] + 4, refers[1]):
        of = data[
            at + wide + 2 : at + 2 * wide + 2
        ]  # item, how many it is about, and the first of them
        if name == b"auxl" and int.from_bytes(of) == picture:
            grey = data[: at - 4] + _SKIPPED + data[at:]
            alpha = int.from_bytes(data[at : at + wide]).to_bytes(first[1] - first[0] - 4)
            return grey, grey[: first[0] + 4] + alpha + grey[first[1] :]
    return None


def associations(table: bytes) -> Iterator[Association]:
    """What the table `ipma` says. table: its content, from version and flags on."""
    id_bytes = 4 if table[:1] > b"\0" else 2
    index_bytes = 2 if table[3:4] and table[3] & _WIDE_INDEX else 1
    mask = (1 << (8 * index_bytes - 1)) - 1  # the first bit says whether it is essential
    at = 8
    for _ in range(int.from_bytes(table[4:8])):
        if at + id_bytes >= len(table):
            return
        item, count = int.from_bytes(table[at : at + id_bytes]), table[at + id_bytes]
        at += id_bytes + 1
        ends = range(at, at + 1 + count * index_bytes, index_bytes)
        numbers = tuple(int.from_bytes(table[a:b]) & mask for a, b in pairwise(ends))
        yield Association(item, tuple(ends[:-1]), numbers)
        at = ends[-1]


def _mend(meta: bytearray) -> None:
    """Change the content of the box `meta`, in place."""
    had_gain_map = b"tmap" in meta
    meta[:] = _SIDE_ITEM.sub(rb"\1" + _SKIPPED, bytes(meta))
    for name, start, stop in list(boxes(bytes(meta), 4, len(meta))):
        if name == _GROUPS:
            meta[start - 4 : start] = _SKIPPED
        elif name == b"iref" and had_gain_map:
            _cut_off_gain_maps(meta, start, stop)
        elif name == b"iprp":
            _mend_properties(meta, start, stop)


def _cut_off_gain_maps(meta: bytearray, start: int, stop: int) -> None:
    """Let what is skipped be made of nothing: else its parts, the picture among them, are held for tiles of it."""
    wide = 4 if any(meta[start : start + 1]) else 2  # by the table's version
    items = _items_skipped(bytes(meta))
    for name, at, _ in boxes(bytes(meta), start + 4, stop):
        if name == b"dimg" and int.from_bytes(meta[at : at + wide]) in items:
            meta[at - 4 : at] = _SKIPPED


def _items_skipped(meta: bytes) -> set[int]:
    listed = re.finditer(rb"infe(?:\x02...(..)..|\x03...(....)..)skip", meta, re.DOTALL)
    return {int.from_bytes(one[1] or one[2] or b"") for one in listed}


def _mend_properties(meta: bytearray, start: int, stop: int) -> None:
    held = inside(bytes(meta), start, stop, b"ipco")
    if held is None:
        return
    kinds = [name for name, _, _ in boxes(bytes(meta), *held)]
    contents = [bytes(meta[at:end]) for _, at, end in boxes(bytes(meta), *held)]
    tables = [(at, end) for name, at, end in boxes(bytes(meta), start, stop) if name == b"ipma"]
    _tell_tables_apart(meta, [at for at, _ in tables])
    sizes = [
        number
        for at, end in tables
        for one in associations(bytes(meta[at:end]))
        for number in one.numbers
        if kinds[number - 1 : number] == [b"ispe"]
    ]
    for at, end in tables if sizes else ():
        for one in associations(bytes(meta[at:end])):
            its = [kinds[number - 1] if 0 < number <= len(kinds) else b"" for number in one.numbers]
            is_alpha = any(
                kind == b"auxC" and b"alpha" in contents[number - 1]
                for kind, number in zip(its, one.numbers, strict=True)
            )
            if is_alpha and b"ispe" not in its and b"pixi" in its:
                # How many bits it has is known from its own data; its size is that of the picture.
                place = at + one.places[its.index(b"pixi")]
                width = 2 if meta[at + 3] & _WIDE_INDEX else 1
                meta[place : place + width] = sizes[0].to_bytes(width)


def _tell_tables_apart(meta: bytearray, places: list[int]) -> None:
    """Give tables with equal flags other ones, by bits that mean nothing: libavif takes equal ones for an error."""
    seen = set[bytes]()
    free = _FIRST_FREE_FLAG
    for at in places:
        while bytes(meta[at : at + 4]) in seen and free <= 0xFE:
            meta[at + 3] = meta[at + 3] & _WIDE_INDEX | free
            free += _FIRST_FREE_FLAG
        seen.add(bytes(meta[at : at + 4]))
