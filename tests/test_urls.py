import pytest

from btfer.urls import identity, other_scheme, shortened

SAME = [
    "https://example.org/a.jpg",
    "HTTPS://Example.ORG/a.jpg",
    "  https://example.org:443/a.jpg\n",
    "https://example.org/a.jpg#face",
    "https://example.org./a.jpg?utm_source=commons&utm_medium=x",
    "https://example.org/a.jpg?fbclid=1",
]


@pytest.mark.parametrize("url", SAME)
def test_spellings_of_one_address_are_one(url: str) -> None:
    assert identity(url) == SAME[0]


def test_what_tells_pictures_apart_stays() -> None:
    for url in (
        "https://example.org/A.jpg",
        "http://example.org/a.jpg",
        "https://example.org:8443/a.jpg",
        "https://example.org/a.jpg?id=1&size=%C3%B1",
        "http://[2001:db8::1]:8080/a.jpg",
        "http://ann@example.org/a.jpg",
    ):
        assert identity(url) == url
    assert (
        identity("https://example.org/a?utm_id=1&b=2&gclid=3&a=1")
        == "https://example.org/a?b=2&a=1"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/Café (1).jpg?q=ñ",
        "https://example.org/Caf%c3%a9%20(1).jpg?q=%c3%b1",
        "https://example.org/%43af%C3%A9 (1)%2ejpg?q=%C3%B1",
        "https://example.org/old/../Caf%C3%A9%20(1).jpg?q=%C3%B1#face",
    ],
)
def test_addresses_of_one_request_are_one(url: str) -> None:
    assert identity(url) == "https://example.org/Caf%C3%A9%20(1).jpg?q=%C3%B1"


@pytest.mark.parametrize("url", ["https://example.org/a%2Fb%3Fc", "https://example.org/?a=1%262"])
def test_an_escape_that_means_something_else_stays(url: str) -> None:
    assert identity(url) == url


@pytest.mark.parametrize("path", ["/%zz%", "/a|b?q={1}", "//a//b/./..", "/a[1].jpg?", "/%7E~?%"])
def test_the_one_form_is_its_own(path: str) -> None:
    once = identity(f"https://example.org{path}")
    assert identity(once) == once


def test_the_other_scheme_is_of_web_addresses_only() -> None:
    assert other_scheme("http://a.org/http://b") == "https://a.org/http://b"
    assert other_scheme("https://a.org/") == "http://a.org/"
    assert [other_scheme(one) for one in ("file:///a", "0" * 64)] == ["file:///a", "0" * 64]


def test_a_name_in_another_alphabet_is_the_name_that_dns_has() -> None:
    assert identity("https://MÜNCHEN.de/a") == identity("https://xn--mnchen-3ya.de/a")


@pytest.mark.parametrize("text", ["file:///a b.jpg ", "http://[bad/a", "", "0" * 64, "http:///a"])
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert identity(text) == text


def test_a_long_address_is_shown_by_its_ends() -> None:
    url = "https://example.org/" + "x" * 3_000 + "/end.jpg"
    assert len(shortened(url)) == 120
    assert shortened(url).startswith("https://example.org/")
    assert shortened(url).endswith("/end.jpg")
    assert shortened("https://example.org/") == "https://example.org/"
