"""Options that many commands share, how the shell completes them, and reading what they were given."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from btfer.cli import choices, complete
from btfer.cli.groups import ignored
from btfer.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Against = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[=PATH]",
        help="A training set, NAME=PATH or NAME in data/training [all there].",
        autocompletion=complete.training_sets,
    ),
]
Languages = Annotated[
    list[str] | None,
    typer.Option(
        "--language",
        metavar="CODE",
        help="Code of a language in the query plan [its default ones].",
        autocompletion=complete.languages,
    ),
]
PlanName = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="NAME",
        help="Which plan of the plan's folder: paper = the paper's own words [setting plan].",
    ),
]
Sources = Annotated[
    list[choices.Source] | None, typer.Option("--source", help="Where to search [bing, commons].")
]
Licences = Annotated[
    choices.Licences | None,
    typer.Option(help="Fetch only photos whose stated licence allows this [setting licences]."),
]
Release = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE]",
        help="Folder or name of a release [the newest].",
        autocompletion=complete.releases,
    ),
]
ReleaseOption = Annotated[
    str | None,
    typer.Option(
        "--release",
        metavar="RELEASE",
        help="Folder or name of a release [the newest].",
        autocompletion=complete.releases,
    ),
]
Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Id of a run (its first characters will do), its folder, or a network that ran once.",
        autocompletion=complete.runs,
    ),
]
Calibration = Annotated[
    Path | None, typer.Option(help="Folder of images for int8 [the run's training set].")
]


def takes(declared: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each field of a dataclass; it gets them as one object, `options`.

    So commands with the same many options declare them once.
    """
    hints = get_type_hints(declared, include_extras=True)
    added = [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(declared)
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = signature(command, eval_str=True)
        kept = [one for one in own.parameters.values() if one.name != "options"]

        @wraps(command)
        def with_options(*positional: Any, **given: Any) -> None:
            options = declared(**{one.name: given.pop(one.name) for one in added})
            command(*positional, options=options, **given)

        first = [one for one in kept if one.default is Parameter.empty]
        last = [
            one.replace(kind=Parameter.KEYWORD_ONLY)
            for one in kept
            if one.default is not Parameter.empty
        ]
        shown = own.replace(parameters=[*first, *added, *last], return_annotation=None)
        with_options.__signature__ = shown  # type: ignore[attr-defined]
        with_options.__annotations__ = {
            one.name: one.annotation for one in shown.parameters.values()
        }
        return with_options

    return decorate


def refuse(ctx: typer.Context, *parameters: str, because: str) -> None:
    """Raise UsageError where one of these options is given: the command would ignore it."""
    if flag := ignored(ctx, *parameters):
        raise UsageError(f"{flag} has no effect here: {because}")


def values(chosen: Iterable[str] | None) -> list[str]:
    """Plain strings of what was chosen, [] where nothing was."""
    return [str(one.value) if hasattr(one, "value") else one for one in chosen or ()]


def value(chosen: Any) -> str:
    """The plain string of a choice, '' where none was made."""
    return "" if chosen is None else str(chosen.value)
