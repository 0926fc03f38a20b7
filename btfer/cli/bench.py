"""Commands that rank networks on a release: bench, report."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from btfer.cli import arguments, context, models, output
from btfer.errors import BtferError, Incomplete, UsageError

if TYPE_CHECKING:
    from btfer.bench import NetworkRow, PlannedCell
    from btfer.bench.runs.record import RunRecord

app = typer.Typer(rich_markup_mode=None)


@app.command()
def bench(
    measured: Annotated[
        list[str] | None, typer.Argument(metavar="[RUNS]...", help="Of --edge.")
    ] = None,
    release: Annotated[Path | None, typer.Option(help="Folder [the newest release].")] = None,
    train: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER, or NAME in data/training [all there].")
    ] = None,
    grid: Annotated[str, typer.Option(help="quick, or paper: Tables 2 and 3.")] = "quick",
    model: Annotated[list[str] | None, typer.Option(help="Architectures.")] = None,
    resolution: Annotated[list[int] | None, typer.Option(help="48 or 224.")] = None,
    balance: Annotated[list[str] | None, typer.Option(help="none, simple, conservative.")] = None,
    weights: Annotated[list[str] | None, typer.Option(help="none, imagenet, vggface.")] = None,
    weights_file: Annotated[
        Path | None, typer.Option(help="Weight file, or folder of them [Keras's cache].")
    ] = None,
    protocol: Annotated[str, typer.Option(help="paper, authors_code or strict.")] = "paper",
    split: Annotated[str, typer.Option(help="official, authors or strict [the protocol's].")] = "",
    seed: Annotated[list[int] | None, typer.Option(help="One run for each.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="So many runs, from the first seed on.")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most, per phase.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Training images of a class, at most: for a trial.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of an in-domain run.")] = 3,
    augment: Annotated[str, typer.Option(help="Warp on host, device or auto.")] = "auto",
    mixed_precision: Annotated[bool, typer.Option(help="Compute in half precision.")] = False,
    replicas: Annotated[int, typer.Option(min=1, help="GPUs that share each batch.")] = 1,
    shard: Annotated[str, typer.Option(help="i/n: every n-th cell, for a job array.")] = "",
    dry_run: Annotated[bool, typer.Option(help="List the cells and what they will take.")] = False,
    list_runs: Annotated[
        bool, typer.Option("--runs", help="List the runs that there are.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the architectures.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="CSV of any framework: picture, label or probabilities.")
    ] = None,
    system: Annotated[
        str, typer.Option(help="fer, emotiefflib, hsemotion-onnx, deepface, rmn or py-feat.")
    ] = "",
    model_file: Annotated[Path | None, typer.Option(help="Keras, ONNX or TFLite.")] = None,
    labels: Annotated[str, typer.Option(help="Names of the model file's outputs, a,b,...")] = "",
    pixels: Annotated[str, typer.Option(help="What black and white are to it.")] = "0,1",
    bgr: Annotated[bool, typer.Option(help="It takes blue first.")] = False,
    name: Annotated[str, typer.Option(help="What such a system is called in reports.")] = "",
    edge: Annotated[bool, typer.Option(help="Measure RUNS as files for small computers.")] = False,
    calibration: Annotated[
        Path | None, typer.Option(help="Pictures for int8 [the run's training set].")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of --edge.")] = 1,
    as_json: arguments.AsJson = False,
) -> None:
    """Train networks and score them on the release, one row each [resnet18 and sequential_4conv, 48, conservative].

    Without a training set in data/training the release itself is used, k-fold, and named in-domain.
    Stop it when you like: the same command goes on where it stopped, and repeats nothing.

    Other systems are scored on the same faces: --predictions, --system or --model-file. With --edge,
    size, latency, memory and lost accuracy of each form of finished runs.

    Example: btfer bench --model mobilenetv2 --balance simple --balance conservative --train rafdb=RAFDB/
    Example: btfer bench --grid paper --resolution 48 --dry-run
    Example: btfer bench --system fer
    Example: btfer bench --edge 3f2a
    """
    if edge:
        models.bench_edge(measured or [], release, calibration, threads, as_json)
        return
    if measured:
        raise UsageError(f"'{measured[0]}': runs are named with --edge; a network with --model")
    if predictions or system or model_file:
        found = models.bench_others(
            release=release,
            predictions=predictions,
            system=system,
            model_file=model_file,
            labels=labels,
            pixels=pixels,
            bgr=bgr,
            name=name,
        )
        _bench_report(found, as_json)
        return
    from btfer import bench as runner
    from btfer.leaks import leaks_in

    if list_:
        rows = runner.list_architectures()
        if as_json:
            print(json.dumps([asdict(one) for one in rows], indent=2))
        else:
            output.table(["name", "family", "48", "224", "weights"], list(map(_listed, rows)))
        return
    settings = context.settings()
    if list_runs:
        _list_runs(settings.data_dir / "runs", as_json)
        return
    arguments.one_of("--grid", grid, runner.GRIDS)
    sets = context.training_sets(train, "--train")
    first = seed or [settings.seed]
    folder = release or _newest_release(sets, grid)
    request = runner.BenchRequest(
        data_dir=settings.data_dir,
        release=folder,
        training=sets,
        architectures=model or [],
        resolutions=resolution or [],
        balances=balance or [],
        weights=weights or [],
        protocol=protocol,
        seeds=[one + more for one in first for more in range(seeds)],
        epochs=epochs,
        folds=folds,
        weights_from=weights_file,
        grid=grid,
        split=split,
        limit=limit,
        part=shard,
        augment=augment,
        mixed_precision=mixed_precision,
        replicas=replicas,
    )
    if dry_run:
        _print_plan(runner.plan(request, output.Lines()), as_json)
        return
    with context.catalogue(settings) as cat:
        results = runner.bench(
            request,
            output.Lines(),
            leaks=(lambda name: leaks_in(cat, settings, folder, name, sets[name]))
            if folder
            else None,
        )
    _bench_report(results, as_json)


@app.command()
def report(as_json: arguments.AsJson = False) -> None:
    """Write the results of all runs beside the paper's: an HTML page, CSV, Markdown and LaTeX.

    Beside it suspects.csv and suspects.png: faces on which good networks agree against the label.

    Example: btfer report
    """
    from btfer.bench.report import write_report

    data_dir = context.settings().data_dir
    page = write_report(data_dir / "runs", data_dir / "reports", output.Lines())
    facts = {"page": page, **models.label_quality(data_dir, page.parent)}
    output.report(facts, "{page}\n{labels}", as_json)


def _listed(row: "NetworkRow") -> list[str]:
    """A line of the list: parameters under the side in pixels that they are for, then the weights."""
    from btfer.bench.architectures import architecture

    counts = [_counted(row.parameters.get(side)) for side in ("48", "224")]
    variants = architecture(row.name).variants
    weights = [
        one + "".join(_variant(*one_side) for one_side in variants.get(one, {}).items())
        for one in row.weights
    ]
    return [row.name, row.family, *counts, ", ".join(weights)]


def _counted(parameters: int | None) -> str:
    return f"{parameters:,}" if parameters else "-"


def _variant(side: int, parameters: int) -> str:
    return f" (at {side}: {parameters:,})"


def _newest_release(sets: dict[str, Path], grid: str) -> Path | None:
    """The newest release; None where there is none and there is something else to learn from."""
    from btfer.bench import looked_for

    try:
        return context.newest_release()
    except Incomplete as error:
        if sets or grid == "paper":
            return None
        where = looked_for(context.settings().data_dir)
        raise Incomplete(f"no training set: {where}; and {error}") from None


def _print_plan(rows: "list[PlannedCell]", as_json: bool) -> None:
    from btfer.bench.experiments.grid import in_words

    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
        return
    shown = [
        [
            *(getattr(row, name) for name in ("architecture", "weights", "resolution", "balance")),
            *(row.training, row.seed, f"{row.parameters:,}", row.state),
            in_words(row.seconds) if row.seconds is not None else "-",
        ]
        for row in rows
    ]
    titles = ["network", "weights", "px", "balance", "trained on", "seed", "parameters", "state"]
    output.table([*titles, "about"], shown)
    left = sum(row.seconds or 0 for row in rows if row.state != "done")
    print(f"{len(rows)} cells, about {in_words(left)} to go")


RUN_COLUMNS = {
    "id": "id",
    "state": "state",
    "architecture": "network",
    "weights": "weights",
    "resolution": "px",
    "balance": "balance",
    "training": "trained on",
    "protocol": "protocol",
    "seed": "seed",
    "epochs": "epochs",
    "validation": "val",
    "test": "test",
    "cross_domain": "BTFER",
}


def _list_runs(runs_dir: Path, as_json: bool) -> None:
    """Every run, the best on the release first; the scores are accuracies."""
    from btfer.bench.runs.listing import run_rows
    from btfer.bench.runs.store import RunStore

    rows = run_rows(RunStore(runs_dir, output.Lines()))
    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
        return
    shown = [[_shown(getattr(row, name)) for name in RUN_COLUMNS] for row in rows]
    output.table(list(RUN_COLUMNS.values()), shown)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _bench_report(results: "list[RunRecord]", as_json: bool) -> None:
    from btfer.bench.report import print_table, results_table

    rows = results_table(results)
    if as_json:
        print(json.dumps([asdict(one) for one in rows], indent=2, default=str))
    else:
        print_table(rows)
    if results and all(one.state == "failed" for one in results):
        raise BtferError("every run failed; the errors are in data/runs/*/run.json")
