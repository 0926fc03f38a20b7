"""PNG, of which Pillow sees the picture alone: text, times and broken side data can neither fail nor mislead it."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFile

from btfer.errors import ImageError
from btfer.images.cicp import profile_of

MAX_SIDE_DATA_BYTES = 4_000_000  # of one profile or EXIF block, unpacked

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
_GREY, _RGB, _PALETTE, _GREY_ALPHA = 0, 2, 3, 4


@dataclass(frozen=True)
class Png:
    """A PNG in parts. picture: the same PNG without side data. exif, profile: b"" where there is none.

    n_frames: of its animation, 1 for a still picture.
    """

    picture: bytes
    exif: bytes = b""
    profile: bytes = b""
    n_frames: int = 1


@dataclass
class _Parts:
    kept: list[bytes] = field(default_factory=lambda: [_SIGNATURE])
    exif: bytes = b""
    profile: bytes = b""
    named: bytes = b""
    animation: list[bytes] = field(default_factory=list)

    @property
    def n_frames(self) -> int:
        moves = b"acTL" in self.animation and b"fdAT" in self.animation
        return max(2, self.animation.count(b"fcTL")) if moves else 1


def split_png(data: bytes) -> Png:
    """A PNG's picture and what is to be known for showing it.

    Checksums of side data are not checked. Raises ImageError with the reason `truncated` where a part of the picture
    is damaged or its end is missing: Pillow does not check the last.
    """
    parts, depth, colour, seen_pixels, name, before = _Parts(), 8, _RGB, False, b"", b""
    for name, start, stop in _chunks(data):
        content = data[start + 8 : stop - 4]
        whole = name in _PICTURE and _is_whole(data[start:stop], stop - start)
        if name == b"IHDR" and len(content) >= 13:
            depth, colour = content[8], content[9]
        if name == b"tRNS":
            if whole and not seen_pixels and (fitting := _transparency(content, depth, colour)):
                parts.kept.append(_chunk(name, fitting))
        elif name == b"PLTE" and colour != _PALETTE:
            pass  # a hint for screens of 256 colours
        elif name in _ANIMATION:
            if name != b"acTL" or (content[:4] > bytes(4) and not seen_pixels):
                parts.animation.append(name)
        elif name in _PICTURE:
            if not whole:
                raise ImageError("truncated", f"the chunk {name.decode()} is damaged")
            if name == b"IDAT" and seen_pixels and before != b"IDAT":
                raise ImageError("truncated", "its pixels are not in one piece")
            parts.kept.append(data[start:stop])
        elif name == b"eXIf" and not parts.exif:
            parts.exif = content
        elif name == b"cICP" and not seen_pixels and len(content) == 4:
            parts.named = profile_of(content[0], content[1])
        elif name == b"iCCP" and not seen_pixels and not parts.profile:
            parts.profile = _profile(content)
        seen_pixels, before = seen_pixels or name == b"IDAT", name
    if name != b"IEND":
        raise ImageError("truncated", "its end is missing")
    return Png(b"".join(parts.kept), parts.exif, parts.named or parts.profile, parts.n_frames)


def has_transparent_colour_of_16_bits(picture: bytes) -> bool:
    """Whether one RGB colour of 16 bits is transparent: Pillow keeps 8 bits of it and finds it nowhere."""
    return picture[24:26] == bytes([16, _RGB]) and b"tRNS" in picture[: picture.find(b"IDAT")]


def load_png(picture: bytes, opened: ImageFile.ImageFile) -> Image.Image:
    """The pixels of a PNG without side data. Raises OSError or ValueError where it is damaged."""
    opened.load()
    if (
        picture[25] == _GREY_ALPHA and opened.mode == "RGBA"
    ):  # as Pillow keeps it at 16 bits: a grey profile must fit
        grey = Image.merge("LA", (opened.getchannel("R"), opened.getchannel("A")))
        grey.info = opened.info
        return grey
    if not has_transparent_colour_of_16_bits(picture):
        return opened
    import cv2

    bgra = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    if bgra is None or bgra.ndim != 3 or bgra.shape[2] != 4:
        return opened
    image = Image.fromarray((bgra[..., [2, 1, 0, 3]] // 257).astype(np.uint8))
    image.info = {key: one for key, one in opened.info.items() if key == "icc_profile"}
    return image


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of every chunk to IEND; the last may end behind the data."""
    at = len(_SIGNATURE)
    while at < len(data):
        name, stop = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4])
        yield name, at, stop
        if name == b"IEND":
            return
        at = stop


def _is_whole(chunk: bytes, length: int) -> bool:
    return len(chunk) == length and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def _transparency(content: bytes, depth: int, colour: int) -> bytes:
    """The content of a tRNS chunk in the levels that Pillow compares, b"" where it does not fit the picture."""
    if colour == _PALETTE:
        return content[:256]
    if colour == _RGB:
        return content[:6] if len(content) >= 6 else b""
    if colour != _GREY or len(content) < 2:
        return b""
    level = int.from_bytes(content[:2]) & (2**depth - 1)
    scale = 255 // (2**depth - 1) if 1 < depth < 8 else 1  # Pillow spreads 2 and 4 bits over 8
    return struct.pack(">H", level * scale)


def _profile(content: bytes) -> bytes:
    """The ICC profile of an iCCP chunk, b"" for one that is broken or huge."""
    _, _, packed = content.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(packed[1:], MAX_SIDE_DATA_BYTES)
    except zlib.error:
        return b""
    return profile if inflater.eof else b""
