"""All pages of the review app, and what they share on the screen."""

import streamlit as st

from btfer.errors import BtferError
from review_app import (
    agreement,
    duplicates,
    guidelines,
    log,
    model,
    no_face,
    overview,
    pairs,
    rounds,
    session,
)

_STYLE = (  # room for ten columns and all five rows of a page at 1280 x 800
    "<style>[data-testid=stMainBlockContainer] {padding: 4rem 1.5rem 1rem}"
    "[data-testid=stSidebar] {width: 200px !important; min-width: 200px !important}"
    # Streamlit's own grey has a contrast of 3.9 to 1.
    "[data-testid=stCaptionContainer] {opacity: 0.85 !important}"
    # On a telephone the bar of choices leaves room for the pictures.
    "@media (max-width: 640px) {.st-key-filter_bar {gap: 0.4rem !important}"
    ".st-key-filter_bar > * {flex: 1 1 30% !important; width: 30% !important; min-width: 0 !important}"
    ".st-key-filter_bar > * > * {width: 100% !important}}</style>"
)


def draw() -> None:
    """Draw the page that the address names, below the bar that leads to all of them."""
    st.set_page_config(page_title="btfer review", layout="wide")
    st.html(_STYLE)
    # No icons: the browser would fetch them from another host.
    pages = [
        st.Page(overview.page, title="Overview", default=True),
        st.Page(rounds.photos, title="Photos", url_path="photos"),
        st.Page(rounds.faces, title="Faces", url_path="faces"),
        st.Page(no_face.page, title="No face", url_path="no-face"),
        st.Page(duplicates.page, title="Duplicates", url_path="duplicates"),
        st.Page(rounds.disagreements, title="Disagreements", url_path="disagreements"),
        st.Page(agreement.page, title="Agreement", url_path="agreement"),
        st.Page(log.page, title="Log", url_path="log"),
        st.Page(guidelines.page, title="Guidelines", url_path="guidelines"),
        st.Page(pairs.page, title="Pairs", url_path="pairs"),
        st.Page(model.page, title="Model", url_path="model"),
    ]
    st.session_state["pages"] = {one.url_path: one for one in pages}  # for buttons that lead to one
    shown = st.navigation(pages, position="top")
    try:
        shown.run()
    except BtferError as error:
        session.tell_failure(error)
