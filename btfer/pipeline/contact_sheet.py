"""A contact sheet: a row of faces for each class, to look at before trusting a folder."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TILE_PX = 96
LABEL_PX = 110


def contact_sheet(images: dict[str, list[Path]], *, columns: int = 10) -> bytes:
    """A PNG with one row per class: its name, its count and its first `columns` images."""
    width = LABEL_PX + columns * TILE_PX
    sheet = Image.new("RGB", (width, max(1, len(images)) * TILE_PX), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=16)
    for line, (label, paths) in enumerate(images.items()):
        top = line * TILE_PX
        draw.text((8, top + 28), f"{label}\n{len(paths)} faces", fill="black", font=font)
        for column, path in enumerate(paths[:columns]):
            with Image.open(path) as image:
                tile = image.convert("RGB").resize((TILE_PX - 2, TILE_PX - 2))
            sheet.paste(tile, (LABEL_PX + column * TILE_PX, top + 1))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
