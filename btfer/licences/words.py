"""The table `names.toml`, as it is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btfer.parsing import parse_toml

_TABLE: dict[str, Any] = parse_toml(
    Path(__file__).with_name("names.toml").read_text(encoding="utf-8")
)

CREATIVE_COMMONS: list[str] = _TABLE["creative_commons"]
PLAIN: list[str] = _TABLE["plain"]
CREDIT: list[str] = _TABLE["credit"]
LIMITS: list[str] = _TABLE["limits"]
SOME_RESERVED: list[str] = _TABLE["some_reserved"]
LIMIT_STEMS: list[str] = _TABLE["limit_stems"]
PARTICLES: list[str] = _TABLE["particles"]
STATES: list[str] = _TABLE["states"]
INSTITUTIONS: list[str] = _TABLE["institutions"]
SURNAMES: str = _TABLE["surnames"]
NO_NAMES: str = _TABLE["no_names"]
RESERVED: list[str] = _TABLE["reserved"]
RESERVED_ALONE: list[str] = _TABLE["reserved_alone"]
PORTS = frozenset[str](_TABLE["ports"])
PORT_NAMES: Mapping[str, list[str]] = _TABLE["port_names"]
ELEMENTS: Mapping[str, list[str]] = _TABLE["elements"]
OTHERS: Mapping[str, list[str]] = _TABLE["others"]

CODES: Mapping[str, frozenset[str]] = {
    "".join(parts): frozenset(parts)
    for parts in (
        *(("by",), ("nc",), ("nd",), ("sa",), ("by", "sa"), ("by", "nc"), ("by", "nd")),
        *(("by", "nc", "sa"), ("by", "nc", "nd")),
    )
}
"""Codes that are also written as one word (`CC BYSA`)."""
ATTRIBUTION = "attribution"
"""The one word that is a licence by itself, on Wikimedia Commons; its translations are so only after "CC"."""
