"""Processes that begin with what they need imported already: forked from one that did it once."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

IMPORTED_ONCE = [
    "pytest",
    "tests.loopback",
    "tests.pipeline.crop_photos",
    "btfer.pipeline.crawl",
    "btfer.pipeline.crop",
    "btfer.pipeline.forget",
    "pyarrow.parquet",
    "btfer.review",
    "streamlit.web.cli",
    "streamlit.web.server.server",
    "tests.scanned_once",
    "altair",
    "pandas",
]

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(IMPORTED_ONCE)


def start_as_command(
    target: Callable[..., object],
    *arguments: Any,
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
) -> BaseProcess:
    """Run a function as a command line would be: in a folder, with an environment and its output in a file."""
    process = CONTEXT.Process(
        target=_as_command, args=(target, arguments, folder, dict(environment), out), daemon=True
    )
    process.start()
    return process


def _as_command(
    target: Callable[..., object],
    arguments: tuple[Any, ...],
    folder: Path,
    environment: dict[str, str],
    out: Path,
) -> None:
    os.chdir(folder)
    os.environ.clear()  # it has what the first test had
    os.environ.update(environment)
    with out.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    target(*arguments)


def streamlit(*arguments: str) -> None:
    """The program `streamlit` with its arguments."""
    from streamlit.web.cli import main

    main(arguments)
