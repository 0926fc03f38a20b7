"""The page *No face*: the photos from which the crop stage took no face, and why; any of them can be dropped."""

from collections import Counter

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue
from btfer.catalogue import faces as face_rows
from btfer.catalogue.rows import PhotoBox
from btfer.faces.modes import crop_settings
from btfer.review import Judged
from btfer.review.drawn_face import add_drawn_face
from btfer.settings import Settings
from review_app import gallery, session

SIZE = 48


def page() -> None:
    """Draw it. A face that MTCNN does not see is drawn by hand; a photo without one may be dropped for good."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    st.subheader("No face")
    reviewer = session.reviewer_name()
    rows = face_rows.photos_without_face(cat, face_rows.newest_settings(cat))
    if not rows:
        st.success("The crop stage found a usable face in every photo so far.")
        return
    by_reason = Counter(one.reason for one in rows)
    reason = st.selectbox(
        "Reason",
        [name for name, _ in by_reason.most_common()],
        format_func=lambda name: f"{name} ({by_reason[name]:,})",
        key="no_face_reason",
        width=300,
    )
    chosen = sorted((one for one in rows if one.reason == reason), key=lambda one: -one.verdict)
    pages = -(-len(chosen) // SIZE)
    number = st.number_input("Page", 1, pages, key="no_face_page", width=120) if pages > 1 else 1
    here = chosen[(number - 1) * SIZE : number * SIZE]
    pictures = [
        gallery.GalleryPicture(
            item.id,
            item,
            f"{item.label} · {item.width_px:.0f} x {item.height_px:.0f} px",
            f"{item.about['phrase']} · {item.about['title']}",
        )
        for item in review.photo_items(cat, [one.sha256 for one in here])
    ]
    reasons = review.DROP_REASONS["photos"].items()
    gallery.draw(
        "photos without a face, newest first",
        pictures,
        data_dir=settings.data_dir,
        keys={key: Judged("", "drop", name) for name, key in reasons} if reviewer else {},
        on_commit=lambda judged: _drop(cat, judged, reviewer),
        on_face=lambda id_, shares: _face(cat, settings, id_, shares, reviewer),
    )


def _drop(cat: Catalogue, judged: list[Judged], reviewer: str) -> str:
    done = review.decide(cat, "photos", judged, reviewer)
    return f"{done} dropped; the page Log takes it back."


def _face(cat: Catalogue, settings: Settings, id_: str, shares: PhotoBox, reviewer: str) -> str:
    add_drawn_face(cat, settings.data_dir, crop_settings(settings), id_, shares, reviewer)
    return "The face is cut, and waits on the page Faces."
