"""What may be done with a release, by the licences of its images; and which licences a release of each kind takes."""

from collections.abc import Callable, Iterable, Mapping

from btfer.licences.licence import Kind, Licence
from btfer.licences.strict import commercial, may_be_released, redistributable

NONE, NON_COMMERCIAL, COMMERCIAL = "none", "non-commercial", "commercial"
"""Whether images may be handed on, and for what: the words of `redistribution` in release.json."""

LOCAL = "local"
USES: Mapping[str, Callable[[Licence], bool]] = {
    LOCAL: may_be_released,
    "redistributable": redistributable,
    "commercial": commercial,
}
"""What a release is for, and which licences it takes then. A local one is made to be used where it was made."""


def redistribution(licences: Iterable[Licence]) -> str:
    """What all of these works together allow: one of the three words; COMMERCIAL where there is no work."""
    word = COMMERCIAL
    for one in licences:
        if not redistributable(one):
            return NONE
        if not commercial(one):
            word = NON_COMMERCIAL
    return word


def forbids_derivatives(one: Licence) -> bool:
    """Whether a work may be shared, but not adapted: of those that no release takes, the no-derivatives ones."""
    return one.kind is Kind.RESERVED and "nd" in one.code.split("-")
