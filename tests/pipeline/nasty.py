"""Thirty pictures that carry a secret beside, behind or around their pixels; all drawn and written here."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.conftest import draw_photo
from tests.images.drawn import DISPLAY_P3, rgb_profile

SECRET = b"GPS-48.8583N-2.2945E-Ann-Example"
TEXT = SECRET.decode()
SIZE = (320, 300)


def pixels() -> Image.Image:
    return draw_photo(5, SIZE)


def saved(format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pixels().save(buffer, format_, **options)
    return buffer.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG with one more segment behind its first two bytes."""
    whole = saved("JPEG")
    return whole[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + whole[2:]


def chunk(name: bytes, content: bytes, *, last: bool = False) -> bytes:
    """A PNG with one more chunk, behind its header or just before its end."""
    whole = saved("PNG")
    made = struct.pack(">I", len(content)) + name + content
    made += struct.pack(">I", zlib.crc32(name + content))
    at = len(whole) - 12 if last else 33
    return whole[:at] + made + whole[at:]


def exif(**tags: Any) -> bytes:
    """An EXIF block with the secret as artist, and in a directory of its own (GPS, maker's note)."""
    block = Image.Exif()
    block[0x013B] = TEXT
    for name, (directory, tag) in {"gps": (0x8825, 0x1D), "maker": (0x8769, 0x927C)}.items():
        if name in tags:
            block.get_ifd(directory)[tag] = TEXT if name == "gps" else SECRET
    return block.tobytes()


def thumbnail_in_exif() -> bytes:
    """A second directory with a JPEG in it, as cameras write it."""
    small = io.BytesIO()
    pixels().resize((64, 60)).save(small, "JPEG", comment=SECRET)
    data = small.getvalue()
    head = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HI", 0, 14)
    entries = [(0x0103, 3, 1, 6 << 16), (0x0201, 4, 1, 56), (0x0202, 4, 1, len(data))]
    body = struct.pack(">H", 3) + b"".join(struct.pack(">HHII", *one) for one in entries)
    return (head + body + struct.pack(">I", 0)).ljust(6 + 56, b"\0") + data


def icc() -> bytes:
    """A profile of another colour space, with the secret in its description."""
    profile = bytearray(rgb_profile(DISPLAY_P3, 2.2))
    profile += b"desc" + SECRET
    profile[:4] = struct.pack(">I", len(profile))
    return bytes(profile)


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def text(kind: str) -> bytes:
    info = PngInfo()
    if kind == "tEXt":
        info.add_text("Author", TEXT)
    elif kind == "zTXt":
        info.add_text("Author", TEXT, zip=True)
    else:
        info.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{TEXT}</x:xmpmeta>")
    return saved("PNG", pnginfo=info)


def mpf() -> bytes:
    """A camera's MPO: two JPEGs in one file, the second with a comment."""
    buffer = io.BytesIO()
    pixels().save(buffer, "MPO", save_all=True, append_images=[draw_photo(6, SIZE)], comment=SECRET)
    return buffer.getvalue()


def hidden_in_alpha() -> bytes:
    image = pixels().convert("RGBA")
    alpha = Image.frombytes("L", SIZE, (SECRET * 3000)[: SIZE[0] * SIZE[1]])
    image.putalpha(alpha)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def spare_colours() -> bytes:
    """The secret as colours of a palette that no pixel uses."""
    image = pixels().quantize(64)
    image.putpalette((image.getpalette() or [])[: 64 * 3] + list(SECRET + b"!"))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


_XMP = b"http://ns.adobe.com/xap/1.0/\0" + SECRET
NASTY: dict[str, Callable[[], bytes]] = {
    "jpeg exif": lambda: saved("JPEG", exif=exif()),
    "jpeg exif gps": lambda: saved("JPEG", exif=exif(gps=1)),
    "jpeg exif maker's note": lambda: saved("JPEG", exif=exif(maker=1)),
    "jpeg exif thumbnail": lambda: segment(0xE1, thumbnail_in_exif()),
    "jpeg exif broken": lambda: segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff" + SECRET),
    "jpeg turned by exif": lambda: saved("JPEG", exif=b"Exif\0\0" + _turned()),
    "jpeg xmp": lambda: segment(0xE1, _XMP),
    "jpeg extended xmp": lambda: segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET),
    "jpeg icc": lambda: saved("JPEG", icc_profile=icc()),
    "jpeg comment": lambda: saved("JPEG", comment=SECRET),
    "jpeg two comments": lambda: segment(0xFE, SECRET + b"\0" + SECRET),
    "jpeg photoshop": lambda: segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04" + SECRET),
    "jpeg jfif thumbnail": lambda: segment(0xE0, b"JFXX\0\x10" + SECRET),
    "jpeg flashpix": lambda: segment(0xE2, b"FPXR\0" + SECRET),
    "jpeg c2pa": lambda: segment(0xEB, b"JP\0\0\0\0\0\x01jumb" + SECRET),
    "jpeg adobe": lambda: segment(0xEE, b"Adobe\0d\0\0\0\0\1" + SECRET),
    "jpeg unknown segment": lambda: segment(0xEA, SECRET),
    "jpeg bytes behind the end": lambda: saved("JPEG") + SECRET,
    "jpeg progressive with comment": lambda: saved("JPEG", progressive=True, comment=SECRET),
    "mpf": mpf,
    "png text": lambda: text("tEXt"),
    "png compressed text": lambda: text("zTXt"),
    "png international text": lambda: text("iTXt"),
    "png exif": lambda: saved("PNG", exif=exif(gps=1)),
    "png icc": lambda: saved("PNG", icc_profile=icc()),
    "png unknown chunk": lambda: chunk(b"prVt", SECRET),
    "png text at the end": lambda: chunk(b"tEXt", b"Comment\0" + SECRET, last=True),
    "png bytes behind the end": lambda: saved("PNG") + SECRET,
    "png time and place": lambda: chunk(b"tIME", struct.pack(">HBBBBB", 2024, 1, 2, 3, 4, 5)),
    "png alpha": hidden_in_alpha,
    "png palette": spare_colours,
    "webp exif": lambda: saved("WEBP", exif=exif(gps=1)),
    "webp xmp": lambda: saved("WEBP", xmp=SECRET),
    "webp icc": lambda: saved("WEBP", icc_profile=icc()),
    "avif exif": lambda: saved("AVIF", exif=exif(gps=1)),
    "srgb profile": lambda: saved("JPEG", icc_profile=srgb(), comment=SECRET),
}


def _turned() -> bytes:
    block = Image.Exif()
    block[0x0112] = 6
    block[0x013B] = TEXT
    return block.tobytes().removeprefix(b"Exif\0\0")
