"""Options that many commands share, how the shell completes them, and reading what they were given."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

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
