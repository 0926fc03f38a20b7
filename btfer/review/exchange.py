"""Verdicts in and out as rows of a CSV file, so that people can judge on another machine, or in another tool.

The portable form has the columns of `COLUMNS`: a face is named by its photo and its box, not by an id, so
that it is found again where the crop ran once more. It carries every vote ever given, those taken back
too, each with a name of its own: merging in any order, any number of times, ends the same and loses none.
The simple form has `sha256` (or `file`, a path) and `label`: a class, or `drop:<reason>`, for photos.
"""

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from btfer.catalogue import Catalogue, faces, photos, verdicts, votes
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.rows import Face
from btfer.catalogue.store import Row
from btfer.catalogue.verdicts import MergedVerdict, Verdict
from btfer.errors import UsageError
from btfer.expressions import parse_expression
from btfer.files import sha256_file
from btfer.review.iou import SAME_FACE_IOU, BoxTuple, best_match
from btfer.review.rules import ROUNDS, Judged, check_judged, check_reviewer, check_round

_BOX = ("x", "y", "width", "height")
_SAID = ("round", "photo", *_BOX, "decision", "reason", "expression", "reviewer", "at")
COLUMNS = (*_SAID, "uid", "final", "undone", "undone_by")


@dataclass(frozen=True)
class Imported:
    """How many rows were added, were here already, and are about photos or faces not in the catalogue.

    taken_back: verdicts that were taken back there, and now are here too.
    """

    added: int
    known: int
    unknown: int
    taken_back: int = 0


def export_verdicts(cat: Catalogue) -> list[Row]:
    """Every verdict of a person in both rounds, oldest first, as rows of `COLUMNS` (boxes '' for photos)."""
    log = sorted(verdicts.log(cat, rounds=ROUNDS), key=lambda row: row["id"])
    undone = {row["undoes"]: row for row in log if row["undoes"]}
    given = [row for row in log if not row["undoes"]]
    of_face = faces.by_id(cat, [row["face"] for row in given if row["face"]])
    return [_portable(row, of_face.get(row["face"]), undone.get(row["id"])) for row in given]


def _portable(row: Row, face: Face | None, undo: Row | None) -> Row:
    box = face.box if face else ("",) * 4
    told = {name: row.get(name, "") for name in COLUMNS} | dict(zip(_BOX, box, strict=True))
    by = {"undone": undo["at"], "undone_by": undo["reviewer"]} if undo else {}
    return told | {"final": "yes" if row["final"] else ""} | by


def import_verdicts(cat: Catalogue, rows: Iterable[Row], reviewer: str) -> Imported:
    """Add the verdicts of a CSV file's rows, in one transaction. Doing it twice adds nothing the second time.

    The portable form is merged: where people judged differently, the picture is in dispute. Plain labels
    are votes only where one is still asked for. Faces are looked for among those of the newest crop, by
    IoU. reviewer: for rows that name none. Raises UsageError with the line number (the header is line 1)
    for an unknown round, decision, reason or class, before anything is written.
    """
    reviewer, rows = check_reviewer(reviewer), list(rows)
    read = _reader(cat, rows, reviewer)
    told: list[MergedVerdict] = []
    for line, row in enumerate(rows, start=2):
        try:
            found = read(row)
        except UsageError as error:
            raise UsageError(f"line {line}: {error}") from None
        told += [found] if found else []
    added, taken_back = _write(cat, told, plain=not _is_portable(rows))
    return Imported(added, len(told) - added, len(rows) - len(told), taken_back)


def _write(cat: Catalogue, told: list[MergedVerdict], *, plain: bool) -> tuple[int, int]:
    if not plain:
        return verdicts.merge(cat, told)
    given = [one.verdict for one in told]
    return votes.add_open(cat, "photos", given), 0  # plain labels are of photos


def _is_portable(rows: list[Row]) -> bool:
    return bool(rows) and set(_SAID) <= set(rows[0])


