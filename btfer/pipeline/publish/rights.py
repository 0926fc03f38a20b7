"""May a release's images be handed on? What its release.json says, or its licences where they are stricter."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from btfer.licences import COMMERCIAL, NON_COMMERCIAL, NONE, parse_licence
from btfer.licences import redistribution as redistribution_of
from btfer.pipeline.release_metadata import CsvRow

__all__ = [
    "COMMERCIAL",
    "NONE",
    "NON_COMMERCIAL",
    "allowed",
    "held_back",
    "licences",
    "redistribution",
]

_STRICT_FIRST = (NONE, NON_COMMERCIAL, COMMERCIAL)


def allowed(licence: str) -> str:
    """What one licence allows: none, non-commercial or commercial use of what was made from the work."""
    return redistribution_of([parse_licence(licence)])


def redistribution(record: Mapping[str, Any], rows: Iterable[CsvRow]) -> str:
    """What the release as a whole allows: the stricter of the word in release.json and of its licences."""
    stated = record.get("redistribution", COMMERCIAL)
    if stated not in _STRICT_FIRST:
        return NONE
    found = {str(stated)} | {allowed(row.get("licence") or "") for row in rows}
    return next(word for word in _STRICT_FIRST if word in found)


def licences(rows: Iterable[CsvRow]) -> Counter[str]:
    """How many images have which licence."""
    return Counter(row.get("licence") or "not stated" for row in rows)


def held_back(counts: Counter[str]) -> Counter[str]:
    """The licences that do not allow to hand images on."""
    return Counter({name: n for name, n in counts.items() if allowed(name) == NONE})
