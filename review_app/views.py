"""The pages of the app. They ask `btfer.review`, draw, and send back; the rules are there, not here."""

import getpass
import secrets
from collections.abc import Callable

import pandas as pd
import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue, verdicts
from btfer.catalogue import faces as face_rows
from btfer.catalogue import photos as photo_rows
from btfer.errors import BtferError
from btfer.settings import Settings, load_settings
from review_app import grid

LOG_ROWS = 1000
PAGE_SIZES = (48, 24)
NEXT_STEP = {
    "photos": "Every photo that `btfer dedup` kept is judged. Next: `btfer crop`, then the page *Faces*.",
    "faces": "Every face that `btfer crop` took is judged. Next: `btfer sample`.",
}


def overview() -> None:
    """How far each class is, and what became of the rest."""
    opened = opened_catalogue()
    if not opened:
        return
    cat, _ = opened
    st.subheader("Overview")
    tallies = review.progress(cat, face_rows.newest_settings(cat))
    for column, name in zip(st.columns(2), review.ROUNDS, strict=True):
        awaiting = sum(one.awaiting for one in tallies if one.round == name)
        judged = sum(one.kept + one.dropped for one in tallies if one.round == name)
        column.metric(
            f"{name} that await you",
            f"{awaiting:,}",
            f"{judged:,} judged",
            "off",
            delta_arrow="off",
        )
    st.dataframe(_funnel(tallies), height="content")
    dropped = _drops(cat)
    if not dropped.empty:
        st.caption("Dropped so far, by round and reason")
        st.dataframe(dropped, hide_index=True, height="content")


def photos() -> None:
    """Round 1: the photos that dedup kept."""
    _round("photos")


def faces() -> None:
    """Round 2: the faces that the crop stage took."""
    _round("faces")


def log() -> None:
    """Every verdict of a person, newest first; any of them can be taken back."""
    opened = opened_catalogue()
    if not opened:
        return
    cat, _ = opened
    st.subheader("Log")
    rows = pd.DataFrame(verdicts.log(cat, rounds=review.ROUNDS, limit=LOG_ROWS))
    if rows.empty:
        st.info("No verdict yet: judge a page in *Photos* first.")
        return
    undone = set(rows["undoes"].dropna())
    rows["state"] = ["undone" if id_ in undone else "" for id_ in rows["id"]]
    rows = _filtered(rows)
    shown = rows.assign(at=rows["at"].str[:19], photo=rows["photo"].str[:16])
    columns = ["id", "at", "reviewer", "round", "decision", "reason", "expression", "state"]
    chosen = st.dataframe(
        shown[[*columns, "photo"]],
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="log_table",
    )
    ids = [int(rows["id"].iloc[index]) for index in chosen["selection"]["rows"]]
    reviewer = reviewer_name()
    st.caption(f"The newest {LOG_ROWS:,} verdicts. Tick rows to take them back.")
    if st.button(f"Undo {len(ids)} chosen", disabled=not (ids and reviewer)):
        say(lambda: f"{review.undo(cat, ids, reviewer)} taken back.")
        st.rerun()
    if said := last_said():
        st.success(said)


def _round(round_: str) -> None:
    opened = opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    reviewer, size, label, suspicious = _choices()
    said = last_said()
    if not reviewer:
        st.info("Write your name in the side bar first: every verdict carries it.")
        return
    digest = face_rows.newest_settings(cat)
    waiting = review.queue(
        cat, round_, digest, order="suspicious first" if suspicious else "as found", label="" if label == "all" else label
    )
    if not waiting:
        st.success(f"{said} {_why_empty(cat, round_, label)}")
        st.button("Undo my last page", on_click=lambda: _undo(cat, round_, reviewer))
        return
    state = st.session_state
    page = waiting[:size]
    grid.draw(
        page,
        data_dir=settings.data_dir,
        round_=round_,
        total=len(waiting),
        said=said,
        answered=state.get(f"answered_{round_}", {}) | {"session": session_word()},
        zoomed=next((item for item in page if item.id == state.get("zoomed")), None),
        marks=state.get(f"marks_{round_}", []),
        on_change=lambda: _answer(cat, round_, reviewer),
    )


def _answer(cat: Catalogue, round_: str, reviewer: str) -> None:
    """Do what the browser asked for; runs before the page is drawn again."""
    sent = grid.answer(round_)
    kind = sent.get("kind")
    st.session_state["zoomed"] = str(sent.get("id")) if kind == "zoom" else None
    if kind == "commit":
        st.session_state[f"marks_{round_}"] = []
        say(lambda: committed(review.commit(cat, round_, grid.judged(sent), reviewer)))
    elif kind == "undo":
        _undo(cat, round_, reviewer)
    st.session_state[f"answered_{round_}"] = {"number": sent.get("number"), "kind": kind}


