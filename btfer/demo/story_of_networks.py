"""The story of the networks: who ranks where, and what the best one confuses."""

from typing import Any

import pandas as pd

from btfer.bench.report.ranking import RankedRow, ranking
from btfer.bench.report.ranking_plot import CHANCE, ranking_panel
from btfer.bench.report.results import results_frame
from btfer.bench.report.seed_groups import BTFER, SeedGroup, comparable, read_groups
from btfer.bench.report.tradeoffs import confusion_panel
from btfer.bench.runs.record import RunRecord
from btfer.demo.pictures import ShownPicture, face_picture
from btfer.demo.story import Chapter, Row, TextTable, Told

_WRONG_SHOWN = 14


def headline(told: Told) -> str:
    """The result in one sentence."""
    best = _best(told)
    scores = best.cross_scores
    return (
        f"The best of {len(told.trained)} networks, {best.definition.architecture}, names the expression of "
        f"{scores['accuracy']:.0%} of {told.release.images} synthetic faces of people that it never saw; "
        f"chance is {CHANCE:.0%}."
    )


def chapters(told: Told) -> list[Chapter]:
    """The ranking, and the best network's mistakes."""
    groups = [one for one in comparable(read_groups(told.trained)) if one.scored_on == BTFER]
    return [_ranked(told, groups), _confused(told, groups)]


def _ranked(told: Told, groups: list[SeedGroup]) -> Chapter:
    found = [(ranking(results_frame([one]))[0], one.run) for one in groups]
    found.sort(key=lambda pair: -pair[0].accuracy)
    edge = f" {told.edge.in_words()}." if told.edge else ""
    return Chapter(
        "ranking",
        "Who ranks where",
        "Each network learnt from the training part of the sample, rendered faces of other people, and was scored on "
        f"the release. Bars are 95 % bootstrap intervals over images.{edge}",
        told.command(_bench(told)),
        plots=[ranking_panel([row for row, _ in found])],
        table=TextTable(
            ["network", "parameters", "accuracy", "95 % interval", "macro F1", "epochs", "seconds"],
            [_ranked_row(row, run) for row, run in found],
        ),
        links=[told.link(told.report, "report")] if told.report else [],
    )


def _bench(told: Told) -> str:
    best = _best(told).definition
    limit = f" --epochs {best.epochs}" if best.epochs else ""
    named = f"--model {best.architecture} --protocol {best.protocol_name}"
    return f"bench {named}{limit} --seed {best.seed}"


def _ranked_row(one: RankedRow, run: RunRecord) -> list[str]:
    f1 = "" if one.macro_f1 is None else f"{one.macro_f1:.3f}"
    seconds = "" if run.seconds is None else f"{run.seconds:.0f}"
    return [
        one.model,
        f"{run.parameters or 0:,}",
        f"{one.accuracy:.3f}",
        f"{one.low:.3f} to {one.high:.3f}",
        f1,
        str(run.epochs or ""),
        seconds,
    ]


def _confused(told: Told, groups: list[SeedGroup]) -> Chapter:
    best = _best(told)
    cell = next(one for one in groups if one.run.id == best.id)
    table = pd.read_parquet(best.predictions_path)
    wrong = table[table["label"] != table["predicted"]]
    return Chapter(
        "mistakes",
        "What the best network confuses",
        f"{best.definition.architecture} is wrong on {len(wrong)} of {len(table)} images. Rows of the matrix: the true "
        "class; columns: what the network says.",
        told.command("report"),
        plots=[confusion_panel(cell)],
        rows=[Row("some of its mistakes: true class → answer", _mistakes(told, wrong))],
    )


def _mistakes(told: Told, wrong: pd.DataFrame) -> list[ShownPicture]:
    """Faces of the most frequent confusions first, one of each confusion before a second one."""
    kinds = wrong.groupby(["label", "predicted"])
    ordered = wrong.assign(nth=kinds.cumcount(), often=-kinds["file"].transform("size"))
    ordered = ordered.sort_values(["nth", "often", "file"])[:_WRONG_SHOWN]
    return [_mistake(told, one) for one in ordered.itertuples()]


def _mistake(told: Told, one: Any) -> ShownPicture:
    says = f"{one.label} → {one.predicted}"
    return face_picture(told.release.path / one.file, f"a face: {says}", says)


def _best(told: Told) -> RunRecord:
    return max(told.trained, key=lambda one: float(one.cross_scores.get("accuracy", 0)))
