"""A look at each source: two pages in two languages and three pictures; does it work, and is it understood?

What came is kept in a folder, with the keys taken out, so that a source that has changed can be looked at.
"""

import json
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from btfer.catalogue.journal import Sighting
from btfer.errors import NetworkError
from btfer.files import write_atomic
from btfer.images import describe_photo
from btfer.queries import Query
from btfer.settings import Settings
from btfer.sources import open_source
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.search import (
    NotSetUp,
    PageChanged,
    SearchResult,
    Source,
    SourceBlocked,
    SourceRefused,
    search,
)
from btfer.sources.web import Manners, Web, WebResponse

WORKS = "works"
BLOCKED = "blocked"
CHANGED = "changed"
EMPTY = "empty"
SLOW = "slow"
NO_NETWORK = "no network"
NOT_SET_UP = "not set up"
WELL = frozenset({WORKS, SLOW, NOT_SET_UP})
"""States in which nothing needs to be done about a source."""

PROBE_QUERIES = (
    Query("happy woman", "happy", "en", gender="female"),
    Query("mujer feliz", "happy", "es", gender="female"),
)
PAGES = 2
PICTURES = 3
SLOW_S = 10.0  # of one page, the source's own pause not counted
SIZE_MET = 0.9  # of the stated width: the original
ORIGINAL_PX = 500  # on the long side, where no size is stated
_NO_ANSWER = {
    "no connection",
    "timeout",
    "tls",
    "incomplete",
    "private address",
}  # a captive portal's, too
_GONE = {404, 405, 410}
Withdrawn = Callable[[Iterable[str]], Collection[str]]


@dataclass(frozen=True)
class SourceCheck:
    """Whether one source works: `state` is one of this file's words, `detail` says why it is not `works`.

    images: found on all pages; licences, authors, pages: how many of them state one. odd: records that
    could not be read. originals, thumbnails: of the pictures that were fetched. slowest_s: of one page.
    """

    source: str
    state: str
    images: int = 0
    licences: int = 0
    authors: int = 0
    pages: int = 0
    odd: int = 0
    originals: int = 0
    thumbnails: int = 0
    slowest_s: float = field(default=0.0, compare=False)
    detail: str = ""


@dataclass(frozen=True)
class Picture:
    """One picture that was fetched: what it was said to be, and what it is."""

    url: str
    stated: tuple[int, int]
    found: tuple[int, int] = (0, 0)
    kind: str = ""  # original, thumbnail, or why there is none


def check_source(
    source: Source,
    web: Web,
    folder: Path | None = None,
    *,
    queries: Sequence[Query] = PROBE_QUERIES,
    withdrawn: Withdrawn = lambda _: (),
) -> SourceCheck:
    """Look at one source. folder: where what it answered is written, in place of an earlier look.

    withdrawn: which of some addresses must never be fetched.
    """
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    probes = [_Probe(source, query, folder) for query in queries]
    found = [probe.ask(web) for probe in probes]
    seen = [one for result in found for one in result.sightings]
    gone = withdrawn([address for one in seen for address in (one.url, one.page_url)])
    wanted = [one for one in seen if one.url not in gone and one.page_url not in gone]
    pictures = [_picture(one, web) for one in wanted[:PICTURES]]
    slowest_s = max(probe.slowest_s for probe in probes)
    state, detail = _state(source, queries, found, pictures, slowest_s)
    check = SourceCheck(
        source.name,
        state,
        images=len(seen),
        licences=sum(bool(one.licence) for one in seen),
        authors=sum(bool(one.author) for one in seen),
        pages=sum(bool(one.page_url) for one in seen),
        odd=sum(result.odd for result in found),
        originals=sum(one.kind == "original" for one in pictures),
        thumbnails=sum(one.kind == "thumbnail" for one in pictures),
        slowest_s=round(slowest_s, 1),
        detail=detail,
    )
    if folder:
        report = asdict(check) | {"pictures": [asdict(one) for one in pictures]}
        _write(folder / "report.json", source, json.dumps(report, indent=2, ensure_ascii=False))
    return check


def check_sources(
    sources: Iterable[str | Source],
    settings: Settings,
    web: Web | None = None,
    folder: Path | None = None,
    withdrawn: Withdrawn = lambda _: (),
) -> list[SourceCheck]:
    """Look at some sources; a missing setting is a finding as well.

    web: for tests, with their own manners. Raises UsageError for an unknown name.
    """
    findings = []
    for one in sources:
        try:
            with open_source(one, settings) as source:
                own = folder / source.name if folder else None
                asked = web or _web(source, settings)
                findings.append(check_source(source, asked, own, withdrawn=withdrawn))
        except NotSetUp as error:
            name = one.name if isinstance(one, Source) else one
            findings.append(SourceCheck(name, NOT_SET_UP, detail=str(error)))
    return findings


