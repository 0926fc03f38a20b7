"""What decides which faces are taken and how each is cut: the modes by name, and a digest of it all.

A crop is cut from the photo at full size, upright (EXIF's turn undone), RGB, and ends as 256x256 PNG.
The rectangle starts from MTCNN's box, its four sides rounded to whole pixels of the photo:

mode          rectangle                        margin a side  at the border   shrinks by  grows by
paper         the box                          20 px          clipped         area        cubic
authors_code  the box                          10 px          clipped         bilinear    bilinear
square        the box widened to a square      20 px          reflected       area        cubic

`paper` is section 2, stage 3, of the paper: "an additional 20 pixels around the region of interest". The
authors' own cropping code adds 10 px a side, 20 px an axis: `authors_code`. Its faults are not repeated: it
gave BGR pixels to a detector that expects RGB, let boxes near the border run to negative indices, which cut
nothing or something else, and wrote all faces of a photo to one file, so that the last one was left. In both
modes a face becomes as wide as it is high. In `square` it keeps its shape: the shorter side of the box grows
about its middle to the length of the longer, and what lies beyond the border is the photo's mirror image; of
a portrait that ends at the ears that is part of a second face (hint `mirrored`).

The margin is in pixels of the photo, so that it is a third of a 60 px face and a thirtieth of a 600 px one.
Each axis is resized by itself: by the first way where it shrinks, by the second where it grows.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from btfer.errors import UsageError
from btfer.faces import DETECTOR
from btfer.settings import Settings


@dataclass(frozen=True)
class CropSettings:
    """A mode, the thresholds, and the policy for photos of several people. margin_px is per side."""

    name: str = "paper"
    shape: str = "box"  # or square
    margin_px: int = 20
    border: str = "clipped"  # or reflected
    size_px: int = 256
    shrink_by: str = "area"
    enlarge_by: str = "cubic"
    faces: str = "all"  # or largest, single
    min_probability: float = 0.90
    min_face_px: int = 40
    max_faces: int = 50
    detector: str = DETECTOR

    @cached_property
    def digest(self) -> str:
        """Eight hex digits that change with any of the settings; part of every face id."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]


MODES = {
    "paper": CropSettings(),
    "authors_code": CropSettings(
        name="authors_code", margin_px=10, shrink_by="linear", enlarge_by="linear"
    ),
    "square": CropSettings(name="square", shape="square", border="reflected"),
}


def mode(name: str) -> CropSettings:
    """The mode of that name. Raises UsageError for an unknown one."""
    if name not in MODES:
        raise UsageError(f"unknown crop mode '{name}'; choose one of {', '.join(MODES)}")
    return MODES[name]


def crop_settings(settings: Settings) -> CropSettings:
    """The mode that `settings` names, with their thresholds and policy. Raises UsageError as `mode`."""
    return replace(
        mode(settings.crop),
        faces=settings.faces,
        min_probability=settings.min_probability,
        min_face_px=settings.min_face_px,
        max_faces=settings.max_faces,
    )