def _reader(
    cat: Catalogue, rows: list[Row], reviewer: str
) -> Callable[[Row], MergedVerdict | None]:
    """Reads one row of the form that the columns show; None = its photo or face is not in the catalogue."""
    columns = set(rows[0]) if rows else set()
    if _is_portable(rows):
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
) -> Callable[[Row], MergedVerdict | None]:
    known = photos.known(cat, [str(row["photo"]) for row in rows])
    found: dict[str, list[tuple[BoxTuple, str]]] = defaultdict(list)
    for face in faces.under(cat, faces.newest_settings(cat)):
        found[face.photo].append((face.box, face.id))
    given_to = {row["uid"]: row["face"] for row in verdicts.log(cat, rounds=("faces",))}
    labels = {sha256: photo.expression for sha256, photo in photos.labels(cat).items()}
    # A photo's relabel in the same file labels its faces.
    relabels = [row for row in rows if row["round"] == "photos" and row["expression"]]
    labels |= {_text(row, "photo"): _text(row, "expression") for row in relabels}

    def read(row: Row) -> MergedVerdict | None:
        round_, photo = _text(row, "round"), _text(row, "photo")
        check_round(round_)
        one = Judged(photo, *(_text(row, name) for name in ("decision", "reason", "expression")))
        check_judged(round_, one)
        at, undone = _time(row, "at") or verdicts.stamp(), _time(row, "undone")
        box = _box(row) if round_ == "faces" else None
        face = best_match(box, found[photo], least=SAME_FACE_IOU) if box else ""
        if photo not in known or face is None:
            return None
        if box and one.decision == "keep" and labels.get(photo, UNLABELLED) == UNLABELLED:
            raise UsageError("this face is kept, but its photo has no label here: relabel it")
        given = check_reviewer(_text(row, "reviewer") or reviewer)
        uid = _uid(row, given)
        if given_to.get(uid, face) != face:  # it stands here on a crop of other settings
            uid = _shortened(f"{uid}|{face}")
        verdict = Verdict(round_, photo, one.decision, given, face, uid=uid)
        verdict = replace(verdict, reason=one.reason, expression=one.expression)
        final = _text(row, "final").lower() in ("yes", "true", "1")
        return MergedVerdict(
            replace(verdict, final=final), at, undone, _text(row, "undone_by") or given
        )

    return read


def _uid(row: Row, reviewer: str) -> str:
    """The row's own name; one that has none is named by what it says."""
    said = "|".join([*(_text(row, name) for name in _SAID), reviewer])
    return _text(row, "uid") or _shortened(said)


def _shortened(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _text(row: Row, name: str) -> str:
    """A cell as text; a row of a CSV file that is too short, or a file of an older form, has None there."""
    return "" if row.get(name) is None else str(row[name]).strip()


def _time(row: Row, name: str) -> str:
    """A cell's time in UTC, so that times compare as texts; '' where there is none."""
    text = _text(row, name)
    try:
        at = datetime.datetime.fromisoformat(text or "2000-01-01")
    except ValueError:
        raise UsageError(
            f"the time '{text}' is none: write it as 2026-05-17T12:00:00+00:00"
        ) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    at = at.astimezone(datetime.UTC)
    return at.isoformat(timespec="microseconds" if at.microsecond else "seconds") if text else ""


def _box(row: Row) -> BoxTuple:
    try:
        x, y, width, height = (float(row[name]) for name in _BOX)
    except (TypeError, ValueError):
        raise UsageError(f"the box {[row[name] for name in _BOX]} is not four numbers") from None
    return x, y, width, height


def _simple_reader(cat: Catalogue, reviewer: str) -> Callable[[Row], MergedVerdict | None]:
    labels = photos.labels(cat)

    def read(row: Row) -> MergedVerdict | None:
        named = _text(row, "sha256").lower() if "sha256" in row else ""
        photo = named or _sha256_of(str(row.get("file") or ""))
        one = _simple_judged(photo, _text(row, "label"))
        check_judged("photos", one)
        if photo not in labels:
            return None
        if one.expression == labels[photo].expression:
            one = Judged(photo)
        verdict = Verdict("photos", photo, one.decision, reviewer)
        return MergedVerdict(replace(verdict, reason=one.reason, expression=one.expression), "")

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
