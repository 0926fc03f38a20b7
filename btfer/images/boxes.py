"""The boxes that AVIF and HEIC are made of, and where their pictures' bytes are; ISO/IEC 14496-12 and 23008-12."""

from collections.abc import Iterator

_CODED = (b"hvc1", b"av01")
_IN_FILE = 0  # an item's bytes can also lie in its own box, or in another item


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name of each box, start of its content and its end."""
    while at + 8 <= end:
        size, name, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        stop = end if size == 0 else at + size
        if stop > end or stop < at + head:
            return
        yield name, at + head, stop
        at = stop


def inside(data: bytes, start: int, end: int, name: bytes) -> tuple[int, int] | None:
    """Start and end of the first box of a name; None where there is none."""
    return next(((at, stop) for one, at, stop in boxes(data, start, end) if one == name), None)


def coded_parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of every stretch of coded pixels: of pictures, tiles, thumbnails and alpha, not of metadata."""
    meta = inside(data, 0, len(data), b"meta")
    items = meta and inside(data, meta[0] + 4, meta[1], b"iinf")
    places = meta and inside(data, meta[0] + 4, meta[1], b"iloc")
    if items and places:
        coded = _coded_items(data, *items)
        for item, start, end in _extents(data[slice(*places)]):
            if item in coded:
                yield start, end


def _coded_items(data: bytes, start: int, end: int) -> set[int]:
    head = 6 if data[start] == 0 else 8
    found = set()
    for name, at, _ in boxes(data, start + head, end):
        wide = data[at] == 3
        kind = at + (10 if wide else 8)
        if name == b"infe" and data[kind : kind + 4] in _CODED:
            found.add(int.from_bytes(data[at + 4 : at + (8 if wide else 6)]))
    return found


class _Numbers:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, n_bytes: int) -> int:
        self._at += n_bytes
        return int.from_bytes(self._data[self._at - n_bytes : self._at])

    @property
    def left(self) -> bool:
        return self._at < len(self._data)


def _extents(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Item, start and end of each stretch by the table `iloc`; of those that lie in the file."""
    numbers = _Numbers(table)
    version = numbers.take(4) >> 24
    sizes = numbers.take(2)
    of_offset, of_length, of_base, of_index = ((sizes >> n) & 15 for n in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2
    for _ in range(numbers.take(wide)):
        if not numbers.left:  # a number of items that no file can hold
            return
        item = numbers.take(wide)
        method = numbers.take(2) & 15 if version else _IN_FILE
        numbers.take(2)  # which file
        base = numbers.take(of_base)
        for _ in range(numbers.take(2)):
            if not numbers.left:
                return
            if version:
                numbers.take(of_index)
            start = base + numbers.take(of_offset)
            length = numbers.take(of_length)
            if method == _IN_FILE:
                yield item, start, start + length
