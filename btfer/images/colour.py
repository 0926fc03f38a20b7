"""Any mode and any colour profile to RGB, sRGB, on white."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MAX_PROFILE_BYTES = 4_000_000  # the largest printing profiles in use have about 3 MB
PROFILES_KEPT = 16
SAME_COLOUR = 2  # a profile that moves no colour further than this many of 255 levels is sRGB

_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}
_PLAIN = {"L", "LA", "RGB", "RGBA", "CMYK"}
_GREYS = {"1", "L", "I", "I;16", "I;16B", "I;16L"}


def to_srgb(image: Image.Image) -> Image.Image:
    """A picture of any Pillow mode as RGB, 8 bits a channel, sRGB: ICC profile applied, then laid on white.

    A profile that is broken, huge or of another colour space is ignored, as viewers ignore it.
    """
    image = eight_bits(image)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colours = image if alpha is None else image.convert(image.mode.removesuffix("A"))
    rgb = _managed(colours, image.info.get("icc_profile"))
    if alpha is None:
        return rgb
    white = Image.new("RGB", image.size, "white")
    white.paste(rgb, mask=alpha)
    return white


def eight_bits(image: Image.Image) -> Image.Image:
    """A loaded picture in mode L, LA, RGB, RGBA or CMYK: a single transparent colour has become alpha."""
    transparent = image.info.get("transparency")
    if image.mode in _PLAIN and transparent is None:
        return image
    plain = _grey(image, transparent) if image.mode in _GREYS else _coloured(image)
    plain.info = {key: one for key, one in image.info.items() if key == "icc_profile"}
    return plain


def _grey(image: Image.Image, transparent: int | None) -> Image.Image:
    levels = np.asarray(image if image.mode != "1" else image.convert("L"))
    wide = image.mode.startswith("I")  # convert() would clip 16 bits to white
    grey = (levels // 257).astype(np.uint8) if wide else levels
    if transparent is None:
        return Image.fromarray(grey)
    alpha = np.where(levels == transparent, 0, 255).astype(np.uint8)
    return Image.fromarray(np.dstack((grey, alpha)))


def _coloured(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _managed(image: Image.Image, profile: bytes | None) -> Image.Image:
    """L, RGB or CMYK by its profile; by the plain formulas where there is none that fits."""
    if profile and len(profile) <= MAX_PROFILE_BYTES:
        transform = _transform(bytes(profile), image.mode)
        if transform is not None:
            return ImageCms.applyTransform(image, transform) or image
    return image if image.mode == "RGB" else image.convert("RGB")  # convert() would copy


@lru_cache(maxsize=PROFILES_KEPT)  # a handful of profiles serve most of the web
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From this profile to sRGB; None where nothing is to be done or the profile does not fit."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None  # a broken profile is common on the web
    return None if mode == "RGB" and _keeps_colours(transform) else transform


def _keeps_colours(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(9, 81, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(cube), transform))
    return int(np.abs(moved.astype(int) - cube).max()) <= SAME_COLOUR
