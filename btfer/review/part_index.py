"""The index before everything was read: the pictures of a kept head, with what has changed since it was kept.

Whatever is not in it is as it was then, so that all numbers are the kept ones, but for what has changed of the
pictures in it; and the start of a queue is that of the whole one, up to the last picture of the head that is as it was.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from btfer.catalogue import Catalogue, faces, review_rows, versions
from btfer.catalogue.earlier import EarlierCatalogue
from btfer.catalogue.versions import CatalogueVersion
from btfer.review.filters import FIRST_ORDER, order_of
from btfer.review.head import Head, open_numbers
from btfer.review.index import ReviewIndex

MOST_CHANGED = 2_000  # photos
FEW = 200  # pictures of a head, read at once: a few pages


class WholeNeeded(Exception):
    """What was asked is beyond a part: nobody sees it."""


class PartIndex(ReviewIndex):
    """As a `ReviewIndex`; `refresh`, `know_head` and `first_of` raise WholeNeeded."""

    def __init__(self, cat: Catalogue, crop_digest: str, head: Head) -> None:
        super().__init__(cat, crop_digest)
        self._version = head.version
        self.counts = Counter(head.counts)
        self.head = head
        self._outside = Counter(head.open)
        self._known: set[str] = set()
        self._changed: set[str] = set()
        self._n_read = dict.fromkeys(head.queues, FEW)  # of the head
        self._photo_of: dict[str, Mapping[str, str]] = {}  # by round, of the ids of these

    def refresh(self) -> CatalogueVersion:
        """Take in what has changed since the head was kept, if these are few verdicts."""
        now, old = versions.version(self._cat), self._version
        if now == old:
            return now
        if old is None or not now.goes_on_from(old) or _found_more(now, old):
            raise WholeNeeded
        named = review_rows.named_since(self._cat, old)
        if len(named) > MOST_CHANGED:
            raise WholeNeeded
        keepers, _ = review_rows.groups_of(self._cat, named)
        changed = named | keepers  # how a group of copies changes shows in its keeper
        self._version = None  # where reading fails half-way, this is of no use any more
        self._know_as_of(old, changed)
        self._changed |= changed
        self._read(changed, now)
        self.shape += 1
        self._version = now
        return now

    def know(self, photos: Collection[str]) -> None:
        """Read what holds of these photos, and of the others of their groups. Refresh first."""
        version, self._version = self._version, None
        if version is None:
            raise WholeNeeded
        self._know_as_of(version, photos)
        self._version = version

    def _know_as_of(self, version: CatalogueVersion, photos: Collection[str]) -> None:
        """Read photos as they were at a version: they are in the numbers already."""
        if self._known.issuperset(photos):
            return
        new = set().union(photos, *review_rows.groups_of(self._cat, photos)) - self._known
        counts, before = self.counts.copy(), open_numbers(self)
        cat, self._cat = self._cat, EarlierCatalogue(self._cat, version.verdict)
        try:
            self._read(new, version)
        finally:
            self._cat = cat
        self.counts = counts
        self._outside.subtract(open_numbers(self))
        self._outside.update(before)
        self._known |= new

    def know_head(self, round_: str) -> None:
        """Read the start of a round's queue, to be judged in `FIRST_ORDER`."""
        if round_ not in self.head.queues:
            raise WholeNeeded
        ids = self.head.queues[round_][: self._n_read[round_]]
        if len(ids) > len(self._photo_of.get(round_, ())):
            photo_of = dict(zip(ids, ids, strict=True))
            if round_ == "faces":
                here = faces.by_id(self._cat, ids)
                photo_of = {id_: here[id_].photo for id_ in ids if id_ in here}
            if len(photo_of) < len(ids):  # forgotten in this moment
                raise WholeNeeded
            self.know(set(photo_of.values()))
            self._photo_of[round_] = photo_of

    def has_more(self, round_: str) -> bool:
        """Whether there was more of a head to read: from now on, it is."""
        read, there = self._n_read.get(round_, 0), len(self.head.queues.get(round_, ()))
        self._n_read[round_] = there
        return read < there

    def n_asked(self, round_: str, reviewer: str) -> int:
        """How many pictures await this person's vote ('' = anybody's), with those that are not here."""
        outside = self._outside[round_, "awaiting", ""]
        if reviewer:
            closed = self._outside[round_, "closed", ""] + self._outside[round_, "voted", reviewer]
            outside -= closed
        return outside + len(self.asks(round_, reviewer))

    def n_disputed(self, round_: str) -> int:
        """How many are in dispute, with those that are not here."""
        return self._outside[round_, "disputed", ""] + len(self.disputed[round_])

    def has_all(self, round_: str) -> bool:
        """Whether what is read of the head was a round's whole queue."""
        return self.head.open[round_, "awaiting", ""] <= len(self._photo_of.get(round_, ()))

    def first_of(self, round_: str) -> Sequence[str]:
        """The start of a round's whole queue as it is now. Call `know_head` first."""
        photo_of, open_ = self._photo_of[round_], self.awaiting[round_]
        sure = self._changed.union(photo_of.values())
        order = order_of(self, round_, FIRST_ORDER[round_])
        ids = [id_ for id_ in order if id_ in open_ and open_[id_].photo in sure]
        if self.has_all(round_):
            return ids
        as_it_was = [id_ for id_, photo in photo_of.items() if photo not in self._changed]
        if not as_it_was or as_it_was[-1] not in open_:
            raise WholeNeeded
        return ids[: ids.index(as_it_was[-1]) + 1]


def start_of(index: ReviewIndex, round_: str, order: str) -> Sequence[str]:
    """The ids of all that awaits a round in an order, or the start of them. Raises UsageError, WholeNeeded."""
    if isinstance(index, PartIndex):
        index.know_head(round_)
        return index.first_of(round_)
    if order == FIRST_ORDER[round_] and round_ not in index.judged:
        index.judged.add(round_)
        index.n_changed += len(index.found)  # a head has another queue from now on
    return order_of(index, round_, order)


def _found_more(now: CatalogueVersion, old: CatalogueVersion) -> bool:
    """Whether a crawl has gone on: which query found a photo first is not known as of then."""
    return (now.sighting, now.photo) != (old.sighting, old.photo)
