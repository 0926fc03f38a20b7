"""The catalogue's contract, the same on SQLite and PostgreSQL."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from btfer.catalogue import (
    Catalogue,
    faces,
    journal,
    open_catalogue,
    photos,
    releases,
    verdicts,
    withdrawals,
)
from btfer.catalogue.journal import Fetched, Query, Sighting
from btfer.catalogue.rows import DuplicatePhoto, Face, ReleasedFace
from btfer.catalogue.tables import metadata, sighting, withdrawal
from btfer.catalogue.verdicts import Verdict
from btfer.errors import CatalogueError, UsageError
from btfer.images import Intake
from btfer.settings import Settings

HAPPY = Query("asian woman happy", "happy", "en", "Asian", "female", "adult", "v1")
SAD = Query("hombre triste", "sad", "es", "", "male", "", "v1")


def add_photo(cat: Catalogue, name: str, query: Query = HAPPY, url: str = "") -> str:
    url = url or f"https://example.org/{name}.jpg"
    journal.add_found(cat, query, [Sighting(url, "bing", f"https://example.org/{name}", rank=3)])
    sha256 = (name * 64)[:64]
    intake = Intake(sha256, "jpg", 640, 480, 1000, 5, -5, b"", {"brightness": 1.0})
    done = Fetched("kept", status=200, photo=sha256)
    journal.finish(cat, [(journal.url_id(url), done, intake)])
    return sha256


def keep(round_: str, photo: str, **more: str) -> Verdict:
    return Verdict(round_, photo, "keep", "ann", **more)


def test_after_much_was_added_the_database_knows_how_large_its_tables_are(
    any_cat: Catalogue,
) -> None:
    for name in "ab":
        add_photo(any_cat, name)
    any_cat.count_anew()
    add_photo(any_cat, "c")
    any_cat.count_anew(1)  # after little it is not worth the time
    assert _rows_known(any_cat) == "2"
    any_cat.count_anew(1_000)
    assert _rows_known(any_cat) == "3"


def _rows_known(any_cat: Catalogue) -> str:
    with any_cat.read() as connection:
        if connection.dialect.name == "sqlite":
            said = "SELECT stat FROM sqlite_stat1 WHERE tbl = 'photo'"
        else:
            said = "SELECT reltuples::int::text FROM pg_class WHERE relname = 'photo'"
        return str(connection.execute(sa.text(said)).scalars().first()).split()[0]


def test_migrations_make_exactly_the_tables_of_the_code(any_cat: Catalogue) -> None:
    with any_cat.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_a_url_is_found_once_and_known_ever_after(any_cat: Catalogue) -> None:
    seen = [
        Sighting("https://example.org/ñ a.jpg", "bing"),
        Sighting("https://example.org/b", "bing"),
    ]
    assert journal.add_found(any_cat, HAPPY, seen) == (2, 0)
    assert journal.add_found(any_cat, HAPPY, seen) == (0, 2)
    assert journal.add_found(any_cat, SAD, seen[:1]) == (0, 1)
    assert [row.url for row in journal.pending(any_cat, "bing")] == [s.url for s in seen]
    assert journal.pending(any_cat, "commons") == []


def test_failed_urls_wait_until_somebody_asks_for_them(any_cat: Catalogue) -> None:
    journal.add_found(
        any_cat, HAPPY, [Sighting("https://a", "bing"), Sighting("https://b", "bing")]
    )
    a, b = journal.url_id("https://a"), journal.url_id("https://b")
    ends = [(a, Fetched("failed", "timeout"), None), (b, Fetched("refused", "robots"), None)]
    assert journal.finish(any_cat, ends) == set()
    urls = lambda retry: [row.url for row in journal.pending(any_cat, "bing", retry=retry)]  # noqa: E731
    assert urls([]) == []
    assert urls(["timeout"]) == urls(["failed"]) == ["https://a"]
    assert urls(["robots"]) == ["https://b"]  # only when it is named
    assert urls(["http 503"]) == []


def test_the_journal_is_read_page_by_page_and_each_url_comes_once(any_cat: Catalogue) -> None:
    urls = [f"https://example.org/{n}" for n in range(7)]
    journal.add_found(any_cat, HAPPY, [Sighting(url, "bing") for url in urls[:5]])
    journal.add_found(any_cat, SAD, [Sighting(url, "commons") for url in urls[3:]])
    both = {"among": ["bing", "commons"], "limit": 2}
    pages: dict[str, list[str]] = {"bing": [], "commons": []}
    for source, seen in pages.items():
        after = 0
        while page := journal.pending(any_cat, source, after=after, **both):
            assert len(page) <= 2
            seen += [row.url for row in page]
            after = page[-1].sighting
    assert pages == {"bing": urls[:5], "commons": urls[5:]}
    assert journal.count_waiting(any_cat) == 7
    assert journal.pending(any_cat, "commons", classes=["happy"]) == []
    assert len(journal.pending(any_cat, "commons", classes=["sad"])) == 4


def test_what_is_withdrawn_is_known_and_cannot_be_read_back(any_cat: Catalogue) -> None:
    url, page, photo = "https://example.org/ñ.jpg", "https://example.org/page", "ab" * 32
    assert withdrawals.among(any_cat, [url]) == set()
    assert withdrawals.add(any_cat, [url, page], "asked by the person") == 2
    assert withdrawals.add(any_cat, [url, photo]) == 1
    assert withdrawals.among(any_cat, [url, page, photo, "", "https://other"]) == {url, page, photo}
    assert withdrawals.count(any_cat) == 3
    stored = any_cat.rows(sa.select(withdrawal))
    assert not any(thing in str(stored) for thing in (url, page, photo))


def test_a_catalogue_of_the_first_version_is_upgraded_with_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript((Path(__file__).parent / "catalogue_0001.sql").read_text())
    cat = open_catalogue(f"sqlite:///{path}")
    [seen] = cat.rows(sa.select(sighting))
    assert (seen["plan"], seen["source"]) == ("v1", "bing")
    assert [row.url for row in journal.pending(cat, "bing")] == ["https://example.org/a.jpg"]
    with cat.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    cat.close()


def test_two_sightings_of_the_same_bytes_are_one_photo(any_cat: Catalogue) -> None:
    first = add_photo(any_cat, "a")
    assert add_photo(any_cat, "a", SAD, "https://elsewhere.org/copy.jpg") == first
    assert photos.count(any_cat) == 1
    assert [row.phrase for row in photos.sightings(any_cat, first)] == [HAPPY.phrase, SAD.phrase]
    assert photos.labels(any_cat)[first].expression == "happy"
    assert photos.conflicting(any_cat) == {first}


def test_conflicting_labels_of_near_duplicates_are_found_on_the_keeper(any_cat: Catalogue) -> None:
    a, b = add_photo(any_cat, "a"), add_photo(any_cat, "b", SAD)
    assert photos.conflicting(any_cat) == set()
    drop = Verdict("dedup", b, "drop", "dedup", reason="duplicate", keeper=a, distance=2)
    verdicts.add(any_cat, [keep("dedup", a), drop])
    assert photos.conflicting(any_cat) == {a}
    assert photos.duplicates(any_cat) == [DuplicatePhoto(b, a, distance_bits=2)]


def test_queues_follow_the_standing_verdicts(any_cat: Catalogue) -> None:
    a, b = add_photo(any_cat, "a"), add_photo(any_cat, "b")
    assert photos.awaiting_review(any_cat) == []
    verdicts.add(any_cat, [keep("dedup", a), keep("dedup", b)])
    assert [row.sha256 for row in photos.awaiting_review(any_cat)] == [a, b]
    verdicts.add(any_cat, [keep("photos", a)])
    assert [row.sha256 for row in photos.awaiting_review(any_cat)] == [b]
    assert [row.sha256 for row in photos.awaiting_crop(any_cat, "s1")] == [a]
    both = photos.awaiting_crop(any_cat, "s1", unreviewed="keep")
    assert [row.sha256 for row in both] == [a, b]
    verdicts.add(any_cat, [keep("crop", a, settings="s1")])
    assert photos.awaiting_crop(any_cat, "s1") == []
    assert [row.sha256 for row in photos.awaiting_crop(any_cat, "s2")] == [a]


def test_undo_brings_the_verdict_before_back(any_cat: Catalogue) -> None:
    a = add_photo(any_cat, "a")
    verdicts.add(any_cat, [keep("dedup", a)])
    (first,) = verdicts.add(any_cat, [keep("photos", a)])
    (second,) = verdicts.add(any_cat, [Verdict("photos", a, "relabel", "ann", expression="sad")])
    assert photos.labels(any_cat)[a].expression == "sad"
    verdicts.undo(any_cat, [second], "bob")
    assert photos.labels(any_cat)[a].expression == "happy"
    with pytest.raises(UsageError, match="cannot be undone"):
        verdicts.undo(any_cat, [second], "bob")
    verdicts.undo(any_cat, [first], "ann")
    assert len(photos.awaiting_review(any_cat)) == 1
    assert len(verdicts.log(any_cat)) == 5  # rows are only ever added


def test_a_face_takes_its_label_from_its_photo_until_it_is_relabelled(any_cat: Catalogue) -> None:
    a = add_photo(any_cat, "a")
    verdicts.add(any_cat, [keep("dedup", a), keep("photos", a)])
    face = Face("f1", a, "s1", 0, 1.0, 2.0, 50.0, 60.0, 0.99, landmarks={}, crop={}, hints={})
    faces.add(any_cat, [face], [keep("crop", a, face="f1", settings="s1")])
    assert [r.expression for r in faces.awaiting_review(any_cat, "s1")] == ["happy"]
    verdicts.add(any_cat, [Verdict("faces", a, "relabel", "ann", "f1", "s1", expression="fear")])
    assert faces.awaiting_review(any_cat, "s1") == []
    assert [r.expression for r in faces.accepted_with_labels(any_cat, "s1")] == ["fear"]
    verdicts.add(any_cat, [Verdict("photos", a, "drop", "ann", reason="text")])
    assert faces.accepted_with_labels(any_cat, "s1") == []  # a face goes with its photo


def test_a_release_is_recorded_once(any_cat: Catalogue) -> None:
    chosen = [ReleasedFace("f1", "sad/sad-001.png", "sad")]
    for _ in range(2):
        releases.add(any_cat, "btfer-1", "1", {}, chosen)
    newest = releases.newest(any_cat)
    assert newest is not None
    assert newest.name == "btfer-1"
    assert len(releases.with_face(any_cat, "f1")) == len(releases.faces_in(any_cat, "btfer-1")) == 1


def test_three_writers_at_once_lose_nothing(any_cat: Catalogue) -> None:
    a = add_photo(any_cat, "a")
    failures: list[Exception] = []

    def write(reviewer: str) -> None:
        try:
            for _ in range(20):
                verdicts.add(any_cat, [Verdict("photos", a, "keep", reviewer)])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(verdicts.log(any_cat)) == 60


def test_a_transaction_that_fails_leaves_nothing(any_cat: Catalogue) -> None:
    a = add_photo(any_cat, "a")
    with pytest.raises(CatalogueError):
        verdicts.add(any_cat, [keep("photos", a), keep("photos", "no such photo")])
    assert verdicts.log(any_cat) == []


def test_a_folder_with_a_question_mark_holds_its_own_catalogue(tmp_path: Path) -> None:
    folder = tmp_path / "really? a=b&c #1 %20"
    url = Settings(data_dir=folder).catalogue_url
    open_catalogue(url).close()
    assert (folder / "catalogue.db").is_file()
    assert [one.name for one in tmp_path.iterdir()] == [folder.name]
    open_catalogue(url, must_exist=True).close()


def test_read_then_write_by_two_processes_never_fails(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    open_catalogue(url).close()
    code = f"""
