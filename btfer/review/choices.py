"""Choosing among pictures by what is known of them, with how many each choice would leave."""

from collections import Counter
from collections.abc import Mapping, Sequence

NOT_JUDGED = "not judged"

Known = Mapping[str, Sequence[str]]
"""Of one picture, or one group: its values by the names of the choices."""


def matching(known: Mapping[str, Known], chosen: Mapping[str, str]) -> list[str]:
    """The ids of those that have each chosen value, in their order. chosen: by the names of the choices; '' = any."""
    asked = {name: value for name, value in chosen.items() if value}
    return [
        id_
        for id_, its in known.items()
        if all(value in its.get(name, ()) for name, value in asked.items())
    ]


def counted(known: Mapping[str, Known], chosen: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """For each choice, how many each of its values would leave, the other choices as they are; the most first."""
    found: dict[str, dict[str, int]] = {}
    for name in chosen:
        left = matching(known, {**chosen, name: ""})
        numbers = Counter(
            value for id_ in left for value in dict.fromkeys(known[id_].get(name, ()))
        )
        found[name] = dict(sorted(numbers.items(), key=lambda one: (-one[1], one[0])))
    return found
