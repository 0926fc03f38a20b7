"""A second look at two pictures that would be taken for one: does any face differ that the first look missed?

The first look compares the faces that a search of the whole picture finds (`faces.shots`). Here the pictures are
compared everywhere (`images.residual_peaks`), and where they differ far more than elsewhere, faces are looked for
in that part alone, enlarged: small ones, unsure ones, those of a crowd. A watermark or a caption is no face.
"""

import numpy as np

from btfer.faces.box import Box
from btfer.faces.detector import detect
from btfer.faces.shots import MARGIN, Shot
from btfer.images import Pixels
from btfer.images.local_difference import local_difference
from btfer.images.overlay import Overlay, mirror
from btfer.images.residual_peaks import Peak, residual_peaks

REACH = 2.5  # of the smallest face, to each side
LARGEST = 2.5  # of the smallest face, a fifth of the height: of larger ones only a part is seen
ENLARGED_PX = 60  # so large the smallest face becomes, at most three times its size
MOST_ENLARGED = 3.0
SMALLEST_FACE_PX = 24
ANOTHER_SHOT = 0.25  # of what stands out that far less is enough than SAME_SHOT: before a bright wall, a dark face


def missed_difference(one: Shot, other: Shot, overlay: Overlay) -> float | None:
    """The largest difference of a face that the first look missed, in parts of its own detail; None = there is none.

    overlay: how one lies on the other. Raises ImageError `out of memory`.
    """
    grey, pixels = other.grey, other.pixels
    if overlay.mirrored:
        grey, pixels = mirror(grey), mirror(pixels)
    to_other, found = overlay.to_other, []
    for peak in residual_peaks(one.grey, grey, to_other):
        side = peak.side_px * (1 + 2 * MARGIN)
        centre = (peak.x, peak.y)
        difference = local_difference(one.pixels, pixels, to_other, centre=centre, side_px=side)
        if difference is None or difference <= ANOTHER_SHOT:
            continue
        if _has_face(one.pixels, peak) or _has_face(pixels, _there(peak, to_other)):
            found.append(difference)
    return max(found, default=None)


def _there(peak: Peak, to_other: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Peak:
    """The same place in the other picture."""
    x, y = (float(v) for v in (to_other @ np.array([peak.x, peak.y, 1.0]))[:2])
    scale = float(np.sqrt(abs(np.linalg.det(to_other[:2, :2]))))
    return Peak(x, y, peak.side_px * scale, peak.times_noise)


def _has_face(pixels: Pixels, peak: Peak) -> bool:
    """Whether a small face covers the place."""
    import cv2

    reach, (height, width) = REACH * peak.side_px, pixels.shape[:2]
    left, right = (int(np.clip(peak.x + way, 0, width)) for way in (-reach, reach))
    top, bottom = (int(np.clip(peak.y + way, 0, height)) for way in (-reach, reach))
    if min(right - left, bottom - top) < SMALLEST_FACE_PX:
        return False
    larger = float(np.clip(ENLARGED_PX / peak.side_px, 1, MOST_ENLARGED))
    part = np.ascontiguousarray(pixels[top:bottom, left:right])
    seen = np.asarray(
        cv2.resize(part, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    place = (peak.x - left) * larger, (peak.y - top) * larger
    faces = detect(seen, min_face_px=SMALLEST_FACE_PX, nested=True)
    largest = LARGEST * peak.side_px * larger
    return any(face.height <= largest and _covers(face, *place) for face in faces)


def _covers(face: Box, x: float, y: float) -> bool:
    spare = MARGIN * face.height
    across = face.x - spare <= x <= face.x + face.width + spare
    return across and face.y - spare <= y <= face.y + face.height + spare
