"""Which photos a crawl fetches by their licence, and what a licence allows in four words."""

from collections.abc import Callable
from dataclasses import dataclass

from btfer.licences.licence import Kind
from btfer.licences.parse import parse_licence
from btfer.licences.strict import commercial, redistributable


@dataclass(frozen=True)
class Terms:
    """What one licence says. stated: it grants something, or it is not understood. derivatives: a crop may be shared.

    free: sold, too. credit: somebody is to be named (any BY form). forbids_derivatives: no-derivatives.
    """

    stated: bool
    derivatives: bool
    free: bool
    credit: bool
    forbids_derivatives: bool


def terms(licence: str, licence_url: str = "") -> Terms:
    """Read a licence's name (`CC BY-NC 4.0`, `Public domain`) and address; both may be ''."""
    one = parse_licence(licence, licence_url)
    elements = one.code.split("-")
    return Terms(
        stated=one.kind in (Kind.FREE, Kind.UNKNOWN) or one.may_share,
        derivatives=redistributable(one),
        free=commercial(one),
        credit="by" in elements or one.code == "attribution",
        forbids_derivatives="nd" in elements,
    )


RULES: dict[str, Callable[[Terms], bool]] = {
    "any": lambda _: True,
    "stated": lambda one: one.stated,
    "derivatives": lambda one: one.derivatives,
    "free": lambda one: one.free,
}
"""Which photos a crawl fetches; the words of the setting `licences`."""
