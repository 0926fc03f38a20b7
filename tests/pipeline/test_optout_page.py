"""The page for a person who is shown, and the list of what is gone."""

import csv
import io
from html.parser import HTMLParser

import pytest

from btfer.pipeline.optout_page import COLUMNS, image_token, optout_page, tombstones

SECRET = b"a secret of the catalogue"
SHA = "ab" * 32


class _Page(HTMLParser):
    """Tags that were opened and closed, attributes and text of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_token_is_random_to_whoever_has_no_secret() -> None:
    token = image_token(SECRET, SHA)
    assert len(token) == 16
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert token == image_token(SECRET, SHA.upper())
    others = {image_token(b"another", SHA), image_token(SECRET, "cd" * 32)}
    assert token not in others


def test_a_token_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        image_token(b"", SHA)


def test_the_page_names_each_image_with_its_token() -> None:
    images = [(f"images/sad/sad-{n:03d}.png", image_token(SECRET, f"{n:064x}")) for n in range(50)]
    page = _Page(optout_page(images, "faces@lab.example", "btfer-1a2b3c4d5e6f"))
    assert page.open == []
    for name, token in images:
        assert name in page.text
        assert token in page.text
    assert "50 images" in page.text
    assert "btfer-1a2b3c4d5e6f" in page.text


def test_the_page_says_how_to_ask_and_what_happens_in_four_languages() -> None:
    page = _Page(optout_page([], "faces@lab.example", "btfer-1"))
    languages = {value for _, name, value in page.attributes if name == "lang"}
    assert languages == {"en", "de", "fr", "es"}
    links = [value for _, name, value in page.attributes if name == "href"]
    assert links == ["mailto:faces@lab.example"] * 4
    assert page.text.count("30") >= 4


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = optout_page([("a.png", "T")], "https://lab.example/optout", "btfer-1")
    read = _Page(page)
    tags = {tag for tag, _, _ in read.attributes}
    assert not tags & {"script", "link", "img", "iframe"}
    assert b"<script" not in page
    assert b"url(" not in page
    assert b"default-src 'none'" in page


def test_the_table_can_be_read_aloud() -> None:
    read = _Page(optout_page([("a.png", "T")], "x@y.example", "btfer-1"))
    scopes = [value for tag, name, value in read.attributes if (tag, name) == ("th", "scope")]
    assert scopes == ["col", "col", "row"]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)@x"]
)
def test_no_text_becomes_markup(text: str) -> None:
    page = optout_page([(text, text)], text, text)
    read = _Page(page)
    assert not [tag for tag, _, _ in read.attributes if tag in ("script", "img", "a")]
    assert read.open == []


def test_tombstones_say_what_is_gone_and_nothing_else() -> None:
    row = {"release": "btfer-1", "version": "1.0.1", "file_name": "images/sad/sad-001.png"}
    row |= {"token": "ABCDEFGH234567AB", "date": "2026-11-28"}
    data = tombstones([row | {"reason": "asked", "person": "A. Person"}, row])
    assert list(csv.DictReader(io.StringIO(data.decode()))) == [row]
    assert data.decode().splitlines()[0] == ",".join(COLUMNS)
    assert tombstones([]) == b"release,version,file_name,token,date\n"


def test_no_cell_is_a_formula() -> None:
    data = tombstones([dict.fromkeys(COLUMNS, "=1+1")])
    assert b"\n'=1+1" in data


@pytest.mark.parametrize(
    ("sources", "says", "never"),
    [
        (["bing"], "photos of faces that were found on the web", "folders"),
        (["folder"], "photos of faces from folders of its publisher", "on the web"),
        (["folder", "commons"], "found on the web and photos of faces from folders", "drawings"),
        (["sample"], "drawings that show nobody", "on the web"),
    ],
)
def test_the_page_says_where_the_images_come_from(
    sources: list[str], says: str, never: str
) -> None:
    text = _Page(optout_page([], "", "btfer-1", sources=sources)).text
    assert says in text
    assert never not in text