from btfer.catalogue import open_catalogue
import sqlalchemy as sa
cat = open_catalogue({url!r})
for i in range(100):
    with cat.write() as c:
        n = c.execute(sa.text("select count(*) from release")).scalar()
        c.execute(sa.text("insert into release values (:n, '', '{{}}', '')"), {{"n": f"r{{n}}"}})
"""
    runs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    with sqlite3.connect(tmp_path / "c.db") as connection:
        assert connection.execute("select count(*) from release").fetchone() == (300,)


@pytest.mark.reliability("newer schema")
def test_a_newer_catalogue_is_refused_and_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    cat = open_catalogue(url)
    with cat.write() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(CatalogueError, match=r"version 9999.*upgrade btfer"):
        open_catalogue(url)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "c.db") as connection:
        connection.execute("create table cookies (x)")
    with pytest.raises(CatalogueError, match=r"not a btfer catalogue.*cookies"):
        open_catalogue(f"sqlite:///{tmp_path / 'c.db'}")


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "http://x"])
def test_a_url_that_is_none_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        open_catalogue(url)


def test_a_file_that_is_no_database_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_bytes(b"hello" * 1000)
    with pytest.raises(CatalogueError, match="not a database"):
        open_catalogue(f"sqlite:///{tmp_path / 'c.db'}")


def test_a_label_that_comes_later_counts(any_cat: Catalogue) -> None:
    a = add_photo(any_cat, "a", Query("import"))
    assert photos.labels(any_cat)[a].expression == photos.UNLABELLED
    add_photo(any_cat, "a", SAD)
    assert photos.labels(any_cat)[a].expression == "sad"


def test_an_answered_search_is_remembered_with_what_was_asked(any_cat: Catalogue) -> None:
    journal.add_found(any_cat, HAPPY, [])
    assert journal.searched(any_cat, "bing") == {}
    for per_query in (100, 20):
        journal.add_search(any_cat, HAPPY, "bing", per_query=per_query, found=3)
    assert journal.searched(any_cat, "bing") == {HAPPY.id: 100}
    assert journal.searched(any_cat, "commons") == {}


def test_what_is_done_together_is_one_step_and_sees_itself(any_cat: Catalogue) -> None:
    with any_cat.together() as at_once:
        withdrawals.add(at_once, ["https://a.example/1.png"])
        assert withdrawals.count(at_once) == 1

    def half() -> None:
        with any_cat.together() as at_once, at_once.together() as inner:
            withdrawals.add(at_once, ["https://a.example/2.png"])
            assert withdrawals.count(inner) == 2
            raise UsageError("between")

    with pytest.raises(UsageError, match="between"):
        half()
    assert withdrawals.count(any_cat) == 1


def test_a_catalogue_that_was_upgraded_while_it_was_open_is_written_no_more(
    any_cat: Catalogue,
) -> None:
    with any_cat.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CatalogueError, match="was upgraded to version 9999 while it was open"):
        withdrawals.add(any_cat, ["https://a.example/1.png"])
    with pytest.raises(CatalogueError, match="start the new btfer"):
        any_cat.check()
    assert withdrawals.count(any_cat) == 0


@pytest.mark.parametrize("again", [True, False], ids=["replaced", "deleted"])
def test_nothing_is_written_into_a_file_that_is_no_more_in_its_place(
    tmp_path: Path, again: bool
) -> None:
    file = tmp_path / "catalogue.db"
    cat = open_catalogue(f"sqlite:///{file}")
    withdrawals.add(cat, ["https://a.example/1.png"])
    file.rename(tmp_path / "moved.db")
    if again:
        open_catalogue(f"sqlite:///{file}").close()
    with pytest.raises(CatalogueError, match="was replaced or deleted while it was open"):
        withdrawals.add(cat, ["https://a.example/2.png"])
    with pytest.raises(CatalogueError, match="replaced or deleted"):
        cat.check()
