"""What a stated licence allows, read from its name and address: Creative Commons, public-domain marks, free licences.

It is a filter, no legal advice: what is not recognised counts as stated and as nothing more.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_NO_DERIVATIVES = {"nd", "noderivs", "noderivatives"}
_NON_COMMERCIAL = {"nc", "noncommercial"}
_ATTRIBUTION = {"by", "attribution"}
_FREE = {"cc0", "zero", "pd", "pdm", "publicdomain", "gfdl", "fal", "mit"}
_FREE_PHRASES = (
    {"public", "domain"},
    {"no", "known", "restrictions"},
    {"government", "work"},
    {"free", "use"},
)
_CLOSED = {"all", "rights", "reserved"}


@dataclass(frozen=True)
class Terms:
    """What one licence says. stated: it grants something; free: commercial use and derivatives too."""

    stated: bool
    derivatives: bool
    free: bool
    credit: bool
    forbids_derivatives: bool


@lru_cache(maxsize=4096)  # a catalogue has many pictures and few licences
def terms(licence: str, licence_url: str = "") -> Terms:
    """Read a licence's name (`CC BY-NC 4.0`, `Public domain`) and address; both may be ''."""
    words = set(re.findall(r"[a-z]+[0-9]?", f"{licence} {licence_url}".lower()))
    forbids = bool(words & _NO_DERIVATIVES)
    closed = words >= _CLOSED
    credit = bool(words & _ATTRIBUTION) and not closed
    known = credit or bool(words & _FREE) or any(phrase <= words for phrase in _FREE_PHRASES)
    derivatives = known and not forbids and not closed
    return Terms(
        stated=bool(words) and not closed,
        derivatives=derivatives,
        free=derivatives and not words & _NON_COMMERCIAL,
        credit=credit,
        forbids_derivatives=forbids,
    )


RULES: dict[str, Callable[[Terms], bool]] = {
    "any": lambda _: True,
    "stated": lambda one: one.stated,
    "derivatives": lambda one: one.derivatives,
    "free": lambda one: one.free,
}
"""Which photos a crawl fetches; the words of the setting `licences`."""
