"""Tables and bars as plain HTML: read aloud by screen readers, and without pandas, which loads for half a second."""

from collections.abc import Sequence
from html import escape

import streamlit as st

Cell = str | int | float
"""Text; a whole number; or a share from 0 to 1, which is drawn as a bar."""

Part = tuple[str, int, str]
"""A part of a bar: its name, its size, and its colour."""

_STYLE = """<style>
.btfer-table {width: 100%; max-width: 1100px; overflow-x: auto}
.btfer-table table {border-collapse: collapse; width: 100%; font-size: 0.875rem}
.btfer-table :is(th, td) {padding: 0.3rem 0.75rem; text-align: left; border: 0; font-weight: 400;
  border-bottom: 1px solid rgba(128, 128, 128, 0.35); white-space: nowrap}
.btfer-table thead th {font-weight: 600}
.btfer-table .n {text-align: right; font-variant-numeric: tabular-nums}
.btfer-table tbody tr:last-child :is(th, td) {border-bottom: 0}
.btfer-bar {display: flex; height: 0.7rem; min-width: 5rem; background: rgba(128, 128, 128, 0.25)}
.btfer-bar span {display: block; height: 100%}
.btfer-share {display: flex; align-items: center; gap: 0.5rem}
.btfer-share .btfer-bar {flex: 1}
.btfer-share .btfer-bar span {background: #007a5a}
.btfer-key {display: inline-block; width: 0.8rem; height: 0.8rem; margin: 0 0.35rem 0 0.9rem}
@media (max-width: 640px) {
  .btfer-table :is(th, td) {padding: 0.3rem 0.35rem; white-space: normal}
  .btfer-table .btfer-bar {min-width: 2rem}
}
</style>"""


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Draw a table; the first cell of a row names it."""
    st.html(_STYLE + table_html(head, rows))


def table_html(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The HTML of a table, everything in it as text."""
    right = [bool(rows) and isinstance(one, int) for one in (rows[0] if rows else ())]
    titles = "".join(
        f'<th scope="col"{_class(n)}>{escape(one)}</th>'
        for one, n in zip(head, [*right, *[False] * len(head)], strict=False)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th>{"".join(map(_cell, rest))}</tr>'
        for name, *rest in rows
    )
    return _framed(f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody>")


def bars(parts: Sequence[tuple[str, str, Sequence[Part]]]) -> None:
    """Draw a bar for each row: its two names, and what it is made of."""
    st.html(_STYLE + bars_html(parts))


def bars_html(rows: Sequence[tuple[str, str, Sequence[Part]]]) -> str:
    """The HTML of the bars, on one scale, with the sizes in words for those who do not see them."""
    longest = max((sum(n for _, n, _ in parts) for _, _, parts in rows), default=0) or 1
    colours = {name: colour for _, _, parts in rows for name, _, colour in parts}
    key = "".join(
        f'<span class="btfer-key" style="background:{colour}"></span>{escape(name)}'
        for name, colour in colours.items()
    )
    body, before = "", ""
    for name, what, parts in rows:
        shown, before = ("" if name == before else name), name
        body += (
            f'<tr><th scope="row">{escape(shown)}</th><td>{escape(what)}</td>'
            f'<td style="width: 100%">{_bar(parts, longest)}</td></tr>'
        )
    return f"<div>{key}</div>{_framed(f'<tbody>{body}</tbody>')}"


def _bar(parts: Sequence[Part], whole: int) -> str:
    said = ", ".join(f"{n:,} {name}" for name, n, _ in parts)
    spans = "".join(
        f'<span style="width:{100 * n / whole:.2f}%;background:{colour}"></span>'
        for _, n, colour in parts
    )
    bar = f'<div class="btfer-bar" role="img" aria-label="{escape(said)}" title="{escape(said)}">'
    return f"{bar}{spans}</div>"


def _cell(value: Cell) -> str:
    if isinstance(value, float):
        share = min(max(value, 0.0), 1.0)
        bar = f'<span class="btfer-bar"><span style="width:{100 * share:.1f}%"></span></span>'
        return f'<td><span class="btfer-share">{bar}{share:.0%}</span></td>'
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape(value)}</td>"


def _class(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _framed(inner: str) -> str:
    # A scrolled region is reached by the keyboard only where it takes the focus.
    return f'<div class="btfer-table" tabindex="0" role="region" aria-label="table"><table>{inner}</table></div>'
