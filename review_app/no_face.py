"""The page *No face*: the photos from which the crop stage took no face, and why."""

from collections import Counter

import streamlit as st

from btfer.catalogue import faces as face_rows
from btfer.catalogue.rows import PhotoWithoutFace
from btfer.paths import thumbnail_path
from btfer.settings import Settings
from review_app import session

COLUMNS, ROWS = 8, 6


def page() -> None:
    """Draw it. Nothing is judged here: a photo with a face that MTCNN does not see yields no crop."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    st.subheader("No face")
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
    chosen = [one for one in rows if one.reason == reason]
    size = COLUMNS * ROWS
    pages = -(-len(chosen) // size)
    number = st.number_input("Page", 1, pages, key="no_face_page", width=120) if pages > 1 else 1
    _grid(settings, chosen[(number - 1) * size : number * size])


def _grid(settings: Settings, rows: list[PhotoWithoutFace]) -> None:
    for start in range(0, len(rows), COLUMNS):
        for column, one in zip(st.columns(COLUMNS), rows[start : start + COLUMNS], strict=False):
            path = thumbnail_path(settings.data_dir, one.sha256)
            if path.exists():
                column.image(str(path))
            column.caption(f"{one.sha256[:12]} · {one.width_px}x{one.height_px}")
