"""The page *Log*: every verdict of a person as its picture, newest first; any of them can be judged anew or undone."""

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, verdicts
from btfer.review import Judged, LoggedVerdict
from review_app import filters, gallery, session

ROWS = 60
NAMED = {"by": "Reviewer", "verdict": "Verdict", "label": "Class", "day": "Date", "round": "Round"}
"""The choices in the bar, with their headings."""
UNDO_KEY, KEEP_KEY = "u", "k"
NOTE_SHOWN = 60  # letters of a note below a tile


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
    gallery.draw(
        "verdicts, newest first",
        [_picture(one) for one in review.with_pictures(cat, rows[:ROWS])],
        settings=settings,
        reviewer=reviewer,
        keys=_keys() if reviewer else {},
        on_commit=lambda judged: judge_again(cat, judged, reviewer),
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
    keys = {UNDO_KEY: Judged("", "undo"), KEEP_KEY: Judged("")}
    keys |= {key: Judged("", "relabel", "", label) for key, label in review.RELABEL_KEYS.items()}
    return keys | {key: Judged("", "drop", reason) for key, reason in both.items()}


def judge_again(cat: Catalogue, judged: list[Judged], reviewer: str) -> str:
    """Undo, and judge anew; what was taken back meanwhile, or by this page before a restart, stays as it is."""
    gone = verdicts.undone_among(cat, [int(one.id) for one in judged if one.id.isdigit()])
    open_ = [one for one in judged if not one.id.isdigit() or int(one.id) not in gone]
    undone = [int(one.id) for one in open_ if one.decision == "undo" and one.id.isdigit()]
    changes = [one for one in open_ if one.decision != "undo"]
    told = []
    if undone:
        told.append(f"{review.undo(cat, undone, reviewer)} undone.")
    if changes:
        told.append(session.describe(review.judge_anew(cat, changes, reviewer)))
    if len(open_) < len(judged):
        told.append(f"{len(judged) - len(open_)} had been taken back already and stay as they are.")
    return " ".join(told)


def _picture(one: LoggedVerdict) -> gallery.GalleryPicture:
    row = one.row
    verdict = (row.reason or row.expression or row.decision) + ", unsure" * row.unsure
    state = " (undone)" if one.undone else " (final)" if row.final else ""
    says = f"{verdict}{state} · {row.reviewer} · {row.at[:16].replace('T', ' ')} · {row.round}"
    note = " · ✎ " + row.note[:NOTE_SHOWN] + "…" * (len(row.note) > NOTE_SHOWN) if row.note else ""
    about = f"{one.item.label} · {one.item.about['phrase']} · {one.item.about['title']}"
    about = f"{says} · {about}" + (f"\n\n{row.note}" if row.note else "")
    fixed = one.undone or row.decision == "undo"
    return gallery.GalleryPicture(str(row.id), one.item, says + note, about, fixed)
