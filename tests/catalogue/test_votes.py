"""Votes, leases and disputes on both databases."""

import threading
from dataclasses import replace

import pytest

from btfer.catalogue import Catalogue, merging, photos, review_rows, verdicts, votes
from btfer.catalogue.merging import MergedVerdict
from btfer.catalogue.verdicts import Verdict
from btfer.catalogue.votes import ReviewSubject
from btfer.errors import UsageError
from tests.catalogue.test_store import add_photo


@pytest.fixture
def named(any_cat: Catalogue) -> list[str]:
    ids = [add_photo(any_cat, name) for name in "abcdef"]
    verdicts.add_all(any_cat, [Verdict("dedup", id_, "keep", "dedup") for id_ in ids])
    return ids


def vote(photo: str, who: str, decision: str = "keep", **more: str) -> Verdict:
    return Verdict("photos", photo, decision, who, **more)


def claim(cat: Catalogue, ids: list[str], who: str, size: int, minutes: float = 5) -> list[str]:
    wanted = [ReviewSubject(id_) for id_ in ids]
    got, _ = votes.claim(cat, "photos", wanted, who, size=size, minutes=minutes)
    return [one.photo for one in got]


def test_leases_keep_people_apart_until_they_run_out(any_cat: Catalogue, named: list[str]) -> None:
    assert claim(any_cat, named, "ann", 2) == named[:2]
    assert claim(any_cat, named, "ben", 2) == named[2:4]
    assert votes.leased_to(any_cat, "photos", "ann") == set(named[:2])
    assert claim(any_cat, named[:2], "ann", 2) == named[:2]  # they are the same person's still
    assert claim(any_cat, named, "ann", 2, minutes=-1) == named[:2]
    assert claim(any_cat, named, "cleo", 9) == [*named[:2], *named[4:]]


def test_a_claim_tells_what_awaits_this_person_no_more(
    any_cat: Catalogue, named: list[str]
) -> None:
    votes.add_open(any_cat, "photos", [vote(named[0], "ann")])
    wanted = [ReviewSubject(id_) for id_ in named]
    got, closed = votes.claim(any_cat, "photos", wanted, "ben", size=2, minutes=5)
    assert (got, closed) == (wanted[1:3], {wanted[0]})


def test_agreement_is_counted_over_each_persons_newest_vote(
    any_cat: Catalogue, named: list[str]
) -> None:
    votes.plan(any_cat, "photos", 2)
    a, b, c = named[:3]
    votes.add_open(any_cat, "photos", [vote(a, "ann", "drop", reason="text")])
    [slip] = verdicts.votes(any_cat, "photos")
    verdicts.undo(any_cat, [slip.id], "ann")
    given = [vote(a, "ann"), vote(a, "ben"), vote(b, "ann"), vote(c, "ann")]
    given += [vote(b, "ben", "relabel", expression="sad")]
    assert votes.add_open(any_cat, "photos", given) == 5
    held = verdicts.current_in(any_cat, "photos")
    assert [(row.photo, row.reviewer) for row in held] == [(a, "ann")]
    assert votes.count_disputes(any_cat, "photos") == 1
    assert {row.photo for row in votes.disputes(any_cat, "photos")} == {b}
    assert review_rows.disputed(any_cat, "photos") == {b}
    assert review_rows.disputed(any_cat, "photos", [a, c]) == set()
    who = {(vote.photo, vote.reviewer) for vote in review_rows.votes_on(any_cat, "photos", [a, c])}
    assert who == {(a, "ann"), (a, "ben"), (c, "ann")}
    assert [row.photo for row in verdicts.votes(any_cat, "photos")] == [a, a, b, c, b]


def test_the_last_word_holds_and_is_said_once(any_cat: Catalogue, named: list[str]) -> None:
    a = named[0]
    told = [MergedVerdict(vote(a, "ann"), "2026-05-17T10:00:00+00:00")]
    told += [MergedVerdict(vote(a, "ben", "drop", reason="text"), "2026-05-17T10:00:01+00:00")]
    assert merging.merge(any_cat, told) == (2, 0)
    final = vote(a, "cleo", "drop", reason="unclear", final=True)
    assert len(votes.settle(any_cat, "photos", [final])) == 1
    again = [vote(a, "dan", final=True), vote(a, "eve", final=True)]
    assert votes.settle(any_cat, "photos", again) == []
    [held] = verdicts.current_on(any_cat, "photos", [a])
    assert (held.reviewer, held.reason) == ("cleo", "unclear")


def test_a_merge_names_each_verdict_once_and_takes_back_once(
    any_cat: Catalogue, named: list[str]
) -> None:
    told = MergedVerdict(vote(named[0], "ann"), "2026-05-17T10:00:00+00:00")
    gone = replace(told, undone="2026-05-17T11:00:00+00:00", undone_by="ben")
    assert merging.merge(any_cat, [told]) == (1, 0)
    assert merging.merge(any_cat, [gone, told]) == (0, 1)
    assert merging.merge(any_cat, [told, gone]) == (0, 0)
    assert verdicts.current_in(any_cat, "photos") == []
    with pytest.raises(UsageError, match="cannot be undone"):
        verdicts.undo(any_cat, [verdicts.of_photo(any_cat, named[0])[1].id], "ann")


def test_two_who_commit_in_the_same_instant_judge_a_picture_once(
    any_cat: Catalogue, named: list[str]
) -> None:
    gate = threading.Barrier(4)
    written: list[int] = []

    def commit(who: str) -> None:
        gate.wait()
        written.append(votes.add_open(any_cat, "photos", [vote(id_, who) for id_ in named]))

    threads = [threading.Thread(target=commit, args=(who,)) for who in "wxyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(written) == len(named)
    assert len(verdicts.votes(any_cat, "photos")) == len(named)


def test_a_photo_is_described_as_all_of_them_are(any_cat: Catalogue, named: list[str]) -> None:
    votes.add_open(any_cat, "photos", [vote(named[0], "ann", "relabel", expression="sad")])
    every = photos.labels(any_cat)
    some = photos.described(any_cat, named[:2])
    assert {id_: row.expression for id_, row in some.items()} == {
        id_: every[id_].expression for id_ in named[:2]
    }
    assert photos.label_of_each(any_cat) == {id_: row.expression for id_, row in every.items()}
    counted = {(row.expression, row.decision): row.n for row in photos.tally(any_cat)}
    assert counted == {("sad", "relabel"): 1, ("happy", ""): 5}
    assert photos.count_by_class(any_cat) == {"sad": 1, "happy": 5}
