"""The page *Pairs*: two photos side by side, same picture or not. The answers measure dedup's threshold.

One component holds the answers of a page of pairs and sends them at its end, as the grid does: a
button for each answer would lose quick key presses.
"""

import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from btfer.catalogue import Catalogue
from btfer.errors import ImageError
from btfer.images import decode_rgb
from btfer.paths import photo_path
from btfer.review import pairs
from btfer.settings import Settings
from btfer.store import Store, store_of
from review_app import image_uris, session

SIDE_PX = 480
SAID = {True: "same", False: "different"}
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "btfer_review_pairs",
    css=(_HERE / "pairs.css").read_text(encoding="utf-8"),
    js="".join(
        (_HERE / f"{name}.js").read_text("utf-8") for name in ("frame", "grid_memory", "pairs")
    ),
)


def page() -> None:
    """Ask about the drawn pairs, eight at a time."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    reviewer = session.reviewer_name()
    message = session.last_message()
    answered, total = pairs.count(cat)
    if not total:
        st.info(
            "There are no pairs to compare. Where `btfer dedup` cannot tell whether two photos are one, it asks here; "
            "to measure how well it tells, `btfer dedup calibrate` draws pairs."
        )
    elif not reviewer:
        st.info(session.NAME_FIRST)
    elif answered == total:
        st.success(
            f"{message} All {total} pairs have been answered. Next: run `{pairs.next_command(cat)}`.".strip()
        )
        st.button("Undo my last page", on_click=lambda: _undo(cat, reviewer))
    else:
        _draw(cat, settings, reviewer, f"{answered} of {total} pairs answered", message)


def _draw(cat: Catalogue, settings: Settings, reviewer: str, count: str, message: str) -> None:
    state = st.session_state
    _component(
        key="pairs",
        data=[  # a list: see frame.js
            {
                "place": session.place(settings),
                "reviewer": reviewer,
                "round": "pairs",
                "items": _items(store_of(settings), pairs.waiting(cat)),
                "count": f"{count} · {message}" if message else count,
                "answered": state.get("answered_pairs", {}) | {"session": session.session_id()},
                "undone": session.undone("pairs", reviewer) or {"number": "", "marks": {}},
            }
        ],
        on_answer_change=lambda: _answer(cat, reviewer),
    )


def _answer(cat: Catalogue, reviewer: str) -> None:
    """Do what the browser asked for; runs before the page is drawn again."""
    sent = (st.session_state.get("pairs") or {}).get("answer")
    if not isinstance(sent, dict):
        return
    number, ok = str(sent.get("number")), True
    if sent.get("kind") == "commit":
        ok = session.perform_once(number, lambda: _commit(cat, sent, reviewer))
    elif sent.get("kind") == "undo":
        session.perform_once(number, lambda: _undo_sent(cat, sent, reviewer))
    st.session_state["answered_pairs"] = {"number": number, "ok": ok}


def _commit(cat: Catalogue, sent: dict[str, Any], reviewer: str) -> str:
    session.check_sender(sent, reviewer)
    return session.describe(pairs.answer_named(cat, _same(sent), reviewer))


def _undo_sent(cat: Catalogue, sent: dict[str, Any], reviewer: str) -> str:
    session.check_sender(sent, reviewer)
    return _taken_back(cat, reviewer, str(sent.get("number")))


def _undo(cat: Catalogue, reviewer: str) -> None:
    session.perform(lambda: _taken_back(cat, reviewer, secrets.token_hex(8)))


def _taken_back(cat: Catalogue, reviewer: str, number: str) -> str:
    back = pairs.undo_last(cat, reviewer)
    names = pairs.names(cat, back)
    marks = {names[id_]: SAID[same] for id_, same in back.items() if id_ in names}
    session.keep_undone("pairs", reviewer, number, marks=marks)
    return f"{len(back)} answers undone." if back else "There is no page of yours to undo."


def _same(sent: dict[str, Any]) -> dict[str, bool]:
    """The answers of a sent page by the pairs' names; what is no answer is left out, and so is asked again."""
    rows = [row for row in sent.get("judged", []) if isinstance(row, dict)]
    known = {said: same for same, said in SAID.items()}
    return {
        str(row.get("id")): known[row["said"]] for row in rows if row.get("said") in SAID.values()
    }


def _items(store: Store, waiting: Sequence[pairs.PhotoPair]) -> list[dict[str, Any]]:
    paths = {
        side.photo: photo_path(store.folder, side.photo, side.format)
        for pair in waiting
        for side in pair.sides
    }
    store.fetch_all(paths.values())
    return [
        {
            "id": pair.name,
            "sides": [
                {"src": _picture(paths[side.photo]), "about": side.about} for side in pair.sides
            ],
        }
        for pair in waiting
    ]


@lru_cache(maxsize=200)
def _picture(path: Path) -> str:
    """A photo as a data URI; '' where it cannot be read."""
    try:
        return image_uris.reduced(decode_rgb(path.read_bytes()), SIDE_PX)
    except (OSError, ImageError):
        return ""