def _undo(cat: Catalogue, round_: str, reviewer: str) -> None:
    def take_back() -> str:
        back = review.undo_last(cat, reviewer, round_)
        st.session_state[f"marks_{round_}"] = back
        return f"{len(back)} verdicts taken back." if back else "There is no page to take back."

    say(take_back)


def committed(done: review.Committed) -> str:
    """What to say after a page was judged."""
    if not done.skipped:
        return f"{done.written} judged."
    return f"{done.written} judged; {done.skipped} were judged already and stay as they were."


def say(action: Callable[[], str]) -> None:
    """Do it, and keep what there is to say for the next drawing of the page."""
    try:
        st.session_state["said"] = ("done", action())
    except BtferError as error:
        st.session_state["said"] = ("error", str(error))


def last_said() -> str:
    """What the last action said; an error is drawn here, at once."""
    kind, text = st.session_state.pop("said", ("", ""))
    if kind == "error":
        st.error(text)
        return ""
    return str(text)


def opened_catalogue() -> tuple[Catalogue, Settings] | None:
    """The catalogue and the settings; None, and a sentence on the page, where there is nothing to judge."""
    try:
        settings = load_settings()
        if not settings.catalogue and not (settings.data_dir / "catalogue.db").exists():
            st.info(f"No catalogue in `{settings.data_dir}` yet: run `btfer crawl` first.")
            return None
        cat = _catalogue(settings.catalogue_url)
        if not photo_rows.count(cat):
            st.info("The catalogue holds no photo yet: run `btfer crawl` first.")
            return None
        return cat, settings
    except BtferError as error:
        st.error(str(error))
        return None


@st.cache_resource
def _catalogue(url: str) -> Catalogue:
    return open_catalogue(url)


def _choices() -> tuple[str, int, str, bool]:
    reviewer = reviewer_name()
    suspicious = st.sidebar.toggle("Suspicious first", value=False, key="suspicious")
    label = st.sidebar.selectbox(
        "Class", ["all", *review.RELABEL_KEYS.values(), photo_rows.UNLABELLED], key="label"
    )
    size = st.sidebar.selectbox("Pictures on a page", PAGE_SIZES, key="page_size")
    return reviewer, size, label, suspicious


def reviewer_name() -> str:
    """Who judges: what stands in the side bar, at first the name of this computer's user."""
    try:
        known = getpass.getuser()
    except (OSError, KeyError):  # a container without a user name
        known = ""
    # The widget's own state is dropped on pages that do not draw it; `reviewer` is kept.
    st.session_state.setdefault("reviewer_box", st.session_state.get("reviewer", known))
    name = st.sidebar.text_input("Reviewer", key="reviewer_box")
    st.session_state["reviewer"] = name.strip()
    return name.strip()


def session_word() -> str:
    """A word that is new after a restart of the server."""
    return str(st.session_state.setdefault("session", secrets.token_hex(4)))


def _why_empty(cat: Catalogue, round_: str, label: str) -> str:
    if label != "all":
        return f"Nothing of the class '{label}' awaits you. Choose another class in the side bar."
    if round_ == "photos" and not verdicts.holding(cat, "dedup"):
        return "No photo has come this far yet: run `btfer dedup` first."
    if round_ == "faces" and not face_rows.newest_settings(cat):
        return "No face has come this far yet: judge the photos, then run `btfer crop`."
    return NEXT_STEP[round_]


def _funnel(tallies: list[review.Tally]) -> pd.DataFrame:
    """One row for each class, and for each round what awaits, was kept and was dropped."""
    cells: dict[str, dict[str, int]] = {}
    for one in tallies:
        row = cells.setdefault(one.expression, {})
        for name in ("awaiting", "kept", "dropped"):
            row[f"{one.round} {name}"] = getattr(one, name)
    table = pd.DataFrame.from_dict(cells, orient="index").fillna(0).astype(int)
    table.loc["all"] = table.sum()
    return table


def _drops(cat: Catalogue) -> pd.DataFrame:
    rows = [
        {"round": name, "reason": row["reason"]}
        for name in ("dedup", "photos", "crop", "faces")
        for row in verdicts.holding(cat, name)
        if row["decision"] == "drop"
    ]
    if not rows:
        return pd.DataFrame()
    counted = pd.DataFrame(rows).value_counts(sort=True)
    return counted.rename("dropped").reset_index()


def _filtered(rows: pd.DataFrame) -> pd.DataFrame:
    columns = st.columns(4)
    for column, name in zip(columns, ("round", "reviewer", "decision"), strict=False):
        chosen = column.selectbox(name, ["all", *sorted(rows[name].unique())], key=f"log_{name}")
        if chosen != "all":
            rows = rows[rows[name] == chosen]
    start = columns[3].text_input("photo begins with", key="log_photo").strip()
    return rows[rows["photo"].str.startswith(start)]
