"""Writing a page of judgements, settling disputes, undoing, and labels that come with a dataset."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from btfer.catalogue import Catalogue, faces, photos, verdicts, votes
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.review_pages import PageFacts
from btfer.catalogue.rows import PhotoBox
from btfer.catalogue.verdicts import Verdict
from btfer.catalogue.votes import ReviewSubject
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.review import left
from btfer.review.exchange_rows import shortened
from btfer.review.iou import SAME_FACE_IOU, best_match
from btfer.review.queues import LEASE_MINUTES, queue
from btfer.review.rules import Judged, as_note, check_judged, check_reviewer, check_round

MAX_UNDO = 200  # a page is far smaller; an import is far larger and is no slip of a key


@dataclass(frozen=True)
class Committed:
    """How many judgements were written, and how many were of items that no longer awaited one.

    left: why not, and how many, in the words of `review.left`; empty where it is not known.
    """

    written: int
    skipped: int
    left: Mapping[str, int] = field(default_factory=dict, compare=False)


class TrueFace(NamedTuple):
    """A face that a dataset names: its photo (sha256), its box and its label."""

    photo: str
    box: PhotoBox
    label: str


def commit(
    cat: Catalogue,
    round_: str,
    judged: list[Judged],
    reviewer: str,
    *,
    page: str = "",
    facts: PageFacts | None = None,
) -> Committed:
    """Write one person's votes on a page in one transaction: all of them, or none.

    What awaits no vote of theirs (another person was quicker, the photo was dropped or forgotten meanwhile) is
    skipped and counted. page: names this sending; sent again under the same name, it is written once. facts:
    what else is known of the page. Raises UsageError for an unknown id, round, reason or class, an id named
    twice, or an unlabelled face that is kept as it is.
    """
    gone = left.gone(cat, round_, [one.id for one in judged])
    here = [one for one in judged if one.id not in gone]
    new = _named(_verdicts(cat, round_, here, reviewer), page)
    dropped = votes.dropped_meanwhile(
        cat, round_, [ReviewSubject(one.photo, one.face) for one in new]
    )
    open_ = [one for one in new if ReviewSubject(one.photo, one.face) not in dropped]
    written = votes.add_open(cat, round_, open_, facts)
    if written == len(judged):
        return Committed(written, 0)
    here_now = votes.known_uids(cat, [one.uid for one in new])
    late = [one.face or one.photo for one in new if one.uid not in here_now]
    why = left.why_left(cat, round_, [*gone, *late], reviewer)
    return Committed(written, len(judged) - written, Counter(why.values()))


def settle(
    cat: Catalogue, round_: str, judged: list[Judged], reviewer: str, *, page: str = ""
) -> Committed:
    """Write the last word on disputed pictures, over all votes.

    What is settled or forgotten already, and what this person has voted on, is skipped: a dispute is not settled by
    a side of it. page: as for `commit`. Raises UsageError as `commit`.
    """
    gone = left.gone(cat, round_, [one.id for one in judged])
    here = [one for one in judged if one.id not in gone]
    given = _named(_verdicts(cat, round_, here, reviewer), page)
    disputed = {ReviewSubject(row.photo, row.face) for row in votes.disputes(cat, round_)}
    sent_before = votes.known_uids(cat, [one.uid for one in given])
    open_ = [
        replace(one, final=True)
        for one in given
        if ReviewSubject(one.photo, one.face) in disputed or one.uid in sent_before
    ]
    written = len(votes.settle(cat, round_, open_))
    late = {left.GONE: len(gone), left.JUDGED: len(judged) - written - len(gone)}
    return Committed(written, len(judged) - written, late)


def recall(cat: Catalogue, round_: str, ids: Iterable[str], reviewer: str) -> int:
    """Lease those of these pictures to a reviewer that still await them and that nobody else has; how many.

    Their other leases end, so that these come first in their queue.
    """
    check_round(round_)
    reviewer = check_reviewer(reviewer)
    named = [str(one) for one in ids]
    if round_ == "photos":
        subjects = [ReviewSubject(one) for one in sorted(photos.known(cat, named))]
    else:
        subjects = [ReviewSubject(face.photo, face.id) for face in faces.by_id(cat, named).values()]
    gone = votes.dropped_meanwhile(cat, round_, subjects)
    open_ = [one for one in subjects if one not in gone]
    if not open_:
        return 0
    got, _ = votes.claim(cat, round_, open_, reviewer, size=len(open_), minutes=LEASE_MINUTES)
    return len(got)


def undo_last(cat: Catalogue, reviewer: str, round_: str) -> list[Judged]:
    """Undo the page that a reviewer committed last in a round, and return it; [] if there is none.

    Works on what the catalogue holds, so also after a restart; the page comes first in their queue again.
    Raises UsageError where the last batch is larger than any page, which only an import is.
    """
    check_round(round_)
    reviewer = check_reviewer(reviewer)
    with cat.together() as at_once:
        return _undo_last(at_once, reviewer, round_)


def _undo_last(cat: Catalogue, reviewer: str, round_: str) -> list[Judged]:
    rows = verdicts.last_batch(cat, round_, reviewer)
    if len(rows) > MAX_UNDO:
        raise UsageError(
            f"the last {len(rows):,} verdicts of {reviewer} came together: it is an import, not a page. "
            "Undo them on the page Log instead"
        )
    undo(cat, [row.id for row in rows], reviewer)
    judged = [
        Judged(
            row.face or row.photo, row.decision, row.reason, row.expression, row.note, row.unsure
        )
        for row in rows
    ]
    votes.lease_only(cat, round_, [one.id for one in judged], reviewer, minutes=LEASE_MINUTES)
    return judged


def undo(cat: Catalogue, ids: Iterable[int], reviewer: str) -> int:
    """Undo any verdicts by their ids; how many. Raises UsageError where one is unknown or undone already.

    A photo that dedup dropped is kept from then on: its next run would find the same copy again.
    """
    chosen, reviewer = set(ids), check_reviewer(reviewer)
    with cat.together() as at_once:
        copies = [row for row in verdicts.by_id(at_once, chosen) if row.reviewer == "dedup"]
        undone = verdicts.undo(at_once, chosen, reviewer)
        kept = [row.photo for row in copies if row.decision == "drop"]
        verdicts.add(at_once, [Verdict("dedup", photo, "keep", reviewer) for photo in kept])
    return len(undone)


def apply_labels_to_faces(
    cat: Catalogue,
    crop_digest: str,
    truth: Iterable[TrueFace],
    reviewer: str,
    *,
    min_iou: float = SAME_FACE_IOU,
) -> Committed:
    """Judge waiting faces by the faces that a dataset names.

    A face takes the label of the true face with the highest IoU (`min_iou` or more), and is
    dropped as `not a face` where there is none. Photos that `truth` does not name are left alone.
    """
    known: dict[str, list[tuple[PhotoBox, str]]] = defaultdict(list)
    for photo, box, label in truth:
        known[photo].append((box, parse_expression(label)))
    judged = []
    for item in queue(cat, "faces", crop_digest):
        if item.photo in known and item.box:
            match = best_match(item.box, known[item.photo], least=min_iou)
            judged.append(_labelled(item.id, match) if match else _no_face(item.id))
    return commit(cat, "faces", judged, reviewer)


def keep_single_faces(cat: Catalogue, crop_digest: str, reviewer: str) -> Committed:
    """Keep each waiting, labelled face that is the only one taken from its photo: it has the photo's label."""
    per_photo = Counter(face.photo for face in faces.accepted(cat, crop_digest))
    judged = [
        Judged(item.id)
        for item in queue(cat, "faces", crop_digest)
        if per_photo[item.photo] == 1 and item.label != UNLABELLED
    ]
    return commit(cat, "faces", judged, reviewer)


