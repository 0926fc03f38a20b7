"""Queries of a large catalogue: nothing is worked out anew for each photo, and of a few only those are looked at."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from btfer import review
from btfer.catalogue import Catalogue, duplicates, faces, journal, open_catalogue, photos, verdicts
from btfer.catalogue.journal import Fetched, Sighting, url_id
from btfer.catalogue.verdicts import Verdict
from btfer.pipeline import dedup
from btfer.settings import Settings
from tests.catalogue.test_store import HAPPY, add_photo, keep

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import many_photos

DIGEST = "0123abcd"
N = 2_000
READING_ALL: dict[str, Callable[[Catalogue], object]] = {
    "crop's queue": lambda cat: photos.awaiting_crop(cat, DIGEST),
    "photos to review": photos.awaiting_review,
    "tally": photos.tally,
    "labels": photos.label_of_each,
    "dedup's queue": photos.hash_index,
    "faces": lambda cat: faces.accepted(cat, DIGEST),
    "photos without a face": lambda cat: faces.photos_without_face(cat, DIGEST),
    "conflicts": photos.conflicting,
    "duplicates": photos.duplicates,
}


@pytest.fixture(scope="module")
def many(postgres_url: str) -> Iterator[Catalogue]:
    """A server's catalogue of some thousand photos, with verdicts and faces."""
    url = _database(postgres_url, "many")
    many_photos.fill(url, N, DIGEST)
    cat = open_catalogue(url)
    yield cat
    cat.close()


@pytest.mark.postgres
@pytest.mark.parametrize("name", READING_ALL)
def test_what_holds_is_found_once_and_not_for_each_photo(
    name: str, many: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(Catalogue, "read_as", lambda _, kind, one: asked.append(one) or [])
    monkeypatch.setattr(Catalogue, "rows", lambda _, one: asked.append(one) or [])
    monkeypatch.setattr(photos, "plain_rows", lambda _, one: asked.append(one) or [])
    READING_ALL[name](many)
    assert asked
    for one in asked:
        with many.read() as connection:
            text = str(one.compile(connection, compile_kwargs={"literal_binds": True}))
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {text}".replace("%", "%%")
            [[plan]] = connection.exec_driver_sql(explain).one()
        again = {
            node["Node Type"]: node["Actual Loops"]
            for node in _nodes(plan["Plan"])
            if node["Node Type"] in ("WindowAgg", "Sort", "Aggregate", "Seq Scan")
        }
        assert max(again.values()) <= 1, again


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def test_the_copies_of_one_photo_are_those_that_are_dropped_for_it_now(any_cat: Catalogue) -> None:
    a, b, c, d = (add_photo(any_cat, name) for name in "abcd")
    verdicts.add(any_cat, [keep("dedup", a), _copy(b, a), _copy(c, a), _copy(d, b)])
    assert [one.photo for one in duplicates.copies_of(any_cat, a)] == [b, c]
    verdicts.add(any_cat, [keep("dedup", c)])
    assert [one.photo for one in duplicates.copies_of(any_cat, a)] == [b]
    assert duplicates.copies_of(any_cat, c) == []


def _copy(photo: str, keeper: str) -> Verdict:
    return Verdict("dedup", photo, "drop", "dedup", reason="duplicate", keeper=keeper, distance=2)


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("", "abf"),
        ("a", "a"),
        ("ABB", ""),
        ("B", "b"),
        ("f" * 64, "f"),
        ("g", ""),
        ("a%", ""),
        ("_", ""),
    ],
)
def test_photos_are_found_by_how_their_names_begin(
    any_cat: Catalogue, start: str, found: str
) -> None:
    for name in "abf":
        add_photo(any_cat, name)
    assert {one.sha256[0] for one in photos.find(any_cat, start)} == set(found)


def test_a_photo_is_found_by_an_index(any_cat: Catalogue) -> None:
    a = add_photo(any_cat, "a")
    if any_cat.files():
        with any_cat.read() as connection:
            plan = "EXPLAIN QUERY PLAN "
            for one in (
                sa.select(photos.photo).where(photos.begins_with(photos.photo.c.sha256, a[:9])),
                sa.select(photos.face).where(photos.begins_with(photos.face.c.id, f"{a[:24]}-0")),
            ):
                text = str(one.compile(connection, compile_kwargs={"literal_binds": True}))
                [step] = connection.exec_driver_sql(plan + text).all()
                assert step[3].startswith("SEARCH")


