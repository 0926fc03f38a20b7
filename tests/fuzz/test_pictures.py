"""Pictures with damaged bytes, segments, chunks and pixels: they are read, or refused with a word for the funnel."""

import io
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image

from btfer.errors import ImageError
from btfer.images import (
    FORMATS,
    Intake,
    bare_size,
    decode_rgb,
    describe_photo,
    forbids_mining,
    phash_pairs,
    read_photo,
)
from btfer.images.extra_formats import is_read_here
from tests.conftest import as_bytes, draw_photo
from tests.fuzz import cases
from tests.fuzz.driver import fuzz
from tests.images.drawn import DISPLAY_P3, grainy, interlaced_png, rgb_profile
from tests.pipeline.nasty import NASTY

SIZE = (72, 56)
REASONS = {
    "empty", "not an image", "format", "animated", "too many pixels", "too many scans", "too small", "truncated",
}  # fmt: skip
XMP = b"<x:xmpmeta><plus:DataMining>DMI-PROHIBITED</plus:DataMining></x:xmpmeta>"


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def jpegs() -> list[bytes]:
    photo, grey = grainy(1, SIZE), grainy(2, SIZE).convert("L")
    profile = rgb_profile(DISPLAY_P3, 2.2)
    return [
        as_bytes(photo, quality=80),
        as_bytes(photo, quality=60, progressive=True, subsampling="4:2:0"),
        as_bytes(photo, quality=90, subsampling="4:4:4", restart_marker_rows=1),
        as_bytes(photo, exif=turned(6), icc_profile=profile, comment=b"x"),
        as_bytes(photo, exif=turned(3), xmp=XMP),
        as_bytes(grey, quality=70),
        as_bytes(photo.convert("CMYK"), quality=70),
        NASTY["jpeg exif thumbnail"](),
    ]


def pngs() -> list[bytes]:
    photo = grainy(3, SIZE)
    deep = Image.fromarray(np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE[::-1]) * 16)
    moving = draw_photo(5, SIZE)
    return [
        as_bytes(photo, "PNG"),
        as_bytes(photo, "PNG", exif=turned(8), icc_profile=rgb_profile(DISPLAY_P3, 1.8)),
        as_bytes(photo.convert("L"), "PNG"),
        as_bytes(photo.convert("1"), "PNG"),
        as_bytes(photo.convert("LA"), "PNG"),
        as_bytes(photo.convert("RGBA"), "PNG"),
        as_bytes(photo.quantize(16), "PNG", transparency=3),
        as_bytes(photo.quantize(200), "PNG", bits=8),
        as_bytes(deep, "PNG"),
        interlaced_png(photo),
        as_bytes(moving, "PNG", save_all=True, append_images=[draw_photo(6, SIZE)]),
    ]


def others() -> list[bytes]:
    photo, alpha = grainy(4, SIZE), grainy(4, SIZE).convert("RGBA")
    made = [
        as_bytes(photo, "WEBP", quality=70),
        as_bytes(photo, "WEBP", lossless=True),
        as_bytes(alpha, "WEBP", quality=70, exif=turned(5), xmp=XMP),
        as_bytes(photo, "WEBP", save_all=True, append_images=[draw_photo(7, SIZE)]),
        as_bytes(photo, "AVIF", quality=60),
        as_bytes(alpha, "AVIF", quality=60, exif=turned(7), icc_profile=rgb_profile(DISPLAY_P3, 2)),
        *(as_bytes(photo, name) for name in ("GIF", "BMP", "TIFF", "PPM")),
    ]
    for extra, format_ in (("HEIC", "HEIF"), ("JPEG XL", "JXL")):
        if is_read_here(extra):
            _register(format_)
            made.append(as_bytes(photo, format_))
    return made


def _register(format_: str) -> None:
    if format_ == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    else:
        pytest.importorskip("pillow_jxl")


@cache
def whole(kind: str) -> tuple[bytes, ...]:
    """Small files of a kind of formats, made once."""
    return tuple({"JPEG": jpegs, "PNG": pngs, "other": others}[kind]())


def damaged(kind: str, make: Any = cases.mutated) -> st.SearchStrategy[bytes]:
    """Files of a kind after some changes."""
    number = st.integers(0, 1000)
    changes = cases.mutations()
    return st.builds(lambda n, said: make(whole(kind)[n % len(whole(kind))], said), number, changes)


def is_read_or_refused(data: bytes) -> None:
    """Read a file by every way in, and look that all say the same."""
    assert isinstance(forbids_mining(data), bool)
    told = describe_photo(data)
    if isinstance(told, str):
        assert told in REASONS
        with pytest.raises(ImageError):
            read_photo(data)
        return
    assert isinstance(told, Intake)
    assert told.format in FORMATS.values()
    assert -(2**63) <= told.phash < 2**63
    assert told.n_bytes == len(data)
    with Image.open(io.BytesIO(told.thumbnail)) as small:
        assert max(small.size) == 160
    pixels = decode_rgb(data)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (told.height, told.width, 3)


@fuzz(20, data=damaged("JPEG"))
def test_a_jpeg_with_other_bytes(data: bytes) -> None:
    is_read_or_refused(data)


@fuzz(20, data=damaged("JPEG", cases.with_other_segments))
def test_a_jpeg_with_other_segments(data: bytes) -> None:
    is_read_or_refused(data)


@fuzz(15, data=damaged("PNG"))
def test_a_png_with_other_bytes(data: bytes) -> None:
    is_read_or_refused(data)
    assert bare_size(data) is None or min(bare_size(data) or ()) > 0


@fuzz(20, data=damaged("PNG").map(cases.with_checksums))
def test_a_png_with_other_chunks_whose_checksums_are_right(data: bytes) -> None:
    is_read_or_refused(data)
    assert bare_size(data) is None or min(bare_size(data) or ()) > 0


@fuzz(15, data=damaged("PNG", cases.with_other_pixels))
def test_a_png_with_other_packed_pixels(data: bytes) -> None:
    is_read_or_refused(data)


@fuzz(20, data=damaged("other"))
def test_a_file_of_another_format_with_other_bytes(data: bytes) -> None:
    is_read_or_refused(data)


STARTS = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBPVP8 ", b"\0\0\0\x20ftypavif", b"\0\0\0\x20ftypheic",
    b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"GIF89a", b"BM", b"II*\0", b"",
)  # fmt: skip


@fuzz(20, start=st.sampled_from(STARTS), rest=st.binary(max_size=400))
def test_a_file_of_which_only_the_beginning_is_right(start: bytes, rest: bytes) -> None:
    is_read_or_refused(start + rest)


@fuzz(15, width=st.integers(0, 2**32 - 1), height=st.integers(0, 2**32 - 1))
def test_a_png_that_says_another_size(width: int, height: int) -> None:
    data = bytearray(whole("PNG")[0])
    data[16:24] = width.to_bytes(4) + height.to_bytes(4)
    assume((width, height) != SIZE)
    is_read_or_refused(cases.with_checksums(bytes(data)))


@fuzz(15, greys=st_numpy.arrays(np.uint8, (2, 32, 32)))
def test_the_hashes_of_any_pixels(greys: Any) -> None:
    pairs = phash_pairs(greys)
    assert pairs.shape == (2, 2)
    assert np.array_equal(phash_pairs(greys[:, :, ::-1])[:, 1], pairs[:, 0])
