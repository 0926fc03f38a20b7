"""What was judged can be judged anew, by whom it may concern, and everything stays in the log."""

from pathlib import Path

import pytest

from btfer import review
from btfer.catalogue import Catalogue, verdicts
from btfer.errors import UsageError
from btfer.review import Committed, Judged, LogFilter, log
from tests.drawn_catalogue import add_face, add_photo, make


def held(cat: Catalogue, round_: str = "photos") -> dict[str, tuple[str, str, str]]:
    rows = verdicts.current_in(cat, round_)
    return {r.face or r.photo: (r.decision, r.reason or r.expression, r.reviewer) for r in rows}


def test_a_verdict_is_judged_anew_and_the_old_one_stays_in_the_log(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 2)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    newest = review.visible_log(cat, "ben", limit=1)[0]
    done = review.judge_anew(cat, [Judged(str(newest.id), "drop", "text")], "ben")
    assert done == Committed(1, 0)
    assert held(cat) == {ids[0]: ("keep", "", "ann"), ids[1]: ("drop", "text", "ben")}
    log = [(row.decision, row.reviewer) for row in review.visible_log(cat, "ben", limit=9)]
    assert log == [("drop", "ben"), ("undo", "ben"), ("keep", "ann"), ("keep", "ann")]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Judged("x", "drop", "text"), "no verdict 'x'"),
        (Judged("999", "drop", "text"), "no verdict '999'"),
        (Judged("", "drop", "ugly"), "unknown drop reason"),
    ],
    ids=["no number", "unknown", "reason"],
)
def test_one_bad_judgement_leaves_all_as_it_was(tmp_path: Path, bad: Judged, said: str) -> None:
    cat, ids = make(tmp_path, 2)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    rows = review.visible_log(cat, "ann", limit=2)
    before = held(cat)
    bad = Judged(bad.id or str(rows[0].id), bad.decision, bad.reason)
    with pytest.raises(UsageError, match=said):
        review.judge_anew(cat, [Judged(str(rows[1].id), "drop", "text"), bad], "ben")
    assert held(cat) == before


def test_an_unlabelled_face_is_not_kept_in_the_log_either(tmp_path: Path) -> None:
    cat, _ = make(tmp_path, 0)
    face = add_face(cat, tmp_path, add_photo(cat, tmp_path, 1, label=""))
    review.commit(cat, "faces", [Judged(face, "drop", "cut off")], "ann")
    [row] = review.visible_log(cat, "ann", limit=1)
    with pytest.raises(UsageError, match="has no label"):
        review.judge_anew(cat, [Judged(str(row.id))], "ann")
    assert held(cat, "faces")[face][0] == "drop"


def test_a_final_drop_holds_over_votes_and_can_be_taken_back(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 2)
    review.plan(cat, 2)
    for who in ("ann", "ben"):
        review.commit(cat, "photos", [Judged(one) for one in ids], who)
    drop = [Judged(ids[0], "drop", "no face"), Judged("no such photo", "drop", "no face")]
    assert review.decide(cat, "photos", drop, "cleo") == 1
    assert held(cat)[ids[0]] == ("drop", "no face", "cleo")
    review.undo_last(cat, "cleo", "photos")
    assert held(cat)[ids[0]][0] == "keep"


def test_the_log_is_chosen_by_who_what_when_and_class_over_all_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, ids = make(tmp_path, 9)
    monkeypatch.setattr(log, "_AT_ONCE", 2)  # what is looked for may lie far below
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text", note="a sign")], "ann")
    review.commit(cat, "photos", [Judged(one) for one in ids[1:]], "ben")
    today = verdicts.log(cat)[0].at[:10]

    def shown(**chosen: str) -> list[str]:
        found = review.visible_log(cat, "dora", limit=20, chosen=LogFilter(**chosen))
        return [row.photo for row in found]

    assert shown() == [*reversed(ids)]
    assert shown(by="ann") == shown(verdict="text") == shown(verdict="with a note") == ids[:1]
    assert shown(label="angry") == [ids[7], ids[0]]
    assert shown(label="angry", by="ben", day=today, find="7.png") == [ids[7]]
    assert shown(day="2001-01-01") == shown(round="faces") == shown(by="an%") == []
    counts = review.log_choices(cat, "dora", LogFilter(by="ben"))
    assert counts["by"] == {"ben": 8, "ann": 1}
    assert counts["verdict"] == {"unsure": 0, "with a note": 0, "keep": 8}
    assert counts["day"] == {today: 8}


def test_who_is_asked_for_a_second_vote_does_not_see_the_first_in_the_log(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 2)
    review.commit(cat, "photos", [Judged(ids[0], unsure=True, note="why?"), Judged(ids[1])], "ann")
    assert [row.photo for row in review.visible_log(cat, "ben", limit=9)] == ids[1:]
    review.commit(cat, "photos", [Judged(ids[0])], "ben")
    assert len(review.visible_log(cat, "ben", limit=9)) == 3
