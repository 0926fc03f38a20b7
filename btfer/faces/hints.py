"""Numbers about a found face that order round 2, and the badges that they earn: what to look at, never a verdict.

The thresholds were set looking at what they fire on, on 921 faces of real photos (of 0.90 and 40 px and
more). In brackets: how many of 100 earn the badge, in ordinary photos / in tight portraits of films and press.

probability    MTCNN's own; `low probability` below 0.97 [4 / 3]
size_of_others height of the box / median of its photo's other faces that MTCNN is sure of (0.99), 1 where there is
               none; `odd size` below 1/4 or above 4 with a probability below 0.99: in photos of thousands of
               pixels MTCNN finds a few such in cloth and walls
side_px        shorter side of the box in photo pixels; `small` below 64 [33, most in crowds / 3]
tilt_deg       of the line from eye to eye; `tilted` above 20 either way [4 / 2]
turn           how far the nose is off the middle line, 0.4 in profile; `turned` above 0.31 [4 / 5]
nose_off       the same in parts of half the distance of the eyes, which come together as the nose goes away: about
               the tangent of the angle; `turned` above 0.73, some 45 degrees [0 of 249 faces of ordinary photos]
odd_landmarks  how many of six things are wrong with where eyes, nose and mouth are: `_oddities` [1 / 2]
sharpness      variance of the Laplacian / variance, of the face at 64x64; `blurred` below 0.05 [3 / 2]
detail         fine detail, in all directions (detail.py); `blurred` below -2.6: out of focus or enlarged, also under
               noise (`make benchmark-hints`)
poorest        the same in the direction that has least; `blurred` below -3.1: moved
third, quarter how much detail there is beyond what a face enlarged 3x or 4x can have (detail.py); `enlarged` below
               -1.8 or -1.65, of faces up to 300 px: a larger one fills its crop all the same
period         bends every 3 pixels or so (detail.py); `enlarged` above 5: linearly, by 3x or by 1.5x
blocks         grid of 8x8 blocks (detail.py); `compressed` above 2.7: a JPEG of a quality below 15
light          of 0-255: a twentieth of the face is brighter; `dark` below 80
eye_light      brightness of the brighter eye / median of the face; `dark eyes` below 0.53: behind dark
               glasses, under a cap [1 / 1]
mouth_texture  (covered.py) `covered` below -1.1: by a mask, ...
side_texture   ... above 1: half of the face, ...
eye_texture    ... below 6: both eyes, by dark glasses
mirrored       how much of the crop is the mirror image of mode `square`; `mirrored` above 0.20, where a
               second face comes into sight [2 / 46; 0 in the other modes]

None of these shows whether eyes are closed, nor what covers a face where that has texture itself, as hair has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from btfer.faces.box import Box
from btfer.faces.covered import Covered, covered_of
from btfer.faces.cut import Cut
from btfer.faces.detail import SIDE as DETAIL_SIDE
from btfer.faces.detail import blocks_of, detail_of, enlargement_of, period_of
from btfer.faces.pose import FacePose, pose_of
from btfer.images import Pixels

UNSURE_BELOW = 0.97
SURE, ODD_SIZE = 0.99, 4.0
SMALL_BELOW_PX = 64
TILTED_ABOVE_DEG = 20.0
TURNED_ABOVE, NOSE_OFF_ABOVE = 0.31, 0.73
FURTHEST_OFF = 9.0  # the eyes of a profile are at one place
BLURRED_BELOW = 0.05
DETAIL_BELOW, POOREST_BELOW = -2.6, -3.1
ENLARGED_BELOW = {"third": -1.8, "quarter": -1.65}
PERIOD_ABOVE = 5.0
ENLARGED_UP_TO_PX = 300
COMPRESSED_ABOVE = 2.7
DARK_BELOW = 80.0
DARK_EYES_BELOW = 0.53
MOUTH_BELOW, SIDES_ABOVE, EYES_BELOW = -1.1, 1.0, 6.0  # texture
MIRRORED_ABOVE = 0.20

SIDE = 64  # pixels: small enough that every face is as sharp as its photo allows
EYE_RADIUS = 7
OFF_BOX = 0.05  # shares of the box

Grey = np.ndarray[Any, np.dtype[np.float32]]


class FaceHints(TypedDict, total=False):
    """The numbers above, by name; empty for a face that was refused."""

    probability: float
    size_of_others: float
    side_px: float
    tilt_deg: float
    turn: float
    nose_off: float
    odd_landmarks: float
    sharpness: float
    detail: float
    poorest: float
    third: float
    quarter: float
    period: float
    blocks: float
    light: float
    eye_light: float
    mouth_texture: float
    side_texture: float
    eye_texture: float
    mirrored: float


def hints_of(pixels: Pixels, box: Box, cut: Cut, boxes: Sequence[Box] = ()) -> FaceHints:
    """All hints of one face.

    pixels: its photo at full size, uint8 [H, W, 3], RGB. box, cut: in its pixels. boxes: all of the photo.
    """
    height, width = pixels.shape[:2]
    pose = pose_of(box)
    face = _Face.of(pixels, box)
    covered = face.covered(box)
    return FaceHints(
        probability=_rounded(box.probability),
        size_of_others=_rounded(_size_of_others(box, boxes)),
        side_px=_rounded(min(box.width, box.height)),
        tilt_deg=_rounded(pose.tilt_deg),
        turn=_rounded(pose.turn),
        nose_off=_rounded(_nose_off(pose)),
        odd_landmarks=_rounded(_oddities(box, pose)),
        sharpness=_rounded(face.sharpness()),
        **_quality(pixels, box),
        eye_light=_rounded(face.eye_light(box)),
        mouth_texture=_rounded(covered.mouth),
        side_texture=_rounded(covered.sides),
        eye_texture=_rounded(covered.eyes),
        mirrored=_rounded(cut.share_beyond(width, height)),
    )


def _quality(pixels: Pixels, box: Box) -> FaceHints:
    """What the photo's own pixels say of focus, movement, compression and light."""
    import cv2

    part = _inside(pixels, box)
    way = cv2.INTER_AREA if min(part.shape[:2]) > DETAIL_SIDE else cv2.INTER_CUBIC
    face = cv2.resize(part, (DETAIL_SIDE, DETAIL_SIDE), interpolation=way)
    grey, own = _grey(face), _grey(part)
    detail, poorest = detail_of(grey)
    third, quarter = enlargement_of(own)
    return FaceHints(
        detail=_rounded(detail),
        poorest=_rounded(poorest),
        third=_rounded(third),
        quarter=_rounded(quarter),
        period=_rounded(period_of(own)),
        blocks=_rounded(blocks_of(own)),
        light=_rounded(float(np.percentile(grey, 95))),
    )


