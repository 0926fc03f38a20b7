"""Why a picture is not a person's to judge any more is told as it is."""

from pathlib import Path

from btfer import review
from btfer.catalogue import Catalogue, erasure, faces, verdicts, votes, withdrawals
from btfer.catalogue import pairs as pair_rows
from btfer.catalogue.verdicts import Verdict
from btfer.paths import face_id
from btfer.pipeline.withdraw import withdraw
from btfer.review import Committed, Judged, left, pairs
from review_app import log, no_face, session
from tests.drawn_catalogue import DIGEST, make


def forget(cat: Catalogue, photo: str) -> None:
    """As `btfer forget` leaves it: on the list, and no row about it."""
    withdrawals.add(cat, [photo])
    erasure.erase(cat, [photo])


def test_each_way_out_of_a_page_has_its_own_words(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 8)
    forget(cat, ids[0])
    withdraw(cat, [ids[1]])
    copy = Verdict("dedup", ids[2], "drop", "dedup", reason="duplicate", keeper=ids[3], distance=2)
    verdicts.add(cat, [copy, Verdict("dedup", ids[3], "drop", "dedup", reason="too small")])
    review.commit(cat, "photos", [Judged(ids[4])], "ann")
    review.commit(cat, "photos", [Judged(ids[5])], "ben")
    votes.lease_only(cat, "photos", [ids[6]], "ben", minutes=20)
    votes.lease_only(cat, "photos", [ids[7]], "cleo", minutes=-1)  # it has ended
    unknown = "0" * 64
    assert review.why_left(cat, "photos", [*ids, unknown], "ann") == {
        ids[0]: left.FORGOTTEN,
        ids[1]: left.WITHDRAWN,
        ids[2]: left.COPY,
        ids[3]: left.DROPPED,
        ids[4]: left.YOURS,
        ids[5]: left.JUDGED,
        ids[6]: left.LEASED,
        ids[7]: left.WAITING,
        unknown: left.GONE,
    }
    assert left.in_words([left.COPY, left.LEASED, left.COPY]) == (
        "2 found to be a copy of another photo, 1 gone to other reviewers"
    )


def test_a_face_leaves_with_its_photo_or_by_the_crop_stage(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 4, with_faces=True)
    photos = [id_.split("-")[0] for id_ in ids]
    forget(cat, photos[0])
    review.commit(cat, "photos", [Judged(photos[1], "drop", "text")], "ben")
    verdicts.add(
        cat,
        [Verdict("crop", photos[2], "drop", "crop", ids[2], DIGEST, reason=faces.SAME_SHOT)],
    )
    found = review.why_left(cat, "faces", ids, "ann")
    assert [found[id_] for id_ in ids] == [
        left.GONE,
        left.DROPPED,
        left.DROPPED,
        left.WAITING,
    ]


def test_a_page_of_faces_is_saved_without_those_that_are_no_more(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 2, with_faces=True)
    gone = face_id(ids[0].split("-")[0], DIGEST, 0)  # as the crop stage calls it
    done = review.commit(cat, "faces", [Judged(gone), Judged(ids[1])], "ann")
    assert (done, dict(done.left)) == (Committed(1, 1), {left.GONE: 1})


def test_a_page_with_forgotten_pictures_is_saved_without_them_and_says_so(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 3)
    forget(cat, ids[0])
    review.commit(cat, "photos", [Judged(ids[1])], "ben")
    done = review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    assert done == Committed(1, 2)
    said = session.describe(done)
    assert said.startswith("1 judged; what was not open any more stays as it is: ")
    assert f"1 {left.FORGOTTEN}" in said
    assert f"1 {left.JUDGED}" in said


def test_the_log_and_no_face_say_what_was_forgotten_under_them(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 3)
    review.commit(cat, "photos", [Judged(one) for one in ids], "ann")
    rows = verdicts.log(cat, rounds=("photos",))
    said = [Verdict("crop", one, "drop", "crop", settings=DIGEST, reason="no face") for one in ids]
    verdicts.add(cat, said)
    forget(cat, rows[2].photo)
    page = [Judged(str(row.id), "drop", "text") for row in rows]
    assert log.judge_again(cat, page[1:], "ben") == f"1 judged. 1 {left.FORGOTTEN}."
    drops = [Judged(row.photo, "drop", "text") for row in (rows[0], rows[2])]
    assert no_face.drop(cat, drops, "ben") == (
        f"1 dropped; the page Log takes it back. 1 {left.FORGOTTEN}."
    )


def test_an_answer_is_about_the_pair_that_was_seen(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 4)
    ids.sort()
    pair_rows.draw(cat, [(ids[0], ids[1], 1.0), (ids[0], ids[2], 1.0)])
    first, second = pairs.waiting(cat)
    forget(cat, ids[2])
    pair_rows.ask(cat, [(ids[1], ids[3])])  # which may take the number of the one that is no more
    done = pairs.answer_named(cat, {first.name: True, second.name: True}, "ann")
    assert done == Committed(1, 1)
    assert done.left[left.FORGOTTEN] == 1
    assert [row.same for row in pair_rows.drawn(cat)] == [True]
    assert pair_rows.answered_to_dedup(cat) == {}
    assert pairs.answer_named(cat, {first.name: True}, "ann") == Committed(1, 0)  # it came twice
    assert pairs.answer_named(cat, {first.name: False}, "ben") == Committed(0, 1)
    assert pairs.answer_named(cat, {"": True, "9" * 40: True}, "ben") == Committed(0, 2)
