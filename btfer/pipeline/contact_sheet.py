"""Contact sheets, to look at before trusting a folder: some faces of every class, and all faces of one."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from btfer.images import THOROUGH, Pixels, encode_png

TILE_PX = 64
LABEL_PX = 110
NUMBER_PX = 16
COLUMNS = 20


def tile(pixels: Pixels) -> Pixels:
    """A face as it is on a sheet: uint8 [64, 64, 3] from uint8 [H, W, 3]."""
    return np.asarray(Image.fromarray(pixels).resize((TILE_PX, TILE_PX), Image.Resampling.BOX))


def contact_sheet(tiles: Mapping[str, Sequence[Pixels]], *, columns: int = 10) -> bytes:
    """A PNG with one row per class: its name, its count and its first `columns` faces.

    tiles: uint8 [64, 64, 3] RGB, by class.
    """
    size = (LABEL_PX + columns * TILE_PX, max(1, len(tiles)) * TILE_PX)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=16)
    for line, (label, its) in enumerate(tiles.items()):
        top = line * TILE_PX
        draw.text((8, top + 12), f"{label}\n{len(its)} faces", fill="black", font=font)
        for column, one in enumerate(its[:columns]):
            sheet.paste(Image.fromarray(one), (LABEL_PX + column * TILE_PX, top))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def class_sheet(tiles: Sequence[tuple[str, Pixels]]) -> bytes:
    """A PNG with all faces of one class, 20 in a row, each with its number (`012` of `happy-012.png`) below it.

    tiles: number and picture, uint8 [64, 64, 3] RGB.
    """
    height = TILE_PX + NUMBER_PX
    lines = -(-len(tiles) // COLUMNS)
    size = (min(len(tiles), COLUMNS) * TILE_PX, lines * height)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    for place, (number, one) in enumerate(tiles):
        line, column = divmod(place, COLUMNS)
        sheet.paste(Image.fromarray(one), (column * TILE_PX, line * height))
        middle = (column * TILE_PX + TILE_PX // 2, line * height + TILE_PX)
        draw.text(middle, number, fill="black", font=font, anchor="ma")
    return encode_png(np.asarray(sheet), packing=THOROUGH)
