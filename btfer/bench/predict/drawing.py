"""A photo with what a network predicts on it: a numbered box for each face, and its probabilities beside."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from btfer.bench.predict.predictor import PredictedFace
from btfer.expressions import EXPRESSIONS
from btfer.images import Pixels

LONGEST_PX = 1200
PANEL_PX, LINE_PX, FACE_PX = 330, 18, 110
# Told apart by people who see few colours too (Okabe and Ito), in label order.
COLOURS = ("#D55E00", "#117733", "#7B4EA3", "#E69F00", "#555555", "#0072B2", "#CC79A7")


def draw(pixels: Pixels, faces: Sequence[PredictedFace]) -> Pixels:
    """The photo, its longer side at most 1200 px, beside a panel; uint8 [H, W, 3] RGB, as `pixels` is."""
    photo = Image.fromarray(pixels)
    photo.thumbnail((LONGEST_PX, LONGEST_PX))
    block = LINE_PX * (len(EXPRESSIONS) + 2)
    height = max(photo.height, block * len(faces), 4 * LINE_PX)
    sheet = Image.new("RGB", (photo.width + PANEL_PX, height), "white")
    sheet.paste(photo, (0, 0))
    pen = ImageDraw.Draw(sheet)
    scale = photo.width / pixels.shape[1]
    for number, one in enumerate(faces, start=1):
        _box(pen, number, one, scale)
        _panel(sheet, number, one, photo.width + 10, (number - 1) * block + 6)
    if not faces:
        pen.text((photo.width + 10, 10), "no face found", fill="black", font=_font(15))
    return np.asarray(sheet)


def _box(pen: ImageDraw.ImageDraw, number: int, one: PredictedFace, scale: float) -> None:
    colour = COLOURS[EXPRESSIONS.index(one.expression)]
    left, top = one.box.x * scale, one.box.y * scale
    right, bottom = left + one.box.width * scale, top + one.box.height * scale
    pen.rectangle((left, top, right, bottom), outline=colour, width=3)
    text = f"{number} {one.expression} {max(one.probabilities):.2f}"
    at = (max(0.0, left), max(0.0, top - 19))
    pen.rectangle(pen.textbbox(at, text, font=_font(15)), fill="white")
    pen.text(at, text, fill=colour, font=_font(15))


def _panel(sheet: Image.Image, number: int, one: PredictedFace, left: int, top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.text((left, top), f"{number} {one.expression}", fill="black", font=_font(15))
    face = Image.fromarray(one.crop).resize((FACE_PX, FACE_PX))
    sheet.paste(face, (left, top + LINE_PX + 4))
    bars = left + FACE_PX + 75
    for line, (label, p) in enumerate(zip(EXPRESSIONS, one.probabilities, strict=True)):
        y = top + LINE_PX * (line + 1) + 4
        pen.text((bars - 68, y), label, fill="black", font=_font(13))
        pen.rectangle((bars, y + 2, bars + 1 + 80 * p, y + 13), fill=COLOURS[line])
        pen.text((bars + 90, y), f"{p:.2f}", fill="black", font=_font(13))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
