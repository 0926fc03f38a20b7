"""Verdicts in and out as rows of a CSV file, so that people can judge on another machine, or in another tool.

The portable form has the columns of `COLUMNS`: a face is named by its photo and its box, not by an id, so
that it is found again where the crop ran once more. The simple form has `sha256` (or `file`, a path) and
`label`: a class, or `drop:<reason>`, for photos.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from btfer.catalogue import Catalogue, faces, photos, verdicts
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.store import Row
from btfer.catalogue.verdicts import Verdict
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.files import sha256_file
from btfer.review.boxes import SAME_FACE_IOU, Box, best_match, box_of
from btfer.review.rules import ROUNDS, Judged, check_judged, check_reviewer, check_round

_BOX = ("x", "y", "width", "height")
COLUMNS = ("round", "photo", *_BOX, "decision", "reason", "expression", "reviewer", "at")

Stamped = tuple[str, Verdict]


@dataclass(frozen=True)
class Imported:
    """How many rows were added, were judged here already, or are about photos or faces not in the catalogue."""

    added: int
    judged_already: int
    unknown: int


def export_verdicts(cat: Catalogue) -> list[Row]:
    """Every verdict of a person that holds, in both rounds, as rows of `COLUMNS` (boxes '' for photos)."""
    held = [row for name in ROUNDS for row in verdicts.holding(cat, name)]
    of_face = faces.by_id(cat, [row["face"] for row in held if row["face"]])
    rows = []
    for row in held:
        box = box_of(of_face[row["face"]]) if row["face"] else ("",) * 4
        rows.append(
            {name: row.get(name, "") for name in COLUMNS} | dict(zip(_BOX, box, strict=True))
        )
    return rows


def import_verdicts(cat: Catalogue, rows: Iterable[Row], reviewer: str) -> Imported:
    """Add the verdicts of a CSV file's rows, in one transaction. Doing it twice adds nothing the second time.

    What was judged here before stays as it is. Faces are looked for among those of the newest crop, by
    IoU. reviewer: for rows that name none. Raises UsageError with the line number (the header is line 1)
    for an unknown round, decision, reason or class, before anything is written.
    """
    reviewer, rows = check_reviewer(reviewer), list(rows)
    read = _reader(cat, rows, reviewer)
    new: list[Stamped] = []
    for line, row in enumerate(rows, start=2):
        try:
            found = read(row)
        except UsageError as error:
            raise UsageError(f"line {line}: {error}") from None
        new += [found] if found else []
    added = verdicts.add_unjudged(cat, [one for _, one in new], [at for at, _ in new])
    return Imported(len(added), len(new) - len(added), len(rows) - len(new))


def _reader(cat: Catalogue, rows: list[Row], reviewer: str) -> Callable[[Row], Stamped | None]:
    """Reads one row of the form that the columns show; None = its photo or face is not in the catalogue."""
    columns = set(rows[0]) if rows else set()
    if set(COLUMNS) <= columns:
        return _portable_reader(cat, rows, reviewer)
    if "label" in columns and columns & {"sha256", "file"}:
        return _simple_reader(cat, reviewer)
    if not rows:
        return lambda row: None
    raise UsageError(
        f"the file has the columns {', '.join(map(str, columns))}: it needs 'sha256' and 'label', "
        f"or those of an export ({', '.join(COLUMNS)})"
    )


def _portable_reader(
    cat: Catalogue, rows: list[Row], reviewer: str
) -> Callable[[Row], Stamped | None]:
    known = photos.known(cat, [str(row["photo"]) for row in rows])
    found: dict[str, list[tuple[Box, str]]] = defaultdict(list)
    for face in faces.under(cat, faces.newest_settings(cat)):
        found[face["photo"]].append((box_of(face), face["id"]))
    labels = {sha256: row["expression"] for sha256, row in photos.labels(cat).items()}
    # A photo's relabel in the same file labels its faces.
    relabels = [row for row in rows if row["round"] == "photos" and row["expression"]]
    labels |= {_text(row, "photo"): _text(row, "expression") for row in relabels}

    def read(row: Row) -> Stamped | None:
        round_, photo, at = (_text(row, name) for name in ("round", "photo", "at"))
        check_round(round_)
        one = Judged(photo, *(_text(row, name) for name in ("decision", "reason", "expression")))
        check_judged(round_, one)
        _check_time(at)
        box = _box(row) if round_ == "faces" else None
        face = best_match(box, found[photo], least=SAME_FACE_IOU) if box else ""
        if photo not in known or face is None:
            return None
        if box and one.decision == "keep" and labels.get(photo, UNLABELLED) == UNLABELLED:
            raise UsageError("this face is kept, but its photo has no label here: relabel it")
        given = check_reviewer(_text(row, "reviewer") or reviewer)
        verdict = Verdict(round_, photo, one.decision, given, face)
        return at, replace(verdict, reason=one.reason, expression=one.expression)

    return read


def _text(row: Row, name: str) -> str:
    """A cell as text; a row of a CSV file that is too short has None in it."""
    return "" if row[name] is None else str(row[name]).strip()


def _check_time(at: str) -> None:
    try:
        datetime.datetime.fromisoformat(at or "2000-01-01")
    except ValueError:
        raise UsageError(
            f"the time '{at}' is none: write it as 2026-05-17T12:00:00+00:00"
        ) from None


def _box(row: Row) -> Box:
    try:
        x, y, width, height = (float(row[name]) for name in _BOX)
    except (TypeError, ValueError):
        raise UsageError(f"the box {[row[name] for name in _BOX]} is not four numbers") from None
    return x, y, width, height


def _simple_reader(cat: Catalogue, reviewer: str) -> Callable[[Row], Stamped | None]:
    labels = photos.labels(cat)

    def read(row: Row) -> Stamped | None:
        named = _text(row, "sha256").lower() if "sha256" in row else ""
        photo = named or _sha256_of(str(row.get("file") or ""))
        one = _simple_judged(photo, _text(row, "label"))
        check_judged("photos", one)
        if photo not in labels:
            return None
        if one.expression == labels[photo]["expression"]:
            one = Judged(photo)
        verdict = Verdict("photos", photo, one.decision, reviewer)
        return "", replace(verdict, reason=one.reason, expression=one.expression)

    return read


def _simple_judged(photo: str, label: str) -> Judged:
    if label.startswith("drop:"):
        return Judged(photo, "drop", label.removeprefix("drop:").strip())
    if label == "keep":  # a photo of several people has no one label
        return Judged(photo)
    return Judged(photo, "relabel", expression=parse_expression(label))


def _sha256_of(file: str) -> str:
    try:
        return sha256_file(Path(file))
    except OSError as error:
        raise UsageError(f"cannot read the photo '{file}': {error.strerror}") from None
