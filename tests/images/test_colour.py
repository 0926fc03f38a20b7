"""Every mode and every profile becomes RGB, sRGB, on white."""

import base64
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from btfer import images
from btfer.images.cicp import profile_of
from btfer.images.colour import MAX_PROFILE_BYTES, Pixels
from tests.conftest import as_bytes, draw_photo
from tests.images.drawn import (
    ADOBE_RGB,
    BT_2020,
    DISPLAY_P3,
    SRGB,
    grainy,
    grey_profile,
    rgb_profile,
)

# 96x72, left half red, right half cyan, as Photoshop writes it: YCCK, inverted.
YCCK = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBX"
    "QUZMTlJTUjI+WmFaUGBKUVJP/9sAQwEODg4TERMmFRUmTzUtNU9PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
    "T09PT09PT09PT09PT09PT09P/8AAFAgASABgBAEiAAIRAQMRAQQiAP/EABcAAQEBAQAAAAAAAAAAAAAAAAAGAwf/xAAU"
    "EAEAAAAAAAAAAAAAAAAAAAAA/8QAFwEBAQEBAAAAAAAAAAAAAAAAAAYHBf/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAO"
    "BAEAAhEDEQQAAD8A3AdNDOnAAAAAAAAjgEy3IAAAAAAABYgKZhoAAAAAAACOATLcgAAAAAAAFiApmGgAAAAAAAI4BMty"
    "AAAAAAAAWICmYaAAAAAAAAjgEy3IAAAAAAABYgKZhoAAAAAAACOATLcgAAAAAAAH/9k="
)
COLOURS = ((200, 100, 50), (90, 180, 120), (60, 80, 160), (128, 128, 128), (250, 240, 230))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1", "LA"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    photo = draw_photo(4)
    if mode == "I;16":
        grey = np.asarray(photo.convert("L")).astype(np.uint16) * 257
        data = as_bytes(Image.fromarray(grey), "PNG")
    else:
        data = as_bytes(photo.convert(mode), "JPEG" if mode == "CMYK" else "PNG")
    pixels = images.decode_rgb(data)
    assert pixels.shape == (120, 160, 3)
    assert pixels.dtype == np.uint8
    reference = np.asarray(photo.convert("1").convert("L") if mode == "1" else photo.convert("L"))
    assert abs(pixels.mean() - reference.mean()) < 30  # not clipped to white or black


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1", "LA"])
def test_the_thumbnail_has_the_colours_of_the_pixels(mode: str) -> None:
    photo = draw_photo(4, (1300, 900))
    if mode == "I;16":
        data = as_bytes(
            Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257), "PNG"
        )
    else:
        data = as_bytes(photo.convert(mode), "JPEG" if mode == "CMYK" else "PNG")
    whole = Image.fromarray(images.decode_rgb(data)).resize((160, 111), Image.Resampling.BOX)
    thumbnail = images.decode_rgb(images.read_photo(data).thumbnail)
    assert np.abs(thumbnail.astype(int) - np.asarray(whole)).mean() < 12


