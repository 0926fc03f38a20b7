"""Commands about single networks: export, predict; and what bench does with other systems and small computers."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from btfer.cli import arguments, choices, context, output
from btfer.errors import UsageError
from btfer.extras import require

if TYPE_CHECKING:
    from btfer.bench.runs.record import RunRecord

app = typer.Typer(rich_markup_mode=None)


@app.command("export")
def export_run(
    ctx: typer.Context,
    run: arguments.Run,
    format_: Annotated[
        choices.ModelFormat, typer.Option("--format", help="Format of the file.")
    ] = choices.ModelFormat.tflite,
    quantize: Annotated[
        choices.Quantize, typer.Option(help="Smaller numbers, for tflite.")
    ] = choices.Quantize.none,
    calibration: arguments.Calibration = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write [export/ of the run].")] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Write the network of a run as one file with its labels, and an example that uses it.

    The file expects RGB values of 0 to 255: scaling is inside. int8 expects bytes.

    Example: btfer export 3f2a --format tflite --quantize int8
    """
    if quantize is not choices.Quantize.int8:
        arguments.refuse(ctx, "calibration", because="only --quantize int8 needs images")
    from btfer.bench.runs.store import RunStore
    from btfer.quiet import quiet_stderr

    require("bench", "btfer export")
    data_dir = context.with_releases().data_dir
    chosen = RunStore(data_dir / "runs", output.ConsoleProgress()).find(run)
    with quiet_stderr():
        from btfer.bench.edge.export import ExportSpec, calibration_images, export
    spec = ExportSpec(format_.value, quantize.value)
    folder = out or chosen.folder / "export" / spec.name
    file = export(chosen, spec, folder, lambda: calibration_images(chosen, data_dir, calibration))
    facts = {"file": file, "bytes": file.stat().st_size, "example": folder / "example.py"}
    output.report(
        facts,
        f"{{file}}: {{bytes}} bytes; try: python {shlex.quote(str(folder / 'example.py'))} FACE.png",
        as_json,
    )


