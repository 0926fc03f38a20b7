"""The page *Guidelines*: what reviewers are to go by, and drawn examples of the seven classes."""

import streamlit as st

from btfer.errors import BtferError
from btfer.expressions import EXPRESSIONS
from btfer.review.guidelines import read_guidelines
from btfer.sample import load_manifest, picture_path
from btfer.settings import load_settings

EXAMPLES = 3


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
            for path in _examples(label):
                st.image(path, width=150)
    st.caption(
        f"Version {found.version}. Edit `{settings.queries_dir / 'guidelines.md'}`; "
        "each page that is judged records the version that its reviewer opened last."
    )


def _examples(label: str) -> list[str]:
    """The first plain pictures of a class."""
    single = [one for one in load_manifest() if one.kind == "single" and one.expression == label]
    return [str(picture_path(one.file)) for one in single[:EXAMPLES]]
