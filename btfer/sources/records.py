"""Reading what a source states about one picture: any field may be missing, empty, or of another kind.

Only the picture's address is needed; a record without one is odd, and is skipped and counted. All
else is read as far as it can be.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup

_XML = re.compile(r"\s*<\?xml[^>]*\?>")


class OddRecord(Exception):
    """A record that has not what it needs."""


def text(value: object) -> str:
    """The text of a field, '' where it has none; of a list, what it holds with commas between."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(filter(None, map(text, value)))
    return "" if isinstance(value, bool) or not isinstance(value, int | float) else str(value)


def number(value: object) -> int:
    """A whole number above 0, such as a width in pixels, given as a number or as text; 0 where there is none."""
    found = text(value).strip()
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 10 else 0


def part(value: object) -> dict[str, Any]:
    """A part of a record; {} where it is missing or of another kind (PHP writes an empty one as a list)."""
    return value if isinstance(value, dict) else {}


def parts(value: object) -> list[dict[str, Any]]:
    """The parts of a record that are in a list; [] where there are none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def web_address(value: object) -> str:
    """A field as http(s) address, '' where it is none."""
    address = text(value).strip()
    try:
        parsed = urlsplit(address)
        host = parsed.hostname
    except ValueError:
        return ""
    return address if parsed.scheme in ("http", "https") and host else ""


def plain(value: object) -> str:
    """The text of a field that may be HTML."""
    found = text(value)
    return html_page(found).get_text(" ", strip=True) if "<" in found else found.strip()


def html_page(page: str | bytes) -> BeautifulSoup:
    """A page that was sent as UTF-8, also one that calls itself XML and is read like any other."""
    found = page.decode("utf-8", "replace") if isinstance(page, bytes) else page
    if found.lstrip()[:5] == "<?xml":
        found = _XML.sub("", found, count=1)
    # After a line end, the parser does not warn of what begins like XML, nor of what could be a file's name.
    return BeautifulSoup(f"\n{found}", "lxml")
