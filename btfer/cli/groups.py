"""How commands are grouped: help by the order of the line, and no option that a subcommand would ignore."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from btfer.passwords import without_passwords
from btfer.settings import what_is_wrong

LINE = {  # every command of btfer, as `btfer --help` shows them
    "Begin": ("demo", "init"),
    "1. Collect photos": ("queries", "crawl", "import", "dedup", "withdraw"),
    "2. Review, by people": ("app", "review"),
    "3. Make a release": ("crop", "build", "verify", "leaks", "diff", "rebuild", "publish"),
    "4. Rank networks": ("bench", "report", "leaderboard", "export", "predict"),
    "At any time": ("status", "explain", "forget", "catalogue", "sample"),
}


MOST_SHOWN = 40  # letters of a value
_UsageError: Any = typer.BadParameter.__base__  # of click, or of the click that is inside typer


class Group(TyperGroup):
    """Lists its commands each with its whole first sentence; examples stay on one line, to be copied."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name, None where there is none."""
        command = super().get_command(ctx, cmd_name)
        if command is not None and command.help:
            command.help = _UNMARKED_EXAMPLE.sub(_NO_WRAP + "Example:", command.help)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the section of commands."""
        _write_section(formatter, "Commands", self._said(ctx, self.list_commands(ctx)))

    def _said(self, ctx: Any, names: Iterable[str]) -> dict[str, str]:
        found = {name: self.get_command(ctx, name) for name in names}
        # Wrapped when it is written, never cut off.
        return {
            name: one.get_short_help_str(limit=1000)
            for name, one in found.items()
            if one is not None and not one.hidden
        }


class Root(Group):
    """Lists its commands under the headings of the line, in its order."""

    def make_context(self, *words: Any, **options: Any) -> Any:
        """Read the options of btfer itself. What is wrong with them is said as by `invoke`."""
        with self._plain_words():
            return super().make_context(*words, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. What is wrong with its arguments is said with what came in, and without a password in it."""
        with self._plain_words():
            return super().invoke(ctx)

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        try:
            yield
        except _UsageError as error:
            said = self._where_it_goes(error) or _with_value(error) or error.message
            error.message = without_passwords(said)
            raise

    def _where_it_goes(self, error: Any) -> str:
        """What to say of an option of btfer itself that stands after a command; '' for any other error."""
        flag = error.option_name if hasattr(error, "possibilities") else None  # an unknown one
        own: Any = next((one for one in self.params if flag in one.opts), None)
        if own is None:
            return ""
        value = "" if own.is_flag else f" {own.metavar or str(own.name).upper()}"
        path, root = error.ctx.command_path, error.ctx.find_root().command_path
        command = path.removeprefix(root).strip()  # it may be called as `python -m btfer`
        error.possibilities = None  # what is written much like it
        return (
            f"{flag} is an option of btfer itself: write it before the command, as in "
            f"'btfer {flag}{value} {command} ...'"
        )

    def list_commands(self, ctx: Any) -> list[str]:
        """The names in the order of the line; the shell completes in this order too."""
        ordered = [name for names in LINE.values() for name in names]
        names = super().list_commands(ctx)
        return [name for name in ordered if name in names] + sorted(set(names) - set(ordered))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each heading."""
        width = max(len(name) for names in LINE.values() for name in names)
        for heading, names in LINE.items():
            _write_section(formatter, heading, self._said(ctx, names), width)


def _with_value(error: Any) -> str:
    """What is wrong with a value, which typer leaves out, and the value; '' for any other error."""
    if not isinstance(error.__cause__, ValidationError):
        return ""
    found = error.__cause__.errors()[0]
    value = str(found["input"])
    shown = value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}..."
    return what_is_wrong(found, repr(shown))


_NO_WRAP = "\b\n"  # what click takes as: do not wrap this paragraph
_UNMARKED_EXAMPLE = re.compile(r"(?<=\n\n)Example:")


def _write_section(formatter: Any, heading: str, said: dict[str, str], width: int = 0) -> None:
    with formatter.section(heading):
        formatter.write_dl([(name.ljust(width), text) for name, text in said.items()])


class Strict(Group):
    """A command with subcommands, which does not take options that it would not pass on to them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The subcommand; a usage error where options of the group stand before its name."""
        name, command, rest = super().resolve_command(ctx, args)
        given = [one for one in self.params if _given(ctx, str(one.name))]
        if given and not ctx.resilient_parsing:
            flag = max(given[0].opts, key=len)
            ctx.fail(
                f"{flag} is an option of '{ctx.command_path}' and has no effect on "
                f"'{ctx.command_path} {name}': leave it out, or write it after '{name}' if "
                f"'{ctx.command_path} {name} --help' lists it"
            )
        return name, command, rest


def _given(ctx: Any, parameter: str) -> bool:
    source = ctx.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def ignored(ctx: Any, *parameters: str) -> str:
    """The flag of the first of these parameters that stands on the command line, '' where none does."""
    for one in ctx.command.params:
        if one.name in parameters and _given(ctx, str(one.name)):
            return str(max(one.opts, key=len))
    return ""
