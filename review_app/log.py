"""The page *Log*: every verdict of a person, newest first; any of them can be undone."""

import pandas as pd
import streamlit as st

from btfer import review
from review_app import session

ROWS = 1000


def page() -> None:
    """Draw it. Votes of others stay hidden while a picture still awaits votes."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, _ = opened
    st.subheader("Log")
    reviewer = session.reviewer_name()
    rows = pd.DataFrame([row._asdict() for row in review.visible_log(cat, reviewer, limit=ROWS)])
    if rows.empty:
        st.info("There are no verdicts yet: judge a page of *Photos* first.")
        return
    undone = set(rows["undoes"].dropna())
    rows["state"] = [
        "undone" if row["id"] in undone else "final" if row["final"] else ""
        for _, row in rows.iterrows()
    ]
    rows = _filtered(rows)
    shown = rows.assign(at=rows["at"].str[:19], photo=rows["photo"].str[:16])
    columns = ["id", "at", "reviewer", "round", "decision", "reason", "expression", "state"]
    chosen = st.dataframe(
        shown[[*columns, "photo"]].rename(columns={"expression": "class", "at": "time (UTC)"}),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="log_table",
    )
    ids = [int(rows["id"].iloc[index]) for index in chosen["selection"]["rows"]]
    st.caption(f"The newest {ROWS:,} verdicts. Select rows to undo them.")
    if st.button(f"Undo {len(ids)} selected", disabled=not (ids and reviewer)):
        session.perform(lambda: f"{review.undo(cat, ids, reviewer)} undone.")
        st.rerun()
    if message := session.last_message():
        st.success(message)


def _filtered(rows: pd.DataFrame) -> pd.DataFrame:
    columns = st.columns(4)
    for column, name in zip(columns, ("round", "reviewer", "decision"), strict=False):
        chosen = column.selectbox(name, ["all", *sorted(rows[name].unique())], key=f"log_{name}")
        if chosen != "all":
            rows = rows[rows[name] == chosen]
    start = columns[3].text_input("photo starts with", key="log_photo").strip()
    return rows[rows["photo"].str.startswith(start)]
