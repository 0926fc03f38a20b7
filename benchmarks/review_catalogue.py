"""A catalogue of many drawn photos as crawl, dedup and crop would leave it, made at once: for the review benchmark.

The rows are real, the pictures are a few hundred drawn thumbnails, each under many names (hard links).
One photo in ten was seen twice, and half of these by queries of another class.
"""

import hashlib
import io
import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from PIL import Image, ImageDraw

from btfer.catalogue import Catalogue, open_catalogue, tables
from btfer.expressions import EXPRESSIONS
from btfer.paths import thumbnail_path

DRAWN = 300
AT = "2026-01-01T00:00:00+00:00"
Row = dict[str, Any]


DIGEST = "0123abcd"
SEEN_TWICE = 10  # one photo in so many
COPIES = 20  # and one in so many has a copy


def make(data_dir: Path, n: int, *, url: str = "", faces: int = 0) -> list[str]:
    """Put `n` photos that dedup kept under `data_dir`; their sha256 in the order of finding.

    url: of the catalogue, '' = SQLite in the folder. faces: so many photos, from the last one backwards, are
    judged and cropped already, each with one face, and half of the faces are judged.
    """
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(n)]
    data_dir.mkdir(parents=True, exist_ok=True)
    _thumbnails(data_dir, names)
    cat = open_catalogue(url or f"sqlite:///{data_dir / 'catalogue.db'}")
    _rows(cat, names)
    if faces:
        _faces(cat, names[-faces:])
    cat.count_anew()  # as `btfer import` does
    cat.close()
    return names


def _thumbnails(data_dir: Path, names: list[str]) -> None:
    rng = np.random.default_rng(1)
    for number, name in enumerate(names):
        path = thumbnail_path(data_dir, name)
        if number < DRAWN:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_draw(rng))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(thumbnail_path(data_dir, names[number % DRAWN]), path)


def _draw(rng: np.random.Generator) -> bytes:
    image = Image.new("RGB", (160, 120), tuple(int(c) for c in rng.integers(0, 256, 3)))
    pen = ImageDraw.Draw(image)
    for _ in range(25):
        x, y, wide, high = (int(v) for v in rng.integers(0, 110, 4))
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        pen.ellipse((x, y, x + wide, y + high), fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _rows(cat: Catalogue, names: list[str]) -> None:
    rng = np.random.default_rng(2)
    queries = [_query(n, label) for n, label in enumerate(EXPRESSIONS * 30)]
    hints = rng.random((len(names), 4))
    found = rng.integers(0, len(queries), len(names))
    with cat.write() as connection:
        for table, rows in (
            (tables.query, queries),
            (tables.photo, [_photo(*one) for one in zip(names, hints, strict=True)]),
            (tables.fetch, [_fetch(name) for name in names]),
            (tables.sighting, [_sighting(*one) for one in zip(names, found, strict=True)]),
            (tables.verdict, [_verdict("dedup", name) for name in names]),
            (tables.photo, [_photo(_copy(name), hints[0]) for name in names[::COPIES]]),
            (tables.fetch, [_fetch(_copy(name)) for name in names[::COPIES]]),
            (tables.sighting, [_sighting(_copy(name), 0) for name in names[::COPIES]]),
            (
                tables.verdict,
                [
                    _verdict("dedup", _copy(name), "drop", reason="duplicate", keeper=name)
                    for name in names[::COPIES]
                ],
            ),
            (
                tables.sighting,
                [
                    _sighting(name, (int(query) + 1 + n % 2 * 6) % len(queries))
                    for n, (name, query) in enumerate(
                        zip(names[::SEEN_TWICE], found[::SEEN_TWICE], strict=True)
                    )
                ],
            ),
        ):
            connection.execute(sa.insert(table), rows)


def _query(number: int, label: str) -> Row:
    blank = dict.fromkeys(("ethnicity", "gender", "age"), "")
    about = {"id": f"q{number}", "phrase": f"{label} person {number}", "language": "en"}
    return blank | about | {"expression": label}


def _photo(name: str, hints: "np.ndarray[Any, Any]") -> Row:
    measured = zip(("sharpness", "brightness", "flat", "text"), hints, strict=True)
    scale = {"sharpness": 300, "brightness": 900, "flat": 0.48, "text": 0.032}
    told = {key: round(float(value) * scale[key], 4) for key, value in measured}
    size = {"format": "jpg", "width": 800, "height": 600, "n_bytes": 100_000}
    low, high = (int(name[at : at + 15], 16) for at in (0, 16))
    return {"sha256": name, "phash": low, "mirror_phash": high, "hints": told, "at": AT} | size


def _fetch(name: str) -> Row:
    blank = dict.fromkeys(("reason", "final_url", "content_type", "etag"), "")
    where = {"id": name[:32], "url": f"https://example.org/{name}", "photo": name, "at": AT}
    return blank | where | {"state": "kept", "attempts": 1, "status": 200}


def _sighting(name: str, query: int) -> Row:
    blank = dict.fromkeys(("plan", "licence_url", "author"), "")
    where = {"fetch": name[:32], "query": f"q{query}", "source": "bing", "at": AT, "rank": 1}
    shown = {"page_url": f"https://example.org/{name[:8]}", "title": name[:8], "licence": ""}
    return blank | where | shown


def _copy(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _verdict(round_: str, photo: str, decision: str = "keep", **other: Any) -> Row:
    blank = dict.fromkeys(("face", "settings", "reason", "expression", "keeper"), "")
    said = {"round": round_, "photo": photo, "decision": decision, "reviewer": "dedup", "at": AT}
    return blank | said | {"uid": uuid.uuid4().hex, "final": False} | other


def _faces(cat: Catalogue, names: list[str]) -> None:
    crop = {"settings": DIGEST, "reviewer": "crop"}
    with cat.write() as connection:
        for table, rows in (
            (tables.face, [_face(name) for name in names]),
            (tables.verdict, [_verdict("photos", name, reviewer="zoe") for name in names]),
            (tables.verdict, [_verdict("crop", name, **crop) for name in names]),
            (tables.verdict, [_verdict("crop", name, face=_id(name), **crop) for name in names]),
            (
                tables.verdict,
                [_verdict("faces", name, face=_id(name), reviewer="zoe") for name in names[::2]],
            ),
        ):
            connection.execute(sa.insert(table), rows)


def _id(name: str) -> str:
    return f"{name}-{DIGEST}-0"


def _face(name: str) -> Row:
    box = {"x": 300.0, "y": 200.0, "width": 150.0, "height": 180.0, "probability": 0.99}
    marks = {"landmarks": {}, "crop": {}, "hints": {"sharpness": 20.0}}
    return {"id": _id(name), "photo": name, "settings": DIGEST, "number": 0} | box | marks