def _inside(pixels: Pixels, box: Box) -> Pixels:
    """The part of a photo in a box."""
    left, top = max(round(box.x), 0), max(round(box.y), 0)
    return pixels[top : round(box.y + box.height), left : round(box.x + box.width)]


def _grey(pixels: Pixels) -> Grey:
    """The mean of red, green and blue; what `mean(axis=2)` gives, in a quarter of its time."""
    red, green, blue = (pixels[..., n].astype(np.float32) for n in range(3))
    return (red + green + blue) / np.float32(3)


def _rounded(value: float) -> float:
    return round(float(value), 4)


def badges(hints: Mapping[str, float]) -> tuple[str, ...]:
    """The words that a face's hints earn; what was not measured earns none."""
    found = (  # not as a dict: there may be 100,000 faces
        ("low probability", hints.get("probability", 1) < UNSURE_BELOW),
        ("odd size", _is_odd_size(hints)),
        ("small", hints.get("side_px", SMALL_BELOW_PX) < SMALL_BELOW_PX),
        ("tilted", abs(hints.get("tilt_deg", 0)) > TILTED_ABOVE_DEG),
        (
            "turned",
            abs(hints.get("turn", 0)) > TURNED_ABOVE or hints.get("nose_off", 0) > NOSE_OFF_ABOVE,
        ),
        ("odd landmarks", hints.get("odd_landmarks", 0) > 0),
        ("blurred", _is_blurred(hints)),
        ("enlarged", _is_enlarged(hints)),
        ("compressed", hints.get("blocks", 1) > COMPRESSED_ABOVE),
        ("dark", hints.get("light", DARK_BELOW) < DARK_BELOW),
        ("dark eyes", hints.get("eye_light", DARK_EYES_BELOW) < DARK_EYES_BELOW),
        ("covered", _is_covered(hints)),
        ("mirrored", hints.get("mirrored", 0) > MIRRORED_ABOVE),
    )
    return tuple([name for name, holds in found if holds])


def _is_blurred(hints: Mapping[str, float]) -> bool:
    return (
        hints.get("sharpness", BLURRED_BELOW) < BLURRED_BELOW
        or hints.get("detail", 0) < DETAIL_BELOW
        or hints.get("poorest", 0) < POOREST_BELOW
    )


