"""Why one of two copies was kept, in words: what dedup's own rules (`btfer.duplicate_rules`) say of them."""

from btfer.catalogue.store import Row
from btfer.duplicate_rules import Facts, PhotoFacts, bytes_a_pixel, decided_by, licence_rank

_LICENCE = ("allows a release", "says nothing of a release", "forbids a release")
_RULES = {
    "judged": "people had judged it",
    "licence": "the licence {keeper} ({keeper_licence}), here it {copy} ({copy_licence})",
    "resolution": "larger: {keeper} px, here {copy} px",
    "compression": "less compressed: {keeper} bytes a pixel, here {copy}",
    "earlier": "found earlier: {keeper}, here {copy}",
    "sha256": "equal in everything, the first by name",
}


def why_kept(keeper: Row, copy: Row, chosen_by: str = "") -> str:
    """The first rule that decided between a keeper and a copy, with what it saw.

    keeper, copy: as `catalogue.duplicates.facts`. chosen_by: the person who chose the keeper ('' =
    dedup did). Licences are those known now, and judged counts only what came before the copy was
    dropped: where the rules of today say otherwise than dedup did, that is what is told.
    """
    if chosen_by:
        return f"chosen by {chosen_by}"
    stays, goes = (facts_before(one, copy["verdict"]) for one in (keeper, copy))
    rule, for_keeper = decided_by(stays, goes)
    if not for_keeper:
        return (
            f"an earlier run of dedup chose it; by what is known now this one would stay ({rule})"
        )
    return _RULES[rule].format(
        keeper=_value(rule, stays),
        copy=_value(rule, goes),
        keeper_licence=licences_of(keeper),
        copy_licence=licences_of(copy),
    )


def facts_before(row: Row, verdict: int) -> Facts:
    """What the rules ask of a photo, as it was when a verdict (its id) was given."""
    licences = [(seen["licence"], seen["licence_url"]) for seen in row["sightings"]]
    return PhotoFacts(
        row["sha256"],
        (row["vote"] or verdict) < verdict,
        licences,
        row["width"],
        row["height"],
        row["n_bytes"],
        row["at"],
    )


def licences_of(row: Row) -> str:
    """The licences that a photo's sightings state, as they state them."""
    stated = {seen["licence"] or seen["licence_url"] for seen in row["sightings"]} - {""}
    return ", ".join(sorted(stated)) or "none stated"


def _value(rule: str, facts: Facts) -> str:
    if rule == "licence":
        return _LICENCE[licence_rank(facts.licences)]
    if rule == "resolution":
        return f"{facts.width_px} x {facts.height_px}"
    if rule == "compression":
        return f"{bytes_a_pixel(facts):.2f}"
    return facts.at[:19].replace("T", " ") if rule == "earlier" else ""
