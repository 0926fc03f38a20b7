"""AVIF files put together box by box, as encoders of all kinds have written them."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from btfer.images.boxes import coded_parts
from tests.conftest import as_bytes

ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
Property = tuple[bytes, bytes]
"""Name and content."""


@dataclass(frozen=True)
class Coded:
    """A coded picture: what stands in `av1C`, its bytes, its size in pixels and its number of channels."""

    config: bytes
    data: bytes
    size: tuple[int, int]
    n_channels: int

    @property
    def extent(self) -> Property:
        return b"ispe", struct.pack(">I2I", 0, *self.size)

    @property
    def depths(self) -> Property:
        return b"pixi", struct.pack(">IB", 0, self.n_channels) + bytes([8] * self.n_channels)


def coded(image: Image.Image) -> Coded:
    """A grey picture has one channel."""
    data = as_bytes(image, "AVIF", quality=90)
    [(start, end)] = coded_parts(data)
    at = data.index(b"av1C")
    config = data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at])]
    return Coded(config, data[start:end], image.size, len(image.getbands()))


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def assembled(
    picture: Coded,
    alpha: Coded | None = None,
    *,
    with_depths: bool = True,
    alpha_has_extent: bool = True,
    tables: int = 1,
    more: Sequence[Property] = (),
    groups: bytes = b"",
    gain_map: bytes = b"",
) -> bytes:
    """A file. tables: `ipma` boxes. more: properties of the picture. gain_map: content of a `tmap`, if any."""
    depths = [picture.depths] if with_depths else []
    its = [[picture.extent, *depths, (b"av1C", picture.config), *more]]
    items, contents = [(1, b"av01")], [picture.data]
    references = b""
    if alpha:
        extent = [alpha.extent] if alpha_has_extent else []
        its.append([*extent, alpha.depths, (b"av1C", alpha.config), (b"auxC", bytes(4) + ALPHA)])
        items, contents = [*items, (2, b"av01")], [*contents, alpha.data]
        references += box(b"auxl", struct.pack(">3H", 2, 1, 1))
    if gain_map:
        its += [[picture.extent, picture.depths], [picture.extent, (b"av1C", picture.config)]]
        items, contents = [*items, (3, b"tmap"), (4, b"av01")], [*contents, gain_map, picture.data]
        references += box(b"dimg", struct.pack(">4H", 3, 2, 1, 4))
    kinds = b"avif\0\0\0\0avifmif1miaf" + (b"tmap" if gain_map else b"")
    head = box(b"ftyp", kinds)
    tables_ = [*_tables(its, [item for item, _ in items], tables)]
    properties = box(b"ipco", b"".join(box(*one) for of in its for one in of)) + b"".join(tables_)

    def meta(first: int) -> bytes:
        entries = b"".join(
            box(b"infe", struct.pack(">I2H4sB", 2 << 24, item, 0, kind, 0)) for item, kind in items
        )
        return box(
            b"meta",
            bytes(4)
            + box(b"hdlr", struct.pack(">2I4s12xB", 0, 0, b"pict", 0))
            + box(b"pitm", struct.pack(">IH", 0, 1))
            + box(b"iloc", _places(first, [item for item, _ in items], contents))
            + box(b"iinf", struct.pack(">IH", 0, len(items)) + entries)
            + (box(b"iref", bytes(4) + references) if references else b"")
            + box(b"iprp", properties)
            + (box(b"grpl", groups) if groups else b""),
        )

    first = len(head) + len(meta(0)) + 8
    return head + meta(first) + box(b"mdat", b"".join(contents))


def _tables(its: Sequence[Sequence[Property]], items: Sequence[int], n: int) -> Iterator[bytes]:
    """The tables of properties, the last `n` - 1 items in one of their own."""
    entries, at = [], 1
    for item, of in zip(items, its, strict=True):
        numbers = bytes(
            number | 0x80 * (name in (b"av1C", b"clap", b"irot"))
            for number, (name, _) in enumerate(of, start=at)
        )
        entries.append(struct.pack(">HB", item, len(of)) + numbers)
        at += len(of)
    cut = len(entries) - (n - 1)
    for part in (entries[:cut], *([one] for one in entries[cut:])):
        yield box(b"ipma", struct.pack(">2I", 0, len(part)) + b"".join(part))


def _places(first: int, items: Sequence[int], contents: Sequence[bytes]) -> bytes:
    table = struct.pack(">I2BH", 0, 0x44, 0, len(items))
    for item, content in zip(items, contents, strict=True):
        table += struct.pack(">3H2I", item, 0, 1, first, len(content))
        first += len(content)
    return table
