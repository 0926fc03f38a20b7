"""What is broken beside the picture refuses no picture and changes none."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from btfer import images
from btfer.images.orientation import orientation_in
from tests.conftest import as_bytes, draw_photo
from tests.images.drawn import DISPLAY_P3, grainy, rgb_profile

PHOTO = draw_photo(3)
EXIF = Image.Exif()
EXIF[0x0112] = 1
EXIF[0x010E] = "a description"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'
SIDE = {"exif": EXIF.tobytes(), "icc_profile": rgb_profile(DISPLAY_P3, 2.2), "xmp": XMP}
MARKS = [0xE0, 0xE1, 0xE2, 0xEC, 0xED, 0xEE, 0xFE]
BODIES = [
    b"",
    b"\0",
    b"Exif\0\0",
    b"Exif\0\0MM\0*\xff\xff\xff\xff",
    b"JFIF\0",
    b"JFIF\0\x09\x09\0\0\1\0\1\0\0",
    b"Adobe\0\x64\0\0\0\0\x07",
    b"ICC_PROFILE\0",
    b"ICC_PROFILE\0\5\2abc",
    b"MPF\0MM\0*",
    b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x04abcd",
    bytes(5000),
]
CHUNKS = [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"gAMA", b"cHRM", b"pHYs", b"bKGD", b"tRNS"]
CHUNKS += [b"acTL", b"fcTL", b"PLTE", b"prVt"]
CONTENTS = [b"", b"\0", b"transparency\0x", b"exif\0x", b"icc_profile\0x", b"a\0\1b", bytes(5000)]


def _segment(mark: int, body: bytes) -> bytes:
    return bytes([0xFF, mark]) + struct.pack(">H", 2 + len(body)) + body


def _chunk(name: bytes, body: bytes, *, good: bool) -> bytes:
    check = zlib.crc32(name + body) ^ (not good)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


@pytest.mark.parametrize("mark", MARKS, ids=hex)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:12]))
def test_no_segment_of_a_jpeg_refuses_or_changes_it(mark: int, body: bytes) -> None:
    data = as_bytes(PHOTO, quality=92)
    clean = images.decode_rgb(data)
    for at in (2, 20):
        odd = data[:at] + _segment(mark, body) + data[at:]
        assert np.array_equal(images.decode_rgb(odd), clean), at
        assert images.read_photo(odd).width == 160


@pytest.mark.parametrize("name", CHUNKS, ids=bytes.decode)
@pytest.mark.parametrize("body", CONTENTS, ids=lambda body: repr(body[:14]))
def test_no_chunk_of_a_png_refuses_or_changes_it(name: bytes, body: bytes) -> None:
    data = as_bytes(PHOTO, "PNG")
    for at in (33, len(data) - 12):
        for good in (True, False):
            odd = data[:at] + _chunk(name, body, good=good) + data[at:]
            if name == b"tRNS" and len(body) > 6:
                continue  # it is a transparent colour, black
            assert np.array_equal(images.decode_rgb(odd), np.asarray(PHOTO)), (at, good)
            assert images.read_photo(odd).width == 160


@pytest.mark.parametrize("format_", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("what", ["exif", "icc_profile", "xmp"])
def test_overwritten_side_data_refuse_no_picture(format_: str, what: str) -> None:
    data = as_bytes(PHOTO, format_, **SIDE)
    part = {"exif": b"a description", "xmp": b"xmpmeta", "icc_profile": SIDE["icc_profile"][60:90]}
    at = data.find(part[what])
    assert at > 0
    rng = np.random.default_rng(1)
    for start, n in ((at, 1), (at, 7), (at - 20, 20), (at - 40, 60)):
        odd = data[:start] + rng.bytes(n) + data[start + n :]
        if format_ == "AVIF" and what == "exif" and b"Exif\0" not in odd:
            continue  # the list of items itself
        assert images.decode_rgb(odd).shape == (120, 160, 3), (start, n)


def test_an_avif_whose_exif_is_no_tiff_is_read() -> None:
    data = bytearray(as_bytes(PHOTO, "AVIF", exif=SIDE["exif"]))
    at = data.find(b"MM\0*") if b"MM\0*" in data else data.find(b"II*\0")
    data[at : at + 4] = b"\1\2\3\4"
    assert images.decode_rgb(bytes(data)).shape == (120, 160, 3)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_video_behind_a_jpeg_is_not_looked_at(progressive: bool) -> None:
    data = as_bytes(grainy(1), progressive=progressive)
    moving = data + np.random.default_rng(0).bytes(4_000_000) + b"\xff\xda" * 200
    assert np.array_equal(images.decode_rgb(moving), images.decode_rgb(data))


def _exif(*entries: tuple[int, int, int, int], order: str = ">") -> bytes:
    """Entries of tag, kind, count and value."""
    table = b"".join(
        struct.pack(order + "HHI", tag, kind, count)
        + struct.pack(order + {3: "Hxx", 4: "I", 1: "Bxxx"}.get(kind, "I"), value)
        for tag, kind, count, value in entries
    )
    head = b"MM\0*" if order == ">" else b"II*\0"
    return head + struct.pack(order + "IH", 8, len(entries)) + table + bytes(4)


@pytest.mark.parametrize(
    ("exif", "orientation"),
    [
        (_exif((0x0112, 3, 1, 6)), 6),
        (_exif((0x0112, 3, 1, 6), order="<"), 6),
        (b"Exif\0\0" + _exif((0x0112, 3, 1, 8)), 8),
        (_exif((0x0112, 4, 1, 3)), 3),
        (_exif((0x0112, 3, 1, 6), (0x0112, 3, 1, 3)), 6),
        (_exif((0x0112, 3, 1, 9)), 1),
        (_exif((0x0112, 3, 5, 6)), 1),
        (_exif((0x0112, 2, 1, 6)), 1),
        (_exif((0x0112, 3, 1, 6))[:15], 1),
        (b"", 1),
        (b"Exif\0\0", 1),
        (bytes(range(200)), 1),
    ],
)
def test_the_first_orientation_that_is_a_number_counts(exif: bytes, orientation: int) -> None:
    assert orientation_in(exif) == orientation


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_an_orientation_in_xmp_turns_nothing_as_in_browsers(format_: str) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    if format_ == "PNG":
        text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
        data = as_bytes(PHOTO, "PNG")
        data = data[:33] + _chunk(b"iTXt", text, good=True) + data[33:]
    else:
        data = as_bytes(PHOTO, format_, xmp=xmp)
    assert images.decode_rgb(data).shape == (120, 160, 3)
