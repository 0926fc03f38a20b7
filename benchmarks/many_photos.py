"""A catalogue of up to millions of photos as crawl, dedup, people and crop would leave it, filled in bulk.

The rows are real, there are no files. One photo in twenty is a copy that dedup dropped, one in ten was seen twice,
every second one is judged; of those, all but the last thousand are cropped, each with one face, and every second face
is judged. A thousand addresses wait for the crawl. What waits for crawl and crop is the same at any size.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import sqlalchemy as sa

from btfer.catalogue import open_catalogue, photos, versions
from btfer.catalogue.store import engine_at
from btfer.expressions import EXPRESSIONS
from btfer.paths import face_id

WAITING = 1_000
COPIES, SEEN_TWICE = 20, 10  # one photo in so many
SITES = 20_000
AT = "2026-01-01T00:00:00+00:00"
GROUPS = list(product(("Asian", "Black", "Latino", "White"), ("female", "male"), ("", "old")))
_LANDMARKS = json.dumps({"left_eye": [140.0, 130.0], "right_eye": [190.0, 130.0]})
_CUT = {"left": 80, "top": 60, "right": 240, "bottom": 250, "clipped": [], "distortion": 0.8421}
_CROP = json.dumps(_CUT)
_HINTS = json.dumps({"sharpness": 120.5, "brightness": 400.2, "flat": 0.21, "text": 0.011})
Values = tuple[Any, ...]
Rows = tuple[str, str, Iterable[Values]]
"""A table, its columns and the values."""


def fill(url: str, n: int, settings: str) -> int:
    """Put `n` photos into an empty database; how many rows that are. settings: the digest of the crop settings."""
    open_catalogue(url).close()
    engine = engine_at(url)
    counted = 0
    raw = engine.raw_connection()
    driver: Any = raw.driver_connection
    cursor = driver.cursor()
    is_sqlite = engine.dialect.name == "sqlite"
    cursor.execute("BEGIN" if is_sqlite else "SET session_replication_role = replica")
    for table, columns, rows in _tables(n, settings):
        counted += (_insert if is_sqlite else _copy)(cursor, table, columns.split(), rows)
    if not is_sqlite:
        for table in ("sighting", "verdict"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
    cursor.execute("COMMIT") if is_sqlite else driver.commit()
    raw.close()
    engine.dispose()
    cat = open_catalogue(url)
    cat.count_anew()  # as `btfer import` does
    now, waiting = versions.version(cat), len(photos.awaiting_crop(cat, settings))
    photos.crop_ended(cat, settings, now._replace(verdict=now.verdict - waiting))
    if not is_sqlite:
        with cat.alone() as connection:  # what the server would do by itself, some time later
            connection.execute(sa.text("VACUUM"))
    cat.close()
    return counted


def _insert(cursor: Any, table: str, columns: list[str], rows: Iterable[Values]) -> int:
    places = ", ".join("?" * len(columns))
    quoted = ", ".join(f'"{one}"' for one in columns)
    cursor.executemany(f'INSERT INTO "{table}" ({quoted}) VALUES ({places})', rows)
    return int(cursor.rowcount)


def _copy(cursor: Any, table: str, columns: list[str], rows: Iterable[Values]) -> int:
    counted = 0
    quoted = ", ".join(f'"{one}"' for one in columns)
    with cursor.copy(f'COPY "{table}" ({quoted}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
            counted += 1
    return counted


def _tables(n: int, settings: str) -> Iterator[Rows]:
    """In an order in which every row finds what it points to; names in order, or the indexes take minutes."""
    queries = [(f"q{i:04}", *one) for i, one in enumerate(product(EXPRESSIONS, GROUPS))]
    phrases = (
        (id_, f"{label} {group} {id_}", label, "en", *group) for id_, label, group in queries
    )
    yield "query", "id phrase expression language ethnicity gender age", phrases
    names = sorted(map(name_of, range(n)))
    judged = _judged(n)
    cropped = judged[:-WAITING] if len(judged) > 2 * WAITING else judged[: len(judged) // 2]
    rows = (
        (name, "jpg", 800, 600, 100_000, _bits(name, 0), _bits(name, 16), _HINTS, AT, number)
        for number, name in enumerate(names, start=1)
    )
    yield "photo", "sha256 format width height n_bytes phash mirror_phash hints at number", rows
    yield (
        "fetch",
        "id url state reason attempts status final_url content_type etag photo at",
        _fetches(names),
    )
    seen = "fetch query plan source page_url title licence licence_url author rank at copy_url width height"
    yield "sighting", f"id {seen}", _sightings(names, [one[0] for one in queries])
    box = (100.0, 80.0, 120.0, 150.0, 0.998, _LANDMARKS, _CROP, "{}")
    faces = ((face_id(names[i], settings, 0), names[i], settings, 0, *box) for i in cropped)
    yield (
        "face",
        "id photo settings number x y width height probability landmarks crop hints",
        faces,
    )
    said = "round photo face settings decision reason expression reviewer keeper distance"
    yield (
        "verdict",
        f"id {said} at uid final note unsure",
        _verdicts(names, judged, cropped, settings),
    )


def name_of(number: int) -> str:
    """The sha256 of a photo."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def _judged(n: int) -> list[int]:
    """Every second photo that is no copy."""
    return [i for i in range(n) if i % 2 and i % COPIES != 1]


