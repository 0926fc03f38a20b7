"""The grid: one component that holds the marks in the browser and sends a page at a time.

A button for each picture would lose quick key presses, because each press would run the script once.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from btfer.catalogue.rows import PhotoBox
from btfer.review import DROP_REASONS, RELABEL_KEYS, Item, Judged, PageFacts, badges
from btfer.review.guidelines import NO_GUIDELINES, Guidelines
from btfer.review.queues import LEASE_MINUTES
from btfer.store import Store
from review_app import examples, image_uris

_HERE = Path(__file__).parent
_SCRIPTS = (
    "frame",
    "grid_memory",
    "grid_size",
    "grid_select",
    "grid_notes",
    "grid_loupe",
    "gallery_box",
    "grid_tiles",
    "grid",
)
_component = st.components.v2.component(
    "btfer_review_grid",
    css=(_HERE / "grid.css").read_text(encoding="utf-8"),
    js="".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS),
)

Answer = dict[str, Any]
KEEP_KEY = "k"  # where nothing is kept unless it is marked
SHARP_PX = (256, 512)  # sides of the pictures that the browser may ask for


@dataclass(frozen=True)
class Earlier:
    """What a page has besides whose pictures were looked at before: only what is marked is sent from there.

    title: names the grid. keys: what each letter or digit means. says: what stands below each picture, by id, under
    this heading in the loupe.
    verdicts: what holds of it now, by id, which a note alone repeats; closed: why a picture in `fixed` cannot be
    judged. undo, nothing: what U and Enter say without a mark. no_doubt: why Q means nothing here ('' = it does).
    draws: a face is drawn under the loupe.
    """

    title: str
    keys: Mapping[str, Judged]
    says: Mapping[str, str]
    heading: str
    nothing: str
    undo: str
    verdicts: Mapping[str, Judged] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    closed: str = ""
    no_doubt: str = ""
    draws: bool = False


@dataclass(frozen=True)
class Look:
    """What a page shows beside its pictures.

    place: names the catalogue. reviewer: whose marks these are. choice: what was chosen in the sidebar; a new choice
    gives the keys back to the grid. pictures: the part of it that says which ones are shown. boxes: of known faces,
    by photo. sharp_px: side of the pictures, 0 = thumbnails. pace: how long the rest takes. veiled: all pictures but
    the one under the cursor are blurred. settle: final verdicts on disputes, so that nothing is kept unless it is
    marked. guiding: the guidelines have been opened, so that their drawn examples are sent too. earlier: of a page of
    pictures that were looked at before.
    """

    place: str
    reviewer: str
    choice: str = ""
    pictures: str = ""
    boxes: dict[str, list[PhotoBox]] = field(default_factory=dict)
    sharp_px: int = 0
    pace: str = ""
    veiled: bool = False
    settle: bool = False
    guidelines: Guidelines = NO_GUIDELINES
    guiding: bool = False
    earlier: Earlier | None = None


LAST_WORD = "The last word is sure: leave the picture unmarked for somebody else."


def draw(
    items: list[Item],
    look: Look,
    *,
    store: Store,
    round_: str,
    total: int,
    message: str,
    answered: Answer,
    zoomed: tuple[Item, list[str]] | None,
    undone: Answer,
    left: Answer,
    on_change: Callable[[], None],
) -> None:
    """Draw one page. `on_change` runs when the page is committed, undone or looked at; `answer` reads which.

    message: what the last action did. answered: the last request of the browser that was handled, so that it
    knows what is saved. zoomed: a picture and the votes (of a dispute: the notes) that may be seen. undone: `number` of
    the request that took a page back, its `marks` and its `notes`. left: `number` of the request that asked what has
    become of pictures that are no more on the page, and what it `says`.
    """
    image_uris.fetch_small(store, items, look.sharp_px)
    _component(
        key=component_key(round_, look.settle),
        data=[  # a list: see frame.js
            {
                "place": look.place,
                "reviewer": look.reviewer,
                "round": round_,
                "choice": look.choice,
                "pictures": look.pictures,
                "total": total,
                "message": message,
                "pace": look.pace,
                "veiled": look.veiled,
                "settle": look.settle,
                "sharp": look.sharp_px,
                "lease_s": LEASE_MINUTES * 60,
                "page": hashlib.sha256("".join(item.id for item in items).encode()).hexdigest(),
                "items": [_tile(store, item, look) for item in items],
                "keys": [{"key": key, **_mark(one)} for key, one in _keys(round_, look).items()],
                "no_doubt": LAST_WORD
                if look.settle
                else look.earlier.no_doubt
                if look.earlier
                else "",
                "earlier": _words(look.earlier) if look.earlier else None,
                "draws": bool(look.earlier and look.earlier.draws),
                "hints": badges.EXPLAINED,
                "guidelines": {"text": look.guidelines.text, "version": look.guidelines.version},
                "examples": examples.small_pictures() if look.guiding else None,
                "answered": answered,
                "zoom": _zoom(store, *zoomed, look) if zoomed else None,
                "left": left,
                "undone": undone or {"number": "", "marks": {}, "notes": {}},
            }
        ],
        on_answer_change=on_change,
    )


def answer(round_: str, *, settle: bool = False) -> Answer:
    """What the browser sent: `kind` (commit, undo, recall, left, face, zoom, sharp, guide, renew), `number`, more."""
    state = st.session_state.get(component_key(round_, settle)) or {}
    sent = state.get("answer")
    return sent if isinstance(sent, dict) else {}


def looked(sent: Answer) -> None:
    """Keep what the browser wants to see: a picture under the loupe, sharper ones, the guidelines' examples."""
    state, kind = st.session_state, sent.get("kind")
    if kind in ("zoom", "commit", "undo", "face"):
        state["zoomed"] = str(sent.get("id")) if kind == "zoom" else None
    if kind == "sharp" and sent.get("px") in SHARP_PX:
        state["sharp_px"] = sent["px"]
    if kind == "guide":
        state["guiding"] = True


