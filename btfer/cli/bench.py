"""Commands that rank networks on a release: bench, report."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from btfer.cli import arguments, context, models, output
from btfer.errors import BtferError, UsageError

app = typer.Typer(rich_markup_mode=None)


@app.command()
def bench(
    runs: Annotated[list[str] | None, typer.Argument(help="Of --edge.")] = None,
    release: Annotated[Path | None, typer.Option(help="Folder [the newest release].")] = None,
    train: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER [all of data/training].")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Architectures.")] = None,
    resolution: Annotated[list[int] | None, typer.Option(help="48 or 224.")] = None,
    balance: Annotated[list[str] | None, typer.Option(help="none, simple, conservative.")] = None,
    weights: Annotated[list[str] | None, typer.Option(help="none, imagenet, vggface.")] = None,
    weights_file: Annotated[
        Path | None, typer.Option(help="Weight file, or folder of them [Keras's cache].")
    ] = None,
    protocol: Annotated[str, typer.Option(help="paper or authors_code.")] = "paper",
    seed: Annotated[list[int] | None, typer.Option(help="One run for each.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most, per phase.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of an in-domain run.")] = 3,
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

    Other systems are scored on the same faces: --predictions, --system or --model-file. With --edge,
    size, latency, memory and lost accuracy of each form of finished runs.

    Example: btfer bench --model mobilenetv2 --balance simple --balance conservative --train rafdb=RAFDB/
    Example: btfer bench --system fer
    Example: btfer bench --edge 3f2a
    """
    if edge:
        models.bench_edge(runs or [], release, calibration, threads, as_json)
        return
    if runs:
        raise UsageError(f"'{runs[0]}': runs are named with --edge; a network with --model")
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

    if list_:
        rows = runner.list_architectures()
        if as_json:
            print(json.dumps(rows, indent=2))
        else:
            output.table(["name", "family", "48", "224", "weights"], list(map(_listed, rows)))
        return
    settings = context.settings()
    with output.progress_lines() as on_progress:
        results = runner.bench(
            data_dir=settings.data_dir,
            release=release or context.newest_release(),
            training=_named_folders(train or []),
            architectures=model or ["resnet18", "sequential_4conv"],
            resolutions=resolution or [48],
            balances=balance or ["conservative"],
            weights=weights or ["none"],
            protocol=protocol,
            seeds=seed or [settings.seed],
            epochs=epochs,
            folds=folds,
            on_progress=on_progress,
            weights_from=weights_file,
        )
    _bench_report(results, as_json)


@app.command()
def report(as_json: arguments.AsJson = False) -> None:
    """Write the results of all runs as an HTML page, CSV and Markdown.

    Beside it suspects.csv and suspects.png: faces on which good networks agree against the label.

    Example: btfer report
    """
    from btfer.bench.report import write_report

    data_dir = context.settings().data_dir
    page = write_report(data_dir / "runs", data_dir / "reports")
    facts = {"page": page, **models.label_quality(data_dir, page.parent)}
    output.report(facts, "{page}\n{labels}", as_json)


def _listed(row: dict[str, Any]) -> list[str]:
    """A line of the list: parameters under the side in pixels that they are for, then the weights."""
    from btfer.bench.architectures import architecture

    counts = [_counted(row["parameters"].get(side)) for side in ("48", "224")]
    forms = architecture(row["name"]).forms
    weights = [
        one + "".join(_form(*form) for form in forms.get(one, {}).items()) for one in row["weights"]
    ]
    return [row["name"], row["family"], *counts, ", ".join(weights)]


def _counted(parameters: int | None) -> str:
    return f"{parameters:,}" if parameters else "-"


def _form(side: int, parameters: int) -> str:
    return f" (at {side}: {parameters:,})"


def _named_folders(pairs: list[str]) -> dict[str, Path]:
    folders = {}
    for pair in pairs:
        name, found, path = pair.partition("=")
        if not found:
            raise UsageError(f"--train '{pair}': write NAME=FOLDER, such as rafdb=data/RAFDB")
        folders[name] = Path(path)
    return folders


def _bench_report(results: list[dict[str, Any]], as_json: bool) -> None:
    from btfer.bench.report import print_table, results_table

    rows = results_table(results)
    if as_json:
        print(json.dumps(rows, indent=2, default=str))
    else:
        print_table(rows)
    if results and all(one.get("state") == "failed" for one in results):
        raise BtferError("every run failed; the errors are in data/runs/*/run.json")
