"""The pages *Photos*, *Faces* and *Disagreements*: the grid on what awaits this person."""

import secrets
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue import faces as face_rows
from btfer.catalogue import photos as photo_rows
from btfer.catalogue.rows import PhotoBox
from btfer.faces.identity import Embedder
from btfer.review import gold, left
from btfer.settings import Settings
from btfer.store import store_of
from review_app import filters, grid, overview, same_person, session

PAGE_SIZES = ("24", "48", "96")
FIRST_SIZE = "48"
SETTLED_AT_ONCE = 24
QUESTION = {
    "photos": "Does each photo show the expression on its label, and may it be used?",
    "faces": "Does each face show the expression on its label?",
}
HOW = "A letter drops the framed picture, a number changes its class, Enter keeps the rest."
"""Shown until somebody has judged a page of the round."""
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
    wanted: review.Filter = review.Filter()  # noqa: RUF009
    embedder: Embedder | None = None

    @property
    def what(self) -> same_person.Choice:
        """Which pictures."""
        return self.label, self.wanted

    @property
    def pictures(self) -> str:
        """Another one wherever other pictures may be shown."""
        return f"{self.label}|{self.order}|{self.size}|{self.wanted}"

    @property
    def name(self) -> str:
        """Another one wherever a choice differs."""
        return f"{self.pictures}|{self.veiled}"


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
    if not reviewer:
        st.info(session.NAME_FIRST)
        return
    waiting = [
        (name, one)
        for name in review.ROUNDS
        for one in review.disputes(cat, name, settled_by=reviewer)
    ]
    if not waiting:
        st.success(f"{message} {_none_to_settle(cat)}".strip())
        return
    round_ = waiting[0][0]
    here = [one for name, one in waiting if name == round_]
    page = review.Page([review.as_item(one) for one in here[:SETTLED_AT_ONCE]], len(here))
    notes = {one.item.id: review.notes_of(one) for one in here}
    _draw(cat, settings, round_, page, message, reviewer, notes=notes)


def _none_to_settle(cat: Catalogue) -> str:
    own = sum(len(review.disputes(cat, name)) for name in review.ROUNDS)
    if not own:
        return (
            "Reviewers disagree on nothing. What two of them judge differently comes here, "
            "for the last word of a third."
        )
    return f"{own:,} disagreements wait for somebody who has not voted on them: you have."


def _round(round_: str) -> None:
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    choice = _choices(round_, settings)
    message = session.last_message()
    if not choice.reviewer:
        st.info(session.NAME_FIRST)
        return
    _end_leases_of_previous(cat, round_, choice.reviewer)
    queue = _queue(cat, round_, choice.reviewer)
    wanted = filters.chosen(cat, round_, face_rows.newest_settings(cat), choice.reviewer)
    choice = replace(choice, wanted=wanted)
    page = _page(cat, settings, round_, queue, choice)
    if not page.items and wanted != review.Filter():
        st.info("Nothing that is as chosen waits for you: choose something else in the filter.")
        return
    if not page.items:
        why = _why_empty(cat, round_, choice)
        tell = st.success if why == NEXT_STEP[round_] else st.info
        tell(f"{message} {why}".strip())
        if verdicts.last_batch(cat, round_, choice.reviewer):
            own = (cat, round_, choice.reviewer)
            st.button("Undo my last page", on_click=_undo_empty, args=own)
        return
    pace = review.pace(cat, choice.reviewer)
    if pace.should_rest:
        st.info(overview.rest(pace))
    if not verdicts.last_batch(cat, round_, choice.reviewer):
        st.markdown(f"**{QUESTION[round_]}** {HOW}")
    _draw(cat, settings, round_, page, message, choice.reviewer, choice, pace)


def _page(
    cat: Catalogue, settings: Settings, round_: str, queue: review.Queue, choice: _Choice
) -> review.Page:
    """The page of this window. Another order begins with its own pictures, not with those that were here before."""
    window, shown = session.session_id(), f"order_shown_{round_}"
    other_order = st.session_state.get(shown, choice.order) != choice.order
    st.session_state[shown] = choice.order
    if other_order:
        queue.put_back(window)
    if not choice.embedder or choice.order != same_person.ORDER:
        return queue.page(choice.size, choice.order, *choice.what, window=window)
    people = review.comparing(cat, settings, choice.embedder)
    now = people.ask(choice.what, queue.awaiting(*choice.what), again=other_order)
    as_found = review.ORDERS[0]
    page = queue.page(choice.size, as_found, *choice.what, window=window, first=now.order)
    same_person.tell(people, now, queue, choice.what, page)
    return page


