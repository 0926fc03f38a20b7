"""The page *Log*: every verdict of a person as its picture, newest first; any of them can be judged anew or undone."""

from dataclasses import replace

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, verdicts
from btfer.review import Judged, LoggedVerdict, left
from review_app import filters, gallery, grid, session

ROWS = 60
NAMED = {"by": "Reviewer", "verdict": "Verdict", "label": "Class", "day": "Date", "round": "Round"}
"""The choices in the bar, with their headings."""
NAME = "verdicts, newest first"
UNDO_KEY = "z"
NOTE_SHOWN = 60  # letters of a note below a picture


def page() -> None:
    """Draw it. Votes of others stay hidden while a picture still awaits votes."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    st.subheader("Log")
    reviewer = session.reviewer_name()
    before = gallery.asked_before()
    chosen = _chosen(cat, reviewer)
    rows = review.visible_log(
        cat,
        reviewer,
        limit=ROWS + 1,
        before=before,
        chosen=chosen,
    )
    if not rows:
        st.info(_nothing(before, chosen))
    gallery.turn(before, rows[ROWS - 1].id if len(rows) > ROWS else None)
    if not rows:
        return
    shown = {str(one.row.id): one for one in review.with_pictures(cat, rows[:ROWS])}
    gallery.draw(
        cat,
        settings,
        NAME,
        [replace(one.item, id=id_) for id_, one in shown.items()],
        _earlier(shown, _keys() if reviewer else {}),
        reviewer=reviewer,
        notes=lambda id_: [shown[id_].row.note] if shown[id_].row.note else [],
        on_commit=lambda judged: judge_again(cat, judged, reviewer),
    )


def _earlier(shown: dict[str, LoggedVerdict], keys: dict[str, Judged]) -> grid.Earlier:
    """By ids of verdicts. A verdict that was undone, and the undoing itself, stay as they are."""
    fixed = {id_ for id_, one in shown.items() if one.undone or one.row.decision == "undo"}
    return grid.Earlier(
        title=NAME,
        keys=keys,
        says={id_: _says(one) for id_, one in shown.items()},
        heading="verdict",
        verdicts={
            id_: Judged(id_, one.row.decision, one.row.reason, one.row.expression)
            for id_, one in shown.items()
            if id_ not in fixed
        },
        fixed=frozenset(fixed),
        closed="This verdict is undone: judge the newest one on the picture, or find the picture on Photos or Faces.",
        nothing="Nothing is marked: press Z to undo a verdict, K to keep, 1-7 to relabel, or a drop reason's letter.",
        undo="No mark of yours is left to take back. Z and Enter undo a verdict, whoever gave it.",
    )


def _nothing(before: int | None, chosen: review.LogFilter) -> str:
    if before is not None:
        return "There is nothing older that is as chosen."
    if chosen != review.LogFilter():
        return "No verdict is as chosen: choose something else in the filter."
    return "There are no verdicts yet: judge a page of *Photos* first."


def _chosen(cat: Catalogue, reviewer: str) -> review.LogFilter:
    """Draw the bar, and return what is chosen in the address."""
    now = review.LogFilter(**filters.asked((*NAMED, "find")))
    filters.bar_in_address("log", NAMED, _counted(cat, reviewer, now, id(cat)), vars(now))
    return now


@st.cache_data(ttl=20, show_spinner=False)
def _counted(
    _cat: Catalogue, reviewer: str, now: review.LogFilter, catalogue: int
) -> dict[str, dict[str, int]]:
    return review.log_choices(_cat, reviewer, now)


def _keys() -> dict[str, Judged]:
    """Undo, keep, the classes, and the reasons that both rounds have."""
    first, second = review.DROP_REASONS.values()
    both = {key: reason for reason, key in first.items() if second.get(reason) == key}
    keys = {UNDO_KEY: Judged("", "undo"), grid.KEEP_KEY: Judged("")}
    keys |= {key: Judged("", "drop", reason) for key, reason in both.items()}
    return keys | {
        key: Judged("", "relabel", "", label) for key, label in review.RELABEL_KEYS.items()
    }


def judge_again(cat: Catalogue, judged: list[Judged], reviewer: str) -> str:
    """Undo, and judge anew, all at once; what was taken back meanwhile, or by this page before a restart, stays so."""
    with cat.together() as at_once:
        return _judge_again(at_once, judged, reviewer)


def _judge_again(cat: Catalogue, judged: list[Judged], reviewer: str) -> str:
    ids = [int(one.id) for one in judged if one.id.isdigit()]
    here = {str(row.id) for row in verdicts.by_id(cat, ids)}
    gone = {str(id_) for id_ in verdicts.undone_among(cat, ids)}
    open_ = [one for one in judged if one.id in here - gone]
    undone = [int(one.id) for one in open_ if one.decision == "undo"]
    changes = [one for one in open_ if one.decision != "undo"]
    told = []
    if undone:
        told.append(f"{review.undo(cat, undone, reviewer)} undone.")
    if changes:
        told.append(session.describe(review.judge_anew(cat, changes, reviewer)))
    if gone:
        told.append(f"{len(gone)} had been taken back already and stay as they are.")
    if len(here) < len(judged):
        told.append(f"{len(judged) - len(here)} {left.FORGOTTEN}.")
    return " ".join(told)


def _says(one: LoggedVerdict) -> str:
    """Who said what when."""
    row = one.row
    verdict = (row.reason or row.expression or row.decision) + ", unsure" * row.unsure
    state = " (undone)" if one.undone else " (final)" if row.final else ""
    note = " · ✎ " + row.note[:NOTE_SHOWN] + "…" * (len(row.note) > NOTE_SHOWN) if row.note else ""
    at = row.at[:16].replace("T", " ")
    return f"{verdict}{state} · {row.reviewer} · {at} · {row.round}{note}"
