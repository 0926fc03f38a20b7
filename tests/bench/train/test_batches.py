import keras
import numpy as np
import pytest
from keras.src.legacy.preprocessing.image import ImageDataGenerator

from btfer.bench.train.augment import GREY, affine, draw_affines, warp
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.protocol import Augmentation

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (48, 48, 3)).astype(np.uint8)
PIXELS = RNG.integers(0, 256, (10, 48, 48, 3)).astype(np.uint8)
LABELS = np.arange(10) % 7


def warped(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return warp(image[None], np.array([0]), matrix[None])[0]


def make(**options: object) -> ImageBatches:
    return ImageBatches(PIXELS, LABELS, np.arange(10), classes=7, batch_size=4, **options)  # type: ignore[arg-type]


def test_the_identity_keeps_every_pixel() -> None:
    assert np.array_equal(warped(IMAGE, affine(48)), IMAGE)


def test_a_flip_mirrors_left_and_right() -> None:
    assert np.array_equal(warped(IMAGE, affine(48, flip=True)), IMAGE[:, ::-1])


def test_a_shift_moves_right_and_down_and_repeats_the_border() -> None:
    moved = warped(IMAGE, affine(48, shift_x=0.25, shift_y=0.125))
    assert np.array_equal(moved[6:, 12:], IMAGE[:-6, :-12])
    assert np.array_equal(moved[:6, 12:], np.repeat(IMAGE[:1, :-12], 6, axis=0))


def test_a_quarter_turn_and_a_zoom_are_about_the_centre() -> None:
    turned = warped(IMAGE, affine(48, angle_degrees=90))
    assert np.allclose(turned, np.rot90(IMAGE), atol=0.01)
    blob = np.zeros((49, 49, 3), np.uint8)
    blob[20:29, 20:29] = 255
    larger = warped(blob, affine(49, zoom_x=0.5, zoom_y=0.5))
    assert 3 < (larger > 127).sum() / (blob > 127).sum() < 5
    assert larger[24, 24, 0] == 255


@pytest.mark.parametrize("side", [2, 3, 17, 48, 65])  # less than a vector, with a rest, whole
def test_each_pixel_is_the_mean_of_its_four_neighbours_by_their_shares(side: int) -> None:
    pixels = RNG.integers(0, 256, (9, side, side, 3)).astype(np.uint8)
    chosen = np.array([8, 0, 3, 8])  # the first and the last in memory among them
    far = Augmentation(rotation_degrees=180, shift=0.9, zoom=0.5)
    matrices = draw_affines(np.random.default_rng(side), len(chosen), side, far)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    for number, found in enumerate(warp(pixels, chosen, matrices)):
        places = matrices[number] @ np.stack([x.ravel(), y.ravel(), np.ones(side * side)])
        across, down = places.clip(0, side - 1).reshape(2, side, side, 1)
        left, top = across[..., 0].astype(int), down[..., 0].astype(int)
        right, bottom = np.minimum(left + 1, side - 1), np.minimum(top + 1, side - 1)
        source = pixels[chosen[number]].astype(float)
        above = source[top, left] + (source[top, right] - source[top, left]) * (across % 1)
        below = source[bottom, left] + (source[bottom, right] - source[bottom, left]) * (across % 1)
        assert np.allclose(found, above + (below - above) * (down % 1), atol=0.02)


@pytest.mark.parametrize("size", [1, 4, 7])
def test_a_batch_begins_where_no_backend_has_to_copy_it(size: int) -> None:
    kept = [warp(PIXELS, np.arange(size), affine(48, flip=np.ones(size))) for _ in range(8)]
    assert {batch.ctypes.data % 64 for batch in kept} == {0}
    assert all(batch.shape == (size, 48, 48, 3) and batch.flags.c_contiguous for batch in kept)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in Keras's old generator
@pytest.mark.parametrize("seed", range(6))
def test_a_warp_is_that_of_the_papers_generator(seed: int) -> None:
    generator = ImageDataGenerator(
        rotation_range=20,
        width_shift_range=0.2,
        height_shift_range=0.2,
        zoom_range=0.2,
        horizontal_flip=True,
    )
    theirs = generator.get_random_transform(IMAGE.shape, seed=seed)
    expected = generator.apply_transform(IMAGE.astype(np.float32), theirs)
    ours = affine(
        48,
        angle_degrees=theirs["theta"],
        shift_x=-theirs["tx"] / 48,
        shift_y=-theirs["ty"] / 48,
        zoom_x=theirs["zx"],
        zoom_y=theirs["zy"],
        flip=theirs["flip_horizontal"],
    )
    assert np.allclose(warped(IMAGE, ours), expected, atol=0.02)


def test_every_kind_of_draw_is_that_of_the_papers_generator() -> None:
    image = PIXELS[:1, :8, :8]
    drawn = draw_affines(np.random.default_rng(0), 4000, 8, Augmentation())
    generator = ImageDataGenerator(
        rotation_range=20, width_shift_range=0.2, height_shift_range=0.2, zoom_range=0.2
    )
    theirs = [generator.get_random_transform(image[0].shape) for _ in range(4000)]
    expected = affine(
        8,
        angle_degrees=np.array([one["theta"] for one in theirs]),
        shift_x=np.array([one["tx"] for one in theirs]) / 8,
        shift_y=np.array([one["ty"] for one in theirs]) / 8,
        zoom_x=np.array([one["zx"] for one in theirs]),
        zoom_y=np.array([one["zy"] for one in theirs]),
        flip=np.random.default_rng(1).random(4000) < 0.5,
    )
    assert np.allclose(drawn.mean(axis=0), expected.mean(axis=0), atol=0.35)
    assert np.allclose(drawn.std(axis=0), expected.std(axis=0), rtol=0.05)


def test_draws_stay_in_their_ranges_and_flip_about_half() -> None:
    rng = np.random.default_rng(1)
    still = Augmentation(rotation_degrees=0, shift=0, zoom=0.2)
    scales = draw_affines(rng, 400, 48, still)[:, [0, 1], [0, 1]]
    assert 0.4 < (scales[:, 0] < 0).mean() < 0.6
    assert np.abs(scales).min() >= 0.8
    assert np.abs(scales).max() <= 1.2
    assert (scales[:, 1] > 0).all()


def test_without_augmentation_the_feed_gives_scaled_pixels_in_order() -> None:
    images, labels = make()[1]
    assert images.dtype == np.float32
    assert np.allclose(images, PIXELS[4:8] / 255)
    assert labels.argmax(axis=1).tolist() == LABELS[4:8].tolist()
    assert make(pixel_range=(-1.0, 1.0))[0][0].min() < -0.9


def test_an_epoch_can_be_drawn_again_and_differs_from_the_next() -> None:
    batches, again = (
        make(augmentation=Augmentation(), seed=3),
        make(augmentation=Augmentation(), seed=3),
    )
    first = batches[0][0]
    assert np.array_equal(first, again[0][0])
    batches.on_epoch_end()
    assert not np.array_equal(first, batches[0][0])
    again.epoch = 1
    assert np.array_equal(batches[2][0], again[2][0])


def test_each_epoch_shows_every_image_once() -> None:
    batches = make(augmentation=Augmentation())
    shown = np.concatenate([batches[number][1].argmax(axis=1) for number in range(len(batches))])
    assert sorted(shown) == sorted(LABELS)


@pytest.mark.parametrize(("skip", "batches"), [(False, 3), (True, 2)])
def test_the_remainder_is_skipped_only_when_asked(skip: bool, batches: int) -> None:
    assert len(make(skip_remainder=skip)) == batches


def test_batches_made_ahead_are_those_made_one_by_one() -> None:
    batches, other = (make(augmentation=Augmentation(), seed=5) for _ in range(2))
    for epoch in range(2):
        for number in (0, 1, 2):
            assert np.array_equal(batches[number][0], other._batch(epoch, number)[0])
        batches.on_epoch_end()


def test_grey_networks_get_one_channel() -> None:
    plain, drawn = make(channels=1), make(channels=1, augmentation=Augmentation())
    assert plain[0][0].shape == drawn[0][0].shape == (4, 48, 48, 1)
    assert np.allclose(plain[0][0], PIXELS[:4] @ GREY / 255)


@pytest.mark.parametrize("channels", [3, 1])
def test_the_device_warps_to_the_same_pixels_as_the_host(channels: int) -> None:
    options = {"augmentation": Augmentation(), "seed": 2, "channels": channels}
    host, device = make(**options), make(**options, on_device=True)
    network = keras.Sequential([keras.Input((48, 48, channels)), keras.layers.Identity()])
    learner = device.learner(network)
    (expected, labels), (inputs, same) = host[1], device[1]
    assert np.array_equal(labels, same)
    assert np.allclose(learner(inputs, training=True), expected, atol=1e-4)
    unmoved = make(channels=channels)._images(1, 0, device._order(0)[4:8])
    assert np.allclose(learner(inputs), unmoved @ GREY if channels == 1 else unmoved, atol=1e-6)
    assert host.learner(network) is network
