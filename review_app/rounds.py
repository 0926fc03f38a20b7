"""The pages *Photos*, *Faces* and *Disagreements*: the grid on what awaits this person."""

from dataclasses import dataclass

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue import faces as face_rows
from btfer.catalogue import photos as photo_rows
from btfer.settings import Settings
from review_app import filters, grid, overview, session

PAGE_SIZES = (48, 24)
SETTLED_AT_ONCE = 24
FIRST_ORDER = {"photos": "as found", "faces": "suspicious first"}
NEXT_STEP = {
    "photos": "Every photo that `btfer dedup` kept has been judged. Next: run `btfer build`, then judge *Faces*.",
    "faces": "Every face that `btfer crop` found has been judged. Next: run `btfer build`.",
}


@dataclass(frozen=True)
class _Choice:
    """The choices in the sidebar."""

    reviewer: str
    label: str
    order: str
    size: int
    veiled: bool


def photos() -> None:
    """Round 1: the photos that dedup kept."""
    _round("photos")


def faces() -> None:
    """Round 2: the faces that the crop stage took."""
    _round("faces")


def disagreements() -> None:
    """The final verdict where people judged differently: only what is marked is settled."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    reviewer = session.reviewer_name()
    message = session.last_message()
    waiting = [(name, one) for name in review.ROUNDS for one in review.disputes(cat, name)]
    if not waiting:
        st.success(f"{message} Reviewers disagree on nothing.".strip())
        return
    if not reviewer:
        st.info("Enter your name in the sidebar first: every verdict carries it.")
        return
    round_ = waiting[0][0]
    here = [review.as_item(one) for name, one in waiting if name == round_]
    _draw(cat, settings, round_, review.Page(here[:SETTLED_AT_ONCE], len(here)), message, reviewer)


def _round(round_: str) -> None:
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    choice = _choices(round_)
    message = session.last_message()
    if not choice.reviewer:
        st.info("Enter your name in the sidebar first: every verdict carries it.")
        return
    _end_leases_of_previous(cat, round_, choice.reviewer)
    queue = _queue(cat, round_, choice.reviewer)
    wanted = filters.chosen(cat, round_, face_rows.newest_settings(cat), choice.reviewer)
    page = queue.page(choice.size, choice.order, choice.label, wanted)
    if not page.items and wanted != review.Filter():
        st.info("Nothing that is as chosen waits for you: choose something else in the filter.")
        return
    if not page.items:
        st.success(f"{message} {_why_empty(cat, round_, choice)}".strip())
        st.button("Undo my last page", on_click=lambda: _undo(cat, round_, choice.reviewer))
        return
    pace = review.pace(cat, choice.reviewer)
    if pace.should_rest:
        st.info(overview.rest(pace))
    _draw(cat, settings, round_, page, message, choice.reviewer, choice, pace)


def _draw(
    cat: Catalogue,
    settings: Settings,
    round_: str,
    page: review.Page,
    message: str,
    reviewer: str,
    choice: _Choice | None = None,
    pace: review.Pace | None = None,
) -> None:
    state, settle = st.session_state, choice is None
    grid.draw(
        page.items,
        data_dir=settings.data_dir,
        round_=round_,
        total=page.awaiting,
        message=message,
        answered=state.get(f"answered_{round_}", {}) | {"session": session.session_id()},
        zoomed=next((item for item in page.items if item.id == state.get("zoomed")), None),
        marks=state.get(f"marks_{round_}", []),
        on_change=lambda: _answer(cat, round_, reviewer, settle=settle),
        pace=_pace(pace, page.awaiting),
        veiled=bool(choice and choice.veiled),
        settle=settle,
    )


def _answer(cat: Catalogue, round_: str, reviewer: str, *, settle: bool) -> None:
    """Do what the browser asked for; runs before the page is drawn again."""
    sent = grid.answer(round_, settle=settle)
    kind = sent.get("kind")
    st.session_state["zoomed"] = str(sent.get("id")) if kind == "zoom" else None
    if kind == "commit":
        st.session_state[f"marks_{round_}"] = []
        write = review.settle if settle else review.commit
        session.perform(lambda: session.describe(write(cat, round_, grid.judged(sent), reviewer)))
    elif kind == "undo":
        _undo(cat, round_, reviewer)
    st.session_state[f"answered_{round_}"] = {"number": sent.get("number"), "kind": kind}


def _undo(cat: Catalogue, round_: str, reviewer: str) -> None:
    def undo() -> str:
        back = review.undo_last(cat, reviewer, round_)
        st.session_state[f"marks_{round_}"] = back
        return f"{len(back)} verdicts undone." if back else "There is no page of yours to undo."

    session.perform(undo)


def _end_leases_of_previous(cat: Catalogue, round_: str, reviewer: str) -> None:
    """Somebody else sits here now: the pictures leased to the previous person are free for everybody."""
    before = st.session_state.get("leases_of", reviewer)
    if before != reviewer:
        review.end_leases(cat, round_, before)
    st.session_state["leases_of"] = reviewer


def _queue(cat: Catalogue, round_: str, reviewer: str) -> review.Queue:
    return _kept_queue(cat, round_, reviewer, face_rows.newest_settings(cat), id(cat))


@st.cache_resource(max_entries=32, show_spinner=False)
def _kept_queue(
    _cat: Catalogue, round_: str, reviewer: str, digest: str, catalogue: int
) -> review.Queue:
    return review.Queue(_cat, round_, reviewer, digest)


def _choices(round_: str) -> _Choice:
    reviewer = session.reviewer_name()
    first = review.ORDERS.index(FIRST_ORDER[round_])
    order = st.sidebar.selectbox("Order", review.ORDERS, first, key=f"order_{round_}")
    label = st.sidebar.selectbox(
        "Class", ["all", *review.RELABEL_KEYS.values(), photo_rows.UNLABELLED], key="label"
    )
    size = st.sidebar.selectbox("Pictures per page", PAGE_SIZES, key="page_size")
    veiled = st.sidebar.toggle(
        "Blur",
        key="veiled",
        help="Only the picture under the cursor or the mouse pointer is sharp.",
    )
    return _Choice(reviewer, "" if label == "all" else label, order, size, veiled)


def _pace(pace: review.Pace | None, awaiting: int) -> str:
    minutes = pace.minutes_for(awaiting) if pace else None
    return f"about {overview.duration(minutes)} left" if minutes else ""


def _why_empty(cat: Catalogue, round_: str, choice: _Choice) -> str:
    if choice.label:
        return f"No {round_} of class '{choice.label}' are waiting for you. Choose another class in the sidebar."
    if round_ == "photos" and not verdicts.newest_of_stages(cat):
        return "There are no photos to judge yet: run `btfer dedup` first."
    if round_ == "faces" and not face_rows.newest_settings(cat):
        return "There are no faces to judge yet: judge the photos, then run `btfer build`."
    others = sum(
        one.awaiting
        for one in review.progress(cat, face_rows.newest_settings(cat))
        if one.round == round_
    )
    if others:
        return (
            f"{others:,} {round_} are waiting for other reviewers, "
            "or for a final verdict on the page *Disagreements*."
        )
    return NEXT_STEP[round_]
