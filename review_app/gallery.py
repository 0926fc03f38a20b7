"""The grid on pictures that were looked at already (*Log*, *No face*): who said what when, and judged anew."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from btfer.catalogue import Catalogue
from btfer.catalogue.rows import PhotoBox
from btfer.errors import UsageError
from btfer.review import Item, Judged
from btfer.settings import Settings
from btfer.store import store_of
from review_app import grid, rounds, session
from review_app.grid import Earlier


def draw(
    cat: Catalogue,
    settings: Settings,
    name: str,
    items: Sequence[Item],
    earlier: Earlier,
    *,
    reviewer: str,
    notes: Callable[[str], list[str]],
    on_commit: Callable[[list[Judged]], str],
    on_face: Callable[[str, PhotoBox, str], str] | None = None,
) -> None:
    """Draw the pictures; each key marks one, and Enter sends the marks to `on_commit`, which says what it did.

    name: of the page; marks are kept under it and the reviewer's name. notes: what is said of a picture under the
    loupe, by id. on_commit: may get what it did already, after a restart of the server. on_face: takes a box that was
    drawn on a large picture, in shares of its sides, and what names this sending.
    """
    state = st.session_state
    zoomed = next((item for item in items if item.id == state.get("zoomed")), None)
    photos = [item for item in items if not (item.face or earlier.draws)]
    look = grid.Look(
        place=session.place(settings),
        reviewer=reviewer,
        choice=str(sorted(st.query_params.to_dict().items())),
        boxes=rounds.known_faces(cat, photos),
        sharp_px=state.get("sharp_px", 0),
        guidelines=session.guidelines(settings),
        guiding=state.get("guiding", False),
        earlier=earlier,
    )
    grid.draw(
        list(items),
        look,
        store=store_of(settings),
        round_=name,
        total=len(items),
        message=session.last_message(),
        answered=state.get(f"answered_{name}", {}) | {"session": session.session_id()},
        zoomed=(zoomed, notes(zoomed.id)) if zoomed else None,
        undone={},
        left={
            "number": "",
            "says": "",
        },  # Log and No face say by themselves what has become of a picture
        on_change=lambda: _answer(name, reviewer, on_commit, on_face),
    )


def _answer(
    name: str,
    reviewer: str,
    on_commit: Callable[[list[Judged]], str],
    on_face: Callable[[str, PhotoBox, str], str] | None,
) -> None:
    """Do what the browser asked for; runs before the page is drawn again."""
    sent = grid.answer(name)
    kind, number = sent.get("kind"), str(sent.get("number", ""))
    grid.looked(sent)

    def act() -> str:
        session.check_sender(sent, reviewer)
        if kind == "commit":
            return on_commit(grid.judged(sent))
        if on_face is None:
            raise UsageError("no face is drawn on this page: load it again")
        return on_face(str(sent.get("id")), _shares(sent.get("box")), number)

    ok = kind not in ("commit", "face") or session.perform_once(number, act)
    st.session_state[f"answered_{name}"] = {"number": number, "kind": kind, "ok": ok}


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


def _shares(sent: Any) -> PhotoBox:
    """The box as numbers. Raises UsageError."""
    try:
        x, y, wide, high = (float(one) for one in sent)
    except (TypeError, ValueError):
        raise UsageError("that was no box: click two corners of the face") from None
    return PhotoBox(x, y, wide, high)
