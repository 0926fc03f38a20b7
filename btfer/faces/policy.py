"""Which of a photo's boxes become crops; every other one gets the word that says why not.

low probability  MTCNN is less sure than `min_probability`
small            the shorter side of the box is below `min_face_px`
cut off          an eye, the nose or a corner of the mouth is outside the photo, or more than two fifths of the
                 face are, as its landmarks place it: the expression cannot be read from what is left
several people   policy `single`, and MTCNN is sure of more than one face, whatever their size
not the largest  policy `largest`
over the cap     more than `max_faces` are left: the largest stay

A box gets the first of these that fits. MTCNN does not look for faces far below `min_face_px`: these have no row.
"""

from collections.abc import Sequence

from btfer.faces.box import Box
from btfer.faces.modes import CropSettings
from btfer.faces.pose import landmarks_outside, share_outside

# Two fifths: no face of ordinary photos is so far out, and of tight portraits 2 in 100.
MAX_OUTSIDE = 0.40

POLICIES = ("all", "largest", "single")


def refusals(boxes: Sequence[Box], settings: CropSettings, *, width: int, height: int) -> list[str]:
    """For each box the reason why it is refused, '' where it becomes a crop. width, height: of the photo, in pixels."""
    reasons = [_unfit(box, settings, width, height) for box in boxes]
    usable = [n for n, reason in enumerate(reasons) if not reason]
    largest_first = sorted(usable, key=lambda n: (-boxes[n].width * boxes[n].height, n))
    sure = sum(box.probability >= settings.min_probability for box in boxes)
    if settings.faces == "single" and sure > 1:
        refused = dict.fromkeys(usable, "several people")
    elif settings.faces == "largest":
        refused = dict.fromkeys(largest_first[1:], "not the largest")
    else:
        refused = dict.fromkeys(largest_first[settings.max_faces :], "over the cap")
    return [refused.get(n, reason) for n, reason in enumerate(reasons)]


def _unfit(box: Box, settings: CropSettings, width: int, height: int) -> str:
    if box.probability < settings.min_probability:
        return "low probability"
    if min(box.width, box.height) < settings.min_face_px:
        return "small"
    is_out = landmarks_outside(box, width, height) > 0
    return "cut off" if is_out or share_outside(box, width, height) > MAX_OUTSIDE else ""
