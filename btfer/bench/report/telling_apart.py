"""What to say beside a name that several networks have."""

from collections import defaultdict
from collections.abc import Sequence


def told_apart(names: Sequence[str], parts: Sequence[Sequence[str]]) -> list[list[str]]:
    """For each name, those of its parts in which others of the same name differ; [] where no other has it."""
    alike = defaultdict[str, list[Sequence[str]]](list)
    for name, each in zip(names, parts, strict=True):
        alike[name].append(each)
    return [
        [
            part
            for place, part in enumerate(each)
            if part and len({one[place] for one in alike[name]}) > 1
        ]
        for name, each in zip(names, parts, strict=True)
    ]
