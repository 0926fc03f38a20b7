"""The faces that MTCNN, with the mtcnn package's weights, finds in a photo."""

import numpy as np

from btfer.errors import ImageError
from btfer.faces.box import LANDMARKS, Box
from btfer.images import Pixels

# Named in every face id's settings: change it when boxes may change.
DETECTOR = "mtcnn 1.0.0 weights, openvino, 2"


def detect(pixels: Pixels, *, min_face_px: int = 40, nested: bool = False) -> list[Box]:
    """All faces that MTCNN finds, from left to right.

    pixels: uint8 [H, W, 3], RGB (not BGR), 0-255, upright.
    min_face_px: photo sizes at which only smaller faces are found are skipped, except around faces that are
    hardly larger: at 40 px that saves 2 of 12 sizes and two thirds of the time. 20 px is the package's own, and
    no smaller face is ever found. Smaller boxes are returned all the same. Nothing is found in a photo whose
    shorter side is under 24 px.
    nested: faces inside the box of a larger one are returned too (a face before a poster, a picture on a wall), and
    now and then a second box for a part of one face; the package lets such boxes fall to the surer one.
    Coordinates are whole pixels, as the package gives them; landmarks can lie outside the photo.
    pixels must be of the whole photo at full size: ONet looks at each box at 48x48, and a reduced decode
    gives it other pixels. Raises ImageError `out of memory`.
    """
    # Here, not above: a second of imports that only workers need.
    from btfer.faces.cascade import search
    from btfer.faces.networks import networks

    try:
        found = search(
            np.ascontiguousarray(pixels), networks(), min_face_px=min_face_px, nested=nested
        )
    except MemoryError as error:
        height, width = pixels.shape[:2]
        raise ImageError("out of memory", f"a photo of {width}x{height} pixels") from error
    columns = (found.corners.tolist(), found.scores.tolist(), found.points.tolist())
    boxes = [_box(*face) for face in zip(*columns, strict=True)]
    return sorted(boxes, key=lambda box: (box.x, box.y))


def _box(corners: list[float], score: float, points: list[float]) -> Box:
    left, top, right, bottom = corners
    named = {
        name: (float(round(x)), float(round(y)))
        for name, x, y in zip(LANDMARKS, points[:5], points[5:], strict=True)
    }
    return Box(
        x=float(round(left)),
        y=float(round(top)),
        width=float(round(right - left)),
        height=float(round(bottom - top)),
        probability=round(score, 6),
        landmarks=named,
    )
