"""What awaits a person: the items of each round with hints, and how far each class is.

A hint is a badge and an order, never a verdict.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from btfer.catalogue import Catalogue, faces, photos, verdicts
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.store import Row
from btfer.expressions import EXPRESSIONS
from btfer.review.boxes import Box, box_of
from btfer.review.rules import check_round

# Seen on 150 web photos: below or above these lie about 3 to 5 in 100.
DARK_BELOW = 50.0  # mean of 0-255
BLURRED_BELOW = 12.0  # variance of the thumbnail's Laplacian
FLAT_ABOVE = 0.45  # share of pixels without any texture: drawings, slides, logos
FEW_COLOURS = 12  # in drawings, emoji and logos
TEXT_ABOVE = 0.03  # share of places where strokes stand side by side, as in writing
SMALL_PHOTO_PX = 120
SMALL_FACE_PX = 64
UNSURE_BELOW = 0.97  # MTCNN's probability

CONFLICT = "conflicting labels"  # found under queries of different classes
_SHOWN = ("phrase", "language", "source", "page_url", "title", "licence", "author")


@dataclass(frozen=True)
class Item:
    """A photo (`face` = '') or a face that awaits a person; `id` names it in a judgement."""

    id: str
    photo: str
    face: str
    format: str
    label: str
    badges: tuple[str, ...]
    about: dict[str, str]
    box: Box | None = None
    width_px: float = 0
    height_px: float = 0


@dataclass(frozen=True)
class Tally:
    """How many photos or faces of one class await, were kept and were dropped in one round."""

    round: str
    expression: str
    awaiting: int = 0
    kept: int = 0
    dropped: int = 0


def queue(
    cat: Catalogue,
    round_: str,
    settings_digest: str = "",
    limit: int | None = None,
    offset: int = 0,
    *,
    suspicious_first: bool = False,
    label: str = "",
) -> list[Item]:
    """What awaits a person in a round: photos with conflicting labels, then in the order of finding.

    suspicious_first: those with the most hints before the others instead.
    settings_digest: of the crop, for round `faces`. label: only this class (or `unlabelled`).
    Raises UsageError for an unknown round.
    """
    check_round(round_)
    items = _photos(cat) if round_ == "photos" else _faces(cat, settings_digest)
    if label:
        items = [item for item in items if item.label == label]
    items.sort(key=lambda item: round_ == "faces" or CONFLICT not in item.badges)
    if suspicious_first:
        items.sort(key=lambda item: -len(item.badges))  # stable: the order of finding stays
    return items[offset:][:limit]


def progress(cat: Catalogue, settings_digest: str) -> list[Tally]:
    """How far each round is, for each class in label order, then `unlabelled` where there is any.

    A dropped photo or face counts under the label that it had.
    """
    labels = {sha256: row["expression"] for sha256, row in photos.labels(cat).items()}
    done = verdicts.holding(cat, "photos")
    seen = [(labels[row["photo"]], row["decision"]) for row in done if row["photo"] in labels]
    seen += [(row["expression"], "") for row in photos.awaiting_review(cat)]
    taken = faces.labelled(cat, settings_digest)
    return _tallies("photos", seen) + _tallies(
        "faces", [(row["expression"], row["decision"]) for row in taken]
    )


def _tallies(round_: str, seen: Iterable[tuple[str, str]]) -> list[Tally]:
    counts = Counter((label, decision or "awaiting") for label, decision in seen)
    found = {label for label, _ in counts}
    return [
        Tally(
            round_,
            label,
            counts[label, "awaiting"],
            counts[label, "keep"] + counts[label, "relabel"],
            counts[label, "drop"],
        )
        for label in (*EXPRESSIONS, *sorted(found - set(EXPRESSIONS)))
    ]


def _photos(cat: Catalogue) -> list[Item]:
    conflicting = photos.conflicting(cat)
    return [
        _item(row, row["sha256"], "", _photo_badges(row, row["sha256"] in conflicting))
        for row in photos.awaiting_review(cat)
    ]


def _faces(cat: Catalogue, settings_digest: str) -> list[Item]:
    conflicting = photos.conflicting(cat)
    taken = faces.labelled(cat, settings_digest)
    per_photo = Counter(row["photo"] for row in taken)
    return [
        _item(
            row,
            row["photo"],
            row["id"],
            _face_badges(row, row["photo"] in conflicting, per_photo[row["photo"]]),
        )
        for row in taken
        if not row["decision"]
    ]


def _item(row: Row, photo: str, face: str, badges: tuple[str, ...]) -> Item:
    return Item(
        id=face or photo,
        photo=photo,
        face=face,
        format=row["format"],
        label=row["expression"],
        badges=badges,
        about={name: str(row[name] or "") for name in _SHOWN},
        box=box_of(row) if face else None,
        width_px=row["width"],
        height_px=row["height"],
    )


def _photo_badges(row: Row, conflicting: bool) -> tuple[str, ...]:
    hints = row["hints"]
    badges = {
        CONFLICT: conflicting,
        "unlabelled": row["expression"] == UNLABELLED,
        "blurred": hints.get("sharpness", BLURRED_BELOW) < BLURRED_BELOW,
        "dark": hints.get("brightness", DARK_BELOW) < DARK_BELOW,
        "flat": hints.get("flat", 0) > FLAT_ABOVE,
        "drawing-like": hints.get("colours", FEW_COLOURS) < FEW_COLOURS,
        "text-like": hints.get("text", 0) > TEXT_ABOVE,
        "small": min(row["width"], row["height"]) < SMALL_PHOTO_PX,
    }
    return tuple(name for name, holds in badges.items() if holds)


def _face_badges(row: Row, conflicting: bool, faces_in_photo: int) -> tuple[str, ...]:
    badges = {
        CONFLICT: conflicting,
        "unlabelled": row["expression"] == UNLABELLED,
        "several faces": faces_in_photo > 1,
        "low probability": row["probability"] < UNSURE_BELOW,
        "small": min(row["width"], row["height"]) < SMALL_FACE_PX,
    }
    return tuple(name for name, holds in badges.items() if holds)