class _Probe:
    """One query to one source: its pages are timed and kept."""

    def __init__(self, source: Source, query: Query, folder: Path | None) -> None:
        self._source = source
        self._query = query
        self._folder = folder
        self._n = 0
        self._since = 0.0
        self.slowest_s = 0.0

    def ask(self, web: Web) -> SearchResult:
        """All that two pages show."""
        self._since = time.monotonic()
        every = 10_000
        short = replace(self._source, max_pages=PAGES)
        return search(short, self._query, web, every, on_answer=self._keep)

    def _keep(self, answer: WebResponse) -> None:
        took_s = time.monotonic() - self._since - self._source.min_delay_s
        self.slowest_s = max(self.slowest_s, took_s)
        self._since = time.monotonic()
        self._n += 1
        if self._folder:
            is_json = answer.body.lstrip()[:1] in (b"{", b"[")
            name = f"{self._query.language}-{self._n}.{'json' if is_json else 'html'}"
            _write(self._folder / name, self._source, answer.body.decode("utf-8", "replace"))


def _write(path: Path, source: Source, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = text.replace(source.key, "(key)") if source.key else text
    write_atomic(path, plain.encode())


def _picture(seen: Sighting, web: Web) -> Picture:
    """Fetch one picture and look at its size; it is not kept."""
    picture = Picture(seen.url, (seen.width, seen.height))
    try:
        found = describe_photo(web.get(seen.url).body)
    except NotFetched as error:
        return replace(picture, kind=error.reason)
    if isinstance(found, str):
        return replace(picture, kind=found)
    met = max(found.width, found.height) >= (SIZE_MET * max(seen.width, seen.height) or ORIGINAL_PX)
    kind = "original" if met else "thumbnail"
    return replace(picture, found=(found.width, found.height), kind=kind)


def _state(
    source: Source,
    queries: Sequence[Query],
    found: Sequence[SearchResult],
    pictures: Sequence[Picture],
    slowest_s: float,
) -> tuple[str, str]:
    """The word for a source, and why: the first thing that is wrong with it."""
    for query, result in zip(queries, found, strict=True):
        if result.failure is not None:
            return _state_of(result.failure), _plain(result.failure)
        if not result.sightings or result.suspicious:
            why = result.suspicious or "the page was read, but it shows no images"
            return EMPTY, f"'{query.phrase}': {why}"
    seen = [one for result in found for one in result.sightings]
    if source.states_licences and not any(one.licence for one in seen):
        return CHANGED, "no image states a licence"
    kinds = [one.kind for one in pictures]
    if "thumbnail" in kinds and "original" not in kinds:
        return CHANGED, f"only thumbnails: {_sizes(pictures)}"
    lost = [kind for kind in kinds if kind not in ("original", "thumbnail")]
    detail = f"{len(lost)} of {len(kinds)} pictures: {', '.join(sorted(set(lost)))}" if lost else ""
    if slowest_s > SLOW_S:
        return SLOW, f"a page took {slowest_s:.0f} s"
    return WORKS, detail


def _sizes(pictures: Sequence[Picture]) -> str:
    return ", ".join(f"{one.found[0]}x{one.found[1]}" for one in pictures if one.found[0])


def _state_of(failure: NetworkError) -> str:
    """The word for a search that failed."""
    if isinstance(failure, PageChanged):
        return CHANGED
    if isinstance(failure, SourceRefused | SourceBlocked) or not isinstance(failure, NotFetched):
        return BLOCKED
    if failure.status in _GONE or failure.reason in ("redirects", "too large"):
        return CHANGED
    return NO_NETWORK if failure.reason in _NO_ANSWER else BLOCKED


def _plain(failure: NetworkError) -> str:
    """The failure in a few words: of a search address, the host is enough."""
    if isinstance(failure, NotFetched):
        return f"{urlsplit(failure.url).hostname}: {failure.reason}"
    return str(failure)


def _web(source: Source, settings: Settings) -> Web:
    host = urlsplit(source.base_url).hostname or ""
    return Web(Manners.of(settings, frozenset({host} if source.is_ours else ())))
