"""The page *Pairs*: two photos side by side, same picture or not. The answers measure dedup's threshold.

One component holds the answers of a page of pairs and sends them at its end, as the grid does: a
button for each answer would lose quick key presses.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from btfer.catalogue import Catalogue
from btfer.errors import ImageError
from btfer.images import decode_rgb
from btfer.paths import photo_path
from btfer.review import pairs
from review_app import image_uris, session

SIDE_PX = 480
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "btfer_review_pairs",
    css=(_HERE / "pairs.css").read_text(encoding="utf-8"),
    js="".join((_HERE / f"{name}.js").read_text("utf-8") for name in ("frame", "pairs")),
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
        st.info("There are no pairs to compare yet: run `btfer dedup calibrate` first.")
    elif not reviewer:
        st.info("Enter your name in the sidebar first: every answer carries it.")
    elif answered == total:
        st.success(
            f"{message} All {total} pairs have been answered. Next: run `{pairs.next_command(cat)}`.".strip()
        )
        st.button("Undo my last page", on_click=lambda: _undo(cat, reviewer))
    else:
        _draw(cat, settings.data_dir, reviewer, f"{answered} of {total} pairs answered", message)


def _draw(cat: Catalogue, data_dir: Path, reviewer: str, count: str, message: str) -> None:
    state = st.session_state
    _component(
        key="pairs",
        data=[  # a list: see frame.js
            {
                "items": [_item(data_dir, pair) for pair in pairs.waiting(cat)],
                "count": f"{count} · {message}" if message else count,
                "answered": state.get("answered_pairs", {}) | {"session": session.session_id()},
                "marks": state.get("marks_pairs", {}),
            }
        ],
        on_answer_change=lambda: _answer(cat, reviewer),
    )


def _answer(cat: Catalogue, reviewer: str) -> None:
    """Do what the browser asked for; runs before the page is drawn again."""
    sent = (st.session_state.get("pairs") or {}).get("answer")
    if not isinstance(sent, dict):
        return
    if sent.get("kind") == "commit":
        st.session_state["marks_pairs"] = {}
        session.perform(lambda: session.describe(pairs.answer(cat, _same(sent), reviewer)))
    elif sent.get("kind") == "undo":
        _undo(cat, reviewer)
    st.session_state["answered_pairs"] = {"number": sent.get("number")}


def _undo(cat: Catalogue, reviewer: str) -> None:
    def undo() -> str:
        back = pairs.undo_last(cat, reviewer)
        st.session_state["marks_pairs"] = {str(id_): same for id_, same in back.items()}
        return f"{len(back)} answers undone." if back else "There is no page of yours to undo."

    session.perform(undo)


def _same(sent: dict[str, Any]) -> dict[int, bool]:
    """The answers of a sent page by pair id; what is no answer is left out, and so is asked again."""
    rows = [row for row in sent.get("same", []) if isinstance(row, list) and len(row) == 2]
    return {id_: same for id_, same in rows if isinstance(id_, int) and isinstance(same, bool)}


def _item(data_dir: Path, pair: pairs.PhotoPair) -> dict[str, Any]:
    sides = [
        {"src": _picture(photo_path(data_dir, side.photo, side.format)), "about": side.about}
        for side in pair.sides
    ]
    return {"id": pair.id, "sides": sides}


@lru_cache(maxsize=200)
def _picture(path: Path) -> str:
    """A photo as a data URI; '' where it cannot be read."""
    try:
        return image_uris.reduced(decode_rgb(path.read_bytes()), SIDE_PX)
    except (OSError, ImageError):
        return ""
