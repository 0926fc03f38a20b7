"""The page *Overview*: how far each class is, how many faces it will likely yield, and how long the rest takes."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from btfer import review
from btfer.catalogue import Catalogue, votes
from btfer.catalogue import faces as face_rows
from btfer.review import pairs
from review_app import session, tables

TARGET = 300  # per class, as the paper
STATES = {"kept": "#007a5a", "waiting": "#9aa0a6", "dropped": "#d55e00"}
"""What became of pictures, in the order of a bar, with its colour."""


def page() -> None:
    """Draw it. All numbers come from the index that the pages of judging use."""
    opened = session.opened_catalogue()
    if not opened:
        return
    cat, _ = opened
    st.subheader("Overview")
    reviewer = session.reviewer_name()
    digest = face_rows.newest_settings(cat)
    tallies = review.progress(cat, digest)
    forecasts = review.forecast(cat, digest)
    drops = review.dropped(cat, digest)
    step = st.container()
    disputed = review.disputed(cat, digest)
    _rounds(cat, tallies, reviewer, disputed)
    wanted = st.number_input("Faces wanted per class", 1, 100_000, TARGET, key="target", width=240)
    target = int(wanted)
    _next(step, _next_step(cat, tallies, digest, forecasts, target, reviewer))
    tables.table(
        ("class", "kept", f"of {target:,}", "likely", "forecast"), _yields(forecasts, target)
    )
    st.caption("The funnel by class: photos, then faces")
    tables.bars(_funnel(tallies))
    with st.expander("Photos and faces per class, as a table"):
        tables.table(("class", *_NUMBERS), _numbers(tallies))
    if drops:
        with st.expander("Dropped so far, by round and reason", expanded=True):
            rows = [(one.round, one.reason, one.dropped) for one in drops]
            tables.table(("round", "reason", "dropped"), rows)


def _next_step(
    cat: Catalogue,
    tallies: list[review.Tally],
    digest: str,
    forecasts: list[review.Forecast],
    target: int,
    reviewer: str,
) -> review.NextStep:
    """What this person can do: a picture of which they are unsure awaits somebody else."""
    disputed = review.disputed(cat, digest)
    waiting = {
        name: sum(one.awaiting for one in tallies if one.round == name) - disputed[name]
        for name in review.ROUNDS
    }
    own = review.asked(cat, digest, reviewer) if reviewer else waiting
    return review.next_step(
        photos=own["photos"],
        faces=own["faces"],
        disputes=sum(disputed.values()),
        to_crop=sum(review.to_crop(cat, digest).values()),
        forecasts=forecasts,
        wanted=target,
        pairs=pairs.waiting_for_dedup(cat),
        to_dedup=review.to_dedup(cat, digest),
        others=sum(waiting[name] - own[name] for name in review.ROUNDS),
    )


def _next(place: DeltaGenerator, step: review.NextStep) -> None:
    with place.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Next:** {step.sentence}", width="content")
        known = st.session_state.get("pages", {})
        if (
            step.page
            and step.page in known
            and st.button(step.button, type="primary", key="next_step")
        ):
            st.switch_page(known[step.page])


def _rounds(
    cat: Catalogue, tallies: list[review.Tally], reviewer: str, disputed: dict[str, int]
) -> None:
    pace = review.pace(cat, reviewer)
    for column, name in zip(st.columns(2), review.ROUNDS, strict=True):
        awaiting = sum(one.awaiting for one in tallies if one.round == name)
        judged = sum(one.kept + one.dropped for one in tallies if one.round == name)
        details = [f"{judged:,} judged", *_time_left(pace, awaiting)]
        needed = votes.needed(cat, name)
        if needed > 1:
            details.append(f"{needed} reviewers each")
        if disputed[name]:
            details.append(f"{disputed[name]:,} in dispute")
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


def _yields(forecasts: list[review.Forecast], target: int) -> list[tuple[tables.Cell, ...]]:
    """One row for each class: faces kept, likely in the end, and whether that reaches the target."""
    return [
        (
            one.expression,
            one.kept,
            min(one.kept / target, 1.0),
            "" if one.likely is None else f"{one.likely:,}",
            _in_words(one, target),
        )
        for one in forecasts
    ]


def _in_words(one: review.Forecast, target: int) -> str:
    if one.kept >= target:
        return "reached"
    if one.likely is None:
        return "too few judged to tell"
    return "enough" if one.likely >= target else f"{target - one.likely:,} short: crawl more"


def _funnel(tallies: list[review.Tally]) -> list[tuple[str, str, list[tables.Part]]]:
    """A bar for each class and round: what was kept, what waits, what was dropped."""
    # Each class where it comes first, its two rounds together.
    classes = list(dict.fromkeys(one.expression for one in tallies))
    rows = sorted(tallies, key=lambda one: classes.index(one.expression))
    return [
        (
            one.expression,
            one.round,
            [
                (state, n, colour)
                for (state, colour), n in zip(
                    STATES.items(), (one.kept, one.awaiting, one.dropped), strict=True
                )
            ],
        )
        for one in rows
    ]


_NUMBERS = [f"{name} {what}" for name in review.ROUNDS for what in ("waiting", "kept", "dropped")]


def _numbers(tallies: list[review.Tally]) -> list[tuple[tables.Cell, ...]]:
    """One row for each class, and for each round how many are waiting, kept and dropped; and one for all."""
    cells: dict[str, dict[str, int]] = {}
    for one in tallies:
        row = cells.setdefault(one.expression, dict.fromkeys(_NUMBERS, 0))
        row[f"{one.round} waiting"] += one.awaiting
        row[f"{one.round} kept"] += one.kept
        row[f"{one.round} dropped"] += one.dropped
    cells["all"] = {name: sum(row[name] for row in cells.values()) for name in _NUMBERS}
    return [(name, *row.values()) for name, row in cells.items()]
