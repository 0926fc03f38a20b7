"""What awaits a person: the pictures of each round with hints, a page of them at a time, and how far each class is.

A hint is a badge and an order, never a verdict.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from btfer.catalogue import Catalogue, faces, photos, statements, verdicts, votes
from btfer.catalogue.rows import DescribedPhoto, Face, PhotoBox
from btfer.catalogue.votes import ReviewSubject
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.review import badges
from btfer.review.rules import check_reviewer, check_round

ORDERS = ("as found", "suspicious first", "suspicious last")
LEASE_MINUTES = 20.0
# A page that is not full is worth reading the whole queue again, but not at each look.
STALE_S = 20.0
_SHOWN = ("phrase", "language", "source", "page_url", "title", "licence", "author", "url")


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A place in a queue: which picture, its label now, and its hints."""

    subject: ReviewSubject
    label: str
    badges: tuple[str, ...]


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
    box: PhotoBox | None = None
    width_px: float = 0
    height_px: float = 0


@dataclass(frozen=True)
class Page:
    """What is before a person, and how many pictures of the chosen class await them, these included."""

    items: list[Item]
    awaiting: int


@dataclass(frozen=True)
class Tally:
    """How many photos or faces of one class await, were kept and were dropped in one round."""

    round: str
    expression: str
    awaiting: int = 0
    kept: int = 0
    dropped: int = 0


def waiting(
    cat: Catalogue, round_: str, crop_digest: str = "", *, reviewer: str = ""
) -> list[QueueEntry]:
    """What a round has not decided: the most doubtful first (`badges.FIRST`), then in the order of finding.

    reviewer: only what awaits this person's vote. crop_digest: of the crop, for round `faces`.
    Raises UsageError for an unknown round.
    """
    check_round(round_)
    entries = _photos(cat) if round_ == "photos" else _faces(cat, crop_digest)
    if reviewer:
        closed = votes.closed(cat, round_, reviewer)
        entries = [one for one in entries if one.subject not in closed]
    return sorted(entries, key=lambda one: badges.FIRST[round_] not in one.badges)


def in_order(
    entries: Sequence[QueueEntry], order: str = ORDERS[0], label: str = ""
) -> list[QueueEntry]:
    """Those of one class ('' = all), in one of `ORDERS`. Raises UsageError for another order."""
    if order not in ORDERS:
        raise UsageError(f"unknown order '{order}'; choose one of {', '.join(ORDERS)}")
    chosen = [one for one in entries if label in ("", one.label)]
    if order == ORDERS[0]:
        return chosen
    sign = -1 if order == "suspicious first" else 1
    return sorted(chosen, key=lambda one: sign * len(one.badges))  # stable: else as found


def queue(
    cat: Catalogue,
    round_: str,
    crop_digest: str = "",
    limit: int | None = None,
    *,
    order: str = ORDERS[0],
    label: str = "",
) -> list[Item]:
    """What a round has not decided, ready to be shown; nobody's lease counts. Raises UsageError."""
    entries = in_order(waiting(cat, round_, crop_digest), order, label)
    return items(cat, entries[:limit])


def items(cat: Catalogue, entries: Sequence[QueueEntry]) -> list[Item]:
    """The entries with all that is shown of them; those that have gone from the catalogue are left out."""
    of_photo = photos.described(cat, {one.subject.photo for one in entries})
    of_face = faces.by_id(cat, [one.subject.face for one in entries if one.subject.face])
    return [
        _item(one, of_photo[one.subject.photo], of_face.get(one.subject.face))
        for one in entries
        if one.subject.photo in of_photo and (not one.subject.face or one.subject.face in of_face)
    ]


def end_leases(cat: Catalogue, round_: str, reviewer: str) -> None:
    """End a reviewer's leases in a round, so that others may have those pictures at once."""
    check_round(round_)
    votes.lease_only(cat, round_, [], reviewer, minutes=0)


