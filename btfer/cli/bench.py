"""Commands that rank networks on a release: bench and its subcommands, report."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from btfer.cli import (
    arguments,
    bench_view,
    choices,
    complete,
    context,
    expected,
    external,
    grid_options,
    models,
    output,
)
from btfer.cli.grid_options import GridOptions
from btfer.cli.groups import Strict
from btfer.errors import Incomplete, NoCatalogue, UsageError
from btfer.extras import require

if TYPE_CHECKING:
    from btfer.bench import BenchRequest
    from btfer.bench.runs.record import RunRecord
    from btfer.engine import Engine

app = typer.Typer(rich_markup_mode=None)
bench_app = typer.Typer(
    cls=Strict, invoke_without_command=True, subcommand_metavar="[COMMAND]", rich_markup_mode=None
)
app.add_typer(bench_app, name="bench")


@bench_app.callback()
@arguments.takes(GridOptions)
def bench(
    ctx: typer.Context,
    options: GridOptions,
    expect: Annotated[
        bool,
        typer.Option(
            "--expect",
            help="Make btfer's own published numbers again (of --model) and compare: exit code 1 outside the noise.",
        ),
    ] = False,
    engine: Annotated[
        choices.Engine | None,
        typer.Option(
            help="Where runs run: serial = one after another; processes = each in its own, one a GPU; ray = on a "
            "cluster (docs/cluster.md) [serial].",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Runs at once, each in its own process [one a GPU, else one]."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster of --engine ray: local, auto or ray://HOST:PORT [local]."),
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Train networks and score them on a release, one row each.

    Without options: resnet18 and sequential_4conv at 48 pixels, on every training set in
    data/training. Without a training set, cross-validation on the release itself (in-domain).
    Interrupt it at any time: the same command continues where it stopped and repeats nothing.

    Example: btfer bench --model mobilenetv2 --balance simple --balance conservative --train rafdb=RAFDB/

    Example: btfer bench --grid paper --resolution 48
    """
    if ctx.invoked_subcommand:
        return
    if expect:
        expected.bench_expect(ctx, options.model or [], as_json)
        return
    chosen = _engine(arguments.value(engine), workers, address)
    bench_view.print_results(_train(_request(options, ctx), chosen), as_json)


@bench_app.command("plan")
@arguments.takes(GridOptions)
def bench_plan(ctx: typer.Context, options: GridOptions, as_json: arguments.AsJson = False) -> None:
    """List the cells that btfer bench would run with these options, and how long they will take.

    Nothing is trained.

    Example: btfer bench plan --grid paper --resolution 48
    """
    from btfer import bench as runner

    request = _request(options, ctx)
    with output.progress() as progress:
        rows = runner.plan(request, progress)
    bench_view.print_plan(rows, as_json)


@bench_app.command("runs")
def bench_runs(as_json: arguments.AsJson = False) -> None:
    """List all runs, the best on the release first.

    Example: btfer bench runs
    """
    bench_view.list_runs(context.settings().data_dir / "runs", as_json)


@bench_app.command("networks")
def bench_networks(as_json: arguments.AsJson = False) -> None:
    """List the networks: family, parameters at 48 and 224 pixels, pretrained weights.

    Example: btfer bench networks
    """
    bench_view.list_networks(as_json)


