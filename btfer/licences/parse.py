"""Reads what a source states of a licence: a name, an address, or both."""

from dataclasses import replace
from functools import lru_cache

from btfer.licences.licence import NOT_STATED, Kind, Licence, unknown
from btfer.licences.names import read_name
from btfer.licences.others import FLICKR
from btfer.licences.strict import agree, shown, strictest
from btfer.licences.text import without_markup
from btfer.licences.urls import read_url

_NOTHING = {"", "not stated", "not specified", "n/a", "nan", "null", "-", "–", "—", "?"}
"""What stands in an empty field; `not stated` is what a release writes. Not `none`: it may mean that none is given."""
_LONGEST_STATEMENT = 4_000
"""Characters; what is longer is no name, and its markup is not read (a page of the web may be hostile)."""


@lru_cache(maxsize=4096)  # a catalogue has many photos and few licences
def parse_licence(name: str, url: str = "") -> Licence:
    """The licence that a name (`CC BY-NC 4.0`, may be HTML or an address) and an address state; both may be ''.

    Only a whole name that is known counts: everything else is unknown. Where name and address contradict each
    other, the stricter holds, and `conflict` says so.
    """
    if name.strip().casefold() in _NOTHING and not url.strip():
        return NOT_STATED
    by_name, by_url = _read_name_field(name), _read_url_field(url)
    if by_name is None or by_url is None:
        return by_name or by_url or unknown(name.strip() or url)
    held = strictest((by_name, by_url))
    if agree(by_name, by_url):
        return held
    sentence = (
        f"The name says {shown(by_name)}, the address says {shown(by_url)}; "
        f"the stricter holds: {shown(held)}."
    )
    return replace(held, conflict=sentence)


def flickr_licence(number: int | str) -> Licence:
    """The licence with one of Flickr's numbers; unknown where Flickr has a new one."""
    stated = FLICKR.get(str(number))
    return parse_licence(*stated) if stated else unknown(f"Flickr's licence {number}")


def _read_name_field(name: str) -> Licence | None:
    """None where it names no licence and says nothing against one (`Creative Commons`, `Photo: Ann`)."""
    if name.strip().casefold() in _NOTHING:
        return None
    long = len(name) > _LONGEST_STATEMENT
    text, addresses = (name, []) if long else without_markup(name)
    linked = [one for address in addresses if (one := read_url(address))]
    if (named := read_name(text)) is not None:
        linked.append(named)
    return strictest(linked) if linked else None


def _read_url_field(url: str) -> Licence | None:
    """An address, or a name in its place; None where there is neither."""
    if (found := read_url(url)) or "/" in url or not url.strip():
        return found
    named = read_name(url)
    return named if named and named.kind is not Kind.UNKNOWN else None
