"""Drawn examples of the classes, out of the synthetic sample: rendered faces of nobody."""

from functools import lru_cache

from btfer.errors import ImageError
from btfer.expressions import EXPRESSIONS
from btfer.images import decode_rgb
from btfer.sample import SamplePicture, load_manifest, picture_path
from review_app import image_uris

A_CLASS = 3
SIDE_PX = 112
MARGIN = 0.2  # shares of the face's box


@lru_cache(maxsize=1)
def small_pictures() -> dict[str, list[str]]:
    """Each class's faces as data URIs, 112 px; a class whose pictures cannot be read has none."""
    return {
        label: [uri for one in _pictures(label) if (uri := _face(one))] for label in EXPRESSIONS
    }


def _pictures(label: str) -> list[SamplePicture]:
    single = [one for one in load_manifest() if one.kind == "single" and one.expression == label]
    return single[:A_CLASS]


def _face(one: SamplePicture) -> str:
    try:
        pixels = decode_rgb(picture_path(one.file).read_bytes())
    except (OSError, ImageError):
        return ""
    face = one.faces[0]
    across, down = int(MARGIN * face.width), int(MARGIN * face.height)
    top, left = max(0, face.y - down), max(0, face.x - across)
    cut = pixels[top : face.y + face.height + down, left : face.x + face.width + across]
    return image_uris.reduced(cut, SIDE_PX)
