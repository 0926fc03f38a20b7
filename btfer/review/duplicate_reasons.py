"""Why one of two copies was kept, in words: dedup's own rules (`btfer.duplicate_rules`) applied to both."""

from collections.abc import Collection
from typing import NamedTuple

from btfer.catalogue.duplicates import DuplicateFacts
from btfer.duplicate_rules import Facts, PhotoFacts, bytes_a_pixel, decided_by, licence_rank

_LICENCE = ("allows a release", "does not mention a release", "forbids a release")
_RULES = {
    "judged": "people had judged it already",
    "licence": "its licence {keeper} ({keeper_licence}), the copy's licence {copy} ({copy_licence})",
    "border": "without the strip or frame that the copy has",
    "letters": "without the letters that the copy has over it",
    "resolution": "larger ({keeper} px, the copy {copy} px)",
    "compression": "less compressed ({keeper} bytes per pixel, the copy {copy})",
    "earlier": "found earlier ({keeper}, the copy {copy})",
    "sha256": "equal in everything, first in alphabetical order",
}


class OnPictures(NamedTuple):
    """Photos (sha256) with a strip or a frame around them, and with see-through letters over them."""

    bordered: Collection[str] = ()
    marked: Collection[str] = ()


NOTHING = OnPictures()


def why_kept(
    keeper: DuplicateFacts,
    copy: DuplicateFacts,
    chosen_by: str = "",
    *,
    on: OnPictures = NOTHING,
) -> str:
    """The first rule that decided between a keeper and a copy, with what it saw.

    chosen_by: the person who chose the keeper ('' = dedup did). Licences are those known now, and only judgements
    before the copy was dropped count: where the rules now decide otherwise than dedup did, the answer says so.
    """
    if chosen_by:
        return f"chosen by {chosen_by}"
    stays, goes = (facts_before(one, copy.verdict_id, on) for one in (keeper, copy))
    rule, for_keeper = decided_by(stays, goes)
    if not for_keeper:
        return (
            f"an earlier run of dedup chose it; by what is known now, the copy would stay ({rule})"
        )
    return _RULES[rule].format(
        keeper=_value(rule, stays),
        copy=_value(rule, goes),
        keeper_licence=licences_of(keeper),
        copy_licence=licences_of(copy),
    )


def facts_before(one: DuplicateFacts, verdict_id: int, on: OnPictures = NOTHING) -> Facts:
    """What the rules ask of a photo, as it was when a verdict was given."""
    return PhotoFacts(
        sha256=one.sha256,
        judged=(one.vote_id or verdict_id) < verdict_id,
        licences=[(seen.licence, seen.licence_url) for seen in one.sightings],
        width_px=one.width_px,
        height_px=one.height_px,
        n_bytes=one.n_bytes,
        at=one.at,
        bordered=one.sha256 in on.bordered,
        marked=one.sha256 in on.marked,
    )


def licences_of(one: DuplicateFacts) -> str:
    """The licences that a photo's sightings state, as they state them."""
    stated = {seen.licence or seen.licence_url for seen in one.sightings} - {""}
    return ", ".join(sorted(stated)) or "none stated"


def _value(rule: str, facts: Facts) -> str:
    if rule == "licence":
        return _LICENCE[licence_rank(facts.licences)]
    if rule == "resolution":
        return f"{facts.width_px} x {facts.height_px}"
    if rule == "compression":
        return f"{bytes_a_pixel(facts):.2f}"
    return facts.at[:19].replace("T", " ") if rule == "earlier" else ""
