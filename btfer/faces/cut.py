"""One face from its photo: the rectangle, what happens to it at the border, and the square it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from btfer.errors import ImageError
from btfer.faces.box import Box
from btfer.faces.modes import CropSettings, mode
from btfer.images import QUICK, THOROUGH, Pixels

Point = tuple[float, float]


@dataclass(frozen=True)
class Cut:
    """The rectangle that is cut, in photo pixels, and the sides where it met the photo's border.

    clipped: sides that were moved in to the border. reflected: sides where the rectangle runs beyond the
    border and shows the photo's mirror image; left and top are negative there.
    """

    left: int
    top: int
    right: int
    bottom: int
    clipped: tuple[str, ...] = ()
    reflected: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """In photo pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """In photo pixels."""
        return self.bottom - self.top

    def share_beyond(self, width: int, height: int) -> float:
        """How much of the rectangle lies outside a photo of `width` x `height` pixels, 0 to 1."""
        across = min(self.right, width) - max(self.left, 0)
        down = min(self.bottom, height) - max(self.top, 0)
        return 1 - across * down / (self.width * self.height)


def cut_rectangle(box: Box, width: int, height: int, settings: CropSettings) -> Cut:
    """The rectangle of a mode for one box in a photo of `width` x `height` pixels.

    The box's sides are rounded to whole pixels before the margin is added. Raises ImageError `outside` where
    no pixel of the photo lies in it.
    """
    left, top, right, bottom = _squared(box) if settings.shape == "square" else _rounded(box)
    left, top = left - settings.margin_px, top - settings.margin_px
    right, bottom = right + settings.margin_px, bottom + settings.margin_px
    if max(left, 0) >= min(right, width) or max(top, 0) >= min(bottom, height):
        raise ImageError("outside", f"the box {box} is not in the {width}x{height} photo")
    over = {"left": left < 0, "top": top < 0, "right": right > width, "bottom": bottom > height}
    sides = tuple(name for name, is_over in over.items() if is_over)
    if settings.border == "reflected":
        return Cut(left, top, right, bottom, reflected=sides)
    return Cut(max(left, 0), max(top, 0), min(right, width), min(bottom, height), clipped=sides)


def _rounded(box: Box) -> tuple[int, int, int, int]:
    return round(box.x), round(box.y), round(box.x + box.width), round(box.y + box.height)


def _squared(box: Box) -> tuple[int, int, int, int]:
    """The box with its shorter side grown about the middle to the longer one's length."""
    side = round(max(box.width, box.height))
    left = round(box.x + box.width / 2 - side / 2)
    top = round(box.y + box.height / 2 - side / 2)
    return left, top, left + side, top + side


def cut_face(pixels: Pixels, cut: Cut, settings: CropSettings) -> Pixels:
    """The crop of a rectangle, resized to a square.

    pixels: the photo at full size, uint8 [H, W, 3], RGB, upright. cut: in its pixels. Returns uint8
    [size_px, size_px, 3], RGB. Source: BTFER section 2, stage 3.
    """
    height, width = pixels.shape[:2]
    if cut.reflected:
        part = pixels[
            np.ix_(_mirrored(cut.top, cut.bottom, height), _mirrored(cut.left, cut.right, width))
        ]
    else:
        part = pixels[cut.top : cut.bottom, cut.left : cut.right]
    return _resized(part, settings)


def _mirrored(start: int, stop: int, length: int) -> Any:
    """Places from `start` up to `stop` in a row of `length`, which is mirrored at both ends without end."""
    period = max(2 * (length - 1), 1)
    places = np.arange(start, stop) % period
    return np.minimum(places, period - places)


def _resized(part: Pixels, settings: CropSettings) -> Pixels:
    """One axis after the other, the shrinking first: OpenCV has one way for both at a time."""
    import cv2

    ways = {"area": cv2.INTER_AREA, "cubic": cv2.INTER_CUBIC, "linear": cv2.INTER_LINEAR}
    size, (height, width) = settings.size_px, part.shape[:2]
    shrunk = (min(width, size), min(height, size))
    part = cv2.resize(part, shrunk, interpolation=ways[settings.shrink_by])
    square: Pixels = cv2.resize(part, (size, size), interpolation=ways[settings.enlarge_by])
    return square


@dataclass(frozen=True, kw_only=True)
class CropRecord(Cut):
    """All that makes a crop again from its photo, and how it was scaled; the catalogue keeps it as JSON.

    scale_x, scale_y: crop pixels per photo pixel. distortion: width / height of what was cut; a face looks
    that much too high. 1 = its shape is kept. packing: of its PNG, see `encode_png`.
    """

    mode: str
    margin_px: int
    size_px: int
    scale_x: float
    scale_y: float
    distortion: float
    packing: str


def crop_record(cut: Cut, settings: CropSettings) -> CropRecord:
    """The record of a crop that `cut_face` makes from these two."""
    return CropRecord(
        **vars(cut),
        mode=settings.name,
        margin_px=settings.margin_px,
        size_px=settings.size_px,
        scale_x=round(settings.size_px / cut.width, 6),
        scale_y=round(settings.size_px / cut.height, 6),
        distortion=round(cut.width / cut.height, 4),
        packing=QUICK,
    )


def read_cut(row: Mapping[str, Any]) -> Cut:
    """The rectangle of a crop. row: a `CropRecord` as JSON."""
    sides = (tuple(row.get(name, ())) for name in ("clipped", "reflected"))
    return Cut(*(row[name] for name in ("left", "top", "right", "bottom")), *sides)


def crop_settings_of(row: Mapping[str, Any]) -> CropSettings:
    """The settings with which `cut_face` makes a crop again. row: a `CropRecord` as JSON."""
    return replace(mode(row["mode"]), margin_px=row["margin_px"], size_px=row["size_px"])


def packing_of(row: Mapping[str, Any]) -> str:
    """How a crop's PNG is packed. row: a `CropRecord` as JSON, of an older catalogue too."""
    return str(row.get("packing", THOROUGH))


def in_crop(point: Point, cut: Cut, size_px: int) -> Point:
    """Where a point of the photo, such as a landmark, lies in the crop, in crop pixels."""
    x, y = point
    return (x - cut.left) * size_px / cut.width, (y - cut.top) * size_px / cut.height
