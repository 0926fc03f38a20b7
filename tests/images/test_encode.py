"""Pictures that carry pixels and nothing else."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from btfer import images
from btfer.errors import BtferError
from tests.conftest import as_bytes, draw_photo


def test_a_png_of_ours_carries_pixels_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    pixels = np.asarray(draw_photo(7))
    path.write_bytes(images.encode_png(pixels))
    assert images.metadata_in(path) == []
    assert np.array_equal(images.decode_rgb(path.read_bytes()), pixels)
    tagged = io.BytesIO()
    draw_photo(7).save(tagged, "PNG", dpi=(72, 72), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    path.write_bytes(tagged.getvalue())
    assert images.metadata_in(path) == ["dpi", "exif"]


@pytest.mark.parametrize("packing", images.PACKINGS)
@pytest.mark.parametrize("size", [(256, 256), (1, 1), (7, 300)], ids=str)
def test_every_packing_holds_the_same_pixels_and_nothing_else(
    packing: str, size: tuple[int, int]
) -> None:
    pixels = np.asarray(draw_photo(7, (300, 300)))[: size[1], : size[0]]
    data = images.encode_png(pixels, packing=packing)
    assert np.array_equal(images.decode_rgb(data), pixels)
    assert images.bare_size(data) == size
    assert images.encode_png(pixels, packing=packing) == data


def test_a_packing_of_a_newer_version_is_refused() -> None:
    with pytest.raises(BtferError, match="upgrade btfer"):
        images.encode_png(np.zeros((2, 2, 3), np.uint8), packing="of the year 2030")


def test_a_jpeg_of_ours_looks_like_its_pixels() -> None:
    pixels = np.asarray(draw_photo(7))
    data = images.encode_jpeg(pixels)
    assert Image.open(io.BytesIO(data)).format == "JPEG"
    assert np.abs(images.decode_rgb(data).astype(int) - pixels).mean() < 7


def chunks_of(data: bytes) -> list[bytes]:
    """A PNG's signature and chunks."""
    parts, at = [data[:8]], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        parts.append(data[at:end])
        at = end
    return parts


def made_chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + name + content + zlib.crc32(name + content).to_bytes(4)


def spoiled(kind: str) -> bytes:
    """A PNG that is not quite bare."""
    data = images.encode_png(np.asarray(draw_photo(7)))
    sign, head, *body, end = chunks_of(data)
    stream = b"".join(one[8:-4] for one in body)
    text = made_chunk(b"tEXt", b"Author\0Ann")
    longer = zlib.compress(zlib.decompress(stream) + b"Ann")
    filters = zlib.compress(b"\x05" + zlib.decompress(stream)[1:])
    return {
        "text": sign + head + text + b"".join(body) + end,
        "text after the pixels": sign + head + b"".join(body) + text + end,
        "bytes behind the end": data + b"Ann",
        "bytes behind the stream": sign + head + made_chunk(b"IDAT", stream + b"Ann") + end,
        "more rows than the header says": sign + head + made_chunk(b"IDAT", longer) + end,
        "no such filter": sign + head + made_chunk(b"IDAT", filters) + end,
        "content in the end": sign + head + b"".join(body) + made_chunk(b"IEND", b"Ann"),
        "cut": data[:-9],
        "flipped bit": data[:60] + bytes([data[60] ^ 1]) + data[61:],
        "grey": as_bytes(draw_photo(7).convert("L"), "PNG"),
        "interlaced header": sign
        + made_chunk(b"IHDR", head[8:-5] + b"\x01")
        + b"".join(body)
        + end,
        "a JPEG": as_bytes(draw_photo(7)),
        "nothing": b"",
        "millions of rows": sign
        + made_chunk(b"IHDR", b"\x7f\xff\xff\xff" * 2 + head[16:-4])
        + b"".join(body)
        + end,
    }[kind]


KINDS = (
    *("text", "text after the pixels", "bytes behind the end", "bytes behind the stream"),
    *("more rows than the header says", "no such filter", "content in the end", "cut"),
    *("flipped bit", "grey", "interlaced header", "a JPEG", "nothing", "millions of rows"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_png_with_one_byte_too_many_or_of_another_kind_is_not_bare(kind: str) -> None:
    assert images.bare_size(spoiled(kind)) is None


def test_what_we_write_is_bare() -> None:
    assert images.bare_size(images.encode_png(np.asarray(draw_photo(7, (120, 90))))) == (120, 90)
