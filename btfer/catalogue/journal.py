"""The crawl's journal: every image URL ever found, where it was seen, and what became of it."""

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from btfer.catalogue.rows import FetchState, FetchTally, FetchTask, UrlCount
from btfer.catalogue.store import Catalogue, Row, in_parts, insert_new, now, plain_rows
from btfer.catalogue.tables import fetch, photo, query, search, sighting
from btfer.images import Intake
from btfer.queries import Query
from btfer.urls import identity

__all__ = [
    "SUSPICIOUS",
    "Fetched",
    "Query",
    "Sighting",
    "add_copies",
    "add_found",
    "add_search",
    "addresses",
    "copies_of",
    "count_held",
    "count_waiting",
    "end_of",
    "ends_of_urls",
    "finish",
    "fruitful_languages",
    "losses",
    "pending",
    "restate",
    "searched",
    "suspicious",
    "tallies",
    "url_id",
    "waiting_urls",
]


SUSPICIOUS = "suspicious"


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
    copy_url: str = ""  # a smaller copy that the source keeps
    width: int = 0  # of the image in pixels, as the source states it; 0 = it does not
    height: int = 0


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
    attempts: int = 1


_FINISH = (
    sa.update(fetch)
    .where(fetch.c.id == sa.bindparam("fetch_id"))
    .values(
        {one.name: sa.bindparam(one.name) for one in dataclasses.fields(Fetched)}
        | {"attempts": fetch.c.attempts + sa.bindparam("attempts"), "at": sa.bindparam("at")}
    )
)


_RIGHTS = ("page_url", "title", "licence", "licence_url", "author")
_RESTATE = (
    sa.update(sighting)
    .where(
        sighting.c.fetch == sa.bindparam("of"),
        sighting.c.source == sa.bindparam("new_source"),
        sa.or_(*(sighting.c[name] != sa.bindparam(f"new_{name}") for name in _RIGHTS)),
    )
    .values({name: sa.bindparam(f"new_{name}") for name in _RIGHTS})
)


def url_id(url: str) -> str:
    """The journal's key of a URL, the same for all its spellings."""
    return _digest(identity(url))


def add_found(cat: Catalogue, asked: Query, seen: Iterable[Sighting]) -> tuple[int, int]:
    """Write down what a query found. Returns (URLs never seen before, URLs already known)."""
    seen = list(seen)
    at = now()
    with cat.write() as connection:
        insert_new(connection, query, [_query_row(asked)])
        keys = _keys(connection, {s.url for s in seen})
        urls = {keys[s.url]: s.url.strip() for s in reversed(seen)}  # as it was first spelt
        new = insert_new(connection, fetch, _fetch_rows(urls, at))
        insert_new(connection, sighting, [_sighting_row(s, keys[s.url], asked, at) for s in seen])
    return len(new), len(urls) - len(new)


def restate(cat: Catalogue, seen: Iterable[Sighting]) -> int:
    """Let what these sightings state of rights replace what the same source stated of the same URLs; how many changed.

    For sources whose statements are the user's own: a corrected CSV is imported again.
    """
    rows = [{f"new_{name}": value for name, value in asdict(one).items()} for one in seen]
    rows = [row | {"of": url_id(row["new_url"])} for row in rows]
    if not rows:
        return 0
    with cat.write() as connection:
        return connection.execute(_RESTATE, rows).rowcount


