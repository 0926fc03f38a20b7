"""`btfer bench --expect`: the table of what was expected and what came out."""

import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from btfer.cli import arguments, context, output

if TYPE_CHECKING:
    from btfer.expect import Outcome

ALLOWED = ("expect", "model", "as_json")


def bench_expect(ctx: typer.Context, networks: list[str], as_json: bool) -> None:
    """Make the numbers again and print each beside what is expected; exit code 1 where one is not.

    Not made is what needs something that is not here, or whose run failed, for the reason in its place.
    """
    others = [str(one.name) for one in ctx.command.params if one.name not in ALLOWED]
    arguments.refuse(ctx, *others, because="--expect makes the numbers of expected.toml again")
    from btfer.expect import expect, read_expectations

    rows = read_expectations(networks)
    with output.progress() as progress:
        say = progress.say if as_json else partial(print, flush=True)
        found = expect(context.settings().data_dir, rows, say, progress)
    if as_json:
        told = [{**asdict(one.row), **_measured(one)} for one in found]
        print(json.dumps(told, indent=2))
    else:
        output.table(
            ["", "what", "expected", "noise", "measured", "command"], list(map(_row, found))
        )
    if not all(one.holds for one in found):
        raise typer.Exit(1)


def _measured(one: "Outcome") -> dict[str, float | str | bool | None]:
    return {"measured": one.measured, "holds": one.holds, "error": one.error}


def _row(one: "Outcome") -> list[str]:
    measured = one.error or "-" if one.measured is None else f"{one.measured:.3f}"
    expected, noise = f"{one.row.expected:.3f}", f"{one.row.noise:.3f}"
    verdict = "holds" if one.holds else "NOT MADE" if one.measured is None else "DIFFERS"
    return [verdict, one.row.what, expected, noise, measured, one.row.command]
