"""The page of the report: gathers what the template shows, and renders it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from btfer.bench.published import MARKS, PAPER, REPOSITORY, published_tables
from btfer.bench.report import sentences, tables
from btfer.bench.report.crossings import cross_figure, crossings, matrix
from btfer.bench.report.drawing import Drawing
from btfer.bench.report.figures import paper_figures, weight_figures
from btfer.bench.report.intervals import RESAMPLES
from btfer.bench.report.numbers import (
    OURS,
    PUBLISHED,
    main_protocol,
    our_numbers,
    published_numbers,
)
from btfer.bench.report.questions import our_findings, published_findings
from btfer.bench.report.ranking import ranking
from btfer.bench.report.ranking_plot import ranking_panels
from btfer.bench.report.runs import SHORT, ResultRow, results_table, run_plots, short_row
from btfer.bench.report.seed_groups import BTFER, IN_DOMAIN, SeedGroup
from btfer.bench.report.strata import LEAST_IMAGES, Gap, gaps, strata_frame
from btfer.bench.report.tradeoffs import confusion_figure, cost_figures, edge_figure
from btfer.bench.runs.record import RunRecord
from btfer.bench.submit.checks import Checked
from btfer.bench.train.protocol import GAPS
from btfer.expressions import EXPRESSIONS

MOST_PICTURED = 40
MOST_STRATIFIED = 6
MOST_PAIRS = 200


@dataclass(frozen=True)
class Served:
    """How one cell serves groups. groups: rows of strata_frame for all classes; by_class: recall by group."""

    title: str
    pictures: str
    seeds: int
    gaps: list[Gap]
    groups: list[Any]
    by_class: list[tuple[str, str, dict[str, Any]]]


def render(
    runs: list[RunRecord],
    cells: list[SeedGroup],
    results: pd.DataFrame,
    lines: dict[str, list[tables.TableLine]],
    reports_dir: Path,
    others: Sequence[Checked] = (),
) -> str:
    """The page as HTML. cells: comparable ones; results: their rows; lines: tables by title.

    reports_dir: where `btfer bench edge` may have left what it measured. others: bundles of other people.
    """
    found, pairs = our_findings(cells)
    ranked = ranking(results, others)
    suspect = published_tables().query("marks != ''")
    html: str = html_template("btfer.bench.report", "report.html.j2").render(
        today=date.today(),
        facts=_facts(runs, cells, results),
        ours=sentences.answers(found) if cells else [],
        published=sentences.answers(published_findings()),
        pairs=sorted(pairs, key=lambda one: one.p)[:MOST_PAIRS],
        pairs_left=max(0, len(pairs) - MOST_PAIRS),
        words=sentences,
        tables=lines,
        columns=tables.COLUMNS,
        short=tables.SCORES,
        marks=[(tables.LETTERS[mark], what) for mark, what in MARKS.items()],
        suspect=list(suspect.itertuples()),
        figures=_figures(cells, results),
        edge=edge_figure(reports_dir),
        confusion=confusion_figure(cells),
        ranking=ranked,
        ranking_plots=ranking_panels(ranked),
        crossings=matrix(crossings(results)),
        served=_served(cells),
        least=LEAST_IMAGES,
        gaps=GAPS,
        resamples=RESAMPLES,
        classes=EXPRESSIONS,
        titles=SHORT.values(),
        runs=_runs(runs),
        most_pictured=MOST_PICTURED,
        paper=PAPER,
        repository=REPOSITORY,
    )
    return html


def html_template(package: str, name: str) -> Any:
    """A page's template in a package's `templates`: what is put in is escaped, and a name that is not there fails."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _facts(runs: list[RunRecord], cells: list[SeedGroup], results: pd.DataFrame) -> dict[str, Any]:
    with_answers = {one.run.id for cell in cells for one in cell.answers}
    return {
        "runs": len(runs),
        "failed": sum(run.state == "failed" for run in runs),
        "unfinished": sum(run.state in ("running", "trained") for run in runs),
        "not_shown": [run.id for run in runs if run.is_done and run.id not in with_answers],
        "cells": len(cells),
        "protocol": main_protocol(results),
        "releases": sorted({str(cell.facts.pictures) for cell in cells if cell.scored_on == BTFER}),
        "not_run": int((results["state"] == "not run").sum()) // len(tables.SCORES),
        "compared": int((results["published"].notna() & results["ours"].notna()).sum()),
    }


def _figures(cells: list[SeedGroup], results: pd.DataFrame) -> list[tuple[str, list[Drawing]]]:
    """Drawings by their source, ours first. Class counts come from runs, or else from the paper."""
    mine = our_numbers(results, cells)
    ours = [*paper_figures(mine, OURS), *cost_figures(mine, OURS)] if cells else []
    weights = weight_figures(cells)
    ours += [one for one in weights if one.source == OURS]
    ours += [one for one in [cross_figure(crossings(results))] if one]
    rest = [one for one in weights if one.source == PUBLISHED]
    return [(OURS, ours), (PUBLISHED, [*_published_figures(), *rest])]


@cache
def _published_figures() -> tuple[Drawing, ...]:
    theirs = published_numbers()
    return (*paper_figures(theirs, PUBLISHED), *cost_figures(theirs, PUBLISHED))


def _served(cells: list[SeedGroup]) -> list[Served]:
    """The most accurate cells on a release: the page has room for a few, strata.csv has all."""
    scored = [cell for cell in cells if cell.scored_on in (BTFER, IN_DOMAIN)]
    ranked = sorted(scored, key=lambda cell: -_accuracy(cell))[:MOST_STRATIFIED]
    return [_served_by(cell) for cell in ranked]


def _accuracy(cell: SeedGroup) -> float:
    images, codes = cell.joint
    return float((codes == images.truth).mean())


def _served_by(cell: SeedGroup) -> Served:
    rows = strata_frame([cell])
    whole = rows[(rows["label"] == "all") | (rows["stratum"] == "class")]
    parts = rows[(rows["label"] != "all") & (rows["stratum"] != "class")]
    by_class: list[tuple[str, str, dict[str, Any]]] = [
        (str(stratum), str(group), {str(one.label): one for one in found.itertuples()})
        for (stratum, group), found in parts.groupby(["stratum", "group"], sort=False)
    ]
    facts = cell.facts
    return Served(
        cell.title,
        str(facts.pictures),
        len(cell.answers),
        gaps(rows),
        list(whole.itertuples()),
        by_class,
    )


def _runs(runs: list[RunRecord]) -> list[tuple[ResultRow, list[str], list[tuple[str, str]]]]:
    folders = {run.id: run.folder for run in runs}
    return [
        (row, short_row(row), run_plots(folders[row.id]) if number < MOST_PICTURED else [])
        for number, row in enumerate(results_table(one for run in runs for one in run.scorings))
    ]