def _size_of_others(box: Box, boxes: Sequence[Box]) -> float:
    sure = [one.height for one in boxes if one is not box and one.probability >= SURE]
    return box.height / float(np.median(sure)) if sure else 1.0


def _nose_off(pose: FacePose) -> float:
    return min(abs(2 * pose.turn) / max(pose.eyes, 1e-3), FURTHEST_OFF)


def _is_odd_size(hints: Mapping[str, float]) -> bool:
    times = hints.get("size_of_others", 1)
    return hints.get("probability", 1) < SURE and not 1 / ODD_SIZE <= times <= ODD_SIZE


def _is_enlarged(hints: Mapping[str, float]) -> bool:
    if hints.get("side_px", 0) > ENLARGED_UP_TO_PX:
        return False
    smooth = any(hints.get(k, 0) < least for k, least in ENLARGED_BELOW.items())
    return smooth or hints.get("period", 0) > PERIOD_ABOVE


def _is_covered(hints: Mapping[str, float]) -> bool:
    return (
        hints.get("mouth_texture", 0) < MOUTH_BELOW
        or hints.get("side_texture", 0) > SIDES_ABOVE
        or hints.get("eye_texture", EYES_BELOW) < EYES_BELOW
    )


def _oddities(box: Box, pose: FacePose) -> int:
    """Nose above the eyes, or at the mouth; eyes or mouth far too narrow; mouth to one side; a point off the box."""
    wrong = (
        pose.nose_down < 0.2,
        pose.nose_down > 0.9,
        pose.eyes < 0.25,
        pose.mouth < 0.25,
        abs(pose.skew) > 0.25,
        _furthest_off(box) > OFF_BOX,
    )
    return sum(wrong)


def _furthest_off(box: Box) -> float:
    """How far outside its box the furthest landmark is, in shares of the box; negative inside."""
    across = [(x - box.x) / max(box.width, 1) for x, _ in box.landmarks.values()]
    down = [(y - box.y) / max(box.height, 1) for _, y in box.landmarks.values()]
    return max(-min(across + down), max(across + down) - 1)


@dataclass(frozen=True)
class _Face:
    """The box of a face in grey at 64x64. left, top: of it in the photo; scale: its pixels per photo pixel."""

    grey: Grey
    left: int
    top: int
    scale: tuple[float, float]

    @classmethod
    def of(cls, pixels: Pixels, box: Box) -> "_Face":
        import cv2

        left, top = max(round(box.x), 0), max(round(box.y), 0)
        part = _inside(pixels, box)
        height, width = part.shape[:2]
        way = cv2.INTER_AREA if min(width, height) > SIDE else cv2.INTER_CUBIC
        grey = cv2.resize(part, (SIDE, SIDE), interpolation=way)
        return cls(_grey(grey), left, top, (SIDE / width, SIDE / height))

    def sharpness(self) -> float:
        """0 for a face without any contrast."""
        grey = self.grey
        laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1]
        laplacian = laplacian - grey[1:-1, :-2] - grey[1:-1, 2:]
        return float(laplacian.var() / max(grey.var(), 1))

    def eye_light(self, box: Box) -> float:
        """Brightness about the brighter eye; 1 = as the face's median."""
        eyes = [self._about(box.landmarks[name]) for name in ("left_eye", "right_eye")]
        return max(eyes) / max(float(np.median(self.grey)), 20)

    def covered(self, box: Box) -> Covered:
        """What is behind something, by the landmarks of the box."""
        eyes = [box.landmarks[name] for name in ("left_eye", "right_eye")]
        mouth = np.mean([box.landmarks[name] for name in ("mouth_left", "mouth_right")], axis=0)
        points = (np.array([*eyes, mouth]) - (self.left, self.top)) * self.scale
        return covered_of(self.grey, points.astype(np.float32))

    def _about(self, point: tuple[float, float]) -> float:
        """Mean brightness of the square about a point of the photo, as much of it as is in the box."""
        x = round((point[0] - self.left) * self.scale[0])
        y = round((point[1] - self.top) * self.scale[1])
        x, y = (min(max(at, 0), SIDE - 1) for at in (x, y))
        rows = slice(max(y - EYE_RADIUS, 0), y + EYE_RADIUS)
        return float(self.grey[rows, max(x - EYE_RADIUS, 0) : x + EYE_RADIUS].mean())
