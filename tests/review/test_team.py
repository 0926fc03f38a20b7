"""Several people on one queue: leases, blind second votes, disputes, and verdicts that are merged."""

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from btfer import review
from btfer.catalogue import Catalogue, verdicts, votes
from btfer.catalogue.verdicts import Verdict
from btfer.errors import UsageError
from btfer.review import Judged, Queue, queues
from tests.drawn_catalogue import DIGEST, label_of, make


@pytest.fixture
def photos(tmp_path: Path) -> tuple[Catalogue, list[str]]:
    return make(tmp_path, 8)


def shown(page: review.Page) -> list[str]:
    return [item.id for item in page.items]


def judge(cat: Catalogue, who: str, ids: list[str], **said: str) -> review.Committed:
    return review.commit(cat, "photos", [Judged(id_, **said) for id_ in ids], who)


def exported(cat: Catalogue) -> list[dict]:
    return [one.to_csv() for one in review.export_verdicts(cat)]


def current(cat: Catalogue, round_: str = "photos") -> dict[str, tuple[str, str]]:
    held = verdicts.current_in(cat, round_)
    return {row.face or row.photo: (row.decision, row.expression) for row in held}


def test_two_people_never_have_the_same_page_before_them(photos) -> None:
    cat, ids = photos
    ann, ben = Queue(cat, "photos", "ann"), Queue(cat, "photos", "ben")
    assert shown(ann.page(3)) == ids[:3]
    assert shown(ben.page(3)) == ids[3:6]
    assert shown(ann.page(3)) == ids[:3]  # a look at the own page changes nothing
    judge(cat, "ann", ids[:3])
    assert shown(ann.page(3)) == ids[6:]
    assert shown(ben.page(3)) == ids[3:6]


def test_a_lease_that_ran_out_lets_others_in_and_a_late_page_still_counts_once(
    photos, monkeypatch
) -> None:
    cat, ids = photos
    monkeypatch.setattr(queues, "LEASE_MINUTES", -1.0)
    assert shown(Queue(cat, "photos", "ann").page(8)) == ids
    assert shown(Queue(cat, "photos", "ben").page(8)) == ids
    assert judge(cat, "ben", ids[:2]) == review.Committed(2, 0)
    assert judge(cat, "ann", ids[:3]) == review.Committed(1, 2)


def test_a_smaller_page_and_another_class_let_the_rest_go(photos) -> None:
    cat, ids = photos
    ann, ben = Queue(cat, "photos", "ann"), Queue(cat, "photos", "ben")
    ann.page(8)
    assert shown(ben.page(8)) == []
    assert shown(ann.page(2)) == ids[:2]
    assert shown(ben.page(8)) == ids[2:]
    assert shown(ann.page(8, label=label_of(1))) == [ids[1]]


def test_a_page_that_was_taken_back_comes_first_again_also_after_a_restart(photos) -> None:
    cat, ids = photos
    ann = Queue(cat, "photos", "ann")
    ann.page(2)
    judge(cat, "ann", ids[:2])
    ann.page(2)
    judge(cat, "ann", ids[2:4])
    assert shown(ann.page(2)) == ids[4:6]
    back = [one.id for one in review.undo_last(cat, "ann", "photos")]
    assert shown(ann.page(2)) == back == ids[2:4]
    assert shown(Queue(cat, "photos", "ann").page(2)) == back
    assert not set(shown(Queue(cat, "photos", "ben").page(8))) & set(back)


def test_the_number_that_awaits_counts_down(photos) -> None:
    cat, ids = photos
    ann = Queue(cat, "photos", "ann")
    assert ann.page(3).awaiting == 8
    judge(cat, "ann", ids[:3])
    assert ann.page(3).awaiting == 5
    assert ann.page(3, label=label_of(3)).awaiting == 1


def test_what_a_stage_lets_in_later_is_seen_without_a_restart(photos, tmp_path: Path) -> None:
    cat, ids = photos
    ann = Queue(cat, "photos", "ann")
    judge(cat, "ann", ids)
    assert shown(ann.page(3)) == []
    verdicts.add(cat, [Verdict("dedup", ids[0], "drop", "dedup", reason="duplicate")])
    _, more = make(tmp_path, 9)
    assert shown(ann.page(3)) == more[8:]