def _draw(
    cat: Catalogue,
    settings: Settings,
    round_: str,
    page: review.Page,
    message: str,
    reviewer: str,
    choice: _Choice | None = None,
    pace: review.Pace | None = None,
    *,
    notes: Mapping[str, list[str]] = MappingProxyType({}),
) -> None:
    """Draw a page. choice: none = disputes are settled, whose notes are given by picture."""
    state, settle = st.session_state, choice is None
    items, hidden = page.items, set[str]()
    if not settle:
        items, hidden = gold.hidden_among(
            cat, round_, page.items, reviewer, session.gold_pictures()
        )
    zoomed = next((item for item in items if item.id == state.get("zoomed")), None)
    look = grid.Look(
        place=session.place(settings),
        reviewer=reviewer,
        choice=choice.name if choice else "",
        pictures=choice.pictures if choice else "",
        boxes=known_faces(cat, items) if round_ == "photos" else {},
        sharp_px=state.get("sharp_px", 0),
        pace=_pace(cat, reviewer, pace, page.awaiting),
        veiled=bool(choice and choice.veiled),
        settle=settle,
        guidelines=session.guidelines(settings),
        guiding=state.get("guiding", False),
    )
    grid.draw(
        items,
        look,
        store=store_of(settings),
        round_=round_,
        total=page.awaiting,
        message=message,
        answered=state.get(f"answered_{round_}", {}) | {"session": session.session_id()},
        zoomed=(zoomed, _known_of(cat, zoomed, notes)) if zoomed else None,
        undone=session.undone(grid.component_key(round_, settle), reviewer),
        left=_left(cat, round_, reviewer),
        on_change=lambda: _answer(cat, round_, look, hidden),
    )


def _known_of(cat: Catalogue, item: review.Item, notes: Mapping[str, list[str]]) -> list[str]:
    return notes[item.id] if item.id in notes else review.votes_before(cat, item)


def known_faces(cat: Catalogue, items: list[review.Item]) -> dict[str, list[PhotoBox]]:
    """Where the crop stage found faces, by photo: it may have looked before people did."""
    digest = face_rows.newest_settings(cat)
    found: dict[str, list[PhotoBox]] = defaultdict(list)
    for face in face_rows.on_photos(cat, {item.photo for item in items}, digest):
        found[face.photo].append(face.box)
    return found


def _answer(cat: Catalogue, round_: str, look: grid.Look, hidden: set[str]) -> None:
    """Do what the browser asked for; runs before the page is drawn again."""
    state = st.session_state
    sent = grid.answer(round_, settle=look.settle)
    kind, number = sent.get("kind"), str(sent.get("number", ""))
    grid.looked(sent)
    if kind == "left" and isinstance(sent.get("ids"), list):
        state[f"left_{round_}"] = {"number": number, "ids": [str(one) for one in sent["ids"]]}
    ok = kind not in _ACTIONS or session.perform_once(
        number, lambda: _act(cat, round_, look, sent, hidden)
    )
    state[f"answered_{round_}"] = {"number": number, "kind": kind, "ok": ok}


def _left(cat: Catalogue, round_: str, reviewer: str) -> grid.Answer:
    """What has become of the pictures that the browser asked about; looked up once."""
    state, key = st.session_state, f"left_{round_}"
    asked: grid.Answer = state.get(key, {"number": "", "says": ""})
    if "ids" in asked:
        why = review.why_left(cat, round_, asked["ids"], reviewer)
        asked = state[key] = {"number": asked["number"], "says": left.in_words(why.values())}
    return asked


_ACTIONS = ("commit", "undo", "recall")


