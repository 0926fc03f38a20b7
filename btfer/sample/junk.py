"""Pictures that a crawl brings home and nobody wants: no face, a drawing, words, a broken file, a tiny one."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from btfer.sample.background import draw_background


def no_face(rng: np.random.Generator) -> Image.Image:
    """A place without people."""
    return draw_background(rng, 640, 480, blur=0.002)


def smiley() -> Image.Image:
    """A cartoon face."""
    image = Image.new("RGB", (480, 480), (250, 246, 236))
    draw = ImageDraw.Draw(image)
    draw.ellipse((60, 60, 420, 420), fill=(250, 206, 52), outline=(60, 44, 20), width=10)
    for x in (180, 300):
        draw.ellipse((x - 22, 170, x + 22, 240), fill=(40, 30, 20))
    draw.arc((140, 180, 340, 350), 20, 160, fill=(60, 44, 20), width=14)
    return image


def words() -> Image.Image:
    """A picture of text."""
    image = Image.new("RGB", (640, 400), (28, 40, 66))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(("KEEP CALM", "and smile", "every day")):
        font = ImageFont.load_default(size=74 - 14 * (row > 0))
        draw.text((320, 100 + 100 * row), line, (240, 236, 220), font, anchor="mm")
    return image


def truncated(jpeg: bytes) -> bytes:
    """The first part of a JPEG, as a broken connection leaves it."""
    return jpeg[: len(jpeg) * 2 // 5]


def tiny(image: Image.Image) -> Image.Image:
    """An icon of 24 x 24 pixels."""
    return image.resize((24, 24), Image.Resampling.LANCZOS)


def as_jpeg(image: Image.Image, quality: int = 80) -> bytes:
    """The bytes of a JPEG without metadata; they depend on the build of Pillow too."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
