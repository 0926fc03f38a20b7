"""The command line: parse, call, print.

Exit codes: 0 done, 1 failed, 2 usage, 3 people or pictures are missing, 130 interrupted.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from btfer import __version__
from btfer.cli import bench, collect, context, dataset, models, publish, review, sample
from btfer.errors import BtferError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (
    collect,
    dataset,
    bench,
    models,
    sample,
    review,
    publish,
):  # in the order of `btfer --help`
    app.add_typer(commands.app)


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
    context.flags.update(data_dir=data_dir, catalogue=catalogue, engine=engine, workers=workers)


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
