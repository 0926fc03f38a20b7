"""Reads who is to be named (`Foto: Ann Smith`, `© 2019 Ann`). Only what looks like a name is one.

Whatever else stands behind a word like "photo" may be a limit of the licence in words that no list holds.
"""

import re
from collections.abc import Sequence

from btfer.licences import words as table
from btfer.licences.text import is_version, plain, words
from btfer.licences.vocabulary import CREDIT, LICENCE_WORDS, LIMITS, VOCABULARY

_BEFORE_A_NAME = {":", "by", "von", "par", "por", "copyright"}
"""Behind one of them a name follows; `Photo Withdrawn` is none."""
_LONGEST_CREDIT = 8
_YEAR = re.compile(r"(18|19|20)\d\d")
_HAN = re.compile(r"[\u4e00-\u9fff]{2,4}")
_LIMIT_STEMS = tuple("".join(words(plain(one))) for one in table.LIMIT_STEMS)
_PARTICLES = frozenset(table.PARTICLES)
_INSTITUTIONS = frozenset(table.INSTITUTIONS)
_NO_NAMES = frozenset(table.NO_NAMES)
_STATES = frozenset(table.STATES)
_SOFTWARE = {"mit", "bsd", "apache", "gpl", "isc", "expat", "unlicense", "fal", "lal", "fdl", "ogl"}


def tokens(part: str) -> list[str]:
    """The words of a part of a statement in their own case, and its colons."""
    found: list[str] = []
    for place, piece in enumerate(part.split(":")):
        found += [":"] * (place > 0) + words(piece)
    return found


def starts_credit(token: str) -> bool:
    """Whether a credit may start with this word."""
    return plain(token) in CREDIT


def is_credit(said: Sequence[str]) -> bool:
    """Whether tokens are the words of a credit and then a name, and no more.

    A name is a few capitalised words (particles as `van der` between them), or a Chinese surname and what follows it.
    """
    at = 0
    while at < len(said) and (said[at] == ":" or starts_credit(said[at])):
        at += 1
    name = said[at:]
    if at == 0 or not 0 < len(name) <= _LONGEST_CREDIT or _limits(name):
        return False
    if all(_is_han_name(one) for one in name):
        return len(name) == 1
    return plain(said[at - 1]) in _BEFORE_A_NAME and _is_name(name)


def names_software_licence(said: Sequence[str]) -> bool:
    """`Photo: MIT`: behind the words of a credit, a licence of software is an institution, not a licence."""
    folded = [plain(one) for one in said]
    licence = any(one in LICENCE_WORDS or is_version(one) for one in folded)
    return (
        bool(said) and starts_credit(said[0]) and not licence and not _SOFTWARE.isdisjoint(folded)
    )


def is_place(said: Sequence[str]) -> bool:
    """`Fargo ND`, the place behind a photographer's name: `ND` and `NC` are states there."""
    *town, state = said or [""]
    return state in _STATES and 0 < len(town) < 4 and not _limits(town) and _is_name(town)


def _limits(name: Sequence[str]) -> bool:
    folded = [plain(one) for one in name]
    return any(one in LIMITS or one.startswith(_LIMIT_STEMS) for one in folded)


def _is_name(name: Sequence[str]) -> bool:
    without_years = [one for one in name if not _YEAR.fullmatch(one)]
    if not without_years:
        return True  # `© 2019`
    if without_years[-1] in _PARTICLES:
        return False
    return all(one in _PARTICLES or _is_name_word(one) for one in without_years) and any(
        plain(one) not in VOCABULARY or len(one) == 1 for one in without_years
    )


def _is_name_word(word: str) -> bool:
    """`Ann`, `McDonald`, an initial. What is all in capitals is a code or an agency, but for a few institutions."""
    known = VOCABULARY.get(plain(word))
    if not word.isalpha() or not word[0].isupper() or (known and known.kind != "plain"):
        return False
    return len(word) == 1 or any(one.islower() for one in word) or word in _INSTITUTIONS


def _is_han_name(word: str) -> bool:
    """A surname and one to three characters, none of which stands in a condition (`谢绝转载` starts with a surname)."""
    return (
        bool(_HAN.fullmatch(word))
        and word.startswith(tuple(table.SURNAMES))
        and _NO_NAMES.isdisjoint(word)
    )
