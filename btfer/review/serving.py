"""Which index answers: the whole one, or a part until a fresh server has read everything.

Where a head was kept (`review.head`), by a server or by a stage that gave people much to judge, the first pages come
from a part, and a thread reads the rest behind them.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from weakref import WeakKeyDictionary

from btfer.catalogue import Catalogue, faces, photos
from btfer.errors import BtferError
from btfer.progress import SILENT, Progress
from btfer.review import head
from btfer.review.filters import FIRST_ORDER
from btfer.review.index import ReviewIndex, shared
from btfer.review.part_index import PartIndex, WholeNeeded, start_of
from btfer.review.rules import ROUNDS

WAIT_S = 2.0  # before everything is read: the first page is drawn meanwhile
ENOUGH_CHANGED = 500  # photos, until the head is kept anew
EVERY_S = 60.0

_parts: WeakKeyDictionary[Catalogue, PartIndex | None] = WeakKeyDictionary()
_kept_at: WeakKeyDictionary[Catalogue, float] = WeakKeyDictionary()
_choosing = threading.Lock()


@contextmanager
def current(cat: Catalogue, crop_digest: str = "") -> Iterator[ReviewIndex]:
    """An index that is up to date, locked: for numbers, and for pictures that it is let `know`."""
    part = _refreshed_part(cat, crop_digest)
    if part:
        try:
            yield part
        finally:
            part.lock.release()
        return
    with whole(cat, crop_digest) as index:
        yield index


@contextmanager
def whole(cat: Catalogue, crop_digest: str = "") -> Iterator[ReviewIndex]:
    """The index of everything, up to date, locked; the first to ask for it waits until it is read."""
    index = shared(cat, crop_digest)
    with index.lock:
        index.refresh()
        yield index
        keep_where_due(cat, index)


def has_more(cat: Catalogue, round_: str) -> bool:
    """Whether more of a head is read from now on, where the start of it was not enough."""
    part = _parts.get(cat)
    return part is not None and part.has_more(round_)


def _refreshed_part(cat: Catalogue, crop_digest: str) -> PartIndex | None:
    """Locked, if there is one."""
    part = _part(cat, crop_digest or faces.newest_settings(cat))
    if part:
        part.lock.acquire()
        try:
            part.refresh()
        except WholeNeeded:
            _parts[cat] = None
        except BaseException:
            part.lock.release()
            raise
        else:
            return part
        part.lock.release()
    return None


def _part(cat: Catalogue, digest: str) -> PartIndex | None:
    with _choosing:
        if cat not in _parts:
            is_read = shared(cat, digest).version is not None
            kept = None if is_read else head.kept(cat, digest)
            _parts[cat] = part = PartIndex(cat, digest, kept) if kept else None
            if part:
                _in_background(_read_all, cat, part)
        found = _parts[cat]
    return found if found and found.digest == digest else None


def _read_all(cat: Catalogue, part: PartIndex) -> None:
    try:
        time.sleep(WAIT_S)
        index = shared(cat)
        with index.lock:
            index.refresh()
            for round_ in part.head.queues:
                start_of(index, round_, FIRST_ORDER[round_])
            keep_where_due(cat, index)
    finally:
        _parts[cat] = None


def keep_where_due(cat: Catalogue, index: ReviewIndex) -> None:
    """Keep the head of a whole index now and then, behind the pages. Call it with the index locked."""
    if index.n_changed < ENOUGH_CHANGED or len(index.found) < head.LEAST:
        return
    now = time.monotonic()
    if now - _kept_at.get(cat, -EVERY_S) >= EVERY_S:
        _kept_at[cat], index.n_changed = now, 0
        _in_background(keep_now, cat, index)


def keep_for_next_start(cat: Catalogue, round_: str, progress: Progress = SILENT) -> None:
    """Keep a head after a stage, so that an app that is started then shows its first pages at once.

    round_: whose queue the stage has filled. Nothing is done where everything is read in a moment, or a kept head will
    do with what has changed since.
    """
    if photos.count(cat) < head.LEAST:
        return
    digest = faces.newest_settings(cat)
    kept = head.kept(cat, digest)
    if kept and round_ in kept.queues and _still_serves(PartIndex(cat, digest, kept)):
        return
    progress.update("first pages of the review", 0, 1)
    index = ReviewIndex(cat, digest)
    with index.lock:
        index.refresh()
        for one in ROUNDS:
            start_of(index, one, FIRST_ORDER[one])
    keep_now(cat, index)
    progress.update("first pages of the review", 1, 1)


def _still_serves(part: PartIndex) -> bool:
    try:
        part.refresh()
    except WholeNeeded:
        return False
    return True


def _in_background(work: Callable[..., None], *given: object) -> None:
    def quietly() -> None:
        with suppress(BtferError):  # who opens the next page is told
            work(*given)

    threading.Thread(target=quietly, name="btfer review", daemon=True).start()


def keep_now(cat: Catalogue, index: ReviewIndex) -> None:
    """Keep the head of a whole index."""
    if found := head.head_of(index):
        head.keep(cat, index.digest, found)
