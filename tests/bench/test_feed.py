import numpy as np
import pytest

from btfer.bench.augment import affine, draw_affines, warp
from btfer.bench.feed import Feed
from btfer.bench.protocol import Augmentation

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (48, 48, 3)).astype(np.uint8)
PIXELS = RNG.integers(0, 256, (10, 48, 48, 3)).astype(np.uint8)
LABELS = np.arange(10) % 7


def make(**options: object) -> Feed:
    return Feed(PIXELS, LABELS, np.arange(10), classes=7, batch_size=4, **options)  # type: ignore[arg-type]


def test_the_identity_keeps_every_pixel() -> None:
    assert np.array_equal(warp(IMAGE, affine(48)), IMAGE)


def test_a_flip_mirrors_left_and_right() -> None:
    assert np.array_equal(warp(IMAGE, affine(48, flip=True)), IMAGE[:, ::-1])


def test_a_shift_moves_right_and_down_and_repeats_the_border() -> None:
    moved = warp(IMAGE, affine(48, shift_x=0.25, shift_y=0.125))
    assert np.array_equal(moved[6:, 12:], IMAGE[:-6, :-12])
    assert np.array_equal(moved[:6, 12:], np.repeat(IMAGE[:1, :-12], 6, axis=0))


def test_a_quarter_turn_and_a_zoom_are_about_the_centre() -> None:
    turned = warp(IMAGE, affine(48, angle_degrees=90))
    assert np.array_equal(turned, np.rot90(IMAGE))
    blob = np.zeros((49, 49, 3), np.uint8)
    blob[20:29, 20:29] = 255
    larger = warp(blob, affine(49, zoom_x=0.5, zoom_y=0.5))
    assert 3 < (larger > 127).sum() / (blob > 127).sum() < 5
    assert larger[24, 24, 0] == 255


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
    feed, again = (
        make(augmentation=Augmentation(), seed=3),
        make(augmentation=Augmentation(), seed=3),
    )
    first = feed[0][0]
    assert np.array_equal(first, again[0][0])
    feed.on_epoch_end()
    assert not np.array_equal(first, feed[0][0])
    again.epoch = 1
    assert np.array_equal(feed[2][0], again[2][0])


def test_each_epoch_shows_every_image_once() -> None:
    feed = make(augmentation=Augmentation())
    shown = np.concatenate([feed[number][1].argmax(axis=1) for number in range(len(feed))])
    assert sorted(shown) == sorted(LABELS)


@pytest.mark.parametrize(("skip", "batches"), [(False, 3), (True, 2)])
def test_the_remainder_is_skipped_only_when_asked(skip: bool, batches: int) -> None:
    assert len(make(skip_remainder=skip)) == batches