def test_grey_of_16_bits_keeps_its_levels() -> None:
    levels = np.linspace(0, 65535, 64 * 64).round().astype(np.uint16).reshape(64, 64)
    pixels = images.decode_rgb(as_bytes(Image.fromarray(levels), "PNG"))
    assert np.array_equal(pixels[..., 0], levels // 257)


def _see_through(mode: str) -> bytes:
    """Left half red or dark and opaque, right half fully transparent."""
    rgba = Image.new("RGBA", (80, 60), (200, 0, 0, 255))
    rgba.paste((0, 0, 200, 0), (40, 0, 80, 60))
    if mode == "P":
        palette = Image.new("P", (80, 60), 0)
        palette.putpalette([200, 0, 0, 0, 0, 200])
        palette.paste(1, (40, 0, 80, 60))
        return as_bytes(palette, "PNG", transparency=1)
    if mode in ("RGB", "L"):
        plain = Image.new("RGB", (80, 60), (200, 0, 0))
        plain.paste((0, 0, 200), (40, 0, 80, 60))
        plain = plain.convert(mode)
        return as_bytes(plain, "PNG", transparency=plain.getpixel((60, 30)))
    return as_bytes(rgba.convert(mode), "PNG")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L"])
def test_transparent_is_white(mode: str) -> None:
    pixels = images.decode_rgb(_see_through(mode))
    assert pixels[30, 60].tolist() == [255, 255, 255]
    assert pixels[30, 20, 2] < 100
    thumbnail = images.decode_rgb(images.read_photo(_see_through(mode)).thumbnail)
    assert thumbnail[60, 120].min() > 240


def test_inverted_ycck_has_the_right_colours() -> None:
    for pixels in (images.decode_rgb(YCCK), images.decode_rgb(images.read_photo(YCCK).thumbnail)):
        height, width, _ = pixels.shape
        red, cyan = pixels[height // 2, width // 4], pixels[height // 2, 3 * width // 4]
        assert np.abs(red - np.array([255, 55, 55])).max() < 12
        assert np.abs(cyan - np.array([55, 255, 255])).max() < 12


def _patches(colours: tuple[tuple[int, ...], ...] = COLOURS) -> Image.Image:
    return Image.fromarray(np.repeat(np.array([colours], np.uint8), 40, 0).repeat(40, 1))


def _expected(primaries: tuple[tuple[float, ...], ...], gamma: float) -> Pixels:
    """The colours in sRGB, by the primaries' and sRGB's own formulas."""
    linear = (np.array(COLOURS) / 255) ** gamma @ np.array(primaries) @ np.linalg.inv(SRGB)
    linear = linear.clip(0, 1)
    return 255 * np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB], ids=["Display P3", "Adobe RGB"])
@pytest.mark.parametrize(
    ("format_", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("JPEG", "RGB", {"quality": 98, "subsampling": 0}),
        ("WEBP", "RGB", {"lossless": True}),
        ("AVIF", "RGB", {"quality": 100, "subsampling": "4:4:4"}),
    ],
)
def test_a_wide_profile_becomes_srgb(
    format_: str, mode: str, options: dict, primaries: tuple
) -> None:
    patches = _patches().quantize(8) if mode == "P" else _patches().convert(mode)
    data = as_bytes(patches, format_, icc_profile=rgb_profile(primaries, 2.2), **options)
    expected = _expected(primaries, 2.2)
    assert np.abs(expected - COLOURS).max() > 8  # there is something to convert
    got = images.decode_rgb(data)[20, 20::40]
    assert np.abs(got - expected).max() < (12 if format_ == "AVIF" else 3)  # its dark reds are off
    thumbnail = images.decode_rgb(images.read_photo(data).thumbnail)
    assert np.abs(thumbnail[16, 16::32].astype(int) - expected).max() < 25  # a JPEG of its own


def test_a_grey_profile_becomes_srgb() -> None:
    data = as_bytes(_patches().convert("L"), "PNG", icc_profile=grey_profile(1.0))
    linear = np.asarray(_patches().convert("L"))[20, 20::40] / 255
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(images.decode_rgb(data)[20, 20::40, 0] - expected).max() < 3


def test_an_srgb_profile_changes_no_byte() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = grainy(1, (300, 200))
    data = as_bytes(photo, "PNG", icc_profile=profile)
    assert np.array_equal(images.decode_rgb(data), np.asarray(photo))


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        rgb_profile(DISPLAY_P3, 2.2)[:200],
        rgb_profile(DISPLAY_P3, 2.2).replace(b"RGB ", b"\xffGB "),
        grey_profile(1.0),
        rgb_profile(DISPLAY_P3, 2.2) + bytes(MAX_PROFILE_BYTES),
    ],
    ids=["text", "cut", "unknown space", "grey on RGB", "huge"],
)
def test_a_profile_that_does_not_fit_is_ignored(profile: bytes) -> None:
    photo = draw_photo(1)
    data = as_bytes(photo, "WEBP", icc_profile=profile, lossless=True)
    assert np.array_equal(images.decode_rgb(data), np.asarray(photo))
    assert images.read_photo(data).width == 160


