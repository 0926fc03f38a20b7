"""The bar of choices above a grid: what it shows is in the address, so that a link shows the same pictures."""

from dataclasses import asdict

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue

NAMED = {
    "hint": "Hint",
    "source": "Source",
    "language": "Language",
    "group": "Asked group",
    "query": "Query",
    "size": "Size",
    "date": "Date",
}
"""The choices in the bar, with their headings; the class is chosen in the sidebar."""
FINDS = "The start of an id or hash, a file's name, or an address."


def chosen(cat: Catalogue, round_: str, crop_digest: str, reviewer: str) -> review.Filter:
    """Draw the bar where it is asked for, and return what is chosen in the address or in it."""
    now = in_address()
    shown = st.sidebar.toggle("Filter", value=now != review.Filter(), key=f"filter_{round_}")
    if not shown:
        return _to_address(review.Filter())
    counts = _counted(cat, round_, crop_digest, reviewer, now)
    with st.container(horizontal=True):
        found = st.text_input(
            "Find",
            now.find,
            key=f"find_{round_}",
            width=210,
            help=FINDS,
        )
        values = {
            name: select(title, counts[name], str(getattr(now, name)), f"choice_{name}")
            for name, title in NAMED.items()
        }
    return _to_address(review.Filter(**values, find=found.strip()))


def in_address() -> review.Filter:
    """What the address asks for."""
    asked = {name: st.query_params.get(name, "") for name in (*NAMED, "find")}
    return review.Filter(**asked)


def _to_address(wanted: review.Filter) -> review.Filter:
    to_address({name: value for name, value in asdict(wanted).items() if name != "label"})
    return wanted


def to_address(values: dict[str, str]) -> None:
    """Write choices into the address by their names; '' = none, and no name."""
    for name, value in values.items():
        if st.query_params.get(name, "") == value:
            continue
        if value:
            st.query_params[name] = value
        else:
            del st.query_params[name]


def select(title: str, counts: dict[str, int], value: str, key: str) -> str:
    """A box of values with how many pictures each would leave (0 = not known); what is chosen, '' = any."""
    options = ["", *(one for one in counts if one)]
    if value and value not in options:
        options.append(value)  # as in an old link: it says itself that nothing is left
    picked = st.selectbox(
        title,
        options,
        options.index(value),
        format_func=lambda one: _with_count(one, counts.get(one, 0)),
        key=key,
        width=140,
    )
    return str(picked or "")


def _with_count(value: str, n: int) -> str:
    if not value:
        return "any"
    return f"{value} ({n:,})" if n else value


@st.cache_data(ttl=20, show_spinner=False)
def _counted(
    _cat: Catalogue, round_: str, crop_digest: str, reviewer: str, now: review.Filter
) -> dict[str, dict[str, int]]:
    return review.counted(_cat, round_, crop_digest, reviewer, now)
