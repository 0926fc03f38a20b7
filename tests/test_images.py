import io
import warnings

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from btfer import images
from btfer.errors import ImageError
from tests.conftest import as_bytes, draw_photo


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_every_format_is_known_by_its_content(format_: str) -> None:
    intake = images.read_photo(as_bytes(draw_photo(1), format_))
    assert (intake.format, intake.width, intake.height) == (images.FORMATS[format_], 160, 120)


def test_hashes_are_imagehash_on_the_full_picture() -> None:
    photo = draw_photo(2, (700, 500))
    intake = images.read_photo(as_bytes(photo, "PNG"))
    expected = imagehash.phash(photo)
    got = f"{intake.phash & (2**64 - 1):016x}"
    assert got == str(expected)
    mirrored = images.read_photo(as_bytes(ImageOps.mirror(photo), "PNG"))
    assert bin((intake.mirror_phash ^ mirrored.phash) & (2**64 - 1)).count("1") <= 2


def test_a_turned_photo_is_upright() -> None:
    photo = draw_photo(3)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    turned = as_bytes(photo.rotate(90, expand=True), "PNG", exif=exif)
    assert np.array_equal(images.decode_rgb(turned), np.asarray(photo))


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


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<html>hello</html>", "not an image"),
        (as_bytes(draw_photo(5), "GIF"), "format"),
        (as_bytes(draw_photo(5, (900, 700)))[:9000], "truncated"),
        (as_bytes(draw_photo(5), "PNG")[:800], "truncated"),
        (as_bytes(draw_photo(5, (24, 24))), "too small"),
        (as_bytes(Image.new("1", (30_000, 30_000)), "PNG"), "too many pixels"),
        (as_bytes(draw_photo(5), "WEBP", save_all=True, append_images=[draw_photo(6)]), "animated"),
    ],
    ids=["empty", "html", "gif", "cut-jpeg", "cut-png", "tiny", "bomb", "animated"],
)
def test_bad_pictures_have_a_reason(data: bytes, reason: str) -> None:
    with warnings.catch_warnings(), pytest.raises(ImageError) as error:
        images.read_photo(data)
    assert error.value.reason == reason


def test_a_png_of_ours_carries_pixels_and_nothing_else(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.png"
    pixels = np.asarray(draw_photo(7))
    path.write_bytes(images.encode_png(pixels))
    assert images.metadata_in(path) == []
    assert np.array_equal(images.decode_rgb(path.read_bytes()), pixels)
    tagged = io.BytesIO()
    draw_photo(7).save(tagged, "PNG", dpi=(72, 72), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    path.write_bytes(tagged.getvalue())
    assert images.metadata_in(path) == ["dpi", "exif"]
