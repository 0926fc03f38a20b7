"""Drawn photos that await their crop, and a detector that is quick: it reads from the pixels where faces are."""

import hashlib
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from PIL import Image

from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.tables import face, verdict
from btfer.catalogue.verdicts import Verdict
from btfer.faces import Box
from btfer.images import Pixels
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in
from tests.faces.drawn_boxes import face_box

QUERY = Query("happy", "happy")


def detect_drawn(pixels: Pixels, *, min_face_px: int = 40) -> list[Box]:
    """As many faces as the red of the first pixel says, side by side; the third is too small."""
    height, width = pixels.shape[:2]
    number = int(pixels[0, 0, 0])
    sides = (0.3 * width, 0.25 * width, 20)
    return [
        face_box(width * n / 3 + 2, 0.2 * height, side, 1.3 * side)
        for n, side in enumerate(sides[:number])
    ]


def photo_of(faces: int, seed: int = 0) -> Image.Image:
    """A PNG-able photo in which `detect_drawn` finds so many faces."""
    image = draw_photo(seed, (300, 200))
    image.putpixel((0, 0), (faces, 0, 0))
    return image


def keep(cat: Catalogue, settings: Settings, data: bytes, name: str = "") -> str:
    """Take a photo in and let dedup keep it; its sha256."""
    name = name or hashlib.sha256(data).hexdigest()
    sha256 = take_in(cat, settings.data_dir, data, QUERY, f"https://example.org/{name}")
    verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
    return sha256


def keep_many(cat: Catalogue, settings: Settings, number: int) -> list[str]:
    """So many photos with 0, 1, 2 and 3 faces in turn."""
    return [keep(cat, settings, as_bytes(photo_of(n % 4, n), "PNG")) for n in range(number)]


def reasons(cat: Catalogue, sha256: str) -> list[tuple[str, str]]:
    """The crop stage's verdicts on a photo and its faces: decision, reason; the photo's first."""
    rows = cat.rows(
        sa.select(verdict)
        .where(verdict.c.round == "crop", verdict.c.photo == sha256)
        .order_by(verdict.c.face)
    )
    return [(row["decision"], row["reason"]) for row in rows]


def all_of(cat: Catalogue, data_dir: Path) -> tuple[list[str], list[str], dict[str, str]]:
    """What the stage leaves: faces, verdicts and files, without ids, times and the order of writing."""
    left = ("id", "uid", "at")
    faces = sorted(str(row) for row in cat.rows(sa.select(face)))
    said = cat.rows(sa.select(verdict).where(verdict.c.round == "crop"))
    judged = sorted(str({k: v for k, v in row.items() if k not in left}) for row in said)
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data_dir.glob("faces/**/*")
        if path.is_file()
    }
    return faces, judged, files


def png_of(path: Path) -> np.ndarray:
    """A crop's pixels."""
    return np.asarray(Image.open(path))
