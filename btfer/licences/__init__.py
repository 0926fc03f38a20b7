"""What a stated licence allows, read from its whole name, code, address or SPDX id.

An allow-list, and no legal advice: what is not recognised as a whole is unknown, never free. Creative Commons 1.0 to
4.0 with ports and names in many languages, marks of the public domain, a few other free licences, and what stock
agencies and "all rights reserved" say.
"""

from btfer.licences.licence import NOT_STATED, Kind, Licence
from btfer.licences.others import FLICKR
from btfer.licences.parse import flickr_licence, parse_licence
from btfer.licences.rules import RULES, Terms, terms
from btfer.licences.sightings import PhotoRights, Stated, author_key, licence_shown, resolve
from btfer.licences.strict import (
    agree,
    commercial,
    conflict,
    may_be_released,
    redistributable,
    strictest,
)
from btfer.licences.use import (
    COMMERCIAL,
    LOCAL,
    NON_COMMERCIAL,
    NONE,
    USES,
    forbids_derivatives,
    redistribution,
)

__all__ = [
    "COMMERCIAL",
    "FLICKR",
    "LOCAL",
    "NONE",
    "NON_COMMERCIAL",
    "NOT_STATED",
    "RULES",
    "USES",
    "Kind",
    "Licence",
    "PhotoRights",
    "Stated",
    "Terms",
    "agree",
    "author_key",
    "commercial",
    "conflict",
    "flickr_licence",
    "forbids_derivatives",
    "licence_shown",
    "may_be_released",
    "parse_licence",
    "redistributable",
    "redistribution",
    "resolve",
    "strictest",
    "terms",
]
