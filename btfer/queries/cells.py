"""Cells: one class, language and group of people, which a crawl is to fill evenly; and the order to ask them in."""

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple


class Cell(NamedTuple):
    """A class, a language and a group of people; never a fact about anybody in a photo."""

    expression: str
    language: str
    ethnicity: str
    gender: str
    age: str

    def __str__(self) -> str:
        group = " ".join(word for word in (self.age, self.ethnicity, self.gender) if word)
        words = [word for word in (self.expression or "unlabelled", group) if word]
        return ", ".join(words) + (f" ({self.language})" if self.language else "")


def interleave(groups: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Groups of people in an order in which every beginning is balanced: the next is the one least like those before.

    A group is a tuple of words, such as an age, an ethnicity, a gender and a language. In the order of
    a grid the first tenth would be toddlers alone. Single words count first, then pairs of them, so
    that not all toddlers of the beginning are of one ethnicity.
    """
    left = {group: _parts(group) for group in map(tuple, groups)}
    used: Counter[Hashable] = Counter()
    ordered = []
    while left:
        chosen = min(
            left, key=lambda group: [sum(map(used.__getitem__, one)) for one in left[group]]
        )
        for parts in left.pop(chosen):
            used.update(parts)
        ordered.append(chosen)
    return ordered


def _parts(group: tuple[str, ...]) -> tuple[list[Hashable], list[Hashable]]:
    """The words of a group, each with its place, and all pairs of them."""
    words = list(enumerate(group))
    return list(words), list(itertools.combinations(words, 2))
