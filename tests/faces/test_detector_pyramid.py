"""The sizes of a photo, its exact reduction, and that a canvas of all sizes says what each size says alone."""

import itertools

import numpy as np
import pytest

from btfer.faces import canvas
from btfer.faces import networks as networks_
from btfer.faces.first_layer import FirstLayer
from btfer.faces.networks import networks
from btfer.faces.pyramid import PyramidLevel, levels, levels_skipped, resize_into
from btfer.faces.weights import read_weights
from btfer.images import Pixels


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


def mean_of_areas(pixels: Pixels, height: int, width: int) -> np.ndarray:
    """The definition, by weights of every pixel on every pixel; -1 to 1, float64 [3, height, width]."""

    def weights(before: int, after: int) -> np.ndarray:
        edges = np.linspace(0, before, after + 1)
        begin, end = edges[:-1, None], edges[1:, None]
        at = np.arange(before)
        return np.clip(np.minimum(end, at + 1) - np.maximum(begin, at), 0, None) / (end - begin)

    normal = (pixels.astype(float) - 127.5) / 128
    rows, columns = weights(pixels.shape[0], height), weights(pixels.shape[1], width)
    return np.einsum("yr,rkc,xk->cyx", rows, normal, columns)


def test_a_photo_has_the_packages_sizes() -> None:
    sizes = [(level.height, level.width) for level in levels(800, 1200)]
    assert sizes[:3] == [(480, 720), (340, 510), (241, 361)]
    assert (len(sizes), sizes[-1]) == (11, (15, 23))


def test_the_finest_sizes_are_left_out_and_the_others_stay() -> None:
    assert levels(800, 1200, min_face_px=40) == levels(800, 1200)[2:]


@pytest.mark.parametrize(
    ("min_face_px", "expected"), [(1, 0), (20, 0), (28, 0), (29, 1), (39, 1), (40, 2), (57, 3)]
)
def test_a_size_is_left_out_when_all_its_faces_are_smaller(min_face_px: int, expected: int) -> None:
    assert levels_skipped(min_face_px) == expected


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (40, 30), (79, 119), (80, 120)])
def test_resizing_takes_the_exact_mean_of_the_area(size: tuple[int, int]) -> None:
    pixels = noise(80, 120)
    drawn = np.zeros((3, *size), np.float32)
    resize_into(drawn, pixels, 0, 0, PyramidLevel(0, *size))
    assert np.abs(drawn - mean_of_areas(pixels, *size)).max() < 2e-6


@pytest.mark.parametrize("height", [200, 203, 517])
@pytest.mark.parametrize("width", [210, 333])
def test_no_two_levels_share_a_place(height: int, width: int) -> None:
    places = canvas.arrange(levels(height, width))
    assert [place.level for place in places] != []
    assert {place.level for place in places} == set(levels(height, width))
    assert all(place.top % 2 == place.left % 2 == 0 for place in places)
    for one, other in itertools.combinations(places, 2):
        apart_down = one.top >= _bottom(other) or other.top >= _bottom(one)
        apart_across = one.left >= _right(other) or other.left >= _right(one)
        assert apart_down or apart_across


def _bottom(place: canvas.LevelPlacement) -> int:
    return place.top + place.level.height


def _right(place: canvas.LevelPlacement) -> int:
    return place.left + place.level.width


@pytest.mark.parametrize("band_px", [300_000, 1])
@pytest.mark.parametrize("size", [(300, 401), (211, 150), (160, 161)])
def test_the_canvas_says_of_each_level_what_the_level_says_alone(
    size: tuple[int, int], band_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas, "BAND_PX", band_px)
    pixels = noise(*size)
    places = canvas.arrange(levels(*size))
    seen: dict[PyramidLevel, list[np.ndarray]] = {place.level: [] for place in places}
    for band in canvas.bands(pixels, places):
        said = networks().pnet(band.picture, band.parts)[0].copy()
        for place in places:
            window = place.windows(band.first_window, *said.shape[1:])
            seen[place.level].append(said[:, *window.in_band])
    assert max(map(len, seen.values())) == (1 if band_px > 1 else len(seen[places[0].level]))
    for level, parts in seen.items():
        assert np.abs(np.concatenate(parts, axis=1) - alone(pixels, level)).max() < 1e-4


@pytest.mark.parametrize("centre", [(0, 0), (200, 150), (401, 300), (13, 290)])
@pytest.mark.parametrize("number", [0, 1, 4])
def test_a_part_of_a_level_says_what_the_level_says_there(
    centre: tuple[float, float], number: int
) -> None:
    pixels = noise(300, 401)
    level = levels(300, 401)[number]
    band, place = canvas.around(pixels, level, centre, 44)
    said = networks().pnet(band.picture, band.parts)[0].copy()
    window = place.windows(band.first_window, *said.shape[1:])
    part = said[:, *window.in_band]
    (top, left), (_, rows, columns) = window.first, part.shape
    expected = alone(pixels, level)
    assert np.abs(part - expected[:, top:, left:][:, :rows, :columns]).max() < 1e-4
    for begin, count, all_windows, middle in (
        (top, rows, expected.shape[1], centre[1]),
        (left, columns, expected.shape[2], centre[0]),
    ):
        at = min(middle * level.scale / 2, all_windows - 1)  # a window there, or the last
        assert begin <= at < begin + count


def alone(pixels: Pixels, level: PyramidLevel) -> np.ndarray:
    picture = np.zeros((3, level.height, level.width), np.float32)
    resize_into(picture, pixels, 0, 0, level)
    whole = np.array([[0, 0, level.height, level.width]])
    return networks().pnet(picture, whole)[0].copy()


def test_the_first_layer_is_the_convolution_and_pooling_that_its_weights_say() -> None:
    """Beside OpenVINO's own, on odd and even sides."""
    weights = read_weights("pnet")
    layers = networks_._Layers(weights[:3], [1, 3, -1, -1])
    reference = networks_.Network(layers.conv().prelu().pool(2, "same").model())
    for height, width in ((40, 52), (41, 52), (40, 51), (13, 13), (3, 3)):
        picture = np.random.default_rng(height).normal(0, 0.5, (3, height, width))
        picture = picture.astype(np.float32)
        ours = FirstLayer(weights[:3])(picture, np.array([[0, 0, height, width]]))
        assert np.abs(ours - reference(picture[None])).max() < 1e-5
