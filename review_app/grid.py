"""The grid: one component that holds the marks in the browser and sends a page at a time.

A button for each picture would lose quick key presses, because each press would run the script once.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from btfer.expressions import EXPRESSIONS
from btfer.review import DROP_REASONS, Item, Judged
from review_app import image_uris

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "btfer_review_grid",
    css=(_HERE / "grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "grid.js").read_text(encoding="utf-8"),
)

Answer = dict[str, Any]


def draw(
    items: list[Item],
    *,
    data_dir: Path,
    round_: str,
    total: int,
    message: str,
    answered: Answer,
    zoomed: Item | None,
    marks: list[Judged],
    on_change: Callable[[], None],
    pace: str = "",
    veiled: bool = False,
    settle: bool = False,
) -> None:
    """Draw one page. `on_change` runs when the page is committed, undone or zoomed; `answer` reads which.

    message: what the last action did. answered: the last request of the browser that was handled, so that it
    knows when the page takes keys again. marks: judgements that were undone, shown as marks. veiled: all
    pictures but the one under the cursor are blurred. settle: final verdicts on disputes, so that nothing
    is kept unless it is marked.
    """
    _component(
        key=_key(round_, settle),
        data={
            "round": round_,
            "total": total,
            "message": message,
            "pace": pace,
            "veiled": veiled,
            "settle": settle,
            "page": hashlib.sha256("".join(item.id for item in items).encode()).hexdigest(),
            "items": [_tile(data_dir, item) for item in items],
            "reasons": DROP_REASONS[round_],
            "classes": EXPRESSIONS,
            "answered": answered,
            "zoom": _zoom(data_dir, zoomed) if zoomed else None,
            "marks": {one.id: _mark(one) for one in marks if settle or one.decision != "keep"},
        },
        on_answer_change=on_change,
    )


def answer(round_: str, *, settle: bool = False) -> Answer:
    """What the browser sent: `kind` (commit, undo, zoom), `number`, and what belongs to it."""
    state = st.session_state.get(_key(round_, settle)) or {}
    sent = state.get("answer")
    return sent if isinstance(sent, dict) else {}


def judged(sent: Answer) -> list[Judged]:
    """The judgements of a sent page, as texts; `review.commit` checks them."""
    rows = [row for row in sent.get("judged", []) if isinstance(row, dict)]
    names = ("id", "decision", "reason", "expression")
    return [Judged(*(str(row.get(name, "")) for name in names)) for row in rows]


def _key(round_: str, settle: bool) -> str:
    return f"settle_{round_}" if settle else f"grid_{round_}"


def _tile(data_dir: Path, item: Item) -> dict[str, Any]:
    shown = {"id": item.id, "label": item.label, "badges": item.badges, "about": item.about}
    size = f"{item.width_px:.0f} x {item.height_px:.0f} px"
    return shown | {"size": size, "src": image_uris.small(data_dir, item)}


def _mark(one: Judged) -> dict[str, str]:
    return {"decision": one.decision, "reason": one.reason, "expression": one.expression}


def _zoom(data_dir: Path, item: Item) -> dict[str, Any]:
    src, size = image_uris.large(data_dir, item)
    return {"id": item.id, "src": src, "box": item.box, "size": size}
