"""May a release's images be handed on? Its own word in release.json, or the licences of an older release.

An older release is read with an allow-list of whole names: what is not on it allows nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable

from btfer.catalogue.store import Row

NONE, NON_COMMERCIAL, COMMERCIAL = "none", "non-commercial", "commercial"
"""What release.json says under `redistribution`."""

_CC = re.compile(
    r"(?:cc|creative commons) ?(?:by|attribution)(?P<nc> (?:nc|noncommercial|non commercial))?"
    r"(?: (?:sa|sharealike|share alike))?(?: [1-4] [05])?(?: (?:international|unported|generic|[a-z]{2}))?"
)
_FREE = re.compile(
    r"cc ?(?:0|zero)(?: 1 0)?(?: universal)?|(?:pdm|public domain(?: mark)?)(?: 1 0)?|pd"
    r"|gfdl(?: 1 [123])?|gnu free documentation license(?: 1 [123])?|fal(?: 1 3)?|free art license(?: 1 3)?"
    r"|apache(?: license)? 2 0|mit(?: license)?|bsd [23] clause"
)


def allowed(licence: str) -> str:
    """What one licence allows: none, non-commercial or commercial use of what was made from the work."""
    words = " ".join(re.findall(r"[^\W\d_]+|\d", licence.casefold()))
    known = _CC.fullmatch(words)
    if known:
        return NON_COMMERCIAL if known["nc"] else COMMERCIAL
    return COMMERCIAL if _FREE.fullmatch(words) else NONE


def redistribution(record: Row, rows: Iterable[Row]) -> str:
    """What the release as a whole allows: the word in release.json, else the strictest of its licences."""
    told = record.get("redistribution")
    if told in (NONE, NON_COMMERCIAL, COMMERCIAL):
        return str(told)
    if told is not None:
        return NONE
    found = {allowed(row.get("licence") or "") for row in rows}
    return next((word for word in (NONE, NON_COMMERCIAL) if word in found), COMMERCIAL)


def licences(rows: Iterable[Row]) -> Counter[str]:
    """How many images have which licence."""
    return Counter(row.get("licence") or "not stated" for row in rows)


def held_back(counts: Counter[str]) -> Counter[str]:
    """The licences that do not allow to hand images on."""
    return Counter({name: n for name, n in counts.items() if allowed(name) == NONE})