@bench_app.command("external")
def bench_external(
    ctx: typer.Context,
    predictions: Annotated[
        Path | None,
        typer.Option(help="CSV from any framework: image, and label or probabilities."),
    ] = None,
    column: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Column of the CSV with the answers, or 'probabilities' [found by name and content].",
        ),
    ] = "",
    other_classes: Annotated[
        choices.OtherClasses,
        typer.Option(help="What an answer such as contempt is: wrong, or the image is left out."),
    ] = choices.OtherClasses.wrong,
    system: Annotated[
        choices.SystemName | None, typer.Option(help="A packaged system, installed beside btfer.")
    ] = None,
    model_file: Annotated[
        Path | None,
        typer.Option(
            metavar="NETWORK",
            help="A Keras, ONNX, TFLite, .pt2 or TorchScript file, a Hugging Face or open_clip folder, "
            "hf:ORG/NAME or timm:NAME.",
        ),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(help="TOML file that says how the network is fed [net.toml beside net.onnx]."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Weights of a timm:NAME: safetensors, or a state_dict.")
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="Of the prompts of CLIP and SigLIP; may be given several times [en].",
        ),
    ] = None,
    try_preprocessing: Annotated[
        bool,
        typer.Option(
            "--try-preprocessing",
            help="Show what the usual ways of feeding score on a tenth of the release; keep no run.",
        ),
    ] = False,
    labels: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="Classes of the file's outputs, in order [as btfer export wrote them].",
        ),
    ] = "",
    pixels: Annotated[
        str,
        typer.Option(metavar="LOW,HIGH", help="Input range of the file, for black and white."),
    ] = "0,1",
    bgr: Annotated[bool, typer.Option("--bgr", help="The model expects BGR input.")] = False,
    name: Annotated[str, typer.Option(help="Name in reports [of the system or file].")] = "",
    release: arguments.ReleaseOption = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Score another system on the same faces: one of --predictions, --system and --model-file.

    Example: btfer bench external --system fer

    A network scores far below its claim where it is fed otherwise than it was trained: its card says the
    size, colours, range, mean, std, filter, cut and classes (README).

    Example: btfer bench external --model-file net.onnx --card net.toml

    Example: btfer bench external --model-file net.onnx --try-preprocessing

    Example: btfer bench external --model-file timm:resnet18 --weights net.safetensors --card net.toml
    """
    given = [one for one in (predictions, system, model_file) if one]
    if len(given) != 1:
        raise UsageError("give one of --predictions, --system and --model-file")
    if not model_file:
        why = "it describes a --model-file"
        of_file = ("card", "weights", "language", "try_preprocessing", "labels", "pixels", "bgr")
        arguments.refuse(ctx, *of_file, because=why)
    if not labels:
        why = "it describes a file whose outputs are named with --labels"
        arguments.refuse(ctx, "pixels", "bgr", because=why)
    if not predictions:
        why = "it is about a CSV of --predictions"
        arguments.refuse(ctx, "column", "other_classes", because=why)
    if model_file:
        asked = external.AskedFile(model_file, card, weights, labels, pixels, bgr)
        if try_preprocessing:
            arguments.refuse(ctx, "name", because="--try-preprocessing keeps no run")
            return external.show_preprocessing(asked, release, language or [], as_json)
        scored = external.score_networks(asked, release, language or [], name)
        return external.print_beside_claims(scored, as_json)
    found = models.bench_others(
        release=release,
        predictions=predictions,
        column=column,
        others=other_classes.value,
        system=arguments.value(system),
        name=name,
    )
    bench_view.print_results(found, as_json)


@bench_app.command("edge")
def bench_edge(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Ids of runs, as btfer bench runs lists them.",
            autocompletion=complete.runs,
        ),
    ],
    release: arguments.ReleaseOption = None,
    calibration: arguments.Calibration = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads per measurement.")] = 1,
    as_json: arguments.AsJson = False,
) -> None:
    """Measure runs as files for small computers: size, latency, memory and lost accuracy of each form.

    Example: btfer bench edge 3f2a
    """
    models.bench_edge(runs, release, calibration, threads, as_json)


def _request(options: GridOptions, ctx: typer.Context) -> "BenchRequest":
    """What the benchmark is asked for. Raises UsageError and Incomplete where that cannot work."""
    from btfer import bench as runner

    grid_options.check(options, ctx)
    settings, grid = context.settings(), options.grid.value
    require("bench", "btfer bench")
    sets = context.training_sets(options.train, "--train")
    grid_options.check_folds(options, ctx, sets or runner.find_sets(settings.data_dir))
    folder = (
        context.release_folder(options.release) if options.release else _newest_release(sets, grid)
    )
    return runner.BenchRequest(
        data_dir=settings.data_dir,
        release=folder,
        training=sets,
        architectures=options.model or [],
        resolutions=[int(one.value) for one in options.resolution or []],
        balances=arguments.values(options.balance),
        weights=arguments.values(options.weights),
        protocol=arguments.value(options.protocol),
        seeds=options.all_seeds(settings.seed),
        epochs=options.epochs,
        folds=options.folds,
        weights_from=options.weights_file,
        grid=grid,
        split=arguments.value(options.split),
        labels=options.labels,
        limit=options.limit,
        part=options.shard or "",
        augment=options.augment.value,
        mixed_precision=options.mixed_precision,
        replicas=options.replicas,
        recipe=options.recipe,
        cross=options.cross,
    )


def _engine(asked: str, workers: int | None, address: str | None) -> "Engine":
    """Where runs run: as asked here, as the settings say where somebody has said so in them, else one by one.

    What is asked is a setting of the whole command from then on. Raises UsageError for workers of an engine that has
    none, and for an address without Ray.
    """
    from btfer.engine import Engine

    given = {"engine": asked or None, "workers": workers, "address": address}
    context.flags.update({name: value for name, value in given.items() if value is not None})
    if "engine" not in context.settings().model_fields_set:
        if not workers:
            return Engine("serial")
        context.flags["engine"] = "processes"
    found = context.settings()
    if workers and found.engine == "serial":
        raise UsageError("--workers has no effect with --engine serial, which runs one at a time")
    return Engine.of(found)


def _train(request: "BenchRequest", engine: "Engine") -> "list[RunRecord]":
    """Run the cells of a grid; a record for each."""
    from btfer import bench as runner
    from btfer.leaks import leaks_in

    settings, folder, sets = context.settings(), request.release, request.training
    with output.progress() as progress:
        return runner.bench(
            request,
            progress,
            leaks=(lambda name: asdict(leaks_in(settings, folder, name, sets[name])))
            if folder
            else None,
            engine=engine,
        )


@app.command()
def report(
    others: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="BUNDLE",
            help="A file of btfer bench submit, or a folder of such, shown beside your runs.",
        ),
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Compare the results of all runs with the paper's: an HTML page, CSV, Markdown and LaTeX.

    suspects.csv and suspects.png list faces for which good networks agree on another label. Of others' bundles
    every number is computed anew on the release here; a number that they claim otherwise is named. What is no bundle
    in a folder is left out with a line.

    Example: btfer report --with theirs.zip
    """
    from btfer.bench.report import write_report
    from btfer.cli.submissions import checked_bundles

    data_dir = context.with_releases().data_dir
    with output.progress() as progress:
        theirs = checked_bundles(others or [], progress)
        page = write_report(
            data_dir / "runs", data_dir / "reports", progress, others=theirs.checked
        )
    facts = {"page": page, **models.label_quality(data_dir, page.parent)}
    facts |= {"left_out": dict(theirs.left_out)} if others else {}
    output.report(facts, "{page}\n{labels}", as_json)


def _newest_release(sets: dict[str, Path], grid: str) -> Path | None:
    """The newest release; None where there is none and there is something else to learn from."""
    from btfer.bench import looked_for

    try:
        return context.release_folder(None)
    except (Incomplete, NoCatalogue) as error:
        if sets or grid == "paper":
            return None
        where = looked_for(context.settings().data_dir)
        raise Incomplete(f"no training set: {where}; and {error}") from None
