"""How much detail a face has, whatever its size: by its spectrum at 128 x 128, and by the grid that JPEG leaves.

detail  log10 of the power in fine detail, above that of noise, / the power in coarse: a face's own falls by 2 to 3
        from the one to the other, and a blurred or enlarged face has nothing fine, whatever noise was added
poorest the same in the one of six directions that has least: low where the camera or the head moved
blocks  by how much the steps between 8 x 8 blocks are larger than those within them
third   log10 of the power just above what an enlargement of 3x can have / just below, at the photo's own size
quarter the same of an enlargement of 4x
period  how regularly the bends between pixels come and go every 3 pixels or so, across and down: linear interpolation
        bends at the pixels of the small picture and nowhere else, and no photo does

The floor of noise is taken where no photo of a face has much else; of enlargements too, to which noise and JPEG were
added later. After the directional spectra of
Liu, Li and Jia, "Image partial blur detection and classification", CVPR 2008; blocks after Wang, Sheikh and Bovik,
"No-reference perceptual quality assessment of JPEG compressed images", ICIP 2002; period after Gallagher, "Detection
of linear and cubic interpolation in JPEG compressed images", CRV 2005.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 128
COARSE, FINE, FLOOR = (0.03, 0.09), (0.14, 0.25), (0.40, 0.50)  # cycles a pixel of SIDE
DIRECTIONS = 6
LEAST_POWER = 1e-6  # of coarse: what a face of one colour is held to
BLOCK_PX = 8
LARGEST_PX = 256  # of a face in which the grid is looked for
LEAST_STEP = 0.5  # levels: smooth skin within a block may have no steps at all

WINDOW = 64  # pixels of the photo
MOST_WINDOWS = 3  # each way, half a window apart: of a larger face the middle
RINGS = WINDOW // 2  # each as wide as 1/64 of a cycle a pixel
WINDOW_FLOOR = slice(27, 32)
ENLARGED = (
    (slice(13, 18), slice(6, 9)),
    (slice(11, 15), slice(5, 8)),
)  # above and below, of 3x and of 4x
PERIODS = (
    0.265,
    0.36,
)  # cycles a pixel, of enlargements by 2.8 to 3.8; at 0.25 and 0.375 is JPEG's grid
COMMON_ABOVE, TREND_PX, LEAST_BEND = 0.06, 9, 0.5
LEAST_OF_FLOOR, LEAST_WINDOW_POWER, NOTHING = 0.05, 1e-4, -4.0

Grey = NDArray[np.float32]


class Detail(NamedTuple):
    """The first two numbers above."""

    detail: float
    poorest: float


def detail_of(grey: Grey) -> Detail:
    """By the spectrum of a face. grey: float32 [128, 128], 0-255."""
    rings, window = _rings()
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2
    means = np.array([power[ring].mean() for ring in rings])
    coarse, fine, floor = means[:DIRECTIONS], means[DIRECTIONS:-1], means[-1]
    least = LEAST_POWER * max(float(coarse.mean()), 1.0)
    above = np.maximum(fine - floor, least)
    whole, poorest = np.log10(
        np.array([above.mean(), above.min()]) / max(float(coarse.mean()), 1.0)
    )
    return Detail(float(whole), float(poorest))


@cache
def _rings() -> tuple[list[NDArray[np.bool_]], Grey]:
    """Coarse and fine frequencies by direction, then those of the floor; and the window against edges."""
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]
    radius, angle = np.hypot(down, across), np.arctan2(down, across) % np.pi
    sector = (angle / np.pi * DIRECTIONS).astype(int) % DIRECTIONS

    def ring(band: tuple[float, float]) -> NDArray[np.bool_]:
        return np.asarray((radius >= band[0]) & (radius < band[1]))

    by_direction = [
        ring(band) & (sector == n) for band in (COARSE, FINE) for n in range(DIRECTIONS)
    ]
    bell = np.hanning(SIDE).astype(np.float32)
    return [*by_direction, ring(FLOOR)], bell[:, None] * bell


def enlargement_of(grey: Grey) -> tuple[float, float]:
    """Third and quarter. grey: float32 [H, W] at the photo's own size; 0, 0 for a face that is too small to tell."""
    if min(grey.shape) < WINDOW:
        return 0.0, 0.0
    ring, counts, bell = _window_rings()
    rows, columns = (_starts(length) for length in grey.shape)
    parts = np.stack([grey[y : y + WINDOW, x : x + WINDOW] for y in rows for x in columns])
    parts = (parts - parts.mean(axis=(1, 2), keepdims=True)) * bell
    power = (np.abs(np.fft.rfft2(parts)) ** 2).mean(axis=0) / WINDOW**2
    means = np.bincount(ring, power.ravel()) / counts + LEAST_WINDOW_POWER
    floor = float(np.median(means[WINDOW_FLOOR]))

    third, quarter = (
        _fall(means[below].mean(), means[above].mean(), floor) for above, below in ENLARGED
    )
    return third, quarter


