"""A catalogue of many faces as crawl, dedup, people and crop would leave it, made at once: for the release benchmark.

The rows are real: one photo and one face each, found under queries of many groups, on pages of many sites. The
photos themselves are not there, and of the crops only those that are asked for, each another drawn picture.
"""

import hashlib
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from btfer.catalogue import open_catalogue, tables
from btfer.expressions import EXPRESSIONS
from btfer.images import Pixels, encode_png
from btfer.paths import face_id, face_path

DRAWN = 50
SITES = 20_000
AT = "2026-01-01T00:00:00+00:00"
GROUPS = list(product(("Asian", "Black", "Latino", "White"), ("female", "male"), ("", "old")))
Row = dict[str, Any]
PART = 20_000


def make(data_dir: Path, n: int, settings: str) -> None:
    """Put `n` faces that people kept under `data_dir`. settings: the digest of the crop settings."""
    cat = open_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}")
    rng = np.random.default_rng(2)
    queries = [_query(label, *group) for label in EXPRESSIONS for group in GROUPS]
    weights = 1 / np.arange(1, len(queries) + 1) ** 0.5
    found = rng.choice(len(queries), n, p=weights / weights.sum())
    every = sorted(_name(number) for number in range(n))  # in order, or the indexes take minutes
    with cat.write() as connection:
        connection.execute(sa.insert(tables.query), queries)
        for start in range(0, n, PART):
            names = every[start : start + PART]
            ids = [face_id(name, settings, 0) for name in names]
            asked = [queries[one]["id"] for one in found[start : start + PART]]
            for table, rows in (
                (tables.photo, map(_photo, names)),
                (tables.fetch, map(_fetch, names)),
                (tables.sighting, map(_sighting, names, asked)),
                (tables.face, (_face(*one, settings) for one in zip(names, ids, strict=True))),
                (
                    tables.verdict,
                    (v for one in zip(names, ids, strict=True) for v in _verdicts(*one, settings)),
                ),
            ):
                connection.execute(sa.insert(table), list(rows))
    cat.close()


def _name(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def crops(data_dir: Path, ids: Iterable[str]) -> None:
    """Draw the crops of these faces."""
    rng = np.random.default_rng(3)
    drawn = [_draw(rng) for _ in range(DRAWN)]
    for number, id_ in enumerate(sorted(ids)):
        pixels = np.roll(drawn[number % DRAWN], number // DRAWN, axis=0)
        path = face_path(data_dir, id_)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(pixels))


def _draw(rng: np.random.Generator) -> Pixels:
    """Soft shapes with grain: a PNG of about the size that a crop of a photo has."""
    y, x = np.mgrid[0:256, 0:256] / 256
    waves = [np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0, 9, (3, 3))]
    soft = np.stack(waves, -1) * 90 + 128
    grain = rng.normal(0, 2.0, (256, 256, 1))
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def _query(label: str, ethnicity: str, gender: str, age: str) -> Row:
    phrase = " ".join(filter(None, (label, age, ethnicity, gender)))
    asked = {"id": hashlib.sha256(phrase.encode()).hexdigest()[:32], "phrase": phrase}
    people = {"ethnicity": ethnicity, "gender": gender, "age": age}
    return asked | people | {"expression": label, "language": "en"}


def _photo(name: str) -> Row:
    size = {"format": "jpg", "width": 800, "height": 600, "n_bytes": 100_000}
    low, high = (int(name[at : at + 15], 16) for at in (0, 16))
    return {"sha256": name, "phash": low, "mirror_phash": high, "hints": {}, "at": AT} | size


def _fetch(name: str) -> Row:
    blank = dict.fromkeys(("reason", "final_url", "content_type", "etag"), "")
    where = {"id": name[:32], "url": f"https://example.org/{name}", "photo": name, "at": AT}
    return blank | where | {"state": "kept", "attempts": 1, "status": 200}


def _sighting(name: str, query: str) -> Row:
    site = int(name[:8], 16) % SITES
    where = {"fetch": name[:32], "query": query, "source": "bing", "at": AT, "rank": 1, "plan": "b"}
    shown = {"page_url": f"https://site{site}.example/{name[:8]}", "title": name[:8]}
    return where | shown | {"licence": "CC BY 4.0", "licence_url": "", "author": f"Author {site}"}


def _face(name: str, id_: str, settings: str) -> Row:
    box = {"x": 100.0, "y": 80.0, "width": 120.0, "height": 150.0, "probability": 0.998}
    cut = {"left": 80, "top": 60, "right": 240, "bottom": 250, "clipped": [], "distortion": 0.8421}
    eyes = {"left_eye": [140.0, 130.0], "right_eye": [190.0, 130.0]}
    named = {"id": id_, "photo": name, "settings": settings, "number": 0}
    return box | named | {"landmarks": eyes, "crop": cut, "hints": {}}


def _verdicts(name: str, id_: str, settings: str) -> list[Row]:
    blank = dict.fromkeys(("face", "settings", "reason", "expression", "keeper"), "")
    of_face = {"face": id_, "settings": settings}
    return [
        blank
        | {"photo": name, "decision": "keep", "at": AT, "final": False}
        | one
        | {"uid": f"{name[:24]}{n}"}
        for n, one in enumerate(
            (
                {"round": "dedup", "reviewer": "dedup"},
                {"round": "photos", "reviewer": "ann"},
                {"round": "crop", "reviewer": "crop", "settings": settings},
                {"round": "crop", "reviewer": "crop"} | of_face,
                {"round": "faces", "reviewer": "ann", "face": id_},
            )
        )
    ]
