"""The page *Duplicates*: groups of near-duplicates side by side, why each keeper was kept, and changing that.

One component holds a page of groups and what is marked on them, and sends a group at a time.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from btfer.catalogue import Catalogue
from btfer.images.border import is_bordered
from btfer.paths import thumbnail_path
from btfer.review import Item, duplicates
from btfer.review.duplicate_choices import GroupFilter, chosen_groups, known_of_groups
from btfer.review.duplicates import DuplicateGroup, GroupPhoto, GroupSummary
from btfer.settings import Settings
from btfer.store import Store, store_of
from review_app import filters, image_uris, session

NAMED = {
    "by": "Reviewer",
    "verdict": "Verdict",
    "label": "Class",
    "source": "Source",
    "day": "Date",
}
"""The choices in the bar, with their headings."""
VEILED = "do-not-use"  # distressing, or withdrawn: blurred until the pointer is on it
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "btfer_review_duplicates",
    css=(_HERE / "duplicates.css").read_text(encoding="utf-8"),
    js="".join(
        (_HERE / f"{name}.js").read_text("utf-8") for name in ("frame", "grid_memory", "duplicates")
    ),
)
Sent = dict[str, Any]


def page() -> None:
    """Show the groups, those with conflicting labels first, then the largest."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    reviewer = session.reviewer_name()
    message = session.last_message()
    if st.sidebar.button("Reload the groups", help="Do this after `btfer dedup` has run."):
        _go(0)
        for name in ("duplicate_groups", "known_of_groups"):
            st.session_state.pop(name, None)
    every = _groups(cat)
    groups = _chosen(cat, every) if every else []
    if not reviewer:
        st.info(session.NAME_FIRST)
    elif every and not groups:
        st.info(f"{message} No group is as chosen: choose something else in the filter.".strip())
    elif not groups:
        st.success(
            f"{message} There are no groups of duplicates. `btfer dedup` looks for copies.".strip()
        )
        st.button("Undo my last change", on_click=lambda: _undo(cat, reviewer, every))
    else:
        _draw(cat, settings, reviewer, groups, message)


def _groups(cat: Catalogue) -> list[GroupSummary]:
    """The list of groups as this session read it: it stays as it is while a person walks through it."""
    if not st.session_state.get("duplicate_groups"):
        with st.spinner("Reading the groups …"):
            st.session_state["duplicate_groups"] = duplicates.group_summaries(cat)
    found: list[GroupSummary] = st.session_state["duplicate_groups"]
    return found


def _chosen(cat: Catalogue, every: list[GroupSummary]) -> list[GroupSummary]:
    """Draw the bar where it is asked for; the groups that are as chosen in the address, as they were when read."""
    state, now = st.session_state, GroupFilter(**filters.asked((*NAMED, "find")))
    shown = st.sidebar.toggle("Filter", value=now != GroupFilter(), key="filter_duplicates")
    if not shown:
        now, groups = GroupFilter(), every
        filters.to_address(vars(now))
    else:
        if "known_of_groups" not in state:
            state["known_of_groups"] = known_of_groups(cat, every)
        groups, counts = chosen_groups(cat, every, state["known_of_groups"], now)
        filters.bar_in_address("duplicates", NAMED, counts, vars(now))
    if state.get("groups_chosen", now) != now:
        _go(0)
    state["groups_chosen"] = now
    return groups


def _draw(
    cat: Catalogue, settings: Settings, reviewer: str, groups: list[GroupSummary], message: str
) -> None:
    state, store = st.session_state, store_of(settings)
    at = _at()
    at["place"] = min(at["place"], len(groups) - 1)
    _chooser(at["place"], len(groups))
    drawn = _page(cat, store, groups, at["place"])
    _component(
        key="duplicates",
        data=[  # a list: see frame.js
            {
                "place": session.place(settings),
                "reviewer": reviewer,
                "round": "duplicates",
                "at": at,
                "total": len(groups),
                "message": message,
                "groups": [
                    one
                    for number, current in drawn.items()
                    for one in _entries(store, number, groups[number], current)
                ],
                "answered": state.get("answered_duplicates", {})
                | {"session": session.session_id()},
                "zoom": _zoom(store, drawn, state.get("duplicates_zoom", "")),
            }
        ],
        on_answer_change=lambda: _answer(cat, reviewer, groups),
    )


