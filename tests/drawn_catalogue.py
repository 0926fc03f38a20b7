"""A small catalogue of drawn pictures, as crawl, dedup and crop would leave it."""

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from PIL import Image, ImageDraw

from btfer.catalogue import Catalogue, faces, journal, open_catalogue, verdicts
from btfer.catalogue.journal import Fetched, Query, Sighting
from btfer.catalogue.rows import Face
from btfer.catalogue.tables import face as face_table
from btfer.catalogue.verdicts import Verdict
from btfer.expressions import EXPRESSIONS
from btfer.faces import LANDMARKS
from btfer.faces.cut import Cut, crop_record
from btfer.faces.modes import MODES
from btfer.files import write_atomic
from btfer.images import read_photo
from btfer.paths import face_path, photo_path, thumbnail_path

DIGEST = "0123abcd"
FACE_BOX = (60.0, 40.0, 80.0, 100.0)
"""Left, top, width and height in pixels of the photo."""


def draw_face(number: int) -> bytes:
    """A drawn face with its number on it; each number gives another picture."""
    paint = np.random.default_rng(number)
    colour = [tuple(int(v) for v in paint.integers(60, 250, 3)) for _ in range(3)]
    image = Image.new("RGB", (200, 180), colour[0])
    pen = ImageDraw.Draw(image)
    pen.ellipse((60, 40, 140, 140), fill=colour[1], outline="black", width=2)
    for x in (85, 115):
        pen.ellipse((x - 6, 74, x + 6, 86), fill="white", outline="black")
    pen.arc((80, 95, 120, 125), 0, 180 if number % 2 else 360, fill=colour[2], width=4)
    pen.text((5, 5), str(number), fill="black", font_size=40)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def label_of(number: int) -> str:
    """The class that picture `number` is searched for, in turn."""
    return EXPRESSIONS[number % len(EXPRESSIONS)]


def add_photo(cat: Catalogue, data_dir: Path, number: int, *, label: str | None = None) -> str:
    """Put one drawn photo in the catalogue, kept by dedup; its sha256. label: '' = unlabelled."""
    data = draw_face(number)
    intake = read_photo(data)
    write_atomic(photo_path(data_dir, intake.sha256, intake.format), data)
    write_atomic(thumbnail_path(data_dir, intake.sha256), intake.thumbnail)
    expression = label_of(number) if label is None else label
    asked = Query(f"{expression or 'any'} person", expression, "en")
    url = f"http://pictures.example/{number}.png"
    seen = Sighting(url, "folder", title=f"<b>Drawing {number}</b>", licence="CC0", author="A. Pen")
    journal.add_found(cat, asked, [seen])
    journal.finish(cat, [(journal.url_id(url), Fetched("kept", photo=intake.sha256), intake)])
    verdicts.add(cat, [Verdict("dedup", intake.sha256, "keep", "dedup")])
    return intake.sha256


def add_face(
    cat: Catalogue,
    data_dir: Path,
    photo: str,
    *,
    at: int = 0,
    digest: str = DIGEST,
    hints: dict[str, float] | None = None,
) -> str:
    """Put face `at` of a photo in the catalogue, taken by the crop stage; its id."""
    id_ = f"{photo}-{digest}-{at}"
    box = (FACE_BOX[0] + 200.0 * at, *FACE_BOX[1:])
    face = Face(id_, photo, digest, at, *box, 0.999, landmarks={}, crop={}, hints=hints or {})
    image = Image.open(photo_path(data_dir, photo, "png")).crop((50, 30, 150, 150))
    buffer = io.BytesIO()
    image.resize((256, 256)).save(buffer, "PNG")
    write_atomic(face_path(data_dir, id_), buffer.getvalue())
    taken = Verdict("crop", photo, "keep", "crop", face=id_, settings=digest)
    faces.add(cat, [face], [taken])
    return id_


def make(data_dir: Path, n_photos: int, *, with_faces: bool = False) -> tuple[Catalogue, list[str]]:
    """A catalogue in `data_dir` with `n_photos` photos; the ids of the photos, or of their faces."""
    cat = open_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}")
    photos = [add_photo(cat, data_dir, number) for number in range(n_photos)]
    if not with_faces:
        return cat, photos
    return cat, [add_face(cat, data_dir, photo) for photo in photos]


def show_people(cat: Catalogue, data_dir: Path, person_of: Mapping[str, int]) -> None:
    """Let each face show one of seven people (0 to 6), whom a network can tell by the colours of their crops."""
    left, top, width, height = map(int, FACE_BOX)
    cut = crop_record(Cut(left, top, left + width, top + height), MODES["paper"])
    points = {name: [left + 10.0 + 12 * n, top + 20.0 + 9 * n] for n, name in enumerate(LANDMARKS)}
    with cat.write() as connection:
        connection.execute(sa.update(face_table).values(landmarks=points, crop=asdict(cut)))
    for id_, person in person_of.items():
        colour = np.random.default_rng(person).integers(0, 256, 3)
        buffer = io.BytesIO()
        Image.fromarray(np.full((256, 256, 3), colour, np.uint8)).save(buffer, "PNG")
        write_atomic(face_path(data_dir, id_), buffer.getvalue())