def test_the_crawl_goes_on_behind_all_that_was_fetched(any_cat: Catalogue) -> None:
    urls = [f"https://example.org/{n}" for n in range(6)]
    journal.add_found(any_cat, HAPPY, [Sighting(url, "bing") for url in urls])
    ends = [(url_id(url), Fetched("failed", "timeout"), None) for url in urls[:4]]
    journal.finish(any_cat, ends)
    waiting = journal.pending(any_cat, "bing", limit=1)
    assert [one.url for one in waiting] == urls[4:5]
    assert [one.url for one in journal.pending(any_cat, "bing", after=waiting[0].sighting)] == urls[
        5:
    ]
    assert [one.url for one in journal.pending(any_cat, "bing", retry=["timeout"])] == urls
    assert journal.pending(any_cat, "flickr") == []


SIZES = (1_000, 10_000)


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def growing(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[list[Catalogue]]:
    """Catalogues of a thousand photos and of ten thousand; in both the same hundred wait for crop."""
    cats = []
    for n in SIZES:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('growing') / 'catalogue.db'}"
        else:
            url = _database(request.getfixturevalue("postgres_url"), f"growing_{n}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(many_photos, "WAITING", 100)
            many_photos.fill(url, n, DIGEST)
        cats.append(open_catalogue(url))
    yield cats
    for cat in cats:
        cat.close()


def _database(server: str, name: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


def _dedup(cat: Catalogue, folder: Path) -> Callable[[], object]:
    settings = Settings(data_dir=folder, engine="serial")
    dedup.run(cat, settings)
    return lambda: dedup.run(cat, settings)


def _page(cat: Catalogue, folder: Path) -> Callable[[], object]:
    queue = review.Queue(cat, "photos", "ben")
    queue.page(20)

    def judge_and_go_on() -> None:
        review.commit(cat, "photos", [review.Judged(one.id) for one in queue.page(20).items], "ben")
        assert len(queue.page(20).items) == 20

    return judge_and_go_on


FLAT: dict[str, Callable[[Catalogue, Path], Callable[[], object]]] = {
    "dedup with nothing new": _dedup,
    "crop's queue": lambda cat, _: lambda: photos.awaiting_crop(cat, DIGEST),
    "page": _page,
}


@pytest.mark.parametrize("name", FLAT)
def test_queues_and_pages_read_as_much_among_ten_times_the_photos(
    name: str, growing: list[Catalogue], tmp_path: Path
) -> None:
    few, many = (_read_by(FLAT[name](cat, tmp_path), cat) for cat in growing)
    assert 0 < many < 1.3 * few + 50, few


def _read_by(work: Callable[[], object], cat: Catalogue) -> int:
    """How much a database read for some work: steps of SQLite in hundreds, or rows of PostgreSQL's plans."""
    engine, steps = cat._engine, [0]
    asked: list[tuple[str, Any]] = []

    def step() -> int:
        steps[0] += 1
        return 0

    def started(_connection: Any, cursor: Any, text: str, values: Any, *_: Any) -> None:
        if cat.files():
            cursor.connection.set_progress_handler(step, 100)
        elif text.startswith("SELECT") and "pg_" not in text:
            asked.append((text, values))

    sa.event.listen(engine, "before_cursor_execute", started)
    try:
        work()
    finally:
        sa.event.remove(engine, "before_cursor_execute", started)
    return steps[0] or sum(_rows_of(cat, *one) for one in asked)


def _rows_of(cat: Catalogue, text: str, values: Any) -> int:
    import psycopg

    with cat.read() as connection:
        driver: Any = connection.connection.driver_connection
        [[plan]] = psycopg.ClientCursor(driver).execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values
        )
    return sum(
        int(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        for node in _nodes(plan[0]["Plan"])
        if "Scan" in node["Node Type"]
    )
