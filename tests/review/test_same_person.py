"""Faces of one person together: the order, and that nothing of what a network makes of a face is kept for long."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from btfer import review
from btfer.catalogue import Catalogue
from btfer.faces.identity import choose_embedder, person_of_each, together
from btfer.pipeline.forget import forget
from btfer.pipeline.withdraw import withdraw
from btfer.review import Judged, SamePerson
from btfer.settings import Settings
from tests.drawn_catalogue import DIGEST, make, show_people
from tests.faces.test_identity import network_file


def test_people_who_are_there_often_come_first_and_others_as_they_came() -> None:
    person = {"a": 1, "b": 2, "c": 1, "d": 3, "e": 2, "f": 2, "h": 4}
    assert together("habcdefg", person) == [*"bef", *"ac", *"hdg"]
    assert together("", {}) == []


def test_a_chain_of_look_alikes_is_no_person() -> None:
    places = {str(n): np.array([0.9 * n], np.float32) for n in range(6)}
    person = person_of_each(places, 1.0)
    assert person["0"] != person["5"]
    near = {"a": np.array([0.0], np.float32), "b": np.array([0.9], np.float32)}
    assert len(set(person_of_each(near, 1.0).values())) == 1
    assert person_of_each({"a": near["a"]}, 1.0) == {"a": 1}
    assert person_of_each({}, 1.0) == {}


Drawn = tuple[Catalogue, Settings, list[str]]


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    """Faces of three people, in turn, and a network that tells them apart."""
    cat, ids = make(tmp_path, 9, with_faces=True)
    ids = sorted(ids)
    show_people(cat, tmp_path, {id_: n % 3 for n, id_ in enumerate(ids)})
    network = network_file(tmp_path / "own.onnx")
    settings = Settings(
        data_dir=tmp_path, face_embedder=str(network), max_person_distance=0.05, engine="serial"
    )
    return cat, settings, ids


@pytest.fixture
def people(drawn: Drawn) -> Iterator[SamePerson]:
    cat, settings, _ = drawn
    made = SamePerson(cat, settings, choose_embedder(settings.face_embedder), looks_every_s=0.05)
    yield made
    made.end()


def await_true(holds: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_faces_are_compared_in_the_background_and_stand_by_person(
    drawn: Drawn, people: SamePerson
) -> None:
    cat, settings, ids = drawn
    before = set(settings.data_dir.rglob("*"))
    queue = review.Queue(cat, "faces", "ann", DIGEST)
    waiting = queue.awaiting()
    assert sorted(waiting) == ids
    assert people.ask("all", waiting).order == ()  # it is not waited for
    await_true(lambda: people.progress("all").order)
    now = people.progress("all")
    assert (now.done, now.total, now.error) == (9, 9, "")
    assert sorted(now.order) == ids
    person = {id_: n % 3 for n, id_ in enumerate(ids)}
    shown = [one.id for one in queue.page(9, window="a", first=now.order).items]
    assert shown == list(now.order)
    assert [person[one] for one in shown] == [person[one] for one in shown[::3] for _ in range(3)]
    assert set(settings.data_dir.rglob("*")) - before == set()
    assert people.ask("some", waiting[:4]).done == 4  # nothing is measured twice


def test_what_a_window_shows_stays_where_it_is(drawn: Drawn) -> None:
    cat, _, ids = drawn
    queue = review.Queue(cat, "faces", "ann", DIGEST)
    shown = [one.id for one in queue.page(3, window="a").items]
    rest = [one for one in ids if one not in shown]
    first = [*rest[:2], shown[2], rest[2], shown[0], *rest[3:], shown[1]]
    again = queue.page(3, window="a", first=first).items
    assert [one.id for one in again] == shown
    review.commit(cat, "faces", [Judged(one) for one in shown], "ann")
    after = [one.id for one in queue.page(3, window="a", first=first).items]
    assert after == [one for one in first if one not in shown][:3]
    queue.put_back("a")
    backwards = [*reversed(rest)]
    assert [one.id for one in queue.page(3, window="a", first=backwards).items] == backwards[:3]


@pytest.mark.parametrize("how", ["forget", "withdraw"])
def test_what_is_forgotten_or_withdrawn_is_dropped_at_once(
    drawn: Drawn, people: SamePerson, how: str
) -> None:
    cat, settings, ids = drawn
    people.ask("all", ids)
    await_true(lambda: people.progress("all").order)
    victim = ids[4]
    if how == "forget":
        forget(cat, settings, [victim])
    else:
        withdraw(cat, [victim])
    await_true(lambda: people.progress("all").total < 9)
    assert victim not in people.held_faces()
    assert victim not in people.progress("all").order
    assert people.progress("all").total == 8


def test_what_is_forgotten_is_dropped_though_a_reader_keeps_the_erasure_open(
    drawn: Drawn, people: SamePerson
) -> None:
    cat, settings, ids = drawn
    people.ask("all", ids)
    await_true(lambda: people.progress("all").order)
    with cat.read():
        assert forget(cat, settings, [ids[4]], wait_s=0).left
    await_true(lambda: people.progress("all").total < 9)
    assert ids[4] not in people.held_faces()


def test_when_nobody_looks_all_is_dropped(drawn: Drawn, people: SamePerson) -> None:
    people.ask("all", drawn[2])
    await_true(lambda: people.progress("all").order)
    people.kept_s = 0.0
    await_true(lambda: not people.held_faces())
    assert people.progress("all").total == 0
    people.kept_s = 60.0
    people.ask("all", drawn[2])
    await_true(lambda: people.progress("all").order)


def test_a_network_that_fails_is_a_sentence_and_can_be_tried_again(
    drawn: Drawn, people: SamePerson
) -> None:
    _, settings, ids = drawn
    network = Path(settings.face_embedder)
    content = network.read_bytes()
    network.write_bytes(b"no network")
    people.ask("all", ids)
    await_true(lambda: people.progress("all").error)
    assert "own.onnx" in people.progress("all").error
    network.write_bytes(content)
    assert people.ask("all", ids).error
    people.ask("all", ids, again=True)
    await_true(lambda: people.progress("all").order)


def test_only_so_many_are_compared_and_then_the_next(
    drawn: Drawn, people: SamePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btfer.review.same_person.MOST", 4)
    ids = drawn[2]
    assert people.ask("all", ids).total == 4
    await_true(lambda: people.progress("all").order)
    assert set(people.ask("all", ids[3:]).order) == set(ids[:4])  # one of these awaits still
    assert people.ask("all", ids[4:]).total == 4
    await_true(lambda: set(people.progress("all").order) == set(ids[4:8]))
    assert set(people.held_faces()) == set(ids[4:8])
