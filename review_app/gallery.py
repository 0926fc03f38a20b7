"""The grid of pictures that were looked at already (*Log*, *No face*): who said what when, larger, and judged anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from btfer.catalogue.rows import PhotoBox
from btfer.errors import UsageError
from btfer.review import Item, Judged
from review_app import image_uris, session

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "btfer_review_gallery",
    css=(_HERE / "gallery.css").read_text(encoding="utf-8"),
    js=(_HERE / "gallery.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class GalleryPicture:
    """A tile. id: names it in an answer; says: what stands below it; fixed: it cannot be judged here."""

    id: str
    item: Item
    says: str
    about: str = ""
    fixed: bool = False


def draw(
    name: str,
    pictures: Sequence[GalleryPicture],
    *,
    data_dir: Path,
    keys: Mapping[str, Judged],
    on_commit: Callable[[list[Judged]], str],
    on_face: Callable[[str, PhotoBox], str] | None = None,
) -> None:
    """Draw the pictures; each key marks one, and Enter sends the marks to `on_commit`, which says what it did.

    on_face: takes a box that was drawn on a large picture, in shares of its sides; without it none is drawn.
    """
    state, key = st.session_state, f"gallery_{name}"
    wanted = next((one for one in pictures if one.id == state.get(f"{key}_zoom")), None)

    def answered() -> None:
        sent = (state.get(key) or {}).get("answer")
        if not isinstance(sent, dict):
            return
        if sent.get("kind") == "zoom":
            state[f"{key}_zoom"] = str(sent.get("id"))
        elif sent.get("kind") == "commit":
            state[f"{key}_sent"] = sent.get("number")
            session.perform(lambda: on_commit(_judged(sent)))
        elif sent.get("kind") == "face" and on_face:
            session.perform(lambda: on_face(str(sent.get("id")), _shares(sent.get("box"))))

    _component(
        key=key,
        data=[  # a list of one: of a dict, Streamlit would load pandas to look whether it holds tables
            {
                "name": name,
                "draws": on_face is not None,
                "message": session.last_message(),
                "keys": {letter: _mark(one) for letter, one in keys.items()},
                "sent": state.get(f"{key}_sent"),
                "items": [
                    {
                        "id": one.id,
                        "src": image_uris.small(data_dir, one.item),
                        "says": one.says,
                        "about": one.about,
                        "fixed": one.fixed,
                    }
                    for one in pictures
                ],
                "large": {"id": wanted.id, "src": image_uris.large(data_dir, wanted.item).src}
                if wanted
                else None,
            }
        ],
        on_answer_change=answered,
    )


def asked_before() -> int | None:
    """The number in the address before which pictures are shown; None = the newest."""
    text = st.query_params.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def turn(before: int | None, older: int | None) -> None:
    """Buttons that lead to the newest pictures and to older ones. older: where those begin; None = there are none."""
    if before is None and older is None:
        return
    with st.container(horizontal=True):
        if before is not None and st.button("Newest"):
            del st.query_params["before"]
            st.rerun()
        if older is not None and st.button("Older"):
            st.query_params["before"] = str(older)
            st.rerun()


def _mark(one: Judged) -> dict[str, Any]:
    says = one.reason or one.expression or one.decision
    means = {"decision": one.decision, "reason": one.reason, "expression": one.expression}
    return {"says": says, "means": means}


def _judged(sent: dict[str, Any]) -> list[Judged]:
    """What was sent, as texts; `btfer.review` checks them."""
    rows = [row for row in sent.get("judged", []) if isinstance(row, dict)]
    names = ("id", "decision", "reason", "expression")
    texts = [[str(row.get(name) or "") for name in names] for row in rows]
    return [Judged(id_, decision, reason, label) for id_, decision, reason, label in texts]


def _shares(sent: Any) -> PhotoBox:
    """The box as numbers. Raises UsageError."""
    try:
        x, y, wide, high = (float(one) for one in sent)
    except (TypeError, ValueError):
        raise UsageError("that was no box: click two corners of the face") from None
    return PhotoBox(x, y, wide, high)
