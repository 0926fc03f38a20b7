from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer

from btfer.catalogue import Catalogue
from btfer.pipeline import crawl
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.settings import Settings
from btfer.sources.web import Web
from tests.loopback import FAST, PLAN, Site


@pytest.fixture
def site(httpserver: HTTPServer) -> Site:
    return Site(httpserver)


@pytest.fixture
def go(cat: Catalogue, settings: Settings, site: Site) -> Callable[..., CrawlOutcome]:
    """Crawl the site with the plan of two queries."""

    def run(**options: object) -> CrawlOutcome:
        return crawl.run(cat, settings, [site.source], PLAN, **{"web": Web(FAST)} | options)  # type: ignore[arg-type]

    return run
