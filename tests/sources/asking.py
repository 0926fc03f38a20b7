"""One search of a source on a loopback site, without its pauses."""

from dataclasses import replace

from pytest_httpserver import HTTPServer

from btfer.queries import Query
from btfer.sources.search import SearchResult, Source, search
from btfer.sources.web import Manners, Web

PROBE_QUERY = Query("niña india sonriendo", "happy", "es", "Indian", "female", "child")
WEB = Manners(host_delay_s=0, allow_private_hosts=True, back_off_s=0.01)


def ask(source: Source, per_query: int = 100) -> SearchResult:
    return search(replace(source, min_delay_s=0), PROBE_QUERY, Web(WEB), per_query)


def base(site: HTTPServer) -> str:
    return site.url_for("").rstrip("/")


def arguments(site: HTTPServer, number: int = 0) -> dict[str, str]:
    """What the search address of one request asked for."""
    return dict(site.log[number][0].args)
