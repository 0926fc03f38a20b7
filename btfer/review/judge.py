"""Writing a page of judgements, taking it back, and labels that come with a dataset."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from btfer.catalogue import Catalogue, faces, photos, verdicts
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.verdicts import Verdict
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.review.boxes import SAME_FACE_IOU, Box, best_match
from btfer.review.queues import Item, queue
from btfer.review.rules import Judged, check_judged, check_reviewer, check_round

MAX_UNDO = 200  # a page is far smaller; an import is far larger and is no slip of a key


@dataclass(frozen=True)
class Committed:
    """How many judgements were written, and how many were of items that no longer awaited one."""

    written: int
    skipped: int


def commit(cat: Catalogue, round_: str, judged: list[Judged], reviewer: str) -> Committed:
    """Write a page of judgements in one transaction: all of them, or none.

    What is no longer in the queue (another reviewer was quicker) is skipped and counted. Raises
    UsageError for an unknown id, round, reason or class, an id named twice, or an unlabelled face
    that is kept as it is.
    """
    check_round(round_)
    reviewer = check_reviewer(reviewer)
    ids = [one.id for one in judged]
    if len(set(ids)) < len(ids):
        raise UsageError("a page names one picture twice: load the page again")
    for one in judged:
        check_judged(round_, one)
    waiting = _waiting(cat, round_, ids)
    new = [_verdict(round_, waiting[one.id], one, reviewer) for one in judged if one.id in waiting]
    written = len(verdicts.add_unjudged(cat, new))
    return Committed(written, len(judged) - written)


def undo_last(cat: Catalogue, reviewer: str, round_: str) -> list[Judged]:
    """Take back the page that a reviewer committed last in a round, and return it; [] if there is none.

    Works on what the catalogue holds, so also after a restart. Raises UsageError where the last batch
    is larger than any page, which only an import is.
    """
    check_round(round_)
    reviewer = check_reviewer(reviewer)
    rows = verdicts.last_batch(cat, round_, reviewer)
    if len(rows) > MAX_UNDO:
        raise UsageError(
            f"the last batch of {reviewer} has {len(rows):,} verdicts, so it is an import and no "
            "page: take them back by their ids in the log"
        )
    undo(cat, [row["id"] for row in rows], reviewer)
    return [
        Judged(row["face"] or row["photo"], row["decision"], row["reason"], row["expression"])
        for row in rows
    ]


def undo(cat: Catalogue, ids: Iterable[int], reviewer: str) -> int:
    """Take any verdicts back by their ids; how many. Raises UsageError where one does not stand.

    A photo that dedup dropped is kept from then on: its next run would find the same copy again.
    """
    chosen, reviewer = set(ids), check_reviewer(reviewer)
    copies = [row for row in verdicts.holding(cat, "dedup") if row["id"] in chosen]
    undone = verdicts.undo(cat, chosen, reviewer)
    kept = [row["photo"] for row in copies if row["decision"] == "drop"]
    verdicts.add(cat, [Verdict("dedup", photo, "keep", reviewer) for photo in kept])
    return len(undone)


def apply_labels_to_faces(
    cat: Catalogue,
    settings_digest: str,
    truth: Iterable[tuple[str, Box, str]],
    reviewer: str,
    *,
    min_overlap: float = SAME_FACE_IOU,
) -> Committed:
    """Judge awaiting faces by known boxes: (photo sha256, box, label) for each true face.

    A face takes the label of the true box that it overlaps most (IoU of `min_overlap` or more), and is
    dropped as `not a face` where it overlaps none. Photos that `truth` does not name are left alone.
    """
    known: dict[str, list[tuple[Box, str]]] = defaultdict(list)
    for photo, box, label in truth:
        known[photo].append((box, parse_expression(label)))
    judged = []
    for item in queue(cat, "faces", settings_digest):
        if item.photo in known and item.box:
            match = best_match(item.box, known[item.photo], least=min_overlap)
            judged.append(_labelled(item.id, match) if match else _no_face(item.id))
    return commit(cat, "faces", judged, reviewer)


def keep_single_faces(cat: Catalogue, settings_digest: str, reviewer: str) -> Committed:
    """Keep each awaiting, labelled face that is the only one taken from its photo: it has the photo's label."""
    per_photo = Counter(row["photo"] for row in faces.taken(cat, settings_digest))
    judged = [
        Judged(item.id)
        for item in queue(cat, "faces", settings_digest)
        if per_photo[item.photo] == 1 and item.label != UNLABELLED
    ]
    return commit(cat, "faces", judged, reviewer)


def _waiting(cat: Catalogue, round_: str, ids: list[str]) -> dict[str, Item]:
    """Those of the ids that await a judgement. Raises UsageError for an id that is of no photo or face."""
    if round_ == "photos":
        known, digests = photos.known(cat, ids), {""}
    else:
        rows = faces.by_id(cat, ids)
        known, digests = set(rows), {row["settings"] for row in rows.values()}
    unknown = [id_ for id_ in ids if id_ not in known]
    if unknown:
        raise UsageError(f"round {round_} has no picture '{unknown[0][:80]}': load the page again")
    items = [item for digest in sorted(digests) for item in queue(cat, round_, digest)]
    return {item.id: item for item in items}


def _verdict(round_: str, item: Item, one: Judged, reviewer: str) -> Verdict:
    """A relabel to the label that the item has anyway is a keep: it says nothing new."""
    if round_ == "faces" and one.decision == "keep" and item.label == UNLABELLED:
        raise UsageError(f"face {item.id[:16]} has no label: relabel it (1-7) or drop it")
    decision, expression = one.decision, one.expression
    if decision == "relabel" and expression == item.label:
        decision, expression = "keep", ""
    return Verdict(
        round_, item.photo, decision, reviewer, item.face, reason=one.reason, expression=expression
    )


def _labelled(face: str, label: str) -> Judged:
    return Judged(face, "relabel", expression=label)


def _no_face(face: str) -> Judged:
    return Judged(face, "drop", "not a face")
