"""The grid of pictures that were looked at already (*Log*, *No face*): who said what when, larger, and judged anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from btfer.catalogue.rows import PhotoBox
from btfer.errors import UsageError
from btfer.review import Item, Judged
from btfer.settings import Settings
from review_app import image_uris, session

_HERE = Path(__file__).parent
_SCRIPTS = ("frame", "grid_memory", "gallery_box", "gallery")
_component = st.components.v2.component(
    "btfer_review_gallery",
    css=(_HERE / "gallery.css").read_text(encoding="utf-8"),
    js="".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS),
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
    settings: Settings,
    reviewer: str,
    keys: Mapping[str, Judged],
    on_commit: Callable[[list[Judged]], str],
    on_face: Callable[[str, PhotoBox], str] | None = None,
) -> None:
    """Draw the pictures; each key marks one, and Enter sends the marks to `on_commit`, which says what it did.

    reviewer: whose marks these are. on_commit: may get what it did already, after a restart of the server. on_face:
    takes a box that was drawn on a large picture, in shares of its sides; without it none is drawn.
    """
    state, key = st.session_state, f"gallery_{name}"
    wanted = next((one for one in pictures if one.id == state.get(f"{key}_zoom")), None)

    def answered() -> None:
        sent = (state.get(key) or {}).get("answer")
        if not isinstance(sent, dict):
            return
        kind, number = str(sent.get("kind")), str(sent.get("number"))
        if kind == "zoom":
            state[f"{key}_zoom"] = str(sent.get("id"))
            return
        ok = kind not in ("commit", "face") or session.perform_once(number, lambda: act(sent))
        state[f"{key}_answered"] = {"number": number, "kind": kind, "ok": ok}

    def act(sent: dict[str, Any]) -> str:
        session.check_sender(sent, reviewer)
        if sent["kind"] == "commit":
            return on_commit(_judged(sent))
        if on_face is None:
            raise UsageError("no face is drawn on this page: load it again")
        return on_face(str(sent.get("id")), _shares(sent.get("box")))

    _component(
        key=key,
        data=[  # a list: see frame.js
            {
                "place": session.place(settings),
                "reviewer": reviewer,
                "round": name,
                "choice": str(sorted(st.query_params.to_dict().items())),
                "draws": on_face is not None,
                "message": session.last_message(),
                "keys": {letter: _mark(one) for letter, one in keys.items()},
                "answered": state.get(f"{key}_answered", {}) | {"session": session.session_id()},
                "items": [
                    {
                        "id": one.id,
                        "src": image_uris.small(settings.data_dir, one.item),
                        "says": one.says,
                        "about": one.about,
                        "fixed": one.fixed,
                    }
                    for one in pictures
                ],
                "large": {
                    "id": wanted.id,
                    "src": image_uris.large(settings.data_dir, wanted.item).src,
                }
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
