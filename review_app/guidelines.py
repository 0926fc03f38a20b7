"""The page *Guidelines*: what reviewers are to go by, and drawn examples of the seven classes."""

import streamlit as st

from btfer.errors import BtferError
from btfer.expressions import EXPRESSIONS
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
    for label in EXPRESSIONS:
        st.markdown(f"**{label}**")
        with st.container(horizontal=True):
            for path in examples.paths(label):
                st.image(str(path), width=150)
    st.caption(
        f"Version {found.version}. Edit `{settings.queries_dir / 'guidelines.md'}`; "
        "each page that is judged records the version that its reviewer opened last."
    )
