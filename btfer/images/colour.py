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


def to_srgb(image: Image.Image) -> Image.Image:
    """A loaded picture of any Pillow mode as RGB, 8 bits a channel, sRGB: transparency on white, ICC profile applied.

    A profile that is broken, huge or of another colour space is ignored, as viewers ignore it.
    """
    profile = image.info.get("icc_profile")
    image = opaque(image)
    if profile and len(profile) <= MAX_PROFILE_BYTES:
        transform = _transform(bytes(profile), image.mode)
        if transform is not None:
            return ImageCms.applyTransform(image, transform) or image
    return image if image.mode == "RGB" else image.convert("RGB")  # convert() would copy


def opaque(image: Image.Image) -> Image.Image:
    """A loaded picture in mode L, RGB or CMYK, 8 bits a channel, on white where it is transparent."""
    if image.mode.startswith("I"):  # 16-bit grey: convert() would clip it to white
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in _SPACES else image.convert("RGB")


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