@app.command()
def predict(
    run: arguments.Run,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Image files.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write [data/reports/looks].")] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Find the faces in images and draw the network's expression and probabilities on each.

    Faces are found and cut as for the run's release.

    Example: btfer predict 3f2a holiday.jpg --out looks/
    """
    from btfer.bench.runs.store import RunStore
    from btfer.paths import releases_dir
    from btfer.quiet import quiet_stderr

    require("bench", "btfer predict")
    settings = context.with_releases()
    chosen = RunStore(settings.data_dir / "runs", output.ConsoleProgress()).find(run)
    with quiet_stderr():
        from btfer.bench.predict.predictor import Predictor, crop_of

        predictor = Predictor(chosen)
    name = chosen.record.release_name
    crop = crop_of(settings, releases_dir(settings.data_dir) / name if name else None)
    folder = out or settings.data_dir / "reports" / "looks"
    told = [_look(predictor, crop, file, folder) for file in images]
    if as_json:
        print(json.dumps(told, indent=2))
        return
    rows = [[one["image"], n + 1, *_said(face)] for one in told for n, face in _numbered(one)]
    output.table(["image", "face", "expression", "probability", "runner-up"], rows)
    for one in told:
        print(f"{one['picture']}: {len(one['faces'])} faces")


def bench_others(
    *,
    release: str | None,
    predictions: Path | None,
    column: str,
    others: Any,
    system: str,
    name: str,
) -> "list[RunRecord]":
    """Score a file of predictions or a known system on a release; the runs' records."""
    from btfer.bench.datasets import load_release

    require("bench", "btfer bench external")
    runs_dir = context.settings().data_dir / "runs"
    if system:
        from btfer.bench.systems import system as system_named

        asked = system_named(system)
        ask = asked.load()
    images = load_release(context.release_folder(release))
    if predictions:
        from btfer.bench.systems.prediction_files import score_file

        with output.progress() as progress:
            said = {"column": column, "others": others, "progress": progress}
            return [score_file(runs_dir, predictions, name, images, **said)]
    from btfer.bench.systems import score_system

    with output.progress() as progress:
        return [score_system(runs_dir, asked, ask, name, images, progress)]


def bench_edge(
    runs: list[str],
    release: str | None,
    calibration: Path | None,
    threads: int,
    as_json: bool,
) -> None:
    """Measure forms of runs on this machine; print the table, and what loses too much."""
    from btfer.bench.runs.store import RunStore
    from btfer.quiet import quiet_stderr

    require("bench", "btfer bench")
    if calibration and not calibration.is_dir():
        raise UsageError(f"--calibration {calibration}: there is no such folder")
    data_dir = context.with_releases().data_dir
    store = RunStore(data_dir / "runs", output.ConsoleProgress())
    chosen = [store.find(one) for one in runs]
    with quiet_stderr():
        from btfer.bench.edge.measure import EdgeRequest, as_rows, measure_run
        from btfer.bench.edge.report import TITLES, keep_row, kept_rows, printed, write_edge
    folder = context.release_folder(release) if release else None
    request = EdgeRequest(data_dir, folder, calibration, threads)
    rows = []
    try:
        with output.progress() as progress:
            for one in chosen:
                for row in measure_run(one, request, progress):
                    keep_row(row, one.folder)
                    rows.append(row)
    finally:  # what was measured before a form failed, and on other days, is shown too
        every = kept_rows(data_dir / "runs")
        written = write_edge(every, data_dir / "reports") if every else None
    if as_json:
        print(json.dumps(as_rows(rows), indent=2))
        return
    output.table(list(TITLES), printed(rows))
    for row in rows:
        if row.remark:
            print(row.remark)
    print(f"{written}/edge.csv, edge.md, edge.png")


def label_quality(data_dir: Path, folder: Path) -> dict[str, Any]:
    """Look for doubtful labels: what was found in words, and the number of suspects (None = cannot tell)."""
    from btfer.bench.report.suspects import SHEET, doubt_labels
    from btfer.errors import Incomplete

    try:
        found = doubt_labels(data_dir, folder)
    except Incomplete as error:
        return {"labels": f"labels: {error}", "suspects": None}
    told = (
        f"labels: {len(found.suspects)} images of {found.release} are doubted by {found.models} network(s) "
        f"with an accuracy of {found.accuracy:.0%} ({folder / SHEET}): btfer review queue --from-report"
    )
    return {"labels": told, "suspects": len(found.suspects)}


def _look(predictor: Any, crop: Any, file: Path, folder: Path) -> dict[str, Any]:
    from btfer.bench.predict.drawing import draw
    from btfer.errors import ImageError
    from btfer.expressions import EXPRESSIONS
    from btfer.files import write_atomic
    from btfer.images import decode_rgb, encode_png
    from btfer.plain_files import read_plain
    from btfer.sources.folder import MAX_FILE_BYTES

    try:
        pixels = decode_rgb(read_plain(file, MAX_FILE_BYTES))
        seen = predictor.predict(pixels, crop)
    except ImageError as error:
        raise UsageError(f"{file} cannot be used: {error}") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    picture = folder / f"{file.stem}-{predictor.run.record.id}.png"
    write_atomic(picture, encode_png(draw(pixels, seen)))
    faces = [
        {
            "box": {side: getattr(one.box, side) for side in ("x", "y", "width", "height")},
            "expression": one.expression,
            "probabilities": {
                name: round(p, 4) for name, p in zip(EXPRESSIONS, one.probabilities, strict=True)
            },
        }
        for one in seen
    ]
    return {"image": str(file), "picture": str(picture), "faces": faces}


def _numbered(told: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(told["faces"]))


def _said(face: dict[str, Any]) -> list[str]:
    first, second = sorted(face["probabilities"].items(), key=lambda one: -one[1])[:2]
    return [first[0], f"{first[1]:.2f}", f"{second[0]} {second[1]:.2f}"]
