"""The card of a bundle, key by key: types, lengths and ranges of what a stranger wrote, and what may be said at all."""

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from btfer.bench.submit.scores import SCORES
from btfer.safe_paths import is_digest

MOST_CHARACTERS = 120
MOST_MARKS = 6  # that combine with one letter
STATED: Mapping[str, type] = {
    "architecture": str,
    "weights": str,
    "resolution": int,
    "balance": str,
    "protocol": str,
    "seed": int,
    "training": str,
    "epochs_limit": int,
    "training_limit": int,
    "mixed_precision": bool,
    "parameters": int,
    "epochs": int,
    "seconds_per_step": float,
    "images_per_second": float,
    "leaks": int,
    "leaks_of": int,
}
"""What a card may state that nobody can compute anew; a key that is not known is left out."""

VERSIONS = ("btfer", "runs", "keras", "backend")
PARTS = ("cross_domain", "in_domain")
CARD_KEYS = (
    *("name", "part", "run", "definition", "release", "stated", "claimed", "versions"),
    *("predictions_sha256", "by", "link"),
)
_PATH = re.compile(r"(^|[\s=,;:'\"(])(~|/[^\s/]+/|[A-Za-z]:[\\/]|\\\\)|file:", re.ASCII)
_MOST = 10**15


def card_values(content: Mapping[str, Any]) -> dict[str, Any]:
    """The known keys of a card, each checked. Raises ValueError that names the key and what is wrong."""
    for name in CARD_KEYS:
        if name not in content and name not in ("by", "link"):
            raise ValueError(f"'{name}' is missing")
    for name in ("release", "stated", "claimed", "versions"):
        if not isinstance(content[name], dict):
            raise ValueError(f"'{name}' is not an object")
    if content["part"] not in PARTS:
        raise ValueError(f"'part' is {content['part']!r:.40}, not {' or '.join(PARTS)}")
    release = content["release"]
    return {
        "name": text(content["name"], "name"),
        "part": content["part"],
        "run": _digest(content["run"], "run", 12),
        "definition": _digest(content["definition"], "definition"),
        "release": {
            "name": text(release.get("name"), "release.name"),
            "digest": _digest(release.get("digest"), "release.digest"),
        },
        "stated": {
            name: _stated(content["stated"][name], name)
            for name in STATED
            if content["stated"].get(name) is not None
        },
        "claimed": {name: _share(content["claimed"].get(name), name) for name in SCORES},
        "versions": {
            name: text(content["versions"][name], f"versions.{name}")
            for name in VERSIONS
            if content["versions"].get(name) is not None
        },
        "predictions_sha256": _digest(content["predictions_sha256"], "predictions_sha256"),
        "by": text(content.get("by") or "", "by", may_be_empty=True),
        "link": web_address(content.get("link") or ""),
    }


def text(value: Any, name: str, *, may_be_empty: bool = False) -> str:
    """A short line that holds no path of a machine. Raises ValueError for another."""
    if not isinstance(value, str) or not (value.strip() or may_be_empty):
        raise ValueError(f"'{name}' is not a text")
    if len(value) > MOST_CHARACTERS or not all(map(str.isprintable, value)):
        raise ValueError(
            f"'{name}' is longer than {MOST_CHARACTERS} characters or not in one printable line"
        )
    if _towers(value):
        raise ValueError(f"'{name}' has more than {MOST_MARKS} marks over one letter")
    if _PATH.search(value):
        raise ValueError(f"'{name}' holds a path of a machine: {value[:60]!r}")
    return value


def _towers(value: str) -> bool:
    """Whether marks are piled up until they cover the lines of others; no script needs so many."""
    marks = 0
    for one in value:
        marks = marks + 1 if unicodedata.combining(one) else 0
        if marks > MOST_MARKS:
            return True
    return False


def web_address(value: Any) -> str:
    """An address for http or https, or ''. Raises ValueError for another."""
    if value == "":
        return ""
    if not isinstance(value, str) or len(value) > 4 * MOST_CHARACTERS:
        raise ValueError("'link' is not an address")
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[!-~]*)?", value, re.ASCII):
        raise ValueError(f"'link' is not an address that begins with https://: {value[:60]!r}")
    return value


def _stated(value: Any, name: str) -> Any:
    kind = STATED[name]
    if kind is str:
        return text(value, name)
    if kind is bool:
        if type(value) is not bool:
            raise ValueError(f"'{name}' is neither true nor false")
        return value
    whole = type(value) is int
    if not (whole or (kind is float and type(value) is float and math.isfinite(value))):
        raise ValueError(f"'{name}' is {value!r:.40}, no {'whole ' * (kind is int)}number")
    if not 0 <= value <= _MOST:
        raise ValueError(f"'{name}' is {value!r:.40}, out of range")
    return value


def _share(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(f"'claimed.{name}' is {value!r:.40}, no number from 0 to 1")
    return float(value)


def _digest(value: Any, name: str, digits: int = 64) -> str:
    if not isinstance(value, str) or not is_digest(value, digits):
        raise ValueError(f"'{name}' is not {digits} hexadecimal digits")
    return value
