"""The index in memory says what the catalogue says, however it came to what it holds; on both databases."""

import random
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from btfer import review
from btfer.catalogue import Catalogue, faces, journal, photos, verdicts
from btfer.catalogue.journal import Query, Sighting
from btfer.catalogue.rows import Face
from btfer.catalogue.verdicts import Verdict
from btfer.expressions import EXPRESSIONS
from btfer.review import Judged, badges
from btfer.review.filters import ALL, CHOICES, ORDERS, Filter, choices, matching, order_of
from btfer.review.index import ReviewIndex, shared
from btfer.review.rules import ROUNDS
from tests.catalogue.test_store import add_photo
from tests.drawn_catalogue import make

DIGEST = "0123abcd"


@pytest.fixture
def filled(any_cat: Catalogue) -> tuple[Catalogue, list[str]]:
    """Twelve photos that dedup kept, a face in each second one."""
    ids = [add_photo(any_cat, name) for name in "abcdefghijkl"]
    verdicts.add_all(any_cat, [Verdict("dedup", id_, "keep", "dedup") for id_ in ids])
    for id_ in ids[::2]:
        add_face(any_cat, id_)
    return any_cat, ids


def add_face(cat: Catalogue, photo: str) -> None:
    id_ = f"{photo[:24]}-{DIGEST}-0"
    face = Face(id_, photo, DIGEST, 0, 1.0, 1.0, 50.0, 60.0, 0.9, {}, {}, {})
    taken = [
        Verdict("crop", photo, "keep", "crop", settings=DIGEST),
        Verdict("crop", photo, "keep", "crop", face=id_, settings=DIGEST),
    ]
    faces.add(cat, [face], taken)


def told(index: ReviewIndex) -> tuple:
    """All that an index says, so that two can be compared."""
    index.refresh()
    asked = {(r, who): set(index.asks(r, who)) for r in ROUNDS for who in ("", "ann", "ben")}
    orders = {
        (r, order): matching(index, r, order_of(index, r, order), ALL)
        for r in ROUNDS
        for order in ORDERS
    }
    hints = {r: index.badges(r, list(index.awaiting[r])) for r in ROUNDS}
    counted = {key: n for key, n in index.counts.items() if n}
    return asked, orders, hints, counted


@pytest.mark.slow
@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_taken_in_step_by_step_is_what_is_read_at_once(
    filled: tuple[Catalogue, list[str]], people: int, seed: int
) -> None:
    cat, ids = filled
    review.plan(cat, people)
    rng, index = random.Random(seed), shared(cat, DIGEST)
    for _ in range(12):
        act(cat, ids, rng)
        assert told(index) == told(ReviewIndex(cat, DIGEST))
        in_catalogue = {row.sha256 for row in photos.awaiting_review(cat)}
        assert set(index.awaiting["photos"]) == in_catalogue
        of_faces = {one.id for one in faces.awaiting_review(cat, DIGEST)}
        assert set(index.awaiting["faces"]) == of_faces
        tallied = Counter({(one.expression, one.decision): one.n for one in photos.tally(cat)})
        counted = {key[1:]: n for key, n in index.counts.items() if key[0] == "photos" and n}
        assert counted == tallied


def act(cat: Catalogue, ids: list[str], rng: random.Random) -> None:
    """Something that people or stages do."""
    who, id_ = rng.choice(["ann", "ben"]), rng.choice(ids)
    kind = rng.choice(["keep", "drop", "relabel", "undo", "settle", "copy", "face", "judge face"])
    if kind == "undo":
        review.undo_last(cat, who, "photos")
    elif kind == "copy":
        keeper = rng.choice(ids)
        decision = Verdict("dedup", id_, "keep", "dedup")
        if keeper != id_:
            decision = Verdict("dedup", id_, "drop", "dedup", reason="duplicate", keeper=keeper)
        verdicts.add(cat, [decision])
    elif kind == "settle":
        review.settle(cat, "photos", [Judged(id_, "relabel", expression="fear")], "cleo")
    elif kind == "face":
        if not faces.of_photo(cat, id_):
            add_face(cat, id_)
    elif kind == "judge face":
        for one in faces.of_photo(cat, id_):
            review.commit(cat, "faces", [Judged(one.id, "relabel", expression="sad")], who)
    else:
        said = {"drop": {"reason": "text"}, "relabel": {"expression": "sad"}}.get(kind, {})
        review.commit(cat, "photos", [Judged(id_, kind, **said)], who)


def test_every_choice_is_counted_as_it_would_leave_pictures(
    filled: tuple[Catalogue, list[str]],
) -> None:
    cat, _ = filled
    add_photo(cat, "m")  # dedup has not seen it: it awaits nobody
    index = ReviewIndex(cat, DIGEST)
    index.refresh()
    for round_ in ROUNDS:
        for name, values in choices(index, round_, "ann", ALL).items():
            for value, n in values.items():
                chosen = Filter(**{name: value})
                found = matching(index, round_, order_of(index, round_, ORDERS[0]), chosen)
                assert len(found) == n, (round_, name, value)
    assert set(CHOICES) >= {"label", "hint", "source", "language", "group", "query", "size", "date"}
    page = review.Queue(cat, "photos", "ann", DIGEST).page(48, chosen=Filter(size="no such size"))
    assert page == review.Page([], 0)


def test_a_label_that_people_gave_is_the_label(filled: tuple[Catalogue, list[str]]) -> None:
    cat, ids = filled
    review.commit(cat, "photos", [Judged(ids[0], "relabel", expression="fear")], "ann")
    index = ReviewIndex(cat, DIGEST)
    index.refresh()
    assert index.label(ids[0]) == "fear"
    assert index.counts["photos", "fear", "relabel"] == 1
    assert [index.label(one) in EXPRESSIONS for one in ids] == [True] * len(ids)
    assert badges.CONFLICT not in index.badges("photos", ids).get(ids[1], ())


def test_a_conflict_of_labels_is_settled_by_who_judged_the_photo(
    filled: tuple[Catalogue, list[str]],
) -> None:
    cat, ids = filled
    for name in "ac":  # a sighting more, by a query of another class
        seen = Sighting(f"https://example.org/{name}.jpg", "bing", "", rank=1)
        journal.add_found(cat, Query("sad person", "sad", "en"), [seen])
    index = ReviewIndex(cat, DIGEST)
    index.refresh()
    both = index.badges("photos", ids[:3:2])
    assert [badges.CONFLICT in found for found in both.values()] == [True, True]
    review.commit(cat, "photos", [Judged(ids[0], "relabel", expression="sad")], "ann")
    index.refresh()
    faces_ = index.badges("faces", [f"{photo[:24]}-{DIGEST}-0" for photo in ids[:3:2]])
    assert [badges.CONFLICT in found for found in faces_.values()] == [False, True]


def test_imported_verdicts_are_counted_by_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btfer.catalogue.store.MANY", 2)
    cat, ids = make(tmp_path, 4)

    def known() -> list[str]:
        with cat.read() as connection:
            made = sa.text("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
            if not connection.execute(made).scalar():
                return []
            said = sa.text("SELECT DISTINCT tbl FROM sqlite_stat1")
            return list(connection.execute(said).scalars())

    review.import_verdicts(cat, [{"sha256": ids[0], "label": "happy"}], "ann")
    assert known() == []  # after little it is not worth the time
    review.import_verdicts(cat, [{"sha256": one, "label": "happy"} for one in ids], "ann")
    assert "verdict" in known()
