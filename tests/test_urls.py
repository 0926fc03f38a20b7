import pytest

from btfer.urls import identity, shortened

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
