"""The crawl's journal: every image URL ever found, where it was seen, and what became of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from btfer.catalogue.store import Catalogue, Row, insert_new, now
from btfer.catalogue.tables import fetch, photo, query, search, sighting
from btfer.images import Intake
from btfer.queries import Query

__all__ = [
    "Fetched",
    "Query",
    "Sighting",
    "add_found",
    "add_search",
    "finish",
    "losses",
    "pending",
    "searched",
    "url_id",
]


@dataclass(frozen=True)
class Sighting:
    """An image URL as one source showed it for one query."""

    url: str
    source: str
    page_url: str = ""
    title: str = ""
    licence: str = ""
    licence_url: str = ""
    author: str = ""
    rank: int = 0


@dataclass(frozen=True)
class Fetched:
    """What became of one URL: `kept`, `refused` (final) or `failed` (may be tried again), and why."""

    state: str
    reason: str = ""
    status: int | None = None
    final_url: str = ""
    content_type: str = ""
    etag: str = ""
    photo: str | None = None


def url_id(url: str) -> str:
    """The journal's key of a URL."""
    return _digest(url)


def add_found(cat: Catalogue, asked: Query, seen: Iterable[Sighting]) -> tuple[int, int]:
    """Write down what a query found. Returns (URLs never seen before, URLs already known)."""
    seen = list(seen)
    at = now()
    urls = {url_id(s.url): s.url for s in seen}
    blank = {"state": "found", "reason": "", "attempts": 0, "status": None, "photo": None}
    texts = {"final_url": "", "content_type": "", "etag": ""}
    with cat.write() as connection:
        insert_new(connection, query, [asdict(asked) | {"id": asked.id}])
        new = insert_new(
            connection,
            fetch,
            [{"id": key, "url": url, "at": at} | blank | texts for key, url in urls.items()],
        )
        insert_new(connection, sighting, [_sighting_row(s, asked, at) for s in seen])
    return new, len(urls) - new


def pending(cat: Catalogue, sources: Iterable[str], *, retry: Iterable[str] = ()) -> list[Row]:
    """URLs of these sources that are still to be fetched, oldest first: id, url, page_url, source, language,
    expression (what the first query that found it intends).

    retry: reasons (`timeout`, `http 503`) or the word `failed`, of failed URLs to try once more.
    """
    words = list(retry)
    failed = fetch.c.state == "failed"
    if "failed" not in words:
        failed &= fetch.c.reason.in_(words)
    first = (
        sa.select(sighting.c.fetch, sa.func.min(sighting.c.id).label("first"))
        .where(sighting.c.source.in_(list(sources)))
        .group_by(sighting.c.fetch)
        .subquery()
    )
    return cat.rows(
        sa.select(
            fetch.c.id,
            fetch.c.url,
            sighting.c.page_url,
            sighting.c.source,
            query.c.language,
            query.c.expression,
        )
        .select_from(first)
        .join(fetch, fetch.c.id == first.c.fetch)
        .join(sighting, sighting.c.id == first.c.first)
        .join(query, query.c.id == sighting.c.query)
        .where((fetch.c.state == "found") | failed)
        .order_by(first.c.first)
    )


def finish(cat: Catalogue, fetch_id: str, done: Fetched, intake: Intake | None = None) -> bool:
    """Record the end of one URL, with its photo where it has one; whether the photo is a new one.

    The photo's file must be complete before this is called: a row means that the file is there.
    """
    with cat.write() as connection:
        new = bool(intake and insert_new(connection, photo, [_photo_row(intake)]))
        connection.execute(
            sa.update(fetch)
            .where(fetch.c.id == fetch_id)
            .values(**asdict(done), attempts=fetch.c.attempts + 1, at=now())
        )
    return new


def add_search(cat: Catalogue, asked: Query, source: str, *, per_query: int, found: int) -> None:
    """Write down that a source has answered a query to the end. Its query must be in the journal."""
    row = {"query": asked.id, "source": source, "asked": per_query, "found": found, "at": now()}
    with cat.write() as connection:
        connection.execute(sa.insert(search).values(row))


def searched(cat: Catalogue, source: str) -> dict[str, int]:
    """How many images each query (by id) was asked for at this source: what needs no second search."""
    statement = (
        sa.select(search.c.query, sa.func.max(search.c.asked).label("n"))
        .where(search.c.source == source)
        .group_by(search.c.query)
    )
    return {row["query"]: row["n"] for row in cat.rows(statement)}


def losses(cat: Catalogue) -> list[Row]:
    """Every URL by source, state and reason: source, state, reason, n."""
    count = sa.func.count(sa.distinct(fetch.c.id))
    columns = (sighting.c.source, fetch.c.state, fetch.c.reason)
    return cat.rows(
        sa.select(*columns, count.label("n"))
        .join(fetch, fetch.c.id == sighting.c.fetch)
        .group_by(*columns)
        .order_by(*columns)
    )


def _sighting_row(seen: Sighting, asked: Query, at: str) -> Row:
    row = asdict(seen)
    return row | {"fetch": url_id(row.pop("url")), "query": asked.id, "at": at}


def _photo_row(intake: Intake) -> Row:
    row = asdict(intake)
    del row["thumbnail"]  # a file, beside the photo
    return row | {"at": now()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
