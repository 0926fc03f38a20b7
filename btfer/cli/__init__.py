"""The command line: parse, call, print.

Exit codes: 0 done, 1 failed, 2 usage, 3 waiting for review, or too few pictures, 130 interrupted, 129 or 143 ended by
a signal (SIGHUP, SIGTERM).
"""

import io
import os
import re
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from btfer import __version__
from btfer.cli import (
    arguments,
    bench,
    collect,
    complete,
    context,
    dataset,
    forget,
    models,
    output,
    publish,
    review,
    sample,
    start,
    submissions,
)
from btfer.cli import catalogue as catalogue_commands
from btfer.cli.choices import Engine
from btfer.cli.groups import Root
from btfer.errors import BtferError, UsageError
from btfer.passwords import without_passwords

ENDING = (signal.SIGHUP, signal.SIGTERM)
STOPPED = (130, *(128 + one for one in ENDING))  # 130 = by Ctrl-C

app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (
    collect,
    review,
    dataset,
    forget,
    bench,
    models,
    publish,
    start,
    sample,
    submissions,
    catalogue_commands,
):
    app.add_typer(commands.app)


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    data_dir: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Data folder, or s3://BUCKET/PREFIX, or gs://BUCKET/PREFIX [data].",
        ),
    ] = None,
    catalogue: Annotated[
        str | None, typer.Option(help="Database URL [SQLite in the data folder].")
    ] = None,
    engine: Annotated[Engine | None, typer.Option(help="Where heavy loops run.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes [one per core].")] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Ray cluster of --engine ray: local, auto or ray://HOST:PORT [local: this machine].",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any setting of btfer.toml, for this command.",
            autocompletion=complete.settings,
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress: results, warnings and errors only.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details too.")] = False,
    log_file: Annotated[
        Path | None, typer.Option(help="Append the whole log, with times, to this file.")
    ] = None,
) -> None:
    """Make a class-balanced facial-expression test set, and rank networks on it.

    The line: crawl (or import) → dedup → people judge photos → crop → people judge faces →
    build → bench. Every command can be stopped and run again.

    Example: btfer import photos/ && btfer build --per-class 300
    """
    if version:
        print(f"btfer {__version__}")
        raise typer.Exit
    if quiet and verbose:
        raise UsageError("--quiet and --verbose contradict each other: give one of them")
    output.set_up_logging(quiet=quiet, verbose=verbose, log_file=log_file)
    own = {"data_dir": data_dir, "catalogue": catalogue, "workers": workers, "address": address}
    own["engine"] = arguments.value(engine) or None
    given = {name: value for name, value in own.items() if value is not None}
    more = context.read_assignments(set_ or [])
    if twice := sorted(given.keys() & more.keys()):
        flag = f"--{twice[0].replace('_', '-')}"
        raise UsageError(f"--set {twice[0]}=... and {flag} contradict each other: give one of them")
    context.flags.clear()
    context.flags.update(given | more)


def main() -> None:
    """Run the command line, and turn every expected error into one line and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a hostile file name may hold what no terminal can show
            stream.reconfigure(errors="backslashreplace")
    for one in ENDING:
        if signal.getsignal(one) == signal.SIG_DFL:  # nohup has had SIGHUP ignored
            signal.signal(one, _end)
    try:
        app(standalone_mode=True)
    except BtferError as error:
        _fail(str(error), error.exit_code)
    except SystemExit as end:  # typer has turned Ctrl-C into this
        if end.code not in STOPPED:
            raise
        _fail(
            "stopped; what was done is kept: run the same command again to continue", int(end.code)
        )
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        _fail(
            "memory has run out; what was done is kept: close other programs, or take fewer --workers, and run again",
            1,
        )
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename or 'a file'}", 1)


def _end(number: int, frame: FrameType | None) -> None:
    """As Ctrl-C does: whoever holds a transaction or a part of a file lets go of it on the way out."""
    signal.signal(number, signal.SIG_DFL)  # a second one ends at once
    raise SystemExit(128 + number)


_ENDLESS = re.compile(r"\S{500,}")  # what came in may be a megabyte without a blank
_MOST_SHOWN = 3_000  # letters; a table of a stranger may have a million columns to list


def _shortened(message: str) -> str:
    message = _ENDLESS.sub(lambda word: f"{word[0][:100]}...{word[0][-40:]}", message)
    if len(message) <= _MOST_SHOWN:
        return message
    return f"{message[: _MOST_SHOWN // 2]} ... {message[-_MOST_SHOWN // 4 :]}"


def _visible(message: str) -> str:
    """What a table or a file's name holds is shown, never sent to the terminal as a command."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in message)


def _fail(message: str, code: int) -> None:
    message = _shortened(without_passwords(message))
    output.log_to_file(message, code)
    if os.environ.get("BTFER_TRACEBACK"):
        print(without_passwords(traceback.format_exc()), file=sys.stderr)
        sys.exit(code)
    print(f"btfer: {_visible(message)}", file=sys.stderr)
    sys.exit(code)