class Queue:
    """One person's queue in a round: the order is kept in memory, what may be shown is asked of the catalogue.

    So a page costs the same at any point of 100,000 pictures. Nobody is given what another person has
    before them (a lease of `LEASE_MINUTES`), unless the round asks for more votes than these will be.
    """

    def __init__(self, cat: Catalogue, round_: str, reviewer: str, crop_digest: str = "") -> None:
        """Raises UsageError for an unknown round or no name."""
        check_round(round_)
        self._cat, self._round, self._digest = cat, round_, crop_digest
        self._reviewer = check_reviewer(reviewer)
        self._entries: dict[ReviewSubject, QueueEntry] = {}
        self._closed: dict[str, QueueEntry] = {}  # by id: for put_back
        self._orders: dict[tuple[str, str], list[ReviewSubject]] = {}
        self._seen, self._read_at = "", 0.0
        self._windows: dict[
            str, tuple[float, list[str]]
        ] = {}  # what each window shows, and since when
        self._lock = threading.Lock()  # the same person may have two windows open

    def page(self, size: int, order: str = ORDERS[0], label: str = "", window: str = "") -> Page:
        """The next pictures for this person, leased to them; an empty page = nothing awaits them.

        window: names one of their windows, so that what another one shows stays leased.
        """
        with self._lock:
            version = self._queue_version()
            if version != self._seen:
                self._read(version)
            page = self._claim(size, order, label, window)
            if len(page.items) < size and time.monotonic() - self._read_at >= STALE_S:
                self._read(version)  # others may have ended a lease, or undone a page, since
                page = self._claim(size, order, label, window)
            return page

    @property
    def is_read(self) -> bool:
        """Whether a page comes at once; else the whole queue is read first."""
        return bool(self._seen)

    def put_back(self, ids: Iterable[str]) -> None:
        """Put pictures whose votes were undone first again."""
        with self._lock:
            back = [self._closed.pop(id_, None) for id_ in ids]
            if None in back:
                self._seen = ""  # judged before this queue was read: read it again
            first = {one.subject: one for one in back if one}
            self._entries, self._orders = first | self._entries, {}

    def _queue_version(self) -> str:
        """Changes when a stage has let pictures in or taken some out, or when more votes are asked for."""
        return f"{verdicts.newest_of_stages(self._cat)} {votes.needed(self._cat, self._round)}"

    def _read(self, version: str) -> None:
        found = waiting(self._cat, self._round, self._digest, reviewer=self._reviewer)
        self._entries = {one.subject: one for one in found}
        self._closed, self._orders, self._seen = {}, {}, version
        self._read_at = time.monotonic()

    def _claim(self, size: int, order: str, label: str, window: str) -> Page:
        candidates = self._candidates(order, label)
        got, closed = votes.claim(
            self._cat,
            self._round,
            candidates,
            self._reviewer,
            size=size,
            minutes=LEASE_MINUTES,
            besides=self._open_elsewhere(window),
        )
        self._windows[window] = (time.monotonic(), [one.id for one in got])
        for one in closed:
            self._closed[one.id] = self._entries.pop(one)
        if closed:
            self._orders = {
                key: [one for one in order if one not in closed]
                for key, order in self._orders.items()
            }
        shown = items(self._cat, [self._entries[one] for one in got])
        return Page(shown, len(candidates) - len(closed))

    def _open_elsewhere(self, window: str) -> list[str]:
        """What other windows show; one that was not heard of for as long as a lease lasts is closed."""
        oldest = time.monotonic() - 60 * LEASE_MINUTES
        self._windows = {name: one for name, one in self._windows.items() if one[0] > oldest}
        others = (ids for name, (_, ids) in self._windows.items() if name != window)
        return [id_ for ids in others for id_ in ids]

    def _candidates(self, order: str, label: str) -> list[ReviewSubject]:
        if (order, label) not in self._orders:
            chosen = in_order(list(self._entries.values()), order, label)
            self._orders[order, label] = [one.subject for one in chosen]
        return self._orders[order, label]


def progress(cat: Catalogue, crop_digest: str) -> list[Tally]:
    """How far each round is, for each class in label order, then `unlabelled` where there is any.

    A dropped photo or face counts under the label that it had.
    """
    seen = {(one.expression, one.decision): one.n for one in photos.tally(cat)}
    taken = Counter(
        (one.expression, one.decision) for one in faces.accepted_with_labels(cat, crop_digest)
    )
    return _tallies("photos", Counter(seen)) + _tallies("faces", taken)


def _tallies(round_: str, counts: Counter[tuple[str, str]]) -> list[Tally]:
    found = {label for label, _ in counts}
    return [
        Tally(
            round_,
            label,
            counts[label, ""],
            counts[label, "keep"] + counts[label, "relabel"],
            counts[label, "drop"],
        )
        for label in (*EXPRESSIONS, *sorted(found - set(EXPRESSIONS)))
    ]


def _photos(cat: Catalogue) -> list[QueueEntry]:
    conflicting, copied = photos.conflicting(cat), photos.with_copies(cat)
    unclear = statements.licence_conflicts(cat)
    no_face = {
        one.sha256 for one in faces.photos_without_face(cat, faces.newest_settings(cat), "no face")
    }
    return [
        QueueEntry(
            ReviewSubject(photo.sha256),
            photo.expression,
            badges.of_photo(
                photo, *(photo.sha256 in known for known in (conflicting, copied, no_face, unclear))
            ),
        )
        for photo in photos.awaiting_review(cat)
    ]


def _faces(cat: Catalogue, crop_digest: str) -> list[QueueEntry]:
    conflicting, unclear = photos.conflicting(cat), statements.licence_conflicts(cat)
    taken = faces.accepted_with_labels(cat, crop_digest)
    per_photo = Counter(face.photo for face in taken)
    return [
        QueueEntry(
            ReviewSubject(face.photo, face.id),
            face.expression,
            badges.of_face(
                face,
                face.photo in conflicting,
                per_photo[face.photo],
                face.photo in unclear,
            ),
        )
        for face in taken
        if not face.decision
    ]


def _item(one: QueueEntry, photo: DescribedPhoto, face: Face | None) -> Item:
    size = face or photo
    return Item(
        id=one.subject.id,
        photo=one.subject.photo,
        face=one.subject.face,
        format=photo.format,
        label=one.label,
        badges=one.badges,
        about={name: str(getattr(photo, name)) for name in _SHOWN},
        box=face.box if face else None,
        width_px=size.width_px,
        height_px=size.height_px,
    )
