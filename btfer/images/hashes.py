"""The 64-bit pHash of a picture and of its mirror image, by one small DCT.

The definition is imagehash's: 32x32 grey, DCT-II, the 8x8 lowest frequencies against their median.
"""

from typing import Any

import numpy as np

from btfer.images.colour import Pixels

SIDE_PX = 32
LOW = 8

# Row u holds the wave of frequency u over the 32 pixels.
_WAVES = np.cos(np.pi / (2 * SIDE_PX) * np.outer(np.arange(LOW), 2 * np.arange(SIDE_PX) + 1))
# Mirroring turns the sign of the odd horizontal waves and nothing else.
_BOTH = np.array([[1.0] * LOW, [1.0, -1.0] * (LOW // 2)])[:, None, :]


def phash_pair(grey: Pixels) -> tuple[int, int]:
    """The pHash of a picture and of its mirror image, each 64 bits as the signed integer of the catalogue.

    grey: uint8 [32, 32], luma 0-255. The bits are those of `imagehash.phash` (hash_size=8, highfreq_factor=4).
    """
    phash, mirror_phash = phash_pairs(grey[None])[0].tolist()
    return phash, mirror_phash


def phash_pairs(greys: Pixels) -> np.ndarray[Any, np.dtype[np.int64]]:
    """`phash_pair` of many at once: uint8 [N, 32, 32], luma 0-255, to int64 [N, 2] (picture, mirror image)."""
    waves = _WAVES @ greys.astype(np.float64) @ _WAVES.T
    # A blank or symmetric picture has waves that are zero but for rounding noise: one key, not many.
    both = (waves.round(6)[:, None] * _BOTH).reshape(-1, 2, LOW * LOW)
    middle = np.sort(both, axis=2)[:, :, LOW * LOW // 2 - 1 : LOW * LOW // 2 + 1]
    bits = np.packbits(both > middle.sum(axis=2, keepdims=True) / 2, axis=2)
    return bits.view(">i8")[:, :, 0].astype(np.int64)
