from pathlib import Path

import pytest

from btfer import review
from btfer.catalogue import Catalogue, releases
from btfer.catalogue.rows import ReleasedFace
from btfer.catalogue.verdicts import timestamp
from btfer.errors import UsageError
from btfer.review import Judged
from btfer.review.badges import DISAGREE
from btfer.review.queues import Queue, waiting
from tests.drawn_catalogue import DIGEST, make


def released(tmp_path: Path, n: int = 6) -> tuple[Catalogue, list[str], dict[str, str]]:
    """Faces that nobody has judged, all in a release; their ids, and each one's file."""
    cat, ids = make(tmp_path, n, with_faces=True)
    files = {id_: f"x/x-{place}.png" for place, id_ in enumerate(ids)}
    rows = [ReleasedFace(id_, file, "sad") for id_, file in files.items()]
    releases.add(cat, "r1", "0", {}, rows)
    return cat, ids, files


def mark(cat: Catalogue, files: list[str], **options: str) -> review.MarkedSuspects:
    return review.mark_suspects(
        cat, "r1", {f"images/{one}": 0.9 for one in files}, **{"at": timestamp()} | options
    )


def first(cat: Catalogue) -> list[tuple[str, bool]]:
    return [(one.subject.face, DISAGREE in one.badges) for one in waiting(cat, "faces", DIGEST)]


def test_doubted_faces_come_first_with_a_badge_and_no_verdict(tmp_path: Path) -> None:
    cat, ids, files = released(tmp_path)
    told = mark(cat, [files[ids[4]], files[ids[2]]])
    assert (told.awaiting, told.judged, told.gone) == (2, 0, 0)
    order = first(cat)
    assert {id_ for id_, _ in order[:2]} == {ids[4], ids[2]}
    assert [marked for _, marked in order] == [True] * 2 + [False] * 4
    page = Queue(cat, "faces", "ann", DIGEST).page(2)
    assert all(DISAGREE in item.badges for item in page.items)


def test_another_report_takes_the_mark_from_those_it_does_not_doubt(tmp_path: Path) -> None:
    cat, ids, files = released(tmp_path)
    mark(cat, [files[ids[4]]])
    mark(cat, [files[ids[1]]])
    assert [id_ for id_, marked in first(cat) if marked] == [ids[1]]
    mark(cat, [])
    assert not any(marked for _, marked in first(cat))


def test_judged_faces_come_back_only_when_a_person_says_so(tmp_path: Path) -> None:
    cat, ids, files = released(tmp_path)
    review.commit(cat, "faces", [Judged(id_) for id_ in ids], "ann")
    told = mark(cat, [files[ids[0]]])
    assert (told.awaiting, told.judged, told.reopened) == (0, 1, 0)
    assert first(cat) == []
    told = mark(cat, [files[ids[0]]], reopen_by="ben")
    assert told.reopened == 1
    assert first(cat) == [(ids[0], True)]
    undone = review.visible_log(cat, "ben", limit=1)[0]
    assert (undone.decision, undone.reviewer) == ("undo", "ben")


def test_what_was_judged_after_the_report_is_left_alone(tmp_path: Path) -> None:
    cat, ids, files = released(tmp_path)
    at = timestamp()
    review.commit(cat, "faces", [Judged(id_) for id_ in ids], "ann")
    told = mark(cat, [files[ids[0]]], at=at, reopen_by="ben")
    assert (told.again, told.reopened) == (1, 0)
    assert first(cat) == []


def test_a_release_or_a_face_that_is_not_known_is_told(tmp_path: Path) -> None:
    cat, _, _ = released(tmp_path)
    assert mark(cat, ["x/nothing.png"]).gone == 1
    with pytest.raises(UsageError, match="no release 'r2'"):
        review.mark_suspects(cat, "r2", {"images/x/x-0.png": 0.5}, at=timestamp())
