"""The page *Model*: what a trained network predicts for a picture. It needs the packages of the benchmark."""

from importlib.util import find_spec

import streamlit as st

NEEDED = ("tensorflow", "keras")


def page() -> None:
    """Draw it, or name the command that installs what it needs."""
    st.subheader("Model")
    if any(find_spec(name) is None for name in NEEDED):
        st.info("This page needs the packages of the benchmark: `pip install 'btfer[bench]'`.")
        return
    # Imported only now: the rest of the app works without these packages.
    from review_app import model_view

    model_view.draw_page()
