"""Withdraw: what a person or a site has asked us to leave alone is never fetched, stored or released again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from btfer.catalogue import Catalogue, journal, photos, verdicts, withdrawals
from btfer.catalogue.verdicts import Verdict
from btfer.duplicate_rules import root
from btfer.errors import UsageError
from btfer.pipeline.photo_names import LEAST_DIGITS, photos_named

REVIEWER = "withdrawal"
REASON = "do-not-use"
_ADDRESS_OR_DIGEST = re.compile(r"((?i:https?)|file)://\S.*|[0-9a-f]{64}")


@dataclass(frozen=True)
class Withdrawn:
    """new: entries that were not on the list. dropped: photos of the catalogue that were not yet dropped for it."""

    new: int
    dropped: int


def withdraw(cat: Catalogue, things: Sequence[str], reason: str = "") -> Withdrawn:
    """Put URLs (of pictures, or of pages that show them) and photos on the withdrawal list.

    A photo is named by its sha256; one that is here also by 8 digits or more of it, by a face of it, or by its
    `photo_id` in a release. Photos that are here already, and their near-duplicates, are withdrawn by their bytes
    as well, and dropped in round `photos`. Raises UsageError for anything else, before anything is written.
    """
    things = [_address_or_digest(cat, one.strip()) for one in things]
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


def _address_or_digest(cat: Catalogue, thing: str) -> str:
    if _ADDRESS_OR_DIGEST.fullmatch(thing):
        return thing
    if _ADDRESS_OR_DIGEST.fullmatch(thing.lower()) and "://" not in thing:
        return thing.lower()
    found = photos_named(cat, thing) if len(thing) >= LEAST_DIGITS else set()
    if len(found) == 1:
        return found.pop()
    several = (
        f"it names {len(found)} photos: give more digits"
        if found
        else "no photo here has that name"
    )
    raise UsageError(
        f"'{thing}' is neither a URL (https://...) nor a photo: {several}. A photo is named by its sha256 "
        f"({LEAST_DIGITS} digits or more), its photo_id or a face id"
    )


def with_copies(cat: Catalogue, chosen: set[str]) -> set[str]:
    """The photos and all that dedup holds for copies of the same picture."""
    keeper = {copy.photo: copy.keeper for copy in photos.duplicates(cat)}
    kept = {root(one, keeper) for one in chosen}
    return chosen | kept | {one for one in keeper if root(one, keeper) in kept}