def _chooser(place: int, total: int) -> None:
    """The number of the group in the sidebar; choosing another one goes there."""
    st.session_state["duplicates_number"] = place + 1
    st.sidebar.number_input(
        "Group",
        1,
        total,
        key="duplicates_number",
        on_change=lambda: _go(st.session_state["duplicates_number"] - 1),
    )


def _page(
    cat: Catalogue, store: Store, groups: list[GroupSummary], place: int
) -> dict[int, list[DuplicateGroup]]:
    """The groups on the page of one place in the list, by place."""
    start = place // duplicates.PAGE * duplicates.PAGE
    here = groups[start : start + duplicates.PAGE]

    def bordered(sha256: str) -> bool:
        return is_bordered(store.fetch(thumbnail_path(store.folder, sha256)))

    found = dict(enumerate(duplicates.current_groups(cat, here, is_bordered=bordered), start))
    for number, most in st.session_state.get("duplicates_most", {}).items():
        if number in found:
            [found[number]] = duplicates.current_groups(
                cat, [groups[number]], most, is_bordered=bordered
            )
    return found


def _answer(cat: Catalogue, reviewer: str, groups: list[GroupSummary]) -> None:
    """Do what the browser asked for; runs before the page is drawn again."""
    sent = (st.session_state.get("duplicates") or {}).get("answer")
    if not isinstance(sent, dict):
        return
    kind, place, key = sent.get("kind"), sent.get("place"), str(sent.get("number"))
    number = place if isinstance(place, int) and 0 <= place < len(groups) else 0
    st.session_state["duplicates_zoom"] = str(sent.get("id")) if kind == "zoom" else ""
    ok = True
    if kind == "commit":
        ok = session.perform_once(key, lambda: _change(cat, reviewer, sent, number))
    elif kind == "undo":
        session.perform_once(key, lambda: _undo_sent(cat, sent, reviewer, groups))
    elif kind == "turn":
        _go(number)
    elif kind == "find":
        session.perform_once(key, lambda: _found(groups, sent))
    elif kind == "more":
        most = st.session_state.setdefault("duplicates_most", {})
        most[number] = most.get(number, duplicates.MOST_SHOWN) + duplicates.MOST_SHOWN
    if kind in ("zoom", "more"):
        _at()["place"] = number
    st.session_state["answered_duplicates"] = {"number": key, "ok": ok}


def _change(cat: Catalogue, reviewer: str, sent: Sent, number: int) -> str:
    """Write what was marked on a group, and go to the next. It may have been written before a restart of the server."""
    session.check_sender(sent, reviewer)
    keeper, keep = str(sent.get("group")), str(sent.get("keep"))
    not_copies = sent.get("not") if isinstance(sent.get("not"), list) else []
    named = {str(one) for one in not_copies or []}
    page = str(sent.get("number") or "")
    duplicates.change(cat, keeper, reviewer, keep=keep, not_copies=named, page=page)
    _go(number + 1)
    changes = [
        f"{len(named)} marked as no copy" if named else "",
        "another photo kept" if keep != keeper else "",
    ]
    return f"Saved: {', '.join(filter(None, changes))}."


def _undo_sent(cat: Catalogue, sent: Sent, reviewer: str, groups: list[GroupSummary]) -> str:
    session.check_sender(sent, reviewer)
    return _taken_back(cat, reviewer, groups)


def _undo(cat: Catalogue, reviewer: str, groups: list[GroupSummary]) -> None:
    session.perform(lambda: _taken_back(cat, reviewer, groups))