def _act(cat: Catalogue, round_: str, look: grid.Look, sent: grid.Answer, hidden: set[str]) -> str:
    """What changes the catalogue; what it says. Raises UsageError where somebody else sits here by now.

    hidden: gold pictures of the page, which get no vote.
    """
    session.check_sender(sent, look.reviewer)
    if sent["kind"] == "undo":
        return _undo(cat, round_, look.reviewer, str(sent.get("number")), settle=look.settle)
    if sent["kind"] == "recall":
        ids = [str(one) for one in sent.get("ids", [])]
        back = review.recall(cat, round_, ids, look.reviewer)
        if back == len(ids):
            return f"{back} pictures are back on your page."
        why = review.why_left(cat, round_, ids, look.reviewer).values()
        away = left.in_words([one for one in why if one != left.WAITING])
        return f"{back} of {len(ids)} pictures are back on your page. The others: {away}."
    judged, page = grid.judged(sent), str(sent.get("number"))
    if look.settle:
        return session.describe(review.settle(cat, round_, judged, look.reviewer, page=page))
    facts = grid.facts(sent, look.guidelines.version)
    known = session.gold_pictures()
    done = gold.commit(
        cat, round_, judged, look.reviewer, known, hidden=hidden, sent=page, facts=facts
    )
    return session.describe(done)


def _undo(cat: Catalogue, round_: str, reviewer: str, number: str, *, settle: bool = False) -> str:
    back = gold.undo_last(cat, reviewer, round_)
    came_back = {"marks": grid.marks(back, settle=settle), "notes": grid.notes(back)}
    session.keep_undone(grid.component_key(round_, settle), reviewer, number, **came_back)
    return f"{len(back)} undone." if back else "There is no page of yours to undo."


def _undo_empty(cat: Catalogue, round_: str, reviewer: str) -> None:
    session.perform(lambda: _undo(cat, round_, reviewer, secrets.token_hex(8)))


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


def _link_to_earlier(round_: str, reviewer: str) -> None:
    """What this person judged, newest first, where any of it is judged anew."""
    pages = st.session_state.get("pages")
    if pages and reviewer:
        earlier = {"by": reviewer, "round": round_}
        st.sidebar.page_link(pages["log"], label="My earlier pages", query_params=earlier)


def _choices(round_: str, settings: Settings) -> _Choice:
    reviewer = session.reviewer_name()
    offer = same_person.offer(round_, settings)
    order = session.select(
        "Order", f"order_{round_}", offer.orders, review.FIRST_ORDER[round_], explained=offer.why
    )
    classes = ("all", *review.RELABEL_KEYS.values(), photo_rows.UNLABELLED)
    label = session.select("Class", "class", classes, "all")
    size = session.select("Pictures per page", "per_page", PAGE_SIZES, FIRST_SIZE)
    _link_to_earlier(round_, reviewer)
    veiled = session.toggle(
        "Blur", "blur", "Only the picture under the cursor or the mouse pointer is sharp."
    )
    label = "" if label == "all" else label
    return _Choice(reviewer, label, order, int(size), veiled, embedder=offer.embedder)


def _pace(cat: Catalogue, reviewer: str, pace: review.Pace | None, awaiting: int) -> str:
    """How long the rest takes, and how well this person judges where gold pictures are hidden."""
    minutes = pace.minutes_for(awaiting) if pace else None
    left = f"about {overview.duration(minutes)} left" if minutes else ""
    known = gold.quality(cat, reviewer).in_words() if session.gold_pictures() else ""
    return " · ".join(filter(None, (left, known)))


def _why_empty(cat: Catalogue, round_: str, choice: _Choice) -> str:
    if choice.label:
        return f"No {round_} of class '{choice.label}' are waiting for you. Choose another class in the sidebar."
    new = review.to_dedup(cat, face_rows.newest_settings(cat)) if round_ == "photos" else 0
    if new:
        return f"{new:,} new photos wait for the search of duplicates: run `btfer dedup`, then load this page again."
    if round_ == "faces" and not face_rows.newest_settings(cat):
        return "There are no faces to judge yet: judge the photos, then run `btfer build`."
    others = sum(
        one.awaiting
        for one in review.progress(cat, face_rows.newest_settings(cat))
        if one.round == round_
    )
    if others:
        are = f"{round_[:-1]} is" if others == 1 else f"{round_} are"
        return (
            f"{others:,} {are} waiting for other reviewers, or for a final verdict on the page "
            "*Disagreements*. The page *Overview* says what you can do meanwhile."
        )
    return NEXT_STEP[round_]
