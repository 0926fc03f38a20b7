"""Verdicts in and out as rows of a CSV file, so that people can judge on another machine, or in another tool.

The exchanged form has the columns of `COLUMNS`: a face is named by its photo and its box, not by an id, so
that it is found again where the crop ran once more. It carries every vote ever given, those undone too,
each with a name of its own: merging in any order, any number of times, ends the same and loses none.
The simple form has `sha256` (or `file`, a path) and `label`: a class, `keep`, or `drop:<reason>`, for photos; it may
have `note`, and `unsure` (yes).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from btfer.catalogue import Catalogue, faces, merging, photos, review_pages, verdicts, votes
from btfer.catalogue.merging import MergedVerdict
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.rows import PhotoBox
from btfer.catalogue.verdicts import StoredVerdict, Verdict
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.files import sha256_file
from btfer.review.exchange_rows import (
    COLUMNS,
    CsvRow,
    ExchangedVerdict,
    is_exchanged,
    is_yes,
    shortened,
    text_of,
)
from btfer.review.iou import SAME_FACE_IOU, best_match
from btfer.review.rules import ROUNDS, Judged, as_note, check_judged, check_reviewer

_From = TypeVar("_From")
_To = TypeVar("_To")


@dataclass(frozen=True)
class Imported:
    """How many rows were added, were here already, and are about photos or faces not in the catalogue.

    taken_back: verdicts that were undone there, and now are here too.
    """

    added: int
    known: int
    unknown: int
    taken_back: int = 0


def export_verdicts(cat: Catalogue) -> list[ExchangedVerdict]:
    """Every verdict of a person in both rounds, oldest first."""
    log = sorted(verdicts.log(cat, rounds=ROUNDS), key=lambda row: row.id)
    undone = {row.undoes: row for row in log if row.undoes}
    given = [row for row in log if not row.undoes]
    boxes = {id_: row.box for id_, row in faces.by_id(cat, _faces_of(given)).items()}
    read = {name: review_pages.guidelines_of(cat, name) for name in ROUNDS}
    return [
        _exchanged(
            row,
            boxes.get(row.face),
            undone.get(row.id),
            read[row.round].get((row.reviewer, row.at), ""),
        )
        for row in given
    ]


def _faces_of(rows: Iterable[StoredVerdict]) -> list[str]:
    return [row.face for row in rows if row.face]


def _exchanged(
    row: StoredVerdict, box: PhotoBox | None, undo: StoredVerdict | None, guidelines: str
) -> ExchangedVerdict:
    return ExchangedVerdict(
        round=row.round,
        photo=row.photo,
        box=box,
        decision=row.decision,
        reason=row.reason,
        expression=row.expression,
        reviewer=row.reviewer,
        at=row.at,
        uid=row.uid,
        final=row.final,
        undone=undo.at if undo else "",
        undone_by=undo.reviewer if undo else "",
        guidelines=guidelines,
        unsure=row.unsure,
        note=row.note,
    )


def import_verdicts(
    cat: Catalogue, rows: Iterable[CsvRow], reviewer: str, *, lines: Sequence[int] = ()
) -> Imported:
    """Add the verdicts of a CSV file's rows, in one transaction. Doing it twice adds nothing the second time.

    The exchanged form is merged: where people judged differently, the picture is in dispute. Plain labels
    are votes only where one is still asked for. Faces are looked for among those of the newest crop, by
    IoU. reviewer: for rows that name none. lines: where each row stands in its file (the header is line 1; none =
    one line each). Raises UsageError with the line for an unknown round, decision, reason or class, before anything
    is written.
    """
    reviewer, every = check_reviewer(reviewer), list(rows)
    at = lines or range(2, 2 + len(every))
    if not every:
        return Imported(0, 0, 0)
    columns = set(every[0])
    check_columns(columns)
    if is_exchanged(columns):
        found = _exchanged_verdicts(cat, every, reviewer, at)
        added, undone = merging.merge(cat, found)
    else:
        found = _labels_as_verdicts(cat, every, reviewer, at)
        added, undone = votes.add_open(cat, "photos", [one.verdict for one in found]), 0
    cat.count_anew(added)
    return Imported(added, len(found) - added, len(every) - len(found), undone)


def check_columns(columns: Collection[str]) -> None:
    """Raise UsageError where a table's columns are neither those of an export nor those of labels."""
    if is_exchanged(columns) or ("label" in columns and {"sha256", "file"} & set(columns)):
        return
    raise UsageError(
        f"the file has the columns {', '.join(columns)}: it needs 'sha256' and 'label', "
        f"or those of an export ({', '.join(COLUMNS)})"
    )


