"""The page *Agreement*: how far people agree when they judge the same pictures. It names no single picture."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, verdicts
from btfer.review import agreement as statistics
from btfer.review import agreement_table
from btfer.review.agreement_table import Agreement, AgreementRow
from review_app import session

if TYPE_CHECKING:  # it takes half a second to load, and all pages are imported with the first
    import pandas as pd

MEANING = {
    statistics.PERCENT: "how often two votes on the same picture agree; some of that is chance.",
    statistics.COHEN: "agreement of two people beyond chance, where each may prefer "
    "different categories: 1 means they always agree, 0 means no more than chance.",
    statistics.FLEISS: "the same scale for a group of people, on pictures with the same number of votes.",
    statistics.KRIPPENDORFF: "the same scale for any number of votes per picture. Its author asks "
    "for 0.8 or more, and for at least 0.667 where conclusions are tentative.",
}
INTERVAL = (
    f"The 95 % interval comes from {statistics.RESAMPLES:,} bootstrap samples of the pictures. A vote "
    "counts as `drop`, whatever the reason, or as the class that it gives the picture."
)
PARTS = [agreement_table.AGAINST_REST, *agreement_table.PARTS]
BLUE = "#5b8fc7"  # black and white are both readable on it, so the page may be dark or light
_LABELS = {"labelFlush": False, "labelBound": False}  # else Streamlit's theme moves the first one


def page() -> None:
    """Draw it, for one of the rounds."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    st.subheader("Agreement")
    session.reviewer_name()
    round_ = st.radio("Round", review.ROUNDS, horizontal=True, key="agreement_round")
    found = _measured(cat, settings.catalogue_url, round_, _newest(cat))
    if not found.n_items:
        st.info(
            f"No two people have judged any of the same {round_} yet. To have each one judged by two "
            "people, who do not see each other's verdicts, run "
            "`btfer review plan --reviewers-per-image 2`."
        )
        return
    _overall(found)
    _parts(found)
    _confusion(found)


def _newest(cat: Catalogue) -> int:
    """Changes with every verdict and every undo."""
    return sum(row.id for row in verdicts.log(cat, limit=1))


@st.cache_data(max_entries=8, show_spinner="Counting …")
def _measured(_cat: Catalogue, url: str, round_: str, newest: int) -> Agreement:
    return agreement_table.measure(_cat, round_)


def _overall(found: Agreement) -> None:
    people = ", ".join(found.reviewers)
    st.text(f"{found.n_items:,} {found.round} with two votes or more, judged by {people}.")
    rows = [row for row in found.rows if row.by == agreement_table.ALL]
    of_all = [row for row in rows if row.statistic != statistics.COHEN]
    for column, row in zip(st.columns(len(of_all)), of_all, strict=True):
        value, beside = agreement_table.number(row), agreement_table.interval(row) or row.why
        column.metric(row.statistic, value, beside, "off", delta_arrow="off")
        column.caption(f"{row.n_items:,} {row.of}")
    st.markdown("\n".join(f"- *{name}*: {text}" for name, text in MEANING.items()))
    st.caption(INTERVAL)
    st.caption("Each pair of reviewers")
    _table([row for row in rows if row.statistic == statistics.COHEN], ["of"])


def _parts(found: Agreement) -> None:
    import pandas as pd

    left, right = st.columns(2)
    shown = {row.by for row in found.rows}
    by = left.selectbox("Group by", [one for one in PARTS if one in shown], key="agreement_by")
    rows = [row for row in found.rows if row.by == by]
    names = list(dict.fromkeys(row.statistic for row in rows))
    place = names.index(statistics.FLEISS)
    statistic = right.selectbox("Statistic", names, place, key="agreement_statistic")
    chosen = [row for row in rows if row.statistic == statistic]
    drawn = [row for row in chosen if row.value is not None]
    if drawn:
        st.vega_lite_chart(
            pd.DataFrame([asdict(row) for row in drawn]), _dots(by, statistic), width="stretch"
        )
    if len(drawn) < len(chosen):
        st.caption(
            f"{len(chosen) - len(drawn)} could not be computed: the note in the table says why."
        )
    st.caption(
        "Language, ethnicity, gender and age are what the query searched for, not facts about a person."
    )
    _table(rows, ["group", "statistic", "of"])


