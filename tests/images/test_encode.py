"""Pictures that carry pixels and nothing else."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from btfer import images
from tests.conftest import draw_photo


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


def test_a_jpeg_of_ours_looks_like_its_pixels() -> None:
    pixels = np.asarray(draw_photo(7))
    data = images.encode_jpeg(pixels)
    assert Image.open(io.BytesIO(data)).format == "JPEG"
    assert np.abs(images.decode_rgb(data).astype(int) - pixels).mean() < 7