def _taken_back(cat: Catalogue, reviewer: str, groups: list[GroupSummary]) -> str:
    back = set(duplicates.undo_last(cat, reviewer))
    if not back:
        return "There is no change of yours to undo."
    _go(_place_of(back, groups, _at()["place"]))
    return f"{len(back)} verdicts undone."


def _found(groups: list[GroupSummary], sent: Sent) -> str:
    """Go to the first of the marked groups that is listed."""
    ids = sent.get("ids")
    marked = {str(one) for one in ids} if isinstance(ids, list) else set()
    to = _place_of(marked, groups, -1)
    if to < 0:
        return "None of these groups is in the list now: reload the groups, or change the filter."
    _go(to)
    return ""


def _place_of(photos: set[str], groups: list[GroupSummary], otherwise: int) -> int:
    """The place of the first group that has one of the photos."""
    shown = enumerate(groups)
    return next((n for n, one in shown if photos & {one.keeper, *one.copies}), otherwise)


def _go(place: int) -> None:
    """Show another group; `jump` is new each time, so that the browser follows."""
    st.session_state["duplicates_at"] = {"place": place, "jump": _at()["jump"] + 1}
    session.keep("group", str(place + 1))


def _at() -> dict[str, int]:
    """The group that is shown: after a reload or a restart, the one that was shown before."""
    text = session.kept("group", "1")
    first = int(text) - 1 if text.isascii() and text.isdigit() and 0 < len(text) < 9 else 0
    state = st.session_state
    found: dict[str, int] = state.setdefault("duplicates_at", {"place": max(0, first), "jump": 0})
    return found


def _entries(
    store: Store, number: int, summary: GroupSummary, groups: list[DuplicateGroup]
) -> list[Sent]:
    """What has become of a listed group, for the browser; one without pictures where no copies are left."""
    if not groups:
        return [{"place": number, "id": summary.keeper, "pictures": []}]
    return [
        {
            "place": number,
            "id": one.keeper.photo,
            "pictures": [_picture(store, each, one) for each in (one.keeper, *one.copies)],
            "labels": one.labels if one.conflicting else [],
            "why": one.keeper.why,
            "hidden": one.hidden,
        }
        for one in groups
    ]


def _picture(store: Store, one: GroupPhoto, group: DuplicateGroup) -> Sent:
    facts = {
        "size": f"{one.width_px} x {one.height_px} px",
        "bytes": f"{one.n_bytes / 1000:,.0f} kB {one.format}",
        "licence": one.licence,
        "query": one.about["phrase"],
        "class": ", ".join(one.labels),
        "found": f"{one.found_at[:19].replace('T', ' ')} by {one.about['source']}",
        "title": one.about["title"],
        "judged": one.judged,
    }
    if one is not group.keeper:
        mirrored = ", mirrored" if one.mirrored else ""
        facts |= {"distance": f"{one.distance_bits} bits{mirrored}", "keeper": one.why}
        if one.difference is not None:
            facts["differs"] = f"by {one.difference:.2f} at most, in parts of its own detail"
    return {
        "id": one.photo,
        "src": image_uris.small(store, _item(one)),
        "veiled": one.judged == VEILED,
        "mirrored": one.mirrored,
        "why": one.why,
        "facts": [(name, text) for name, text in facts.items() if text],
    }


def _zoom(store: Store, drawn: dict[int, list[DuplicateGroup]], id_: str) -> dict[str, str]:
    """A picture that is on the page and its keeper, large, by photo."""
    for group in (group for groups in drawn.values() for group in groups):
        shown = {one.photo: one for one in (group.keeper, *group.copies)}
        if id_ in shown:
            both = (group.keeper, shown[id_])
            return {one.photo: image_uris.large(store, _item(one)).src for one in both}
    return {}


def _item(one: GroupPhoto) -> Item:
    return Item(one.photo, one.photo, "", one.format, "", (), one.about)