def _png(size: tuple[int, int], depth: int, colour: int, rows: list[bytes], trns: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tRNS", trns) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_is_white_at_every_depth(depth: int) -> None:
    low, high = 1, 2**depth - 1
    levels = np.full((64, 64), low if depth > 1 else 0, np.uint16)
    levels[:, 32:] = high - (depth > 1)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in levels]
    else:
        bits = (levels[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
        rows = [np.packbits(row.reshape(-1)).tobytes() for row in bits]
    clear = int(levels[0, 0])
    pixels = images.decode_rgb(_png((64, 64), depth, 0, rows, struct.pack(">H", clear)))
    assert pixels[10, 10].tolist() == [255, 255, 255]
    shown = int(levels[0, 40]) * 255 / high
    assert np.abs(pixels[10, 40] - shown).max() <= 1


def test_one_transparent_colour_of_16_bits_is_white_and_its_neighbour_is_not() -> None:
    levels = np.full((64, 64, 3), (1000, 2000, 3000), np.uint16)
    levels[:, 32:] = (1001, 2000, 3000)
    rows = [row.astype(">u2").tobytes() for row in levels]
    pixels = images.decode_rgb(_png((64, 64), 16, 2, rows, struct.pack(">3H", 1000, 2000, 3000)))
    assert pixels[10, 10].tolist() == [255, 255, 255]
    assert np.abs(pixels[10, 40] - np.array([1001, 2000, 3000]) / 257).max() <= 1


def test_a_grey_profile_counts_under_transparency_too() -> None:
    grey = _patches().convert("LA")
    bare = _patches().convert("L")
    profile = grey_profile(1.0)
    expected = images.decode_rgb(as_bytes(bare, "PNG", icc_profile=profile))
    assert np.array_equal(images.decode_rgb(as_bytes(grey, "PNG", icc_profile=profile)), expected)
    assert expected.mean() > np.asarray(bare).mean() + 20


def test_half_transparent_colours_are_converted_before_they_are_laid_on_white() -> None:
    patches = _patches().convert("RGBA")
    patches.putalpha(128)
    data = as_bytes(patches, "PNG", icc_profile=rgb_profile(DISPLAY_P3, 2.2))
    expected = _expected(DISPLAY_P3, 2.2) * 128 / 255 + 255 * 127 / 255
    assert np.abs(images.decode_rgb(data)[20, 20::40] - expected).max() < 3


def test_a_grey_profile_counts_with_alpha_of_16_bits() -> None:
    levels = np.full((64, 64, 2), (30_000, 65_535), np.uint16)
    rows = [row.astype(">u2").tobytes() for row in levels]
    profile = b"x\0\0" + zlib.compress(grey_profile(1.0))
    data = _png((64, 64), 16, 4, rows, b"")
    at = data.index(b"tRNS") - 4
    check = struct.pack(">I", zlib.crc32(b"iCCP" + profile))
    data = data[:at] + struct.pack(">I", len(profile)) + b"iCCP" + profile + check + data[at:]
    expected = 255 * (1.055 * (30_000 / 65_535) ** (1 / 2.4) - 0.055)
    assert np.abs(images.decode_rgb(data)[10, 10] - expected).max() < 3


@pytest.mark.parametrize(
    ("primaries", "columns"), [(12, DISPLAY_P3), (9, BT_2020)], ids=["P3", "BT.2020"]
)
def test_colours_named_by_numbers_become_srgb(
    primaries: int, columns: tuple[tuple[float, ...], ...]
) -> None:
    expected = _expected(columns, 2.2)
    assert np.abs(expected - COLOURS).max() > 8
    png = as_bytes(_patches(), "PNG")
    content = bytes([primaries, 4, 0, 1])
    check = struct.pack(">I", zlib.crc32(b"cICP" + content))
    png = png[:33] + struct.pack(">I", 4) + b"cICP" + content + check + png[33:]
    assert np.abs(images.decode_rgb(png)[20, 20::40] - expected).max() < 3
    avif = as_bytes(_patches(), "AVIF", quality=100, subsampling="4:4:4")
    at = avif.index(b"nclx") + 4
    avif = avif[:at] + struct.pack(">HH", primaries, 4) + avif[at + 4 :]
    assert np.abs(images.decode_rgb(avif)[20, 20::40] - expected).max() < 12


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 13), (2, 2), (9, 16), (77, 13)])
def test_colours_that_are_srgbs_unknown_or_brighter_stay(primaries: int, transfer: int) -> None:
    assert profile_of(primaries, transfer) == b""
