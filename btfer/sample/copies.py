"""Near-duplicates, as the web makes them: resized, saved again, mirrored, cut at the edges."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image, ImageOps

from btfer.sample import SampleFace
from btfer.sample.junk import as_jpeg

Faces = tuple[SampleFace, ...]
Changed = tuple[Image.Image, Faces]


@dataclass(frozen=True)
class Transform:
    """One way to copy. quality: of the JPEG; always below the original's, so that dedup keeps that."""

    change: Callable[[Image.Image, Faces], Changed]
    quality: int


def copy_of(jpeg: bytes, faces: Faces, transform: str) -> tuple[bytes, Faces]:
    """The bytes of a copy, and the faces where they are in it."""
    with Image.open(io.BytesIO(jpeg)) as original:
        image, moved = TRANSFORMS[transform].change(original.convert("RGB"), faces)
    return as_jpeg(image, TRANSFORMS[transform].quality), moved


def _same(image: Image.Image, faces: Faces) -> Changed:
    return image, faces


def _half(image: Image.Image, faces: Faces) -> Changed:
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
    moved = (
        replace(f, x=f.x // 2, y=f.y // 2, width=f.width // 2, height=f.height // 2) for f in faces
    )
    return small, tuple(moved)


def _mirrored(image: Image.Image, faces: Faces) -> Changed:
    moved = (replace(f, x=image.width - f.x - f.width) for f in reversed(faces))
    return ImageOps.mirror(image), tuple(moved)


def _cropped(image: Image.Image, faces: Faces) -> Changed:
    """Cut 2 percent off each edge; no face may reach that far."""
    dx, dy = image.width // 50, image.height // 50
    cut = image.crop((dx, dy, image.width - dx, image.height - dy))
    return cut, tuple(replace(f, x=f.x - dx, y=f.y - dy) for f in faces)


TRANSFORMS = {
    "resized": Transform(_half, 75),
    "recompressed": Transform(_same, 40),
    "mirrored": Transform(_mirrored, 70),
    "cropped": Transform(_cropped, 75),
    "relisted": Transform(_same, 60),
}
"""By name. A relisted copy is found under the query of another class."""
