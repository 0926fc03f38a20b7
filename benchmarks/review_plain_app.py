"""The plain way to judge pictures in Streamlit, to compare with: 48 `st.image` with a button each.

Each press runs the script once. The verdicts go nowhere, so only the page's own time counts.
"""

import os
from pathlib import Path

import streamlit as st

PAGE = 48
COLUMNS = 8

st.set_page_config(layout="wide")
pictures = sorted(Path(os.environ["BTFER_DATA_DIR"]).glob("thumbnails/*/*.jpg"))[: 40 * PAGE]
start = st.session_state.setdefault("start", 0)
dropped = st.session_state.setdefault("dropped", set())
st.write(f"{len(dropped)} dropped, page {start // PAGE + 1}")
if st.button("keep the rest"):
    st.session_state["start"] += PAGE
    st.rerun()
columns = st.columns(COLUMNS)
for number, path in enumerate(pictures[start : start + PAGE]):
    with columns[number % COLUMNS]:
        st.image(str(path))
        if st.button("drop", key=f"drop {start + number}"):
            dropped.add(path)
            st.rerun()
