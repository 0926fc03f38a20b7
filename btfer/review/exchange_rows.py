"""One verdict of a CSV file, as it travels from one catalogue to another."""

import datetime
import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from btfer.catalogue.rows import PhotoBox
from btfer.errors import UsageError
from btfer.review.rules import (
    LONGEST_NAME,
    Judged,
    as_note,
    check_judged,
    check_reviewer,
    check_round,
)

_BOX = ("x", "y", "width", "height")
_MOST_SHOWN = 40  # characters of a cell in a message
_CONTENT = ("round", "photo", *_BOX, "decision", "reason", "expression", "reviewer", "at")
COLUMNS = (*_CONTENT, "uid", "final", "undone", "undone_by", "guidelines", "unsure", "note")
"""Of the CSV file, in order."""

CsvRow = Mapping[str, Any]
"""A row of a CSV file by its header; a cell that a short row lacks is None."""


@dataclass(frozen=True)
class ExchangedVerdict:
    """A person's verdict without the ids of any catalogue: a face is named by its photo and its box.

    at, undone: ISO times in UTC ('' = not stated; not undone). uid: names the verdict on every machine. guidelines:
    the version that the person had before them ('' = none). note, unsure: as of `Judged`.
    """

    round: str
    photo: str
    box: PhotoBox | None
    decision: str
    reason: str
    expression: str
    reviewer: str
    at: str
    uid: str
    final: bool = False
    undone: str = ""
    undone_by: str = ""
    guidelines: str = ""
    unsure: bool = False
    note: str = ""

    @classmethod
    def from_csv(cls, row: CsvRow, reviewer: str) -> "ExchangedVerdict":
        """Read a row that has at least the columns of a verdict. reviewer: for a row that names none.

        Raises UsageError for an unknown round, decision, reason or class, for a time or box that is none, and for a
        note that is too long.
        """
        round_, photo = text_of(row, "round"), text_of(row, "photo")
        check_round(round_)
        one = Judged(
            photo,
            text_of(row, "decision"),
            text_of(row, "reason"),
            text_of(row, "expression"),
            as_note(text_of(row, "note")),
            is_yes(row, "unsure"),
        )
        check_judged(round_, one)
        given = check_reviewer(text_of(row, "reviewer") or reviewer)
        return cls(
            round=round_,
            photo=photo,
            box=_box(row) if round_ == "faces" else None,
            decision=one.decision,
            reason=one.reason,
            expression=one.expression,
            reviewer=given,
            at=_time(row, "at"),
            uid=_stated_uid(row) or _uid(row, given),
            final=is_yes(row, "final"),
            undone=_time(row, "undone"),
            undone_by=check_reviewer(text_of(row, "undone_by") or given),
            guidelines=text_of(row, "guidelines"),
            unsure=one.unsure,
            note=one.note,
        )

    def to_csv(self) -> dict[str, str | float]:
        """The cells by `COLUMNS`; the box of a photo is four empty cells."""
        row: dict[str, str | float] = {
            name: getattr(self, name) for name in COLUMNS if name not in _BOX
        }
        row |= dict(zip(_BOX, self.box or ("",) * 4, strict=True))
        marks = {name: "yes" if row[name] else "" for name in ("final", "unsure")}
        return {name: row[name] for name in COLUMNS} | marks


def is_exchanged(columns: Collection[str]) -> bool:
    """Whether these are the columns of an export; one of an older version lacks the last ones."""
    return set(_CONTENT) <= set(columns)


def text_of(row: CsvRow, name: str) -> str:
    """A cell as text; '' where a row is too short, or a file of an older version lacks the column."""
    return "" if row.get(name) is None else str(row[name]).strip()


def is_yes(row: CsvRow, name: str) -> bool:
    """Whether a cell says yes."""
    return text_of(row, name).lower() in ("yes", "true", "1")


def shortened(text: str) -> str:
    """A name of 32 hexadecimal digits for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _stated_uid(row: CsvRow) -> str:
    uid = text_of(row, "uid")
    if len(uid) > LONGEST_NAME:
        raise UsageError(f"a uid has {len(uid):,} letters: {LONGEST_NAME} at most")
    return uid


def _uid(row: CsvRow, reviewer: str) -> str:
    """A row without a name of its own is named by its content."""
    return shortened("|".join([*(text_of(row, name) for name in _CONTENT), reviewer]))


def _time(row: CsvRow, name: str) -> str:
    """A cell's time in UTC, so that times compare as texts; '' where there is none."""
    text = text_of(row, name)
    if not text:
        return ""
    try:
        at = datetime.datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=datetime.UTC)
        at = at.astimezone(datetime.UTC)
    except (ValueError, OverflowError):  # the first day of the year 1 is a day earlier in UTC
        raise UsageError(
            f"'{text[:_MOST_SHOWN]}' in column '{name}' is not a time: write it as 2026-05-17T12:00:00+00:00"
        ) from None
    return at.isoformat(timespec="microseconds" if at.microsecond else "seconds")


def _box(row: CsvRow) -> PhotoBox:
    try:
        box = PhotoBox(*(float(row[name]) for name in _BOX))
    except (TypeError, ValueError):
        box = None
    if box is None or not all(map(math.isfinite, box)):
        shown = [text_of(row, name)[:_MOST_SHOWN] for name in _BOX]
        raise UsageError(f"the box {shown} is not four numbers")
    return box
