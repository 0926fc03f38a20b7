"""JSON, TOML and HTML that others wrote: whatever is wrong with the first two is a ValueError, however deep it lies.

The libraries raise RecursionError where lists lie in lists by the thousand, which no reader expects; ruff
lets nobody call them past this module.
"""

import json
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

TOO_DEEP = "it is nested too deep"


def parse_json(
    text: str | bytes,
    parse_constant: Callable[[str], Any] | None = None,
    *,
    strict: bool = True,
) -> Any:
    """What a JSON text holds. Raises ValueError; json.JSONDecodeError is one.

    parse_constant: called with NaN, Infinity or -Infinity; as they are without it. strict: whether
    control characters in a string are an error.
    """
    try:
        return json.loads(text, parse_constant=parse_constant, strict=strict)  # noqa: TID251
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def parse_toml(text: str) -> dict[str, Any]:
    """What a TOML text holds. Raises tomllib.TOMLDecodeError, which is a ValueError."""
    try:
        return tomllib.loads(text)  # noqa: TID251
    except RecursionError:
        raise tomllib.TOMLDecodeError(TOO_DEEP) from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python makes no number of thousands of digits
        raise tomllib.TOMLDecodeError("it has a number of too many digits") from None


class HtmlReader(HTMLParser):
    """Python's parser of HTML, which takes a declaration that is none (`<![x[`) for a comment, as browsers do."""

    def parse_html_declaration(self, i: int) -> int:
        """Called by the parser, which otherwise ends with an AssertionError there."""
        try:
            return super().parse_html_declaration(i)
        except AssertionError:
            return self.parse_bogus_comment(i)
