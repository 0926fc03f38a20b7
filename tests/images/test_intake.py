"""What one decode tells about a photo."""

import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from btfer import images
from tests.conftest import as_bytes, draw_photo
from tests.images.drawn import grainy

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "intake.py"
HINTS = {"brightness", "sharpness", "flat", "colours", "text", "aspect"}


def far(one: int, other: int) -> int:
    return bin((one ^ other) & (2**64 - 1)).count("1")


def whole_hash(image: Image.Image) -> int:
    return int(np.packbits(imagehash.phash(image).hash).view(">i8")[0])


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_every_format_is_known_by_its_content(format_: str) -> None:
    data = as_bytes(draw_photo(1), format_)
    intake = images.read_photo(data)
    assert (intake.format, intake.width, intake.height) == (images.FORMATS[format_], 160, 120)
    assert (intake.sha256, intake.n_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


def test_hashes_are_imagehash_on_the_full_picture() -> None:
    photo = draw_photo(2, (700, 500))
    intake = images.read_photo(as_bytes(photo, "PNG"))
    assert intake.phash == whole_hash(photo)
    assert far(intake.mirror_phash, whole_hash(ImageOps.mirror(photo))) <= 2


@pytest.mark.parametrize("size", [(1200, 840), (1203, 841), (839, 1201), (3000, 520), (500, 400)])
def test_the_reduced_decode_keeps_the_hash_within_2_bits(size: tuple[int, int]) -> None:
    for seed in range(6):
        data = as_bytes(grainy(seed, size), quality=85)
        expected = whole_hash(Image.open(io.BytesIO(data)))
        mirrored = whole_hash(ImageOps.mirror(Image.open(io.BytesIO(data))))
        intake = images.read_photo(data)
        assert far(intake.phash, expected) <= 2, seed
        assert far(intake.mirror_phash, mirrored) <= 2, seed


def test_a_large_png_is_averaged_and_keeps_its_hash_within_2_bits() -> None:
    for seed in range(3):
        photo = grainy(seed, (1601, 1203))
        assert far(images.read_photo(as_bytes(photo, "PNG")).phash, whole_hash(photo)) <= 2


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1200, 840), (160, 112)),
        ((839, 1201), (112, 160)),
        ((80, 60), (160, 120)),
        ((4000, 80), (160, 3)),
        ((40, 20_000), (1, 160)),
    ],
)
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_the_thumbnails_long_side_has_160_px(
    size: tuple[int, int], small: tuple[int, int], format_: str
) -> None:
    intake = images.read_photo(as_bytes(draw_photo(1, size), format_))
    thumbnail = Image.open(io.BytesIO(intake.thumbnail))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", small)


def test_the_thumbnail_lies_on_the_photo() -> None:
    photo = draw_photo(3, (1203, 841))
    expected = np.asarray(photo.resize((160, 112), Image.Resampling.BOX), int)
    for data in (as_bytes(photo, quality=95), as_bytes(photo, "PNG")):
        got = images.decode_rgb(images.read_photo(data).thumbnail)
        assert np.abs(got - expected).mean() < 6


def test_the_thumbnail_carries_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x013B] = "the photographer"
    data = as_bytes(
        draw_photo(3), exif=exif.tobytes(), comment=b"a comment", icc_profile=b"x" * 200
    )
    thumbnail = images.read_photo(data).thumbnail
    info = Image.open(io.BytesIO(thumbnail)).info
    assert not info.keys() & {"exif", "comment", "icc_profile", "xmp"}
    assert b"photographer" not in thumbnail


def test_hints_are_numbers_that_a_database_stores() -> None:
    hints = images.read_photo(as_bytes(draw_photo(3, (800, 600)))).hints
    assert hints.keys() == HINTS
    assert json.loads(json.dumps(hints, allow_nan=False)) == hints
    assert {type(value) for value in hints.values()} == {float}
    assert hints["aspect"] == 1.333


def test_the_same_bytes_give_the_same_intake() -> None:
    data = as_bytes(grainy(4))
    assert images.read_photo(data) == images.read_photo(data)


def test_the_benchmark_prints_its_ratio_and_its_agreement() -> None:
    command = [sys.executable, str(BENCHMARK), "--count", "2", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert re.search(
        r"intake is \d+\.\d\d times as fast .* \(must 1\.5, aim 2\.5\)", done.stdout
    ), done.stderr
    assert "hash within 2 bits of the full decode's: 100.0%" in done.stdout