def test_a_second_vote_is_asked_of_another_person_who_sees_nothing_of_the_first(photos) -> None:
    cat, ids = photos
    review.plan(cat, 2)
    ann, ben = Queue(cat, "photos", "ann"), Queue(cat, "photos", "ben")
    assert shown(ann.page(8)) == shown(ben.page(8)) == ids
    assert shown(Queue(cat, "photos", "cleo").page(8)) == []  # two have each before them
    assert judge(cat, "ann", ids, decision="relabel", expression="sad") == review.Committed(8, 0)
    assert current(cat) == {}
    assert {item.label for item in ben.page(8).items} == {label_of(n) for n in range(7)}
    assert shown(ann.page(8)) == []
    assert judge(cat, "ann", ids[:1]) == review.Committed(0, 1)  # nobody votes twice
    judge(cat, "ben", ids[:4], decision="relabel", expression="sad")
    assert current(cat) == {
        id_: ("relabel", "sad") if label_of(n) != "sad" else ("keep", "")
        for n, id_ in enumerate(ids[:4])
    }


def test_votes_that_differ_wait_for_the_last_word(photos) -> None:
    cat, ids = photos
    review.plan(cat, 2)
    judge(cat, "ann", ids[:3])
    judge(cat, "ben", ids[:1], decision="drop", reason="text")
    judge(cat, "ben", ids[1:2], decision="drop", reason="drawing")
    judge(cat, "ben", ids[2:3])
    assert set(current(cat)) == {ids[2]}
    assert votes.count_disputes(cat, "photos") == 2
    assert [
        (one.item.id, [v.verdict for v in one.votes]) for one in review.disputes(cat, "photos")
    ] == [
        (ids[0], ["keep", "drop: text"]),
        (ids[1], ["keep", "drop: drawing"]),
    ]
    last = [Judged(ids[0], "drop", "text"), Judged(ids[2], "drop", "text")]
    assert review.settle(cat, "photos", last, "cleo") == review.Committed(
        1, 1
    )  # one was no dispute
    assert current(cat) == {ids[0]: ("drop", ""), ids[2]: ("keep", "")}
    assert judge(cat, "dan", ids[:1]) == review.Committed(0, 1)
    review.undo_last(cat, "cleo", "photos")
    assert votes.count_disputes(cat, "photos") == 2


def test_two_who_drop_for_different_reasons_agree(photos) -> None:
    cat, ids = photos
    review.plan(cat, 2)
    judge(cat, "ann", ids[:1], decision="drop", reason="text")
    judge(cat, "ben", ids[:1], decision="drop", reason="drawing")
    assert votes.count_disputes(cat, "photos") == 0
    [row] = verdicts.current_in(cat, "photos")
    assert (row.decision, row.reason, row.reviewer) == ("drop", "text", "ann")


def test_nothing_is_in_dispute_before_all_votes_are_in(photos) -> None:
    cat, ids = photos
    review.plan(cat, 3)
    judge(cat, "ann", ids[:1])
    judge(cat, "ben", ids[:1], decision="drop", reason="text")
    assert votes.count_disputes(cat, "photos") == 0
    assert shown(Queue(cat, "photos", "cleo").page(1)) == ids[:1]
    judge(cat, "cleo", ids[:1])
    assert votes.count_disputes(cat, "photos") == 1


def test_fewer_votes_asked_for_later_let_single_votes_hold(photos) -> None:
    cat, ids = photos
    review.plan(cat, 2)
    judge(cat, "ann", ids[:2])
    review.plan(cat, 1)
    assert set(current(cat)) == set(ids[:2])
    with pytest.raises(UsageError, match="a number from 1 to 9"):
        review.plan(cat, 0)


def test_a_withdrawal_holds_over_votes_and_ends_them(photos) -> None:
    cat, ids = photos
    review.plan(cat, 2)
    gone = Verdict("photos", ids[0], "drop", "withdrawal", reason="do-not-use", final=True)
    verdicts.add(cat, [gone])
    assert current(cat) == {ids[0]: ("drop", "")}
    assert judge(cat, "ann", ids[:1]) == review.Committed(0, 1)
    assert ids[0] not in shown(Queue(cat, "photos", "ann").page(8))


def test_a_face_whose_photo_was_dropped_meanwhile_takes_no_vote(tmp_path: Path) -> None:
    cat, _ = make(tmp_path, 3, with_faces=True)
    page = Queue(cat, "faces", "ann", DIGEST).page(3)
    judge(cat, "ben", [page.items[0].photo], decision="drop", reason="non-human")
    done = review.commit(cat, "faces", [Judged(id_) for id_ in shown(page)], "ann")
    assert done == review.Committed(2, 1)


def test_people_who_judged_apart_are_in_dispute_after_a_merge(tmp_path: Path) -> None:
    here, ids = make(tmp_path / "here", 3)
    there, _ = make(tmp_path / "there", 3)
    judge(here, "ann", ids)
    judge(there, "ben", ids[:1], decision="drop", reason="text")
    judge(there, "ben", ids[1:])
    done = review.import_verdicts(here, exported(there), "import")
    assert done == review.Imported(3, 0, 0)
    assert votes.count_disputes(here, "photos") == 1
    assert set(current(here)) == set(ids[1:])


