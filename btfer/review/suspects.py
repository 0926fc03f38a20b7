"""Faces whose label good networks contradict: shown to people first, and given to them again on request."""

from collections.abc import Mapping
from dataclasses import dataclass

from btfer.catalogue import Catalogue, faces, releases, verdicts
from btfer.errors import UsageError
from btfer.review.badges import DOUBT
from btfer.review.judge import undo
from btfer.review.rules import check_reviewer


@dataclass(frozen=True)
class MarkedSuspects:
    """What became of the suspects: faces whose label good networks contradict.

    awaiting: not judged yet, so they come first on the page Faces. judged: judged by people before the networks
    were asked. reopened: of these, given to people again. again: judged since. gone: no longer in the catalogue.
    """

    awaiting: int
    judged: int
    reopened: int
    again: int
    gone: int


def mark_suspects(
    cat: Catalogue, release: str, doubts: Mapping[str, float], *, at: str, reopen_by: str = ""
) -> MarkedSuspects:
    """Mark faces of a release as suspects, and no others. doubts: one minus the probability of the label, by file.

    at: when the networks were asked, ISO time in UTC; who judged later saw the hint. reopen_by: undo, in
    this person's name, the verdicts given before; every verdict stays in the log. Raises
    UsageError for a release that the catalogue does not know.
    """
    face_of = {one.file: one.face for one in releases.faces_in(cat, release)}
    if doubts and not face_of:
        raise UsageError(f"the catalogue has no release '{release}': choose one that it made")
    named = {face_of.get(file.removeprefix("images/"), ""): value for file, value in doubts.items()}
    known = faces.by_id(cat, named)
    faces.hint(cat, DOUBT, {id_: named[id_] for id_ in known})
    rows = verdicts.not_undone_on(cat, "faces", {face.photo for face in known.values()})
    on_faces = [row for row in rows if row.face in known]
    since = {row.face for row in on_faces if row.at > at}
    before = {row.face for row in on_faces} - since
    if reopen_by and before:
        check_reviewer(reopen_by)
        undo(cat, [row.id for row in on_faces if row.face in before], reopen_by)
    return MarkedSuspects(
        awaiting=len(known) - len(before) - len(since),
        judged=len(before),
        reopened=len(before) if reopen_by else 0,
        again=len(since),
        gone=len(named) - len(known),
    )
