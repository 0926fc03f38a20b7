"""Faces whose label good networks deny: shown first to people, and given to them again when somebody asks so."""

from collections.abc import Mapping
from dataclasses import dataclass

from btfer.catalogue import Catalogue, faces, releases, verdicts
from btfer.errors import UsageError
from btfer.review.badges import DOUBT
from btfer.review.judge import undo
from btfer.review.rules import check_reviewer


@dataclass(frozen=True)
class Doubted:
    """What became of the faces in doubt.

    awaiting: not judged, so that they come first on the page Faces. judged: people judged them before the
    networks were asked. reopened: of these, given to people again. again: judged since. gone: no longer
    in the catalogue.
    """

    awaiting: int
    judged: int
    reopened: int
    again: int
    gone: int


def doubt(
    cat: Catalogue, release: str, doubts: Mapping[str, float], *, at: str, reopen_by: str = ""
) -> Doubted:
    """Mark faces of a release (file -> doubt, 0 to 1) as doubted, and no others.

    at: when the networks were asked, ISO in UTC; who judged later knew of it. reopen_by: takes back,
    in this person's name, what people said of them before; every verdict stays in the log. Raises
    UsageError for a release that the catalogue does not know.
    """
    face_of = {one.file: one.face for one in releases.faces_in(cat, release)}
    if doubts and not face_of:
        raise UsageError(f"the catalogue has no release '{release}'")
    named = {face_of.get(file.removeprefix("images/"), ""): value for file, value in doubts.items()}
    known = faces.by_id(cat, named)
    faces.hint(cat, DOUBT, {id_: named[id_] for id_ in known})
    rows = verdicts.standing_on(cat, "faces", {face.photo for face in known.values()})
    said = [row for row in rows if row["face"] in known]
    since = {row["face"] for row in said if row["at"] > at}
    before = {row["face"] for row in said} - since
    if reopen_by and before:
        check_reviewer(reopen_by)
        undo(cat, [row["id"] for row in said if row["face"] in before], reopen_by)
    return Doubted(
        awaiting=len(known) - len(before) - len(since),
        judged=len(before),
        reopened=len(before) if reopen_by else 0,
        again=len(since),
        gone=len(named) - len(known),
    )