def judged(sent: Answer) -> list[Judged]:
    """The judgements of a sent page, as texts; `review.commit` checks them."""
    rows = [row for row in sent.get("judged", []) if isinstance(row, dict)]
    names = ("id", "decision", "reason", "expression", "note")
    return [
        Judged(
            **{name: str(row.get(name) or "") for name in names}, unsure=row.get("unsure") is True
        )
        for row in rows
    ]


def facts(sent: Answer, known_version: str) -> PageFacts:
    """What a sent page says of itself. known_version: of the guidelines; no other is believed but an older one."""
    seconds, unseen = (sent.get(name) for name in ("seconds", "unseen"))
    version = str(sent.get("guidelines") or "")
    return PageFacts(
        seconds=round(float(seconds), 1) if isinstance(seconds, int | float) else 0.0,
        unseen=unseen if isinstance(unseen, int) else 0,
        guidelines=version[: len(known_version)],
    )


def marks(undone: list[Judged], *, settle: bool = False) -> dict[str, dict[str, str]]:
    """The marks of a page that was taken back, by id; what was kept has none."""
    return {one.id: _mark(one) for one in undone if settle or one.decision != "keep"}


def notes(undone: list[Judged]) -> dict[str, dict[str, str | bool]]:
    """What stood beside the pictures of a page that was taken back, by id."""
    return {
        one.id: {"note": one.note, "unsure": one.unsure} for one in undone if one.note or one.unsure
    }


def component_key(round_: str, settle: bool) -> str:
    """Of the component: a page to settle is another one than that of its round."""
    return f"settle_{round_}" if settle else f"grid_{round_}"


def _mark(one: Judged) -> dict[str, str]:
    return {"decision": one.decision, "reason": one.reason, "expression": one.expression}


def _keys(round_: str, look: Look) -> Mapping[str, Judged]:
    """What each key marks, in the order of the legend."""
    if look.earlier:
        return look.earlier.keys
    keep = {KEEP_KEY: Judged("")} if look.settle else {}
    drops = {key: Judged("", "drop", reason) for reason, key in DROP_REASONS[round_].items()}
    classes = {key: Judged("", "relabel", "", label) for key, label in RELABEL_KEYS.items()}
    return keep | drops | classes


def _words(earlier: Earlier) -> dict[str, str]:
    names = ("title", "heading", "nothing", "undo", "closed")
    return {name: getattr(earlier, name) for name in names}


def _tile(store: Store, item: Item, look: Look) -> dict[str, Any]:
    tile = {
        "id": item.id,
        "label": item.label,
        "badges": _badges(item, look),
        "details": {badges.CONFLICT: ", ".join(item.classes)} if item.classes else {},
        "about": item.about,
        "size": (round(item.width_px), round(item.height_px)),
        "hash": item.photo[:16],
        "boxes": [] if item.face else look.boxes.get(item.photo, []),
        "src": image_uris.small(store, item, look.sharp_px),
    }
    if not look.earlier:
        return tile
    holds = look.earlier.verdicts.get(item.id)
    return tile | {
        "says": look.earlier.says[item.id],
        "fixed": item.id in look.earlier.fixed,
        "verdict": _mark(holds) if holds else None,
    }


def _badges(item: Item, look: Look) -> tuple[str, ...]:
    """The hints of a tile; `unlabelled` stands above it already, as its label."""
    known = item.badges if look.settle else badges.strongest_first(item.badges)
    return tuple(one for one in known if one != item.label)


def _zoom(store: Store, item: Item, votes: list[str], look: Look) -> dict[str, Any]:
    boxes = [item.box] if item.box else look.boxes.get(item.photo, [])
    large = image_uris.large(store, item, boxes[0] if boxes else None)
    return {
        "id": item.id,
        "src": large.src,
        "size": large.size,
        "boxes": boxes,
        "face": large.face,
        "scale": large.scale,
        "file": _file_name(item),
        "file_size": large.file_size,
        "votes": votes,
    }


def _file_name(item: Item) -> str:
    """As its address calls it, else as it is stored."""
    last = item.about.get("url", "").split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return last or f"{item.photo}.{item.format}"
