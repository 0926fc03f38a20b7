"""Of several statements about the same work, which one holds."""

from collections.abc import Iterable

from btfer.licences.licence import NOT_STATED, Kind, Licence

_PUBLIC_DOMAIN = {"pd", "pdm", "cc0", "usgov", "nkcr"}
"""Several names of one thing: nobody has to be asked."""


def strictness(one: Licence) -> tuple[int, int, int]:
    """The larger, the less it allows: reserved, no-derivatives, unknown, free on conditions, free, not stated."""
    if one.kind is Kind.NOT_STATED:
        return (0, 0, 0)
    if one.kind is Kind.UNKNOWN:
        return (2, 0, 0)
    if one.kind is Kind.RESERVED:
        return (3, int(not one.may_share), int(not one.may_use_commercially))
    return (1, int(not one.may_use_commercially), one.share_alike + one.needs_credit)


def strictest(licences: Iterable[Licence]) -> Licence:
    """Which of the statements of all sightings of the same bytes holds; NOT_STATED where there is none.

    A sighting without a statement states nothing. One that is not understood holds against a free one. Of equally
    strict ones the one that says more (version, SPDX id), then the first.
    """
    stated = [one for one in licences if one.kind is not Kind.NOT_STATED]
    return max(stated, key=lambda one: (strictness(one), *_detail(one)), default=NOT_STATED)


def agree(one: Licence, other: Licence) -> bool:
    """Whether two statements may be about one licence: a version or port that only one of them gives is no matter."""
    if one.kind is not other.kind or _family(one) != _family(other):
        return False
    if one.kind is Kind.UNKNOWN:
        return one.name == other.name
    versions, ports = {one.version, other.version} - {""}, {one.port, other.port} - {""}
    return len(versions) < 2 and len(ports) < 2


def conflict(licences: Iterable[Licence]) -> str:
    """One sentence where sightings contradict each other, or one of them itself; '' where all agree."""
    stated = [one for one in licences if one.kind is not Kind.NOT_STATED]
    apart = any(not agree(one, other) for one in stated for other in stated)
    if apart:
        names = " and ".join(sorted({shown(one) for one in stated}))
        return f"The sightings state {names}; the strictest holds: {shown(strictest(stated))}."
    return next((one.conflict for one in stated if one.conflict), "")


def may_be_released(one: Licence) -> bool:
    """Whether a crop may be in a local release: never of a work that is reserved or may not be adapted."""
    return one.kind is not Kind.RESERVED


def redistributable(one: Licence) -> bool:
    """Whether a crop may be given to others: only of what is free to share and to adapt."""
    return one.kind is Kind.FREE and one.may_share and one.may_adapt


def commercial(one: Licence) -> bool:
    """Whether a crop may be given to others who earn money with it."""
    return redistributable(one) and one.may_use_commercially


def shown(one: Licence) -> str:
    """A licence in a sentence."""
    return f"'{one.name}', which is not understood" if one.kind is Kind.UNKNOWN else one.name


def _family(one: Licence) -> str:
    if one.kind is Kind.RESERVED and not one.may_share:
        return "reserved"
    if one.code in _PUBLIC_DOMAIN:
        return "pd"
    return "by" if one.code == "attribution" else one.code


def _detail(one: Licence) -> tuple[bool, bool, bool]:
    return bool(one.spdx), bool(one.url), bool(one.version)