def test_what_was_taken_back_there_is_taken_back_here(tmp_path: Path) -> None:
    here, ids = make(tmp_path / "here", 2)
    there, _ = make(tmp_path / "there", 2)
    judge(there, "ben", ids)
    review.import_verdicts(here, exported(there), "import")
    review.undo_last(there, "ben", "photos")
    judge(there, "ben", ids[:1], decision="drop", reason="text")
    done = review.import_verdicts(here, exported(there), "import")
    assert done == review.Imported(1, 2, 0, taken_back=2)
    assert current(here) == current(there) == {ids[0]: ("drop", "")}


ACTS = st.lists(
    st.tuples(
        st.sampled_from("ab"),  # whose machine
        st.sampled_from(["keep", "drop", "relabel", "undo", "settle"]),
        st.integers(0, 2),
    ),
    max_size=10,
)


@pytest.mark.slow
@given(acts=ACTS, seed=st.integers(0, 9))
@hypothesis_settings(max_examples=15)
def test_merging_in_any_order_ends_the_same_and_loses_nothing(
    tmp_path_factory, acts, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    machines = {name: make(folder / name, 3)[0] for name in "ab"}
    ids = make(folder / "a", 3)[1]
    said = {"keep": {}, "drop": {"reason": "text"}, "relabel": {"expression": "surprise"}}
    for name, kind, n in acts:
        if kind == "undo":
            review.undo_last(machines[name], name, "photos")
        elif kind == "settle":
            review.settle(machines[name], "photos", [Judged(ids[n])], name)
        else:
            review.commit(machines[name], "photos", [Judged(ids[n], kind, **said[kind])], name)
    told = {name: exported(cat) for name, cat in machines.items()}
    fresh = [make(folder / f"fresh{n}", 3)[0] for n in range(2)]
    for cat, order in zip(fresh, itertools.permutations("ab"), strict=True):
        for name in (*order, *order):
            rows = list(told[name])
            random.Random(seed).shuffle(rows)
            review.import_verdicts(cat, rows, "import")
    assert current(fresh[0]) == current(fresh[1])
    uids = [{one.uid for one in review.export_verdicts(cat)} for cat in fresh]
    assert uids[0] == uids[1] == {row["uid"] for rows in told.values() for row in rows}
    for cat in (*machines.values(), *fresh):
        cat.close()


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sampled_from("abc"), st.integers(1, 3)),
        st.tuples(st.just("undo"), st.sampled_from("abc"), st.just(0)),
        st.tuples(st.just("expire"), st.just("a"), st.just(0)),
        st.tuples(st.just("crash"), st.sampled_from("abc"), st.just(0)),
    ),
    max_size=16,
)


@pytest.mark.slow
@given(moves=MOVES, people=st.integers(1, 2))
@hypothesis_settings(max_examples=15)
def test_no_interleaving_of_pages_undos_expiry_and_crashes_skips_or_doubles(
    tmp_path_factory, moves, people: int
) -> None:
    """Each picture gets exactly the votes it needs, no two of one person, once all have worked to the end."""
    cat, ids = make(tmp_path_factory.mktemp("moves"), 4)
    review.plan(cat, people)
    open_queues = {who: Queue(cat, "photos", who) for who in "abc"}
    for kind, who, size in moves:
        if kind == "commit":
            page = shown(open_queues[who].page(size))
            judge(cat, who, page)
        elif kind == "undo":
            review.undo_last(cat, who, "photos")
        elif kind == "expire":
            for other in "abc":
                votes.lease_only(cat, "photos", [], other, minutes=0)
        else:
            open_queues[who] = Queue(cat, "photos", who)
        given = [(row.photo, row.reviewer) for row in verdicts.votes(cat, "photos")]
        assert len(given) == len(set(given))
        assert all(sum(p == id_ for p, _ in given) <= people for id_ in ids)
    for who in "abcabc":
        votes.lease_only(cat, "photos", [], "abc"["abc".index(who) - 1], minutes=0)
        while page := shown(open_queues[who].page(3)):
            judge(cat, who, page)
    given = [row.photo for row in verdicts.votes(cat, "photos")]
    assert sorted(given) == sorted(ids * people)
    cat.close()


def test_the_log_hides_the_votes_of_others_until_all_are_in(photos) -> None:
    cat, ids = photos
    review.plan(cat, 2)
    judge(cat, "ann", ids[:2])
    judge(cat, "ben", ids[1:3])
    seen = {(row.photo, row.reviewer) for row in review.visible_log(cat, "ann", limit=99)}
    assert seen == {(ids[0], "ann"), (ids[1], "ann"), (ids[1], "ben")}
    assert len(review.visible_log(cat, "ann", limit=1)) <= 1
    review.plan(cat, 1)
    assert len(review.visible_log(cat, "ann", limit=99)) == 4
