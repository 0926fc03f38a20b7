"""The table of names as the reader of names needs it: every phrase by its letters, and what it stands for."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from btfer.licences import words as table
from btfer.licences.text import plain, words


class Atom(NamedTuple):
    """A known word or phrase. kind: cc, code, word, other, plain, port, version, later; value: what it stands for."""

    kind: str
    value: str
    elements: frozenset[str] = frozenset()


LICENCE_WORDS = {"license", "licence", "lizenz", "licencia", "licenca", "licenza"}
LONGEST = 9
"""Words of the longest phrase."""


def spaced(text: str) -> str:
    """Chinese, Japanese and Korean put no spaces between words: around those that are known, there are some."""
    return _UNSPACED.sub(r" \g<0> ", text)


def _vocabulary() -> dict[str, Atom]:
    known: dict[str, Atom] = {}
    for kind, phrases in (
        ("plain", [*table.PLAIN, *table.SOME_RESERVED]),
        ("cc", table.CREATIVE_COMMONS),
    ):
        known |= {key: Atom(kind, key) for key in map(_key, phrases)}
    known |= {key: Atom("plain", key) for key in LICENCE_WORDS}
    for port, names in table.PORT_NAMES.items():
        known |= {key: Atom("port", port) for key in map(_key, names)}
    for element, phrases in table.ELEMENTS.items():
        known |= {key: Atom("word", key, frozenset({element})) for key in map(_key, phrases)}
    for code, elements in table.CODES.items():
        known[code] = Atom("code", code, elements)
    for other, phrases in table.OTHERS.items():
        known |= {key: Atom("other", other) for key in map(_key, phrases)}
    return known


def _key(phrase: str) -> str:
    return "".join(words(plain(phrase)))


def _all_phrases() -> Iterator[str]:
    yield from chain(
        table.PLAIN, table.CREATIVE_COMMONS, table.RESERVED, table.CREDIT, table.LIMITS
    )
    for named in (table.PORT_NAMES, table.ELEMENTS, table.OTHERS):
        yield from chain.from_iterable(named.values())


def _without_spaces(phrase: str) -> bool:
    return any("\u3040" <= one <= "\u9fff" or "\u1100" <= one <= "\u11ff" for one in phrase)


def _unspaced() -> re.Pattern[str]:
    phrases = {phrase for one in _all_phrases() if _without_spaces(phrase := plain(one))}
    return re.compile("|".join(re.escape(one) for one in sorted(phrases, key=len, reverse=True)))


_UNSPACED = _unspaced()
VOCABULARY = _vocabulary()
CREDIT = {_key(one) for one in table.CREDIT}
LIMITS = {_key(one) for one in table.LIMITS}
RESERVED = [" ".join(words(spaced(plain(one)))) for one in table.RESERVED]
SOME_RESERVED = [" ".join(words(plain(one))) for one in table.SOME_RESERVED]
