"""One plain search of each source: can it be reached, does its parser understand it, does it state licences?"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from btfer.errors import NetworkError
from btfer.queries import Query
from btfer.settings import Settings
from btfer.sources import open_source
from btfer.sources.fetch_errors import NotFetched
from btfer.sources.search import NotSetUp, PageChanged, SearchResult, Source, SourceRefused, search
from btfer.sources.web import Manners, Web

OK = "ok"
ENGINE_CHANGED = "engine changed"
NO_RESULTS = "no results"
NO_NETWORK = "no network"
REFUSED = "refused"
NOT_SET_UP = "not set up"
PROBE_QUERY = Query("happy woman", "happy", "en", gender="female")
PER_QUERY = 10
_NO_ANSWER = {
    "no connection",
    "timeout",
    "tls",
    "incomplete",
    "private address",
}  # a captive portal's, too
_GONE = {404, 405, 410}


@dataclass(frozen=True)
class SourceCheck:
    """Whether one source works: `state` is one of this file's words, `detail` says why it is not `ok`.

    images: found with one search; licences, authors, pages: how many of them state one.
    """

    source: str
    state: str
    images: int = 0
    licences: int = 0
    authors: int = 0
    pages: int = 0
    detail: str = ""


def check_source(source: Source, query: Query, web: Web) -> SourceCheck:
    """Ask one source one query."""
    found = search(source, query, web, PER_QUERY)
    state, detail = _state(source, found)
    seen = found.sightings
    return SourceCheck(
        source.name,
        state,
        images=len(seen),
        licences=sum(bool(one.licence) for one in seen),
        authors=sum(bool(one.author) for one in seen),
        pages=sum(bool(one.page_url) for one in seen),
        detail=detail,
    )


def check_sources(
    sources: Iterable[str | Source],
    settings: Settings,
    web: Web | None = None,
    query: Query = PROBE_QUERY,
) -> list[SourceCheck]:
    """Ask some sources one query each; a missing setting is a finding as well.

    web: for tests, with their own manners. Raises UsageError for an unknown name.
    """
    findings = []
    for one in sources:
        try:
            with open_source(one, settings) as source:
                findings.append(check_source(source, query, web or _web(source, settings)))
        except NotSetUp as error:
            name = one.name if isinstance(one, Source) else one
            findings.append(SourceCheck(name, NOT_SET_UP, detail=str(error)))
    return findings


def _state(source: Source, found: SearchResult) -> tuple[str, str]:
    if found.failure is not None:
        return _state_of(found.failure), _plain(found.failure)
    if not found.sightings:
        return NO_RESULTS, "the page was read, but it shows no images"
    if source.states_licences and not any(one.licence for one in found.sightings):
        return ENGINE_CHANGED, "no image states a licence"
    return OK, ""


def _state_of(failure: NetworkError) -> str:
    """The word for a search that failed."""
    if isinstance(failure, PageChanged):
        return ENGINE_CHANGED
    if isinstance(failure, SourceRefused) or not isinstance(failure, NotFetched):
        return REFUSED
    if failure.status in _GONE or failure.reason in ("redirects", "too large"):
        return ENGINE_CHANGED
    return NO_NETWORK if failure.reason in _NO_ANSWER else REFUSED


def _plain(failure: NetworkError) -> str:
    """The failure in a few words: of a search address, the host is enough."""
    if isinstance(failure, NotFetched):
        return f"{urlsplit(failure.url).hostname}: {failure.reason}"
    return str(failure)


def _web(source: Source, settings: Settings) -> Web:
    host = urlsplit(source.base_url).hostname or ""
    return Web(Manners.of(settings, frozenset({host} if source.is_ours else ())))
