"""Pages that `make docs` writes from the code, so that they cannot be out of date: commands, settings, words."""

from collections.abc import Iterator
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
import typer
from pydantic_core import PydanticUndefined

from btfer import errors
from btfer.bench.runs.record import RunRecord
from btfer.bench.submit import bundle
from btfer.catalogue import tables
from btfer.cli import app
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import release_metadata
from btfer.release_record import ReleaseRecord
from btfer.review import DROP_REASONS
from btfer.review.badges import EXPLAINED
from btfer.review.exchange_rows import COLUMNS as EXPORT_COLUMNS
from btfer.settings import PREFIX, Settings


def write(folder: Path) -> None:
    """Write the pages into a folder; one that is the same already is left, so that nothing is built again."""
    for name, text in pages().items():
        file = folder / f"{name}.md"
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The text of each page, by its name."""
    return {
        "commands": _commands(),
        "settings": _settings(),
        "words": _words(),
        "catalogue": _catalogue(),
        "files": _files(),
    }


def _commands() -> str:
    root = typer.main.get_command(app)
    lines = ["# Commands", "", "What `btfer COMMAND --help` shows, for all of them."]
    for names, command in _walk(root, []):
        context = click.Context(command, info_name=" ".join(["btfer", *names]))
        lines += [
            "",
            f"## {' '.join(['btfer', *names])}",
            "",
            "```text",
            command.get_help(context).strip(),
            "```",
        ]
    return "\n".join(lines) + "\n"


def _walk(command: Any, names: list[str]) -> Iterator[tuple[list[str], Any]]:
    yield names, command
    for name, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            yield from _walk(one, [*names, name])


def _settings() -> str:
    rows = [
        f"| `{name}` | {_literal(field)} | {_cell(str(field.description))} |"
        for name, field in Settings.model_fields.items()
    ]
    head = (
        "# Settings\n\nDefaults < `btfer.toml` < variables < flags. `min_face_px` is the key in `btfer.toml`, "
        f"`{PREFIX}MIN_FACE_PX` the variable, and `btfer --set min_face_px=60 COMMAND` the flag.\n"
        "`btfer init FOLDER` writes a `btfer.toml` with each of them.\n\n"
        "| name | default | what it is for |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _literal(field: Any) -> str:
    value = field.get_default(call_default_factory=False)
    return "" if value in (None, PydanticUndefined, "") else f"`{value}`"


def _words() -> str:
    lines = [
        "# Words and exit codes",
        "",
        "## Classes",
        "",
        ", ".join(f"`{one}`" for one in EXPRESSIONS),
        "",
    ]
    for round_, reasons in DROP_REASONS.items():
        lines += [f"## Drop reasons of round {round_}", "", "| reason | key |", "|---|---|"]
        lines += [f"| {reason} | `{key.upper()}` |" for reason, key in reasons.items()]
        lines.append("")
    lines += [
        "## Hints",
        "",
        "A hint is a badge and an order, never a verdict.",
        "",
        "| hint | what it says |",
        "|---|---|",
    ]
    lines += [f"| {name} | {_cell(about)} |" for name, about in EXPLAINED.items()]
    tree = (errors.__doc__ or "").split("\n\n", 1)[1].rstrip()
    lines += ["", "## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    lines += ["", "The errors behind them:", "", "```text", tree, "```"]
    return "\n".join(lines) + "\n"


def _catalogue() -> str:
    about, listed = (tables.__doc__ or "").split("\n\n", 1)
    lines = ["# The catalogue", "", about, "", "```text", listed.rstrip(), "```", ""]
    lines += [f"This is schema {tables.SCHEMA}. Read it as you like; let only btfer write.", ""]
    for table in tables.metadata.sorted_tables:
        lines += [f"## {table.name}", "", "| column | type | |", "|---|---|---|"]
        for column in table.columns:
            leads = [f"→ `{one.target_fullname}`" for one in column.foreign_keys]
            notes = ["key"] * column.primary_key + leads + ["may be empty"] * bool(column.nullable)
            lines.append(f"| `{column.name}` | {type(column.type).__name__} | {', '.join(notes)} |")
        lines.append("")
    return "\n".join(lines)


def _files() -> str:
    known = {
        "metadata.csv": (
            "A row for each image of a release; the same in `faces.jsonl`, in the packed forms and in Croissant.",
            release_metadata.COLUMNS,
        ),
        "attribution.csv": (
            "Who is to be named, where the licence asks for it.",
            release_metadata.CREDIT,
        ),
        "sources.csv": (
            "Where each photo is to be found; only with `--with-sources` or `--sources-only`.",
            release_metadata.SOURCES,
        ),
        "verdicts.csv": (
            "What `btfer review export` writes and `btfer review import` reads.",
            EXPORT_COLUMNS,
        ),
        "predictions.csv": (
            "In a bundle of `btfer bench submit`: a probability for each class; empty where there is no answer.",
            bundle.COLUMNS,
        ),
    }
    lines = [FILES_HEAD]
    for name, (about, columns) in known.items():
        lines += [
            f"## {name}",
            "",
            about,
            "",
            "Columns: " + ", ".join(f"`{one}`" for one in columns) + ".",
            "",
        ]
    for kind, about in (
        (ReleaseRecord, "release.json"),
        (RunRecord, "run.json"),
        (bundle.Card, "card.json of a bundle"),
    ):
        lines += [f"## {about}", "", cleandoc(kind.__doc__ or ""), ""]
        lines += ["Keys: " + ", ".join(f"`{one.name}`" for one in fields(kind)) + ".", ""]
    return "\n".join(lines)


FILES_HEAD = """# Files

Tables are CSV in UTF-8 with a header. btfer reads those of Excel too: semicolons, tabs, a byte-order mark, UTF-16,
decimal commas. What cannot be right is refused with its line.

The folders of `data/` are described in `data/README.md`, the catalogue on [its own page](catalogue.md).
"""


EXIT_CODES = {
    0: "done",
    1: "something failed; the message says what; or a check found something (`leaks`, `diff`, `verify`)",
    2: "an argument, a setting or an input file is not what it must be",
    3: "people must judge first, or pictures are missing",
    129: "the terminal was closed (SIGHUP); run the command again",
    130: "interrupted (Ctrl-C); run the command again",
    143: "ended (SIGTERM); run the command again",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