def period_of(grey: Grey) -> float:
    """Period. grey: float32 [H, W] at the photo's own size; 0 for a face that is too small to tell."""
    if min(grey.shape) < WINDOW:
        return 0.0
    return min(_peak(grey), _peak(grey.T))


def _peak(grey: Grey) -> float:
    """The strongest of the frequencies PERIODS in the bends of the columns, beside what is common."""
    bends = np.abs(2 * grey[:, 1:-1] - grey[:, :-2] - grey[:, 2:]).mean(axis=0)
    levels = np.log(bends + LEAST_BEND)
    around = np.pad(levels, TREND_PX // 2, "edge")
    levels -= np.convolve(around, np.full(TREND_PX, 1 / TREND_PX), "valid")
    power = np.abs(np.fft.rfft(levels * np.hanning(len(levels))))
    cycles = np.fft.rfftfreq(len(levels))
    common = float(np.median(power[cycles > COMMON_ABOVE]))
    here = (cycles >= PERIODS[0]) & (cycles <= PERIODS[1])
    return float(power[here].max()) / max(common, 1e-6)


def _fall(below: float, above: float, floor: float) -> float:
    """From the one to the other, both over the noise; where the noise is larger than either, there is no detail."""
    if below < 2 * floor:
        return NOTHING
    over = max(above - floor, LEAST_OF_FLOOR * floor) + LEAST_WINDOW_POWER
    return float(np.log10(over / (below - floor + LEAST_WINDOW_POWER)))


def _starts(length: int) -> list[int]:
    """Where windows begin along one side, spread evenly over its middle."""
    used = min(length, (MOST_WINDOWS + 1) * WINDOW // 2)
    count = round((used - WINDOW) / (WINDOW / 2)) + 1
    first = (length - used) // 2
    return [first + round(n) for n in np.linspace(0, used - WINDOW, count)]


@cache
def _window_rings() -> tuple[NDArray[np.intp], NDArray[np.intp], Grey]:
    """The ring of each frequency of a window, how many each ring has, and the window against edges."""
    radius = np.hypot(np.fft.fftfreq(WINDOW)[:, None], np.fft.rfftfreq(WINDOW)[None, :])
    ring = np.minimum((radius * WINDOW).astype(np.intp), RINGS).ravel()
    bell = np.hanning(WINDOW).astype(np.float32)
    return ring, np.bincount(ring), bell[:, None] * bell


def blocks_of(grey: Grey) -> float:
    """The grid of 8 x 8 blocks, wherever it begins. grey: float32 [H, W] at the photo's own size; 1 = no grid."""
    height, width = grey.shape
    top, left = max(height - LARGEST_PX, 0) // 2, max(width - LARGEST_PX, 0) // 2
    middle = grey[top : top + LARGEST_PX, left : left + LARGEST_PX]
    return min(_grid(middle), _grid(np.ascontiguousarray(middle.T)))


def _grid(grey: Grey) -> float:
    if grey.shape[1] < 4 * BLOCK_PX:
        return 1.0
    steps = np.abs(np.diff(grey, axis=1))
    bends = steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2  # a step between smooth sides
    means = np.maximum(bends, 0).mean(axis=0)
    phases = np.array([means[n::BLOCK_PX].mean() for n in range(BLOCK_PX)])
    return float((phases.max() + LEAST_STEP) / (np.median(phases) + LEAST_STEP))