def _verdicts(cat: Catalogue, round_: str, judged: list[Judged], reviewer: str) -> list[Verdict]:
    """The judgements as rows. A relabel to the label that a picture has anyway is a keep: it says nothing new."""
    check_round(round_)
    reviewer = check_reviewer(reviewer)
    ids = [one.id for one in judged]
    if len(set(ids)) < len(ids):
        raise UsageError("this page names one picture twice: load the page again")
    for one in judged:
        check_judged(round_, one)
    subjects = _subjects(cat, round_, ids)
    labels = _labels(cat, subjects.values())
    return [_verdict(round_, subjects[one.id], labels, one, reviewer) for one in judged]


def _named(new: list[Verdict], page: str) -> list[Verdict]:
    """With uids that are the same when the page is sent again."""
    if not page:
        return new
    return [
        replace(one, uid=shortened(f"{page}|{one.reviewer}|{one.round}|{one.face or one.photo}"))
        for one in new
    ]


def _subjects(cat: Catalogue, round_: str, ids: list[str]) -> dict[str, ReviewSubject]:
    """By id. Raises UsageError for an id that is of no photo or face."""
    if round_ == "photos":
        found = {id_: ReviewSubject(id_) for id_ in photos.known(cat, ids)}
    else:
        known = faces.by_id(cat, ids)
        found = {id_: ReviewSubject(face.photo, id_) for id_, face in known.items()}
    unknown = [id_ for id_ in ids if id_ not in found]
    if unknown:
        raise UsageError(f"round {round_} has no picture '{unknown[0][:80]}': load the page again")
    return found


def _labels(cat: Catalogue, subjects: Iterable[ReviewSubject]) -> dict[str, str]:
    known = photos.described(cat, {one.photo for one in subjects})
    return {sha256: photo.expression for sha256, photo in known.items()}


def _verdict(
    round_: str, subject: ReviewSubject, labels: dict[str, str], one: Judged, reviewer: str
) -> Verdict:
    label = labels.get(subject.photo, UNLABELLED)
    if subject.face and one.decision == "keep" and label == UNLABELLED:
        raise UsageError(f"face {subject.face[:16]} has no label: relabel it (1-7) or drop it")
    decision, expression = one.decision, one.expression
    if decision == "relabel" and expression == label:
        decision, expression = "keep", ""
    verdict = Verdict(round_, subject.photo, decision, reviewer, subject.face)
    verdict = replace(verdict, reason=one.reason, expression=expression)
    return replace(verdict, note=as_note(one.note), unsure=one.unsure)


def _labelled(face: str, label: str) -> Judged:
    return Judged(face, "relabel", expression=label)


def _no_face(face: str) -> Judged:
    return Judged(face, "drop", "not a face")
