import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from btfer.images import decode_rgb
from btfer.images.residual_peaks import residual_peaks
from tests.conftest import as_bytes, draw_photo

SAME_PLACE = np.eye(3)


def grey(image: Image.Image, quality: int = 90) -> np.ndarray:
    return np.asarray(Image.fromarray(decode_rgb(as_bytes(image, quality=quality))).convert("L"))


def busy_photo(seed: int = 1) -> Image.Image:
    """A drawn photo with detail all over, as photos have."""
    rng = np.random.default_rng(seed)
    noise = Image.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8)).resize((800, 600))
    return Image.blend(draw_photo(seed, (800, 600)), noise, 0.4)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(lambda one: one, id="recompressed"),
        pytest.param(lambda one: ImageEnhance.Brightness(one).enhance(0.7), id="darker"),
        pytest.param(lambda one: one.convert("L").convert("RGB"), id="grey"),
    ],
)
def test_a_copy_has_no_peak(copy) -> None:  # type: ignore[no-untyped-def]
    photo = busy_photo()
    assert residual_peaks(grey(photo), grey(copy(photo), 60), SAME_PLACE) == []


def test_a_shrunk_copy_has_no_peak() -> None:
    photo = busy_photo()
    to_half = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
    assert residual_peaks(grey(photo), grey(photo.resize((400, 300))), to_half) == []


def test_a_small_change_is_a_peak_where_it_is() -> None:
    photo = busy_photo()
    changed = photo.copy()
    ImageDraw.Draw(changed).ellipse((500, 200, 520, 210), "black")
    [peak] = residual_peaks(grey(photo), grey(changed, 60), SAME_PLACE)
    assert abs(peak.x - 510) < 15
    assert abs(peak.y - 205) < 15
    assert peak.side_px == pytest.approx(48, abs=1)
    assert peak.times_noise > 4.5


def test_pictures_of_one_colour_and_without_common_ground_have_none() -> None:
    plain = np.full((300, 400), 128, np.uint8)
    assert residual_peaks(plain, plain, SAME_PLACE) == []
    away = np.array([[1.0, 0, 5000], [0, 1, 0], [0, 0, 1]])
    assert residual_peaks(grey(busy_photo()), grey(busy_photo(2)), away) == []
