"""What was asked of each source and each host, and what came of it: in one crawl, and in all of them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any
from urllib.parse import urlsplit

from btfer import urls
from btfer.catalogue import Catalogue, journal
from btfer.catalogue.journal import Fetched

COLUMNS = ("asked", "kept", "refused", "failed", "waiting", "MB kept")
SHOWN = 8  # hosts on the screen
MAX_URL = 80  # characters of an address in a message


@dataclass
class CrawlTally:
    """The count of one source or host. asked: requests. n_bytes: of the photos kept."""

    asked: int = 0
    kept: int = 0
    refused: int = 0
    failed: int = 0
    waiting: int = 0
    n_bytes: int = 0

    def count(self, fetched: Fetched, n_bytes: int) -> None:
        """Add the end of one URL."""
        self.asked += fetched.attempts
        self.kept += fetched.state == "kept"
        self.refused += fetched.state == "refused"
        self.failed += fetched.state == "failed"
        self.n_bytes += n_bytes


def of_sources(cat: Catalogue) -> dict[str, CrawlTally]:
    """Every source's tally over all crawls; a URL that several showed counts for each."""
    return {name: CrawlTally(*rest) for name, *rest in journal.tallies(cat)}


def of_hosts(cat: Catalogue) -> dict[str, CrawlTally]:
    """Every host's tally over all crawls."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for url, *counts in journal.ends_of_urls(cat):
        # A million URLs begin in a few thousand ways: only these are taken apart.
        its = sums[url[: end if (end := url.find("/", len("https://"))) > 0 else None]]
        for at, n in enumerate(counts):
            its[at] += n
    found: dict[str, CrawlTally] = {}
    for start, its in sums.items():
        name = host_of(start)
        found[name] = total([found.get(name, CrawlTally()), CrawlTally(*its)])
    return found


def table(tallies: Mapping[str, CrawlTally], most: int | None = None) -> list[list[Any]]:
    """Rows of a name and its counts, the most asked first; after `most`, the others in one row."""
    ordered = sorted(tallies.items(), key=lambda item: (-item[1].asked, -item[1].waiting, item[0]))
    rest = ordered[most:] if most else []
    shown = ordered[: len(ordered) - len(rest)]
    if rest:
        shown.append((f"{len(rest)} others", total(one for _, one in rest)))
    return [[name or "(no host)", *astuple(one)[:5], _megabytes(one)] for name, one in shown]


def total(tallies: Iterable[CrawlTally]) -> CrawlTally:
    """The sum of some tallies."""
    return CrawlTally(*map(sum, zip((0,) * 6, *map(astuple, tallies), strict=True)))


def host_of(url: str) -> str:
    """The host of a URL, '' where it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def shortened(text: str) -> str:
    """A message whose long addresses are cut in the middle; the journal has them whole."""
    return re.sub(
        rf"https?://\S{{{MAX_URL},}}", lambda found: urls.shortened(found[0], MAX_URL), text
    )


def _megabytes(one: CrawlTally) -> str:
    return f"{one.n_bytes / 1e6:.1f}" if one.n_bytes else "·"
