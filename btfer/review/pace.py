"""How fast a person judges, when they should rest, and how long the rest of the work will take."""

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from btfer.catalogue import Catalogue, review_pages, verdicts

PAUSE_S = 300.0  # a longer gap between two pages is a break, not work
REST_AFTER_S = 45 * 60.0
FASTEST_PER_S = 4.0  # a page that was sent more quickly, such as by a script, was not looked at
_NEWEST = 2_000


@dataclass(frozen=True)
class Pace:
    """Judgements a minute of work (0 = not known yet), and seconds of work since the last break."""

    per_minute: float
    worked_s: float

    @property
    def should_rest(self) -> bool:
        """Whether a break is due."""
        return self.worked_s >= REST_AFTER_S

    def minutes_for(self, pictures: int) -> float | None:
        """How long this number of pictures takes; None where the pace is not known."""
        return pictures / self.per_minute if self.per_minute else None


def pace(cat: Catalogue, reviewer: str, at: datetime.datetime | None = None) -> Pace:
    """A person's pace over their newest judgements in both rounds. at: now.

    Pages that they sent without having looked at every picture do not count.
    """
    pages = verdicts.pages_of(cat, reviewer, newest=_NEWEST)
    unseen = review_pages.unseen_times(cat, reviewer)
    times = [
        (datetime.datetime.fromisoformat(one.at), 0 if one.at in unseen else one.n_verdicts)
        for one in pages
    ]
    return of_pages(times, at or datetime.datetime.now(datetime.UTC))


def of_pages(pages: Sequence[tuple[datetime.datetime, int]], at: datetime.datetime) -> Pace:
    """From when pages were committed and how many judgements each held, oldest first.

    The work on a page is the time since the page before it. After a break that time is unknown, so
    such a page does not count towards the pace; nor does one that nobody can have looked at so quickly.
    """
    judged, spent, since_break = 0, 0.0, 0.0
    for (before, _), (then, n) in itertools.pairwise(pages):
        gap = (then - before).total_seconds()
        if gap > PAUSE_S:
            since_break = 0.0
            continue
        since_break += gap
        if 0 < n <= FASTEST_PER_S * gap:
            judged, spent = judged + n, spent + gap
    if not pages or (at - pages[-1][0]).total_seconds() > PAUSE_S:
        since_break = 0.0
    return Pace(60 * judged / spent if spent else 0.0, since_break)
