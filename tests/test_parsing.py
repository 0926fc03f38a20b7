"""What strangers' JSON, TOML and HTML may hold."""

import tomllib

import pytest

from btfer.parsing import HtmlReader, parse_json, parse_toml

DEEP = 100_000


@pytest.mark.parametrize(
    "text", ["[" * DEEP, '{"a":' * DEEP, "", "{", "nul", "1" * 5000, b"\xff\xfe\xfd"]
)
def test_whatever_is_wrong_with_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


@pytest.mark.parametrize(
    "text", ["a = " + "[" * DEEP, "a = " + "{a=" * DEEP, "a =", "a = 1\na = 2", "a = " + "9" * 5000]
)
def test_whatever_is_wrong_with_toml_is_a_toml_error(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        parse_toml(text)


def test_what_is_right_is_read() -> None:
    assert parse_json('{"a": [1, NaN]}', parse_constant=str) == {"a": [1, "NaN"]}
    assert parse_json('"a\tb"', strict=False) == "a\tb"
    assert parse_toml('a = ["ü"]') == {"a": ["ü"]}


@pytest.mark.parametrize(
    "odd", ["<![x[", "<![x[y]>", "<![>", "<![ ", "<![9", "<!", "<!DOCTYPE [", "<![CDATA["]
)
def test_a_declaration_that_is_none_ends_no_page(odd: str) -> None:
    tags = []

    class Reader(HtmlReader):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)

    reader = Reader()
    reader.feed(f"<p>{odd}")
    reader.feed("><b>")
    reader.close()
    assert tags[0] == "p"