def pending(
    cat: Catalogue,
    source: str,
    *,
    among: Collection[str] = (),
    classes: Collection[str] = (),
    retry: Collection[str] = (),
    after: int = 0,
    limit: int = 1000,
) -> list[FetchTask]:
    """A page of URLs that one source showed and that are still to be fetched, oldest sighting first.

    among: sources fetched together; a URL comes under the one that showed it first. after: the sighting
    that the page before ended with. retry: reasons (`timeout`, `http 503`) of lost URLs, or `failed` for all
    failed ones, to be tried once more.
    """
    after = after or _before_first(cat, source, retry)
    earlier = sighting.alias()
    seen_before = sa.exists().where(
        earlier.c.fetch == sighting.c.fetch,
        earlier.c.id < sighting.c.id,
        earlier.c.source.in_({source, *among}),
    )
    statement = (
        sa.select(
            fetch.c.id,
            fetch.c.url,
            fetch.c.state,
            sighting.c.id,
            sighting.c.page_url,
            sighting.c.source,
            sighting.c.licence,
            sighting.c.licence_url,
            query.c.language,
            query.c.expression,
            sighting.c.copy_url,
            sighting.c.width,
            sighting.c.height,
            query.c.ethnicity,
            query.c.gender,
            query.c.age,
        )
        .join(sighting, sighting.c.fetch == fetch.c.id)
        .join(query, query.c.id == sighting.c.query)
        .where(sighting.c.id > after, sighting.c.source == source, _to_fetch(retry), ~seen_before)
        .order_by(sighting.c.id)
        .limit(limit)
    )
    if classes:
        statement = statement.where(query.c.expression.in_(classes))
    return cat.read_as(FetchTask, statement)


def _before_first(cat: Catalogue, source: str, retry: Collection[str]) -> int:
    """The sighting before the first that is still to be fetched: of a million that were, none is looked at."""
    # `+ 0` keeps SQLite from going through all sightings in their order; it goes by the state of the URLs.
    first = sa.func.min(sighting.c.id + 0)
    joined = sa.select(first).join(fetch, fetch.c.id == sighting.c.fetch)
    with cat.read() as connection:
        found = connection.scalar(joined.where(sighting.c.source == source, _to_fetch(retry)))
    return int(found or 1) - 1


def addresses(cat: Catalogue) -> set[str]:
    """Every address of a picture, or of a page that shows one."""
    columns = (fetch.c.url, fetch.c.final_url, sighting.c.page_url)
    return {
        row["url"] for one in columns for row in cat.rows(sa.select(one.label("url")).distinct())
    }


def end_of(cat: Catalogue, url: str) -> FetchState:
    """What became of one URL; `found` where it is not in the journal."""
    ended = sa.select(fetch.c.state, fetch.c.reason).where(fetch.c.id == url_id(url))
    return next(iter(cat.read_as(FetchState, ended)), FetchState("found", ""))


def count_waiting(cat: Catalogue) -> int:
    """How many URLs have been found and neither fetched nor given up."""
    statement = sa.select(sa.func.count().label("n")).where(fetch.c.state == "found")
    return int(cat.rows(statement.select_from(fetch))[0]["n"])


def waiting_urls(cat: Catalogue) -> Iterator[tuple[str, str]]:
    """Every URL that has been found and not ended, with the first source that showed it."""
    number = sa.func.min(sighting.c.id).label("first")
    first = sa.select(number).group_by(sighting.c.fetch).subquery()
    statement = (
        sa.select(sighting.c.source, fetch.c.url)
        .join(first, first.c.first == sighting.c.id)
        .join(fetch, fetch.c.id == sighting.c.fetch)
        .where(fetch.c.state == "found")
    )
    with cat.read() as connection:
        for part in connection.execute(statement).partitions(5_000):
            yield from ((row[0], row[1]) for row in part)


def count_held(cat: Catalogue) -> dict[str, int]:
    """How many of the waiting URLs were asked too soon, by reason."""
    statement = (
        sa.select(fetch.c.reason, sa.func.count().label("n"))
        .where(fetch.c.state == "found", fetch.c.reason != "")
        .group_by(fetch.c.reason)
    )
    return {row["reason"]: row["n"] for row in cat.rows(statement)}


