"""Detail, movement and blocks of a face, on faces of the sample that are degraded here."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from btfer.faces import Box, detect
from btfer.faces.cut import cut_rectangle
from btfer.faces.detail import blocks_of, detail_of, period_of
from btfer.faces.hints import badges, hints_of
from btfer.faces.modes import MODES
from btfer.images import Pixels
from btfer.sample import load_manifest, picture_path


@pytest.fixture(scope="module")
def portrait() -> tuple[Image.Image, Box]:
    one = next(one for one in load_manifest() if one.kind == "single")
    image = Image.open(picture_path(one.file)).convert("RGB")
    return image, detect(np.asarray(image))[0]


def earned(image: Image.Image | Pixels, box: Box) -> tuple[str, ...]:
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    return badges(hints_of(pixels, box, cut_rectangle(box, width, height, MODES["paper"])))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(data).convert("RGB")


def moved(image: Image.Image, by_px: int) -> Pixels:
    """The mean of the picture at so many places side by side."""
    shifted = [np.roll(np.asarray(image, np.float32), n, axis=1) for n in range(by_px)]
    return np.mean(shifted, axis=0).round().astype(np.uint8)


def noisy(image: Image.Image, levels: float) -> Pixels:
    pixels = np.asarray(image, np.float32)
    noise = np.random.default_rng(1).normal(0, levels, pixels.shape)
    return np.clip(pixels + noise, 0, 255).round().astype(np.uint8)


def test_a_good_face_earns_none_of_the_hints(portrait: tuple[Image.Image, Box]) -> None:
    assert not {"blurred", "compressed", "dark"} & set(earned(*portrait))
    image, box = portrait
    assert not {"blurred", "compressed", "dark"} & set(earned(as_jpeg(image, 80), box))


def test_a_face_out_of_focus_is_blurred_whatever_noise_is_on_it(
    portrait: tuple[Image.Image, Box],
) -> None:
    image, box = portrait
    soft = image.filter(ImageFilter.GaussianBlur(0.015 * box.height))
    assert "blurred" in earned(soft, box)
    assert "blurred" in earned(noisy(soft, 6), box)
    assert "blurred" not in earned(noisy(image, 6), box)


def test_a_face_that_moved_is_blurred(portrait: tuple[Image.Image, Box]) -> None:
    image, box = portrait
    assert "blurred" in earned(moved(image, round(0.06 * box.height)), box)


def test_a_strongly_compressed_face_says_so_wherever_its_blocks_begin(
    portrait: tuple[Image.Image, Box],
) -> None:
    image, box = portrait
    for offset in (0, 3):
        shifted = as_jpeg(Image.fromarray(np.roll(np.asarray(image), offset, axis=(0, 1))), 10)
        back = np.roll(np.asarray(shifted), -offset, axis=(0, 1))
        assert "compressed" in earned(back, box)


def test_a_face_with_a_quarter_of_the_light_is_dark(portrait: tuple[Image.Image, Box]) -> None:
    image, box = portrait
    assert "dark" in earned(np.asarray(image) // 4, box)


@pytest.mark.parametrize("way", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_a_face_enlarged_three_times_says_so(
    portrait: tuple[Image.Image, Box], way: Image.Resampling
) -> None:
    image, box = portrait
    assert "enlarged" not in earned(image, box)
    assert "enlarged" not in earned(as_jpeg(image, 50), box)
    small = image.resize((image.width // 3, image.height // 3), Image.Resampling.BOX)
    assert "enlarged" in earned(small.resize(image.size, way), box)


def test_a_face_of_one_colour_and_a_tiny_one_give_numbers() -> None:
    assert all(np.isfinite(detail_of(np.full((128, 128), 90, np.float32))))
    assert blocks_of(np.full((9, 5), 90, np.float32)) == 1
    assert blocks_of(np.full((64, 64), 90, np.float32)) == 1
    assert period_of(np.full((9, 5), 90, np.float32)) == 0
    assert period_of(np.full((64, 64), 90, np.float32)) < 5
