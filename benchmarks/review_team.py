"""Twenty scripted reviewers on one PostgreSQL catalogue, in one process as in the app: times, and what was written.

Each looks at a page, waits six seconds, which is faster than any person, drops a picture and keeps the rest.
"""

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import review_catalogue

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue, verdicts
from btfer.review import Judged

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import own_postgres  # noqa: E402

PEOPLE, PAGES, PAGE = 20, 8, 48
LOOKS_S = 6.0


@dataclass
class TeamTimes:
    """Seconds of each page and each commit, what was sent, and what came of it."""

    pages: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0

    def p95(self, what: str) -> float:
        """The time that one in twenty takes longer than."""
        return float(np.percentile(getattr(self, what), 95))


def measure(photos: int) -> TeamTimes | None:
    """None where PostgreSQL is not installed."""
    if own_postgres.programs() is None:
        return None
    with tempfile.TemporaryDirectory() as folder, own_postgres.running() as url:
        review_catalogue.make(Path(folder), photos, url=url, faces=photos // 4)
        cat = open_catalogue(url)
        found = _judge(cat)
        cat.close()
    return found


def _judge(cat: Catalogue) -> TeamTimes:
    times = TeamTimes()
    review.Queue(cat, "photos", "warm").page(1)  # the first one reads the catalogue
    review.end_leases(cat, "photos", "warm")
    threads = [
        threading.Thread(target=_person, args=(cat, f"person {n}", times)) for n in range(PEOPLE)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    written = Counter(
        row.photo for row in verdicts.votes(cat, "photos") if row.reviewer.startswith("person ")
    )
    times.lost = sum(n > written[photo] for photo, n in times.sent.items())
    times.doubled = sum(n > 1 for n in (*written.values(), *times.sent.values()))
    return times


def _person(cat: Catalogue, who: str, times: TeamTimes) -> None:
    queue, rng = review.Queue(cat, "photos", who), random.Random(who)
    time.sleep(rng.random() * LOOKS_S)
    for _ in range(PAGES):
        begin = time.perf_counter()
        items = queue.page(PAGE).items
        times.pages.append(time.perf_counter() - begin)
        time.sleep(LOOKS_S * (0.5 + rng.random()))
        judged = [Judged(item.id) for item in items[1:]]
        judged.append(Judged(items[0].id, "drop", "text"))
        begin = time.perf_counter()
        review.commit(cat, "photos", judged, who)
        times.commits.append(time.perf_counter() - begin)
        times.sent.update(one.id for one in judged)
