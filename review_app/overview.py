"""The page *Overview*: how far each class is, how many faces it will likely yield, and how long the rest takes."""

from typing import Any

import pandas as pd
import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, verdicts, votes
from btfer.catalogue import faces as face_rows
from btfer.catalogue.verdicts import DropCount
from review_app import session

TARGET = 300  # per class, as the paper


def page() -> None:
    """Draw it. At 100,000 photos counting takes seconds, so it is kept for a while."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, settings = opened
    st.subheader("Overview")
    reviewer = session.reviewer_name()
    tallies, forecasts, drops = _counted(cat, settings.catalogue_url)
    _rounds(cat, tallies, reviewer)
    target = st.number_input("Faces wanted per class", 1, 100_000, TARGET, key="target", width=240)
    st.dataframe(
        _yields(forecasts, int(target)), height="content", column_config=_bars(int(target))
    )
    st.caption("Photos and faces per class, by round")
    st.dataframe(_funnel(tallies), height="content")
    if drops:
        st.caption("Dropped so far, by round and reason")
        st.dataframe(pd.DataFrame(drops), hide_index=True, height="content")


@st.cache_data(ttl=15, show_spinner="Counting …")
def _counted(
    _cat: Catalogue, url: str
) -> tuple[list[review.Tally], list[review.Forecast], list[DropCount]]:
    digest = face_rows.newest_settings(_cat)
    return (
        review.progress(_cat, digest),
        review.forecast(_cat, digest),
        verdicts.dropped(_cat, digest),
    )


def _rounds(cat: Catalogue, tallies: list[review.Tally], reviewer: str) -> None:
    pace = review.pace(cat, reviewer)
    for column, name in zip(st.columns(2), review.ROUNDS, strict=True):
        awaiting = sum(one.awaiting for one in tallies if one.round == name)
        judged = sum(one.kept + one.dropped for one in tallies if one.round == name)
        details = [f"{judged:,} judged", *_time_left(pace, awaiting)]
        needed = votes.needed(cat, name)
        if needed > 1:
            details.append(f"{needed} reviewers each")
        disputes = votes.count_disputes(cat, name)
        if disputes:
            details.append(f"{disputes:,} in dispute")
        column.metric(
            f"{name.capitalize()} waiting",
            f"{awaiting:,}",
            " · ".join(details),
            "off",
            delta_arrow="off",
        )
    if pace.should_rest:
        st.info(rest(pace))


def rest(pace: review.Pace) -> str:
    """A reminder to look away."""
    return f"{pace.worked_s / 60:.0f} minutes without a break: time to rest your eyes for five."


def _time_left(pace: review.Pace, awaiting: int) -> list[str]:
    minutes = pace.minutes_for(awaiting)
    return [f"{pace.per_minute:.0f} per minute, about {duration(minutes)} left"] if minutes else []


def duration(minutes: float) -> str:
    """A length of time in words."""
    if minutes < 90:
        return f"{max(1, round(minutes))} min"
    return f"{minutes / 60:.0f} h"


def _yields(forecasts: list[review.Forecast], target: int) -> pd.DataFrame:
    """One row for each class: faces kept, likely in the end, and whether that reaches the target."""
    rows = {
        one.expression: {
            "kept": one.kept,
            "likely": one.likely,
            "of target": min(one.kept / target, 1.0),
            "forecast": _in_words(one, target),
        }
        for one in forecasts
    }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"likely": "Int64"})


def _in_words(one: review.Forecast, target: int) -> str:
    if one.kept >= target:
        return "reached"
    if one.likely is None:
        return "too few judged to tell"
    return "enough" if one.likely >= target else f"{target - one.likely:,} short: crawl more"


def _bars(target: int) -> dict[str, Any]:
    return {"of target": st.column_config.ProgressColumn(f"of {target:,}", format="percent")}


def _funnel(tallies: list[review.Tally]) -> pd.DataFrame:
    """One row for each class, and for each round how many are waiting, kept and dropped."""
    cells: dict[str, dict[str, int]] = {}
    for one in tallies:
        row = cells.setdefault(one.expression, {})
        row[f"{one.round} waiting"] = one.awaiting
        row[f"{one.round} kept"] = one.kept
        row[f"{one.round} dropped"] = one.dropped
    table = pd.DataFrame.from_dict(cells, orient="index").fillna(0).astype(int)
    table.loc["all"] = table.sum()
    return table