def finish(cat: Catalogue, ends: Sequence[tuple[str, Fetched, Intake | None]]) -> set[str]:
    """Record the ends of some URLs (by id), with their photos where they have one; which photos are new, by sha256.

    A photo's file must be complete before this is called: a row means that the file is there.
    """
    at = now()
    found = {intake.sha256: intake for _, _, intake in ends if intake}
    changes = [vars(done) | {"fetch_id": key, "at": at} for key, done, _ in ends]
    with cat.write() as connection:
        last = int(connection.scalar(sa.select(sa.func.max(photo.c.number))) or 0)
        rows = [_photo_row(one, at, last + n) for n, one in enumerate(found.values(), start=1)]
        new = insert_new(connection, photo, rows)
        if changes:
            connection.execute(_FINISH, changes)
    return {sha256 for (sha256,) in new}


def add_search(
    cat: Catalogue,
    asked: Query,
    source: str,
    *,
    per_query: int,
    found: int,
    suspicious: bool = False,
) -> None:
    """Write down that a source has answered a query to the end, or seems to have. Its query must be in the journal."""
    state = SUSPICIOUS if suspicious else "answered"
    row = {"query": asked.id, "source": source, "asked": per_query, "found": found, "at": now()}
    with cat.write() as connection:
        connection.execute(sa.insert(search).values(row | {"state": state}))


def searched(cat: Catalogue, source: str) -> dict[str, int]:
    """How many images each query (by id) was asked for at this source: what needs no second search."""
    statement = (
        sa.select(search.c.query, sa.func.max(search.c.asked).label("n"))
        .where(search.c.source == source, search.c.state == "answered")
        .group_by(search.c.query)
    )
    return {row["query"]: row["n"] for row in cat.rows(statement)}


def suspicious(cat: Catalogue, source: str) -> dict[str, int]:
    """The queries (by id) whose last answer of this source was suspicious, and how many in a row were."""
    answered = search.alias()
    newest = (
        sa.select(sa.func.coalesce(sa.func.max(answered.c.id), 0))
        .where(
            answered.c.query == search.c.query,
            answered.c.source == source,
            answered.c.state == "answered",
        )
        .scalar_subquery()
    )
    statement = (
        sa.select(search.c.query, sa.func.count().label("n"))
        .where(search.c.source == source, search.c.state == SUSPICIOUS, search.c.id > newest)
        .group_by(search.c.query)
    )
    return {row["query"]: row["n"] for row in cat.rows(statement)}


def fruitful_languages(cat: Catalogue, source: str) -> set[str]:
    """The languages in which a source has shown something."""
    statement = (
        sa.select(query.c.language)
        .distinct()
        .join(search, search.c.query == query.c.id)
        .where(search.c.source == source, search.c.found > 0)
    )
    return {row["language"] for row in cat.rows(statement)}


def add_copies(cat: Catalogue, tasks: Iterable[FetchTask]) -> tuple[int, int]:
    """Write down the copies that sources keep of pictures whose originals are gone; as `add_found`.

    A copy has all that its original's sightings state, but for the size.
    """
    at = now()
    with cat.write() as connection:
        rows = [
            dict(row._mapping)
            for some in in_parts(one.id for one in tasks)
            for row in connection.execute(
                sa.select(sighting).where(sighting.c.fetch.in_(some), sighting.c.copy_url != "")
            )
        ]
        keys = _keys(connection, {row["copy_url"] for row in rows})
        urls = {keys[row["copy_url"]]: row["copy_url"] for row in rows}
        new = insert_new(connection, fetch, _fetch_rows(urls, at))
        same = {"copy_url": "", "width": 0, "height": 0, "at": at}
        copies = [row | {"fetch": keys[row["copy_url"]]} | same for row in rows]
        for one in copies:
            del one["id"]
        insert_new(connection, sighting, copies)
    return len(new), len(urls) - len(new)


def copies_of(cat: Catalogue, urls: Iterable[str]) -> set[str]:
    """The addresses of the copies that sources keep of some pictures."""
    return {
        row["copy_url"]
        for some in in_parts(key for one in urls for key in {url_id(one), _digest(one)})
        for row in cat.rows(
            sa.select(sighting.c.copy_url)
            .distinct()
            .where(sighting.c.fetch.in_(some), sighting.c.copy_url != "")
        )
    }


