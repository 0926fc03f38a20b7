"""Withdraw: what a person or a site has asked us to leave alone is never fetched, stored or released again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from btfer.catalogue import Catalogue, journal, photos, verdicts, withdrawals
from btfer.catalogue.verdicts import Verdict
from btfer.duplicate_rules import root
from btfer.errors import UsageError

REVIEWER = "withdrawal"
REASON = "do-not-use"
_THING = re.compile(r"((?i:https?)|file)://\S.*|[0-9a-f]{64}")


@dataclass(frozen=True)
class Withdrawn:
    """new: entries that were not on the list. dropped: photos of the catalogue that were not yet dropped for it."""

    new: int
    dropped: int


def withdraw(cat: Catalogue, things: Sequence[str], reason: str = "") -> Withdrawn:
    """Put URLs (of pictures, or of pages that show them) and photos (by sha256) on the withdrawal list.

    Photos that are here already, and their near-duplicates, are withdrawn by their bytes as well,
    and dropped in round `photos`. Raises UsageError for anything else, before anything is written.
    """
    things = [thing.strip() for thing in things]
    for thing in things:
        if not _THING.fullmatch(thing):
            raise UsageError(
                f"'{thing}' is neither a URL (https://...) nor the sha256 of a photo (64 hex digits)"
            )
    asked = {*things, *journal.copies_of(cat, things)}
    here = with_copies(cat, photos.shown_at(cat, asked))
    new = withdrawals.add(cat, asked | here, reason)
    dropped = {
        one.photo
        for one in verdicts.not_undone_on(cat, "photos", here)
        if one.reviewer == REVIEWER and one.decision == "drop"
    }
    drops = [
        Verdict("photos", one, "drop", REVIEWER, reason=REASON, final=True)
        for one in sorted(here - dropped)
    ]
    verdicts.add(cat, drops)
    return Withdrawn(new, len(drops))


def with_copies(cat: Catalogue, chosen: set[str]) -> set[str]:
    """The photos and all that dedup holds for copies of the same picture."""
    keeper = {copy.photo: copy.keeper for copy in photos.duplicates(cat)}
    kept = {root(one, keeper) for one in chosen}
    return chosen | kept | {one for one in keeper if root(one, keeper) in kept}