def _confusion(found: Agreement) -> None:
    import pandas as pd

    st.subheader("Confusions")
    st.caption(
        "Pairs of votes on the same picture. The shade is a cell's share of its row. The diagonal "
        "counts pairs that agree; a pair that differs is counted on both sides of it."
    )
    st.vega_lite_chart(_cells(found), _heat_map(found.categories), width="content")
    with st.expander("As a table"):
        table = pd.DataFrame(found.confusion, found.categories, found.categories)
        st.dataframe(table, height="content")


def _table(rows: list[AgreementRow], columns: list[str]) -> None:
    import pandas as pd

    shown = [
        {name: getattr(row, name) for name in columns}
        | {"n_items": row.n_items, "value": agreement_table.number(row)}
        | {"95 % interval": agreement_table.interval(row), "note": row.why}
        for row in rows
    ]
    titles = {"n_items": "items", "of": "votes"}
    st.dataframe(pd.DataFrame(shown).rename(columns=titles), hide_index=True)


def _cells(found: Agreement) -> "pd.DataFrame":
    """One row for each cell: one, other, pairs, share of the row (0 in an empty row)."""
    import pandas as pd

    rows = [
        {"one": one, "other": other, "pairs": pairs, "share": pairs / max(1, sum(row))}
        for one, row in zip(found.categories, found.confusion, strict=True)
        for other, pairs in zip(found.categories, row, strict=True)
    ]
    return pd.DataFrame(rows)


def _dots(by: str, statistic: str) -> dict[str, Any]:
    """A dot with its interval for each group, in the table's order."""
    group = {"field": "group", "type": "nominal", "title": None, "sort": None, "axis": _LABELS}
    value = {"field": "value", "type": "quantitative", "title": statistic} | {
        "scale": {"zero": False},
        "axis": {"tickCount": 8},
    }
    tips = [{"field": name} for name in ("group", "n_items")]
    tips += [{"field": name, "format": ".3f"} for name in ("value", "low", "high")]
    span = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    return {
        "description": f"{statistic} by {by}, with 95 % intervals; the table below has the numbers",
        "height": {"step": 26},
        "encoding": {"y": group, "tooltip": tips},
        "layer": [
            {
                "transform": [{"filter": "isValid(datum.low)"}],
                "mark": {
                    "type": "rule",
                    "aria": False,
                    "strokeWidth": 3,
                    "color": BLUE,
                    "opacity": 0.6,
                },
                "encoding": span,
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "color": BLUE, "opacity": 1},
                "encoding": {"x": value},
            },
        ],
    }


def _heat_map(categories: tuple[str, ...]) -> dict[str, Any]:
    """Counts on shades of one colour over the page's own background."""
    order = list(categories)
    axis = {"type": "nominal", "sort": order, "title": None}
    ink = "#ffffff" if st.context.theme.type == "dark" else "#000000"
    share = {"field": "share", "type": "quantitative", "legend": None}
    return {
        "description": "pairs of votes on the same picture by category; a table follows",
        "width": {"step": 72},
        "height": {"step": 34},
        "encoding": {
            "x": axis | {"field": "other", "axis": _LABELS | {"orient": "top", "labelAngle": 0}},
            "y": axis | {"field": "one", "axis": _LABELS},
        },
        "layer": [
            {
                "mark": {"type": "rect", "color": BLUE},
                "encoding": {"opacity": share | {"scale": {"domain": [0, 1], "range": [0, 1]}}},
            },
            {
                "mark": {"type": "text", "fontSize": 13, "color": ink},
                "encoding": {"text": {"field": "pairs", "type": "quantitative", "format": ","}},
            },
        ],
    }