def losses(cat: Catalogue) -> list[UrlCount]:
    """How many URLs each source has in each state, by reason."""
    count = sa.func.count(sa.distinct(fetch.c.id))
    columns = (sighting.c.source, fetch.c.state, fetch.c.reason)
    return cat.read_as(
        UrlCount,
        sa.select(*columns, count)
        .join(fetch, fetch.c.id == sighting.c.fetch)
        .group_by(*columns)
        .order_by(*columns),
    )


def tallies(cat: Catalogue) -> list[FetchTally]:
    """What was asked of each source, and what came of it; a URL that several showed counts for each."""
    shown = sa.select(sighting.c.source, sighting.c.fetch).distinct().subquery()
    statement = (
        sa.select(shown.c.source, *_counts(sa.func.sum))
        .join(fetch, fetch.c.id == shown.c.fetch)
        .outerjoin(photo, (photo.c.sha256 == fetch.c.photo) & (fetch.c.reason == ""))
        .group_by(shown.c.source)
        .order_by(shown.c.source)
    )
    return cat.read_as(FetchTally, statement)


def ends_of_urls(cat: Catalogue) -> Iterator[tuple[Any, ...]]:
    """The same of every single URL, read a part at a time: the URL, then as `FetchTally`."""
    of_photo = (photo.c.sha256 == fetch.c.photo) & (fetch.c.reason == "")
    statement = sa.select(fetch.c.url, *_counts(lambda one: one)).outerjoin(photo, of_photo)
    with cat.read() as connection:
        yield from plain_rows(connection, statement)


def _counts(
    sum_: Callable[[sa.ColumnElement[int]], sa.ColumnElement[int]],
) -> list[sa.ColumnElement[int]]:
    """The columns of a FetchTally after its name."""
    states = ("kept", "refused", "failed", "found")
    ends = [sa.case((fetch.c.state == state, 1), else_=0) for state in states]
    every = [fetch.c.attempts, *ends, sa.func.coalesce(photo.c.n_bytes, 0)]
    return [sa.cast(sum_(one), sa.BigInteger) for one in every]


def _to_fetch(retry: Collection[str]) -> sa.ColumnElement[bool]:
    again = fetch.c.state.in_(("failed", "refused")) & fetch.c.reason.in_(retry)
    if "failed" in retry:
        again |= fetch.c.state == "failed"
    return (fetch.c.state == "found") | again


def _query_row(asked: Query) -> Row:
    row = asdict(asked)
    del row["plan"]  # two plans may hold the same query: the version is the sighting's
    return row | {"id": asked.id}


def _fetch_rows(urls: Mapping[str, str], at: str) -> list[Row]:
    """New rows of the journal. urls: by id."""
    blank = {"state": "found", "reason": "", "attempts": 0, "status": None, "photo": None}
    texts = {"final_url": "", "content_type": "", "etag": ""}
    return [{"id": key, "url": url, "at": at} | blank | texts for key, url in urls.items()]


def _keys(connection: sa.Connection, urls: Collection[str]) -> dict[str, str]:
    """The key of each URL: its own spelling's, where an older catalogue has that one."""
    exact = {url: _digest(url) for url in urls if url != identity(url)}
    there = set(
        connection.execute(sa.select(fetch.c.id).where(fetch.c.id.in_(exact.values()))).scalars()
    )
    return {url: exact[url] if exact.get(url) in there else url_id(url) for url in urls}


def _sighting_row(seen: Sighting, key: str, asked: Query, at: str) -> Row:
    row = asdict(seen)
    del row["url"]
    return row | {"fetch": key, "query": asked.id, "plan": asked.plan, "at": at}


def _photo_row(intake: Intake, at: str, number: int) -> Row:
    row = vars(intake) | {"at": at, "number": number}
    del row["thumbnail"]  # a file, beside the photo
    return row


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