def _bits(name: str, at: int) -> int:
    return int(name[at : at + 15], 16)


def _fetches(names: list[str]) -> Iterator[Values]:
    for i, name in enumerate(names):
        url = f"https://site{i % SITES}.example/{name}.jpg"
        yield name[:32], url, "kept", "", 1, 200, "", "image/jpeg", "", name, AT
    for i in range(WAITING):
        url = f"https://site{i}.example/waiting.jpg"
        yield f"~{i:06}", url, "found", "", 0, None, "", "", "", None, AT


def _sightings(names: list[str], queries: list[str]) -> Iterator[Values]:
    number = 0
    fetches = [name[:32] for name in names] + [f"~{i:06}" for i in range(WAITING)]
    for i, fetch in enumerate(fetches):
        for again in range(2 if i % SEEN_TWICE == 0 else 1):
            number += 1
            query = queries[(i * 7 + again * 5) % len(queries)]
            site = f"https://site{i % SITES}.example"
            yield (
                *(number, fetch, query, "b", "bing", f"{site}/{fetch[:8]}", fetch[:8]),
                *("CC BY 4.0", "", f"Author {i % SITES}", 1, AT, "", 0, 0),
            )


def _verdicts(
    names: list[str], judged: list[int], cropped: list[int], settings: str
) -> Iterator[Values]:
    number = 0

    def one(
        round_: str, name: str, by: str, face: str = "", of: str = "", keeper: str = ""
    ) -> Values:
        nonlocal number
        number += 1
        what = ("drop", "duplicate") if keeper else ("keep", "")
        said = (round_, name, face, of, *what, "", by, keeper, 2 if keeper else None)
        return (number, *said, AT, f"{number:032}", False, "", False)

    for i, name in enumerate(names):
        yield one("dedup", name, "dedup", keeper=names[i - 1] if i % COPIES == 1 else "")
    for i in cropped:
        yield one("photos", names[i], "ann")
    for i in cropped:
        yield one("crop", names[i], "crop", of=settings)
        yield one("crop", names[i], "crop", face_id(names[i], settings, 0), settings)
    for i in cropped[::2]:
        yield one("faces", names[i], "ann", face_id(names[i], settings, 0))
    for i in judged[len(cropped) :]:  # since the last run of crop
        yield one("photos", names[i], "ann")


def n_bytes(url: str) -> int:
    """How large the database is on disk."""
    cat = open_catalogue(url)
    with cat.read() as connection:
        if connection.dialect.name == "postgresql":
            found = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
        else:
            pages = connection.scalar(sa.text("PRAGMA page_count"))
            found = int(pages or 0) * int(connection.scalar(sa.text("PRAGMA page_size")) or 0)
    cat.close()
    return int(found or 0)
