"""What a fresh server needs for its first pages, kept with the catalogue: all numbers, and the start of each queue.

It is a stage's mark: it says of which version of the catalogue it is, forgetting a photo deletes it, and where it is
damaged, or of another btfer, it is as if there were none.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from btfer import __version__
from btfer.catalogue import Catalogue, versions
from btfer.catalogue.versions import CatalogueVersion, StageMark
from btfer.review.filters import FIRST_ORDER, order_of
from btfer.review.index import Counted, ReviewIndex
from btfer.review.rules import ROUNDS

STAGE = "review"
LONGEST = 1_000  # pictures of a queue: twenty pages
LEAST = 20_000  # photos: fewer are read whole in half a second


@dataclass(frozen=True)
class Head:
    """counts: `ReviewIndex.counts`. open: `open_numbers`. queues: the first ids of a round in `FIRST_ORDER`."""

    version: CatalogueVersion
    counts: Counter[Counted]
    open: Counter[Counted]
    queues: Mapping[str, list[str]]


def open_numbers(index: ReviewIndex) -> Counter[Counted]:
    """How many pictures of each round await people, and how many of these not a certain person's vote, by its name."""
    found: Counter[Counted] = Counter()
    for round_ in ROUNDS:
        open_, disputed = index.awaiting[round_], index.disputed[round_]
        found[round_, "awaiting", ""] = len(open_)
        found[round_, "disputed", ""] = len(disputed)
        found[round_, "closed", ""] = sum(id_ in open_ for id_ in disputed)
        for id_, who in index.voters[round_].items():
            if id_ in open_ and id_ not in disputed:
                found.update((round_, "voted", name) for name in who)
    return found


def head_of(index: ReviewIndex) -> Head | None:
    """The head of an index, exactly as of its version; None while others write at every moment.

    Of a queue that nobody judges it has nothing: to sort one takes seconds.
    """
    with index.lock:
        for _ in range(5):
            before, now = index.version, index.refresh()
            if before == now:  # so what was read before holds no row that has come since
                queues = {name: _first(index, name) for name in sorted(index.judged)}
                return Head(now, Counter(index.counts), open_numbers(index), queues)
    return None


def _first(index: ReviewIndex, round_: str) -> list[str]:
    open_ = index.awaiting[round_]
    ids = (id_ for id_ in order_of(index, round_, FIRST_ORDER[round_]) if id_ in open_)
    return [id_ for id_, _ in zip(ids, range(LONGEST), strict=False)]


def keep(cat: Catalogue, digest: str, head: Head) -> None:
    """Keep a head with the catalogue, in place of an earlier one; not where photos were forgotten since."""
    mark = StageMark(head.version, _as_json(head))
    with cat.together() as at_once:
        if versions.version(at_once).gone == head.version.gone:
            versions.set_mark(at_once, STAGE, mark, digest)


def kept(cat: Catalogue, digest: str) -> Head | None:
    """The head that was kept last; None where there is none that can be relied on."""
    mark = versions.mark_of(cat, STAGE, digest)
    try:
        if mark is None or mark.found["digest"] != _digest(mark.version, mark.found):
            return None
        counts, open_ = (_counter(mark.found[name]) for name in ("counts", "open"))
        return Head(mark.version, counts, open_, mark.found["queues"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _as_json(head: Head) -> dict[str, Any]:
    found: dict[str, Any] = {
        "counts": [[*key, n] for key, n in head.counts.items() if n],
        "open": [[*key, n] for key, n in head.open.items() if n],
        "queues": dict(head.queues),
    }
    return found | {"digest": _digest(head.version, found)}


def _counter(rows: list[tuple[str, str, str, int]]) -> Counter[Counted]:
    return Counter({(one, other, third): int(n) for one, other, third, n in rows})


def _digest(version: CatalogueVersion, found: Mapping[str, Any]) -> str:
    """Of this btfer: another one may count and sort otherwise."""
    parts = (__version__, version, *(found[name] for name in ("counts", "open", "queues")))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
