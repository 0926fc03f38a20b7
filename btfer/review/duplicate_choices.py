"""Choosing among the groups of near-duplicates, with how many groups each choice would leave."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from btfer.catalogue import Catalogue, duplicates, photos, verdicts
from btfer.review import choices
from btfer.review.choices import NOT_JUDGED, Known
from btfer.review.duplicates import GroupSummary


@dataclass(frozen=True)
class GroupFilter:
    """Which groups are shown: those with a photo that is as each choice says; '' = any.

    by: who called it a copy (`dedup`, or a person). verdict: what holds on it in round `photos`. label, source: the
    class of a query, and the place, that found it. day: when it became a copy (UTC). find: as of `Filter`.
    """

    by: str = ""
    verdict: str = ""
    label: str = ""
    source: str = ""
    day: str = ""
    find: str = ""


def known_of_groups(cat: Catalogue, summaries: Sequence[GroupSummary]) -> dict[str, Known]:
    """What groups are chosen by, by keeper: the names of `GroupFilter` but `find`."""
    group_of = {name: one.keeper for one in summaries for name in (one.keeper, *one.copies)}
    dropped = duplicates.copies(cat)
    judged = verdicts.current_on(cat, "photos", group_of)
    said = {row.photo: row.reason or row.expression or row.decision for row in judged}
    values: dict[str, Iterable[tuple[str, str]]] = {
        "by": [(row.photo, row.reviewer) for row in dropped],
        "verdict": [(name, said.get(name, NOT_JUDGED)) for name in group_of],
        "label": duplicates.classes_searched(cat),
        "source": duplicates.sources(cat),
        "day": [(row.photo, row.at[:10]) for row in dropped],
    }
    found: dict[str, dict[str, list[str]]] = {
        one.keeper: {name: [] for name in values} for one in summaries
    }
    for name, each in values.items():
        for photo, value in each:
            if photo in group_of:
                found[group_of[photo]][name].append(value)
    return dict(found)


def chosen_groups(
    cat: Catalogue,
    summaries: Sequence[GroupSummary],
    known: Mapping[str, Known],
    chosen: GroupFilter,
) -> tuple[list[GroupSummary], dict[str, dict[str, int]]]:
    """The groups that are as chosen, in their order, and how many each choice would leave, the others as they are."""
    named = photos.findable(cat, chosen.find) if chosen.find else set()
    open_ = {
        one.keeper: known[one.keeper]
        for one in summaries
        if not chosen.find or named & {one.keeper, *one.copies}
    }
    asked = {name: value for name, value in vars(chosen).items() if name != "find"}
    counts = choices.counted(open_, asked)
    counts["day"] = dict(sorted(counts["day"].items(), reverse=True))
    left = set(choices.matching(open_, asked))
    return [one for one in summaries if one.keeper in left], counts
