"""What of a face is behind something, by where its texture is missing: mouth, one side, or both eyes.

mouth  log of the texture about the mouth / that about eyes and brows: a mask has no lips
sides  log of the texture of one half / the other, without sign: a hand, a hat or a neighbour before one of them
eyes   levels, how much the brightness varies about the eye where it varies more: dark glasses have nothing in them

All is measured on a face that is laid so that eyes and mouth are where they always are, in logarithms of the
brightness, so that light from a side makes no difference. Textured things (a printed mask, hair) are not found.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Points = NDArray[np.float32]

SIDE = 64
LAID = np.array(
    [(20, 20), (44, 20), (32, 46)], np.float32
)  # left eye, right eye, middle of the mouth
MOUTH, UPPER = np.s_[38:56, 20:44], np.s_[12:34, 12:52]
LEFT, RIGHT = (np.s_[8:56, 10:28], np.s_[12:54, 12:26]), (np.s_[8:56, 36:54], np.s_[12:54, 38:52])
LEFT_EYE, RIGHT_EYE = np.s_[16:25, 15:25], np.s_[16:25, 39:49]
DARK_LEVELS = 20.0  # added before the logarithm: noise in the dark is no texture
LEAST_TEXTURE = 0.003
LEAST_AREA = 4.0  # square pixels between eyes and mouth: below, the landmarks lie on a line


class Covered(NamedTuple):
    """The three numbers above; of a face that nothing covers about 0, 0 and 30."""

    mouth: float = 0.0
    sides: float = 0.0
    eyes: float = 30.0


def covered_of(grey: Grey, points: Points) -> Covered:
    """grey: float32 [H, W] of a face, 0-255, small. points: float32 [3, 2], x and y of both eyes and the mouth in it.

    Where the points lie on a line nothing can be said, and the face counts as uncovered.
    """
    import cv2

    across, down = points[1] - points[0], points[2] - points[0]
    if abs(float(across[0] * down[1] - across[1] * down[0])) < LEAST_AREA:
        return Covered()
    way = cv2.getAffineTransform(points, LAID)
    face = cv2.warpAffine(grey, way, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    logs = np.log(np.maximum(face, 0) + DARK_LEVELS)
    steps = np.abs(np.diff(logs, axis=1))[:-1] + np.abs(np.diff(logs, axis=0))[:, :-1]
    wide, narrow = (
        _texture(steps[left], share) - _texture(steps[right], share)
        for left, right, share in zip(LEFT, RIGHT, (0.75, 0.9), strict=True)
    )
    return Covered(
        mouth=_texture(steps[MOUTH], 0.9) - _texture(steps[UPPER], 0.9),
        sides=(abs(wide) + abs(narrow)) / 2,
        eyes=float(max(face[LEFT_EYE].std(), face[RIGHT_EYE].std())),
    )


def _texture(steps: Grey, share: float) -> float:
    """The log of the step that so large a share of them is below."""
    return float(np.log(np.quantile(steps, share) + LEAST_TEXTURE))
