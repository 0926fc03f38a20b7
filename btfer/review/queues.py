"""What awaits a person: the pictures of each round with hints, a page of them at a time, and how far each class is.

A hint is a badge and an order, never a verdict.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from itertools import chain, islice

from btfer.catalogue import Catalogue, faces, photos, votes
from btfer.catalogue.rows import DescribedPhoto, Face, PhotoBox
from btfer.catalogue.verdicts import DropCount
from btfer.catalogue.votes import ReviewSubject
from btfer.expressions import EXPRESSIONS
from btfer.review import serving
from btfer.review.badges import CONFLICT
from btfer.review.filters import ALL, FIRST_ORDER, ORDERS, Filter, matching, order_of
from btfer.review.index import Counted, ReviewIndex, shared
from btfer.review.part_index import WholeNeeded, start_of
from btfer.review.rules import ROUNDS, check_reviewer, check_round

LEASE_MINUTES = 20.0
Indexed = Callable[[Catalogue, str], AbstractContextManager[ReviewIndex]]
_SHOWN = ("phrase", "language", "source", "page_url", "title", "licence", "author", "url")


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A place in a queue: which picture, its label now, its hints, and the classes where these say that they differ."""

    subject: ReviewSubject
    label: str
    badges: tuple[str, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """A photo (`face` = '') or a face that awaits a person; `id` names it in a judgement.

    classes: of the queries that found it or a copy of it, where they differ (the hint `badges.CONFLICT`).
    """

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
    classes: tuple[str, ...] = ()


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
    index = shared(cat, crop_digest)
    with index.lock:
        index.refresh()
        asked = index.asks(round_, reviewer)
        return _entries(index, round_, sorted(asked, key=lambda id_: index.first_key(round_, id_)))


def _entries(index: ReviewIndex, round_: str, ids: Sequence[str]) -> list[QueueEntry]:
    hints, awaiting = index.badges(round_, ids), index.awaiting[round_]

    def entry(id_: str) -> QueueEntry:
        one, badges_ = awaiting[id_], hints.get(id_, ())
        classes = index.classes_found_under(one.photo) if CONFLICT in badges_ else ()
        return QueueEntry(one, index.label(one.photo), badges_, tuple(sorted(classes)))

    return [entry(id_) for id_ in ids]


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
    check_round(round_)
    index = shared(cat, crop_digest)
    with index.lock:
        index.refresh()
        ids = matching(index, round_, order_of(index, round_, order), Filter(label=label))
        entries = _entries(index, round_, ids[:limit])
    return items(cat, entries)


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
    """One person's queue in a round: what awaits whom is in the index that all share, a page is claimed from it.

    So a page costs the same at any point of 100,000 pictures. Nobody is given what another person has
    before them (a lease of `LEASE_MINUTES`), unless the round asks for more votes than these will be.
    """

    def __init__(self, cat: Catalogue, round_: str, reviewer: str, crop_digest: str = "") -> None:
        """Raises UsageError for an unknown round or no name."""
        check_round(round_)
        self._cat, self._round, self._digest = cat, round_, crop_digest
        self._reviewer = check_reviewer(reviewer)
        # What each of their windows shows, and when it last asked.
        self._windows: dict[str, tuple[float, list[str]]] = {}

    def page(
        self,
        size: int,
        order: str = ORDERS[0],
        label: str = "",
        chosen: Filter = ALL,
        *,
        window: str = "",
        first: Sequence[str] = (),
    ) -> Page:
        """The next pictures for this person, leased to them; an empty page = nothing awaits them.

        label: of one class ('' = all); chosen: what else they must be. window: names one of their windows, so
        that what another one shows stays leased. first: ids that come before all others, in this order; what the
        window shows already stays where it is. Raises UsageError for an unknown order.
        """
        wanted = replace(chosen, label=label or chosen.label)
        if wanted == ALL and not first and order == FIRST_ORDER[self._round]:
            with suppress(WholeNeeded):
                return self._page(serving.current, size, order, wanted, window, first)
            with suppress(WholeNeeded):
                if serving.has_more(self._cat, self._round):
                    return self._page(serving.current, size, order, wanted, window, first)
        return self._page(serving.whole, size, order, wanted, window, first)

    def _page(
        self,
        indexed: Indexed,
        size: int,
        order: str,
        wanted: Filter,
        window: str,
        first: Sequence[str],
    ) -> Page:
        """`page` by one of the two ways to an index. Raises WholeNeeded where a part of all is not enough."""
        own = votes.leased_to(self._cat, self._round, self._reviewer)
        with indexed(self._cat, self._digest) as index:
            ids = start_of(index, self._round, order)
            has_all = index.has_all(self._round)
            if not has_all and not own.issubset(ids):
                raise WholeNeeded
            asked = index.asks(self._round, self._reviewer)
            awaiting = index.awaiting[self._round]
            n_awaiting = index.n_asked(self._round, self._reviewer)
            if wanted != ALL:
                ids = matching(index, self._round, [id_ for id_ in ids if id_ in asked], wanted)
                n_awaiting = len(ids)
        if first:
            fitting = set(ids)
            shown = self._windows.get(window, (0.0, []))[1]
            ahead = chain((id_ for id_ in shown if id_ in own), first)
            ids = list(dict.fromkeys(chain((id_ for id_ in ahead if id_ in fitting), ids)))
        # Own leases first, so that looking at a page again shows the same page.
        n_own = sum(id_ in asked for id_ in own)
        mine = [*islice((id_ for id_ in ids if id_ in own and id_ in asked), n_own)]
        rest = (id_ for id_ in ids if id_ in asked and id_ not in own)
        # Without the lock, as others wait for the catalogue here: what they judge meanwhile is passed over.
        candidates = (one for id_ in chain(mine, rest) if (one := awaiting.get(id_)))
        got, closed = votes.claim(
            *(self._cat, self._round, candidates, self._reviewer),
            size=size,
            minutes=LEASE_MINUTES,
            besides=self._open_elsewhere(window),
        )
        if len(got) < size and not has_all:
            raise WholeNeeded
        if len(mine) < len(got):
            # In the order in which the next drawing will show them, all leased by then.
            of_id = {one.id: one for one in got}
            in_order = (of_id[id_] for id_ in ids if id_ in of_id)
            got = list(islice(in_order, len(got)))  # of very many ids only the first are looked at
        with index.lock:
            self._windows[window] = (time.monotonic(), [one.id for one in got])
            here = [one.id for one in got if one.id in index.awaiting[self._round]]
            entries = _entries(index, self._round, here)
        return Page(items(self._cat, entries), n_awaiting - len(closed))

    def awaiting(self, label: str = "", chosen: Filter = ALL) -> list[str]:
        """All that awaits this person and is as chosen, as found; leased to others too. Arguments as of `page`."""
        index = shared(self._cat, self._digest)
        with index.lock:
            index.refresh()
            asked = index.asks(self._round, self._reviewer)
            ids = [id_ for id_ in order_of(index, self._round, ORDERS[0]) if id_ in asked]
            return matching(index, self._round, ids, replace(chosen, label=label or chosen.label))

    def put_back(self, window: str) -> None:
        """End the leases on what a window shows: its next page begins anew, as it is ordered then.

        Before a reload the same window had another name, so that it counts no more what others show too.
        """
        _, shown = self._windows.pop(window, (0.0, []))
        kept = votes.leased_to(self._cat, self._round, self._reviewer).difference(shown)
        votes.lease_only(self._cat, self._round, kept, self._reviewer, minutes=LEASE_MINUTES)

    def _open_elsewhere(self, window: str) -> list[str]:
        """What other windows show; one that was not heard of for as long as a lease lasts is closed."""
        oldest = time.monotonic() - 60 * LEASE_MINUTES
        self._windows = {name: one for name, one in self._windows.items() if one[0] > oldest}
        others = (ids for name, (_, ids) in self._windows.items() if name != window)
        return [id_ for ids in others for id_ in ids]


def progress(cat: Catalogue, crop_digest: str) -> list[Tally]:
    """How far each round is, for each class in label order, then `unlabelled` where there is any.

    A dropped photo or face counts under the label that it had.
    """
    return [one for name in ROUNDS for one in _tallies(name, counts(cat, crop_digest))]


def dropped(cat: Catalogue, crop_digest: str) -> list[DropCount]:
    """How many photos and faces each stage and round dropped, by reason; the most first."""
    found = counts(cat, crop_digest).items()
    rows = [DropCount(of, why, n) for (kind, of, why), n in found if kind == "drop" and n]
    return sorted(rows, key=lambda row: (-row.dropped, row.round, row.reason))


def disputed(cat: Catalogue, crop_digest: str) -> dict[str, int]:
    """How many pictures of each round people judged differently and nobody settled."""
    with serving.current(cat, crop_digest) as index:
        return {name: index.n_disputed(name) for name in ROUNDS}


def asked(cat: Catalogue, crop_digest: str, reviewer: str) -> dict[str, int]:
    """How many pictures of each round await this person's vote ('' = anybody's)."""
    with serving.current(cat, crop_digest) as index:
        return {name: index.n_asked(name, reviewer) for name in ROUNDS}


def counts(cat: Catalogue, crop_digest: str) -> Counter[Counted]:
    """What the index counts (`ReviewIndex.counts`), as the catalogue is now."""
    with serving.current(cat, crop_digest) as index:
        return Counter(index.counts)


def _tallies(round_: str, counted: Counter[Counted]) -> list[Tally]:
    found = {label for (of, label, _), n in counted.items() if of == round_ and n}
    return [
        Tally(
            round_,
            label,
            counted[round_, label, ""],
            counted[round_, label, "keep"] + counted[round_, label, "relabel"],
            counted[round_, label, "drop"],
        )
        for label in (*EXPRESSIONS, *sorted(found - set(EXPRESSIONS)))
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
        classes=one.classes,
    )
