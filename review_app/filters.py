"""The bar of choices above a grid: what it shows is in the address, so that a link shows the same pictures."""

from collections.abc import Iterable, Mapping
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
PARAMETERS = {"label": "class"}
"""What a choice is called in the address, where it is not by its name."""
FINDS = "The start of an id or hash, a file's name, or an address."


def chosen(cat: Catalogue, round_: str, crop_digest: str, reviewer: str) -> review.Filter:
    """Draw the bar where it is asked for, and return what is chosen in the address or in it."""
    now = in_address()
    shown = st.sidebar.toggle("Filter", value=now != review.Filter(), key=f"filter_{round_}")
    if not shown:
        return _to_address(review.Filter())
    counts = _counted(cat, round_, crop_digest, reviewer, now, id(cat))
    return _to_address(review.Filter(**bar(round_, NAMED, counts, asdict(now))))


def bar(
    page: str,
    named: Mapping[str, str],
    counts: Mapping[str, dict[str, int]],
    now: Mapping[str, str],
) -> dict[str, str]:
    """Draw a box for what is to be found, and one for each choice; what is in them, by name.

    page: begins the keys of the boxes. named: the choices with their headings. counts: how many pictures each value
    would leave. now: what is chosen in the address, `find` too.
    """
    with st.container(horizontal=True, key="filter_bar"):
        find = st.text_input("Find", now["find"], key=f"{page}_find", width=210, help=FINDS)
        values = {
            name: select(title, counts[name], now[name], f"{page}_{name}")
            for name, title in named.items()
        }
    return values | {"find": find.strip()}


def bar_in_address(
    page: str,
    named: Mapping[str, str],
    counts: Mapping[str, dict[str, int]],
    now: Mapping[str, str],
) -> None:
    """Draw the bar of a page that shows the newest first; another choice goes into the address, and begins anew."""
    chosen = bar(page, named, counts, now)
    if chosen == dict(now):
        return
    st.query_params.pop("before", None)
    to_address(chosen)
    st.rerun()


def asked(names: Iterable[str]) -> dict[str, str]:
    """What the address asks for, by the names of choices; '' = any."""
    said = {name: st.query_params.get(PARAMETERS.get(name, name), "") for name in names}
    return {
        name: value.replace("\0", "") for name, value in said.items()
    }  # PostgreSQL takes no NUL


def in_address() -> review.Filter:
    """What the address asks for."""
    return review.Filter(**asked((*NAMED, "find")))


def _to_address(wanted: review.Filter) -> review.Filter:
    to_address({name: value for name, value in asdict(wanted).items() if name != "label"})
    return wanted


def to_address(values: Mapping[str, str]) -> None:
    """Write choices into the address; '' = any, which is left out."""
    for choice, value in values.items():
        name = PARAMETERS.get(choice, choice)
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
    _cat: Catalogue,
    round_: str,
    crop_digest: str,
    reviewer: str,
    now: review.Filter,
    catalogue: int,
) -> dict[str, dict[str, int]]:
    return review.counted(_cat, round_, crop_digest, reviewer, now)