def _line_by_line(
    rows: Iterable[_From], lines: Sequence[int], read: Callable[[_From], _To]
) -> list[_To]:
    found = []
    for line, row in zip(lines, rows, strict=True):
        try:
            found.append(read(row))
        except UsageError as error:
            raise UsageError(f"line {line}: {error}") from None
    return found


def _exchanged_verdicts(
    cat: Catalogue, rows: list[CsvRow], reviewer: str, lines: Sequence[int]
) -> list[MergedVerdict]:
    """Those whose photo or face is in the catalogue."""
    exchanged = _line_by_line(rows, lines, lambda row: ExchangedVerdict.from_csv(row, reviewer))
    known = photos.known(cat, [one.photo for one in exchanged])
    boxes: dict[str, list[tuple[PhotoBox, str]]] = defaultdict(list)
    for face in faces.under(cat, faces.newest_settings(cat)):
        boxes[face.photo].append((face.box, face.id))
    face_of_uid = {row.uid: row.face for row in verdicts.log(cat, rounds=("faces",))}
    labels = {sha256: photo.expression for sha256, photo in photos.labels(cat).items()}
    # A photo's relabel in the same file labels its faces.
    relabels = (one for one in exchanged if one.round == "photos" and one.expression)
    labels |= {one.photo: one.expression for one in relabels}

    def resolved(one: ExchangedVerdict) -> MergedVerdict | None:
        face = best_match(one.box, boxes[one.photo], least=SAME_FACE_IOU) if one.box else ""
        if one.photo not in known or face is None:
            return None
        if one.box and one.decision == "keep" and labels.get(one.photo, UNLABELLED) == UNLABELLED:
            raise UsageError("this face is kept, but its photo has no label here: relabel the face")
        uid = one.uid
        if face_of_uid.get(uid, face) != face:  # it is here already, on a crop of other settings
            uid = shortened(f"{uid}|{face}")
        return _merged(one, face, uid)

    return [one for one in _line_by_line(exchanged, lines, resolved) if one]


def _merged(one: ExchangedVerdict, face: str, uid: str) -> MergedVerdict:
    verdict = Verdict(
        one.round,
        one.photo,
        one.decision,
        one.reviewer,
        face,
        reason=one.reason,
        expression=one.expression,
        final=one.final,
        uid=uid,
        note=one.note,
        unsure=one.unsure,
    )
    at = one.at or verdicts.timestamp()
    return MergedVerdict(verdict, at, one.undone, one.undone_by, one.guidelines)


def _labels_as_verdicts(
    cat: Catalogue, rows: list[CsvRow], reviewer: str, lines: Sequence[int]
) -> list[MergedVerdict]:
    """Those whose photo is in the catalogue."""
    labels = photos.labels(cat)

    def read(row: CsvRow) -> MergedVerdict | None:
        named = text_of(row, "sha256").lower() if "sha256" in row else ""
        photo = named or _sha256_of(text_of(row, "file"))
        one = judged_as(photo, text_of(row, "label"))
        note = as_note(text_of(row, "note"))
        check_judged("photos", replace(one, note=note))
        if photo not in labels:
            return None
        if one.expression == labels[photo].expression:
            one = Judged(photo)
        verdict = Verdict(
            "photos",
            photo,
            one.decision,
            reviewer,
            reason=one.reason,
            expression=one.expression,
            note=note,
            unsure=is_yes(row, "unsure"),
        )
        return MergedVerdict(verdict, "")

    return [one for one in _line_by_line(rows, lines, read) if one]


def judged_as(photo: str, label: str) -> Judged:
    """A label of a file: a class, `keep`, or `drop:<reason>`. Raises UsageError for another word."""
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
