"""The page *Log*: every verdict of a person as its picture, newest first; any of them can be judged anew or undone."""

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue
from btfer.review import Judged, LoggedVerdict
from review_app import gallery, session

ROWS, LOOKED_AT = 60, 600
UNDO_KEY, KEEP_KEY = "u", "k"


def page() -> None:
    """Draw it. Votes of others stay hidden while a picture still awaits votes."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    st.subheader("Log")
    reviewer = session.reviewer_name()
    before = st.query_params.get("before", "")
    rows = review.visible_log(
        cat, reviewer, limit=LOOKED_AT, before=int(before) if before.isdigit() else None
    )
    if not rows and not before:
        st.info("There are no verdicts yet: judge a page of *Photos* first.")
        return
    rows = _filtered(rows)
    shown = review.with_pictures(cat, rows[:ROWS])
    _turn(before, rows)
    gallery.draw(
        "verdicts, newest first",
        [_picture(one) for one in shown],
        data_dir=settings.data_dir,
        keys=_keys() if reviewer else {},
        on_commit=lambda judged: _commit(cat, judged, reviewer),
    )


def _keys() -> dict[str, Judged]:
    """Undo, keep, the classes, and the reasons that both rounds have."""
    first, second = review.DROP_REASONS.values()
    both = {key: reason for reason, key in first.items() if second.get(reason) == key}
    keys = {UNDO_KEY: Judged("", "undo"), KEEP_KEY: Judged("")}
    keys |= {key: Judged("", "relabel", "", label) for key, label in review.RELABEL_KEYS.items()}
    return keys | {key: Judged("", "drop", reason) for key, reason in both.items()}


def _commit(cat: Catalogue, judged: list[Judged], reviewer: str) -> str:
    undone = [int(one.id) for one in judged if one.decision == "undo" and one.id.isdigit()]
    changes = [one for one in judged if one.decision != "undo"]
    told = []
    if undone:
        told.append(f"{review.undo(cat, undone, reviewer)} undone.")
    if changes:
        told.append(session.describe(review.judge_anew(cat, changes, reviewer)))
    return " ".join(told)


def _picture(one: LoggedVerdict) -> gallery.GalleryPicture:
    row = one.row
    verdict = row.reason or row.expression or row.decision
    state = " (undone)" if one.undone else " (final)" if row.final else ""
    says = f"{verdict}{state} · {row.reviewer} · {row.at[:16].replace('T', ' ')} · {row.round}"
    about = f"{one.item.label} · {one.item.about['phrase']} · {one.item.about['title']}"
    fixed = one.undone or row.decision == "undo"
    return gallery.GalleryPicture(str(row.id), one.item, says, f"{says} · {about}", fixed)


def _turn(before: str, rows: list[review.StoredVerdict]) -> None:
    with st.container(horizontal=True):
        if before and st.button("Newest"):
            del st.query_params["before"]
            st.rerun()
        if len(rows) > ROWS and st.button("Older"):
            st.query_params["before"] = str(rows[ROWS - 1].id)
            st.rerun()


def _filtered(rows: list[review.StoredVerdict]) -> list[review.StoredVerdict]:
    columns = st.columns(4)
    for column, name in zip(columns, ("round", "reviewer", "decision"), strict=False):
        values = sorted({str(getattr(row, name)) for row in rows})
        chosen = column.selectbox(name, ["all", *values], key=f"log_{name}")
        if chosen != "all":
            rows = [row for row in rows if getattr(row, name) == chosen]
    start = columns[3].text_input("photo starts with", key="log_photo").strip()
    return [row for row in rows if row.photo.startswith(start)]
