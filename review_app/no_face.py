"""The page *No face*: the photos from which the crop stage took no face, and why; any of them can be dropped."""

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue
from btfer.catalogue import faces as face_rows
from btfer.catalogue.rows import PhotoBox
from btfer.faces.modes import crop_settings
from btfer.review import Judged, left
from btfer.review.drawn_face import add_drawn_face
from btfer.review.without_face import NoFaceFilter, photos_without_face
from btfer.settings import Settings
from btfer.store import store_of
from review_app import filters, gallery, grid, session

NAME = "photos without a face, newest first"
SIZE = 48
NAMED = {
    "reason": "Reason",
    "by": "Reviewer",
    "verdict": "Verdict",
    "label": "Class",
    "source": "Source",
    "query": "Query",
    "date": "Date",
}
"""The choices in the bar, with their headings."""


def page() -> None:
    """Draw it. A face that MTCNN does not see is drawn by hand; a photo without one may be dropped for good."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    st.subheader("No face")
    reviewer = session.reviewer_name()
    now = NoFaceFilter(**filters.asked((*NAMED, "find")))
    found = photos_without_face(cat, now)
    if not found.total:
        st.success(f"{session.last_message()} {_nothing(cat)}".strip())
        return
    filters.bar_in_address("no_face", NAMED, found.counts, vars(now))
    before = gallery.asked_before()
    rest = [one for one in found.photos if before is None or one.verdict < before]
    here = rest[:SIZE]
    gallery.turn(before, here[-1].verdict if len(rest) > SIZE else None)
    if not here:
        said = session.last_message()
        st.info(f"{said} No photo is as chosen: choose something else in the filter.".strip())
        return
    reason = {one.sha256: one.reason for one in here}
    items = review.photo_items(cat, list(reason))
    drops = {key: Judged("", "drop", name) for name, key in review.DROP_REASONS["photos"].items()}
    earlier = grid.Earlier(
        title=NAME,
        keys=drops if reviewer else {},
        says={
            one.id: f"{one.width_px:.0f} x {one.height_px:.0f} px · {reason[one.id]}"
            for one in items
        },
        heading="crop stage",
        nothing="Nothing is marked: press a drop reason's letter, or Space to draw a face. A note goes with a drop.",
        undo="No mark of yours is left to take back. The page Log takes back what was dropped here.",
        no_doubt="A drop here is the last word: leave the photo unmarked for somebody else.",
        draws=bool(reviewer),
    )
    gallery.draw(
        cat,
        settings,
        NAME,
        items,
        earlier,
        reviewer=reviewer,
        notes=lambda _: [],
        on_commit=lambda judged: drop(cat, judged, reviewer),
        on_face=lambda id_, shares, sent: _face(cat, settings, id_, shares, reviewer, sent),
    )


def _nothing(cat: Catalogue) -> str:
    if not face_rows.newest_settings(cat):
        return (
            "No photo has been looked at for faces yet: judge the photos, then run `btfer build`."
        )
    return "The crop stage found a usable face in every photo so far."


def drop(cat: Catalogue, judged: list[Judged], reviewer: str) -> str:
    """Those that wait here still: the page may come twice, and somebody else may have drawn a face meanwhile."""
    waiting = {one.sha256 for one in photos_without_face(cat, NoFaceFilter()).photos}
    open_ = [one for one in judged if one.id in waiting]
    done = review.decide(cat, "photos", open_, reviewer)
    forgotten = left.gone(cat, "photos", [one.id for one in judged])
    told = [f"{done} dropped; the page Log takes it back."]
    if forgotten:
        told.append(f"{len(forgotten)} {left.FORGOTTEN}.")
    if gone := len(judged) - len(open_) - len(forgotten):
        told.append(f"{gone} had left this page already and stay as they are.")
    return " ".join(told)


def _face(
    cat: Catalogue, settings: Settings, id_: str, shares: PhotoBox, reviewer: str, sent: str
) -> str:
    if left.gone(cat, "photos", [id_]):
        return f"1 {left.FORGOTTEN}."
    crop = crop_settings(settings)
    add_drawn_face(cat, store_of(settings), crop, id_, shares, reviewer, page=sent)
    return "The face is cut, and waits on the page Faces."
