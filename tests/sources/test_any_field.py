"""Whatever stands in whatever field: a record costs itself at most, and an answer is read or is a failure."""

import copy
import json
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import pytest
from bs4 import BeautifulSoup
from urllib3 import HTTPHeaderDict

from btfer.sources.hosts import HostGate
from btfer.sources.search import SearchResult, search
from btfer.sources.web import WebResponse
from tests.sources.asking import PROBE_QUERY
from tests.sources.test_pages import PAGES, SOURCES

JUNK: tuple[Any, ...] = (
    None,
    [],
    {},
    0,
    -1.5,
    True,
    "",
    "x",
    [1, None],
    {"a": []},
    "http://[bad",
    "\0\ud83d",
)
LISTS: dict[str, Callable[[Any], Any]] = {
    "baidu": lambda answer: answer["data"],
    "commons": lambda answer: answer["query"]["pages"],
    "flickr": lambda answer: answer["photos"]["photo"],
    "openverse": lambda answer: answer["results"],
}


class OneAnswer:
    """In place of the web: the same answer to every request."""

    def __init__(self, body: str) -> None:
        self.gate = HostGate(2, 0, 0)
        self._body = body.encode("utf-8", "surrogatepass")

    def get(self, url: str, **_: object) -> WebResponse:
        return WebResponse(url, 200, HTTPHeaderDict(), self._body)


def look(name: str, body: str) -> SearchResult:
    make, _ = SOURCES[name]
    return search(make("http://localhost"), PROBE_QUERY, OneAnswer(body), 1)  # type: ignore[arg-type]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the fields of a document are."""
    if path:
        yield path
    keys: Any = (
        value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    )
    for key in keys:
        yield from places(value[key], (*path, key))


def with_junk(document: Any) -> Iterator[tuple[str, Any]]:
    """The document with each field taken away, or replaced by each kind of junk."""
    for path in places(document):
        for junk in (..., *JUNK):
            changed = copy.deepcopy(document)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            if junk is ...:
                del parent[path[-1]]
            else:
                parent[path[-1]] = junk
            yield f"{path} = {junk!r}", changed


@pytest.mark.parametrize("name", LISTS)
def test_a_record_of_json_costs_itself_at_most(name: str) -> None:
    answer = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    records = LISTS[name](answer)
    good = copy.deepcopy(records[:4])
    for what, first in with_junk(good[0]):
        records[:] = [first, *good[1:]]
        found = look(name, json.dumps(answer))
        assert found.failure is None, what
        assert len(found.sightings) + found.odd >= 3 + (found.odd == 1), what
        assert all(one.url.strip() for one in found.sightings), what


@pytest.mark.parametrize("name", LISTS)
def test_an_answer_of_json_may_be_anything(name: str) -> None:
    answer = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    LISTS[name](answer)[1:] = []
    for _, changed in [*with_junk(answer), *(("", junk) for junk in JUNK)]:
        look(name, json.dumps(changed))


def test_a_record_of_bing_costs_itself_at_most() -> None:
    soup = BeautifulSoup((PAGES / "bing.html").read_text(encoding="utf-8"), "lxml")
    facts = [json.loads(str(link["m"])) for link in soup.select("a.iusc")[:4]]
    for what, first in [*with_junk(facts[0]), *((repr(junk), junk) for junk in JUNK)]:
        links = [
            f'<a class="iusc" m="{escape(json.dumps(one))}"></a>' for one in (first, *facts[1:])
        ]
        found = look("bing", f'<ul class="dgControl_list">{"".join(links)}</ul>')
        assert found.failure is None, what
        assert len(found.sightings) >= 3, what


def test_a_record_of_yandex_costs_itself_at_most() -> None:
    soup = BeautifulSoup((PAGES / "yandex.html").read_text(encoding="utf-8"), "lxml")
    tag = soup.select_one("[data-state]")
    assert tag is not None
    state = json.loads(str(tag["data-state"]))
    entities = state["initialState"]["serpList"]["items"]["entities"]
    good = {key: entities[key] for key in list(entities)[:4]}
    for what, first in [*with_junk(good["id1"]), *((repr(junk), junk) for junk in JUNK)]:
        state["initialState"]["serpList"]["items"]["entities"] = good | {"id1": first}
        found = look("yandex", f'<div data-state="{escape(json.dumps(state))}"></div>')
        assert found.failure is None, what
        assert len(found.sightings) >= 3, what


@pytest.mark.parametrize(
    "body", ["http://a.org/page", "page.html", '<?xmlx"><b>', "<?xml ?><rss/>", "", "\0"]
)
@pytest.mark.parametrize("name", ["bing", "google", "yandex"])
def test_a_page_that_is_none_is_a_failure_without_a_warning(name: str, body: str) -> None:
    assert look(name, body).failure is not None


def test_an_address_of_zero_bytes_is_none() -> None:
    right = ["https://a.example/1.jpg", "https://a.example/2.jpg"]
    links = [
        f'<a class="iusc" m="{escape(json.dumps({"murl": url}))}"></a>'
        for url in ("\0", " \0\0", *right)
    ]
    found = look("bing", f'<ul class="dgControl_list">{"".join(links)}</ul>')
    assert [one.url for one in found.sightings] == right
    assert found.odd == 2
