"""The built-in sample: a small site of drawn faces on this machine, searched like any other."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlencode, urljoin

from bs4 import Tag

from btfer.parsing import parse_json
from btfer.queries import Query
from btfer.sources.records import html_page
from btfer.sources.search import ImageResult, NextPage, Rights, SearchFeeder, SearchParser, Source
from btfer.sources.web import WebResponse

PORT = 8417  # always the same where it is free, so that a second crawl knows the addresses


def sample(base_url: str) -> Source:
    """The source at a running sample site."""
    return Source(
        "sample",
        base_url,
        SampleFeeder,
        SampleParser,
        states_licences=True,
        min_delay_s=0.0,
        is_ours=True,
    )


@contextmanager
def open_sample() -> Iterator[Source]:
    """The source, with its site running as long as it is used."""
    from btfer.sample.site import serve_sample

    with serve_sample(PORT) as site:
        yield sample(site.url)


class SampleFeeder(SearchFeeder):
    """Passes what the query intends beside its phrase, since the site understands no language."""

    def first_page(self, query: Query) -> str:
        """The address of the first results."""
        keys = {
            "q": query.phrase,
            "expression": query.expression,
            "ethnicity": query.ethnicity,
            "gender": query.gender,
            "age": query.age,
            "page": 1,
        }
        return f"{self.base_url}/search?{urlencode(keys)}"


class SampleParser(SearchParser):
    """Pages of the same shape as Bing's, with licence and author on each picture's own page."""

    full_page = 0

    def parse(self, response: WebResponse, **_: object) -> Iterator[ImageResult | NextPage]:
        """All images of a page, and the next page."""
        soup = html_page(response.body)
        links = soup.select("a.iusc")
        if not links and soup.select_one("#results") is None:
            raise self.changed(
                "the page has neither images (a.iusc) nor a list of results (#results)"
            )
        yield from self.each(links, partial(self._image, response.url))
        following = soup.select_one('a[rel~="next"]')
        if following is not None:
            yield NextPage(urljoin(response.url, str(following["href"])))

    def _image(self, base: str, link: Tag) -> ImageResult:
        known: dict[str, str] = parse_json(str(link["m"]))
        page_url = urljoin(base, known["purl"])
        rights = self.source.rights  # kept, as one picture is found by many queries
        if page_url not in rights:
            rights[page_url] = _rights(self.session.get(page_url, obey_robots=False))
        return ImageResult(
            file_url=urljoin(base, known["murl"]),
            page_url=page_url,
            title=known.get("t", ""),
            licence=rights[page_url].licence,
            licence_url=rights[page_url].licence_url,
            author=rights[page_url].author,
        )


def _rights(page: WebResponse) -> Rights:
    """Licence and author of a picture, from its own page."""
    soup = html_page(page.body)
    licence, author = soup.select_one('[rel~="license"]'), soup.select_one('[name="author"]')
    return Rights(
        licence=licence.get_text(strip=True) if licence else "",
        licence_url=urljoin(page.url, _attribute(licence, "href")) if licence else "",
        author=_attribute(author, "content"),
    )


def _attribute(tag: Tag | None, name: str) -> str:
    return str(tag.get(name, "")) if tag else ""
