"""HEIC and JPEG XL, where their extras are installed, and what is said where they are not."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from btfer import images
from btfer.errors import ImageError
from btfer.images import boxes, extra_formats
from tests.conftest import draw_photo
from tests.images.damage_kinds import gap, half_a_page_lost, overwritten, zeros_to_the_end
from tests.images.drawn import grainy

pytest.importorskip("pillow_heif").register_heif_opener()
pytest.importorskip("pillow_jxl")
NAMES = {"HEIF": "heic", "JXL": "jxl"}


def _bytes(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format_", NAMES)
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_photo_is_read(format_: str, mode: str) -> None:
    photo = draw_photo(4)
    data = _bytes(photo.convert(mode), format_, quality=95)
    intake = images.read_photo(data)
    assert (intake.format, intake.width, intake.height) == (NAMES[format_], 160, 120)
    expected = np.asarray(photo.convert(mode).convert("RGB"), int)
    assert np.abs(images.decode_rgb(data) - expected).mean() < 6


@pytest.mark.parametrize("format_", NAMES)
def test_a_cut_file_is_refused(format_: str) -> None:
    data = _bytes(grainy(1, (300, 200)), format_)
    for share in (0.3, 0.6, 0.9, 0.99):
        with pytest.raises(ImageError):
            images.read_photo(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("format_", "damage"),
    [("HEIF", zeros_to_the_end), ("HEIF", half_a_page_lost)]
    + [("JXL", one) for one in (zeros_to_the_end, half_a_page_lost, overwritten, gap)],
)
def test_damage_is_found_wherever_it_lies(
    format_: str, damage: Callable[[bytes, int], bytes]
) -> None:
    data = _bytes(grainy(1, (450, 330)), format_, quality=80)
    images.read_photo(data)
    for tenth in range(1, 10):
        with pytest.raises(ImageError) as error:
            images.read_photo(damage(data, len(data) * tenth // 10))
        assert error.value.reason in ("truncated", "not an image"), tenth


def test_a_heic_whose_table_points_behind_the_file_is_refused() -> None:
    data = _bytes(grainy(1, (300, 200)), "HEIF")
    [(start, end)] = boxes.coded_parts(data)
    length = (end - start).to_bytes(4)
    assert data.count(length) == 1
    for wrong in (end - start + 1, 1 << 20, (1 << 32) - 1):
        with pytest.raises(ImageError, match=r"truncated|not an image"):
            images.read_photo(data.replace(length, wrong.to_bytes(4)))


def test_a_heic_with_an_aperture_that_cannot_be_has_the_size_that_is_shown() -> None:
    good = bytearray(_bytes(grainy(1, (72, 56)), "HEIF"))
    at = good.index(b"clap") + 4 + 6 * 4  # six numbers of four bytes before that of the lower edge
    assert good[at : at + 4] == b"\xff\xff\xff\xf8"
    good[at : at + 2] = b"\xff\0"
    photo = images.read_photo(bytes(good))
    assert images.decode_rgb(bytes(good)).shape == (photo.height, photo.width, 3) == (64, 72, 3)


def test_a_heic_is_turned_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = draw_photo(4)
    data = _bytes(lying, "HEIF", quality=95, exif=exif.tobytes())
    upright = np.asarray(lying.transpose(Image.Transpose.ROTATE_270), int)
    assert np.abs(images.decode_rgb(data) - upright).mean() < 6


def test_a_jpeg_inside_a_jpeg_xl_is_turned_by_its_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    file = tmp_path / "lying.jpg"
    draw_photo(4).save(file, exif=exif.tobytes())
    with Image.open(file) as opened:
        data = _bytes(opened, "JXL", lossless_jpeg=True)
    assert images.read_photo(data).width == 120


def test_a_large_jpeg_xl_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageError, match="too many pixels"):
        images.read_photo(_bytes(Image.new("L", (7_100, 7_100)), "JXL", lossless=True, effort=1))


@pytest.mark.parametrize("size", [(40, 40), (160, 120), (1920, 1080), (513, 700), (257, 2000)])
def test_the_size_in_a_jpeg_xl_header_is_read(size: tuple[int, int]) -> None:
    data = _bytes(Image.new("RGB", size), "JXL", lossless=True, effort=1)
    bits = extra_formats._Bits(extra_formats._codestream(data))
    assert extra_formats._size(bits) == size
    assert not extra_formats._moves(bits)


@pytest.mark.parametrize(("format_", "extra"), [("HEIF", "heif"), ("JXL", "jxl")])
def test_without_the_extra_the_refusal_names_it(
    format_: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _bytes(draw_photo(4), format_)
    monkeypatch.setattr(extra_formats, "installed", lambda module: False)
    with pytest.raises(ImageError, match=rf"format: .* pip install 'btfer\[{extra}\]'") as error:
        images.read_photo(data)
    assert error.value.reason == "format"
