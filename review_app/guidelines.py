"""The page *Guidelines*: what reviewers are to go by, and drawn examples of the seven classes."""

import streamlit as st

from btfer.errors import BtferError
from btfer.review.guidelines import read_guidelines
from btfer.settings import load_settings
from review_app import examples


def page() -> None:
    """Draw it. The text is `guidelines.md` beside the query plan; the grid shows it too, with the key G."""
    try:
        settings = load_settings()
        found = read_guidelines(settings.queries_dir)
    except BtferError as error:
        st.error(str(error))
        return
    st.markdown(found.text)
    st.subheader("Drawn examples")
    st.caption("Rendered faces of nobody, from the synthetic sample.")
    for label, pictures in examples.small_pictures().items():
        st.markdown(f"**{label}**")
        st.html(_row(label, pictures))
    st.caption(
        f"Version {found.version}. Edit `{settings.queries_dir / 'guidelines.md'}`; "
        "each page that is judged records the version that its reviewer opened last."
    )


def _row(label: str, pictures: list[str]) -> str:
    """The examples of a class; Streamlit's own images say nothing to a screen reader."""
    images = (
        f'<img src="{src}" alt="{label}, drawn example {number}" width="{examples.SIDE_PX}">'
        for number, src in enumerate(pictures, 1)
    )
    return f'<div style="display: flex; flex-wrap: wrap; gap: 12px">{"".join(images)}</div>'
