"""`btfer forget`: what a person asks to have deleted, with a look at it first."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from btfer.cli import arguments, context, output
from btfer.errors import UsageError

if TYPE_CHECKING:
    from btfer.pipeline.forget import ErasurePlan

app = typer.Typer(rich_markup_mode=None)


@app.command()
def forget(
    ctx: typer.Context,
    things: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="THING",
            help="URLs, sha256 of photos, photo_ids, face ids, tokens of opt-out pages, or RELEASE/happy-012.png.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List everything that would go, and delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for processes that read the catalogue.")
    ] = 60,
    as_json: arguments.AsJson = False,
) -> None:
    """Delete photos for good, with all that was made of them, and never fetch them again.

    Files, crops, rows, hashes and predictions are deleted, and the images of every release.
    Each release gets a next version, in which another face takes the place. In the catalogue
    only keyed marks stay, by which copies are refused. Exit code 1 if something is left or
    cannot be searched.    An erasure that was interrupted is finished first. Copies that you have published
    elsewhere are yours to withdraw.

    Example: btfer forget btfer-1a2b3c4d5e6f/happy-012.png --dry-run
    """
    from btfer.pipeline.forget import ErasurePlan, open_entries, preview
    from btfer.pipeline.forget import forget as erase
    from btfer.store import store_of
    from btfer.store.mirror import pull

    settings = context.settings()
    asked = things or []
    if dry_run:
        arguments.refuse(ctx, "yes", "wait", because="--dry-run deletes nothing")
    if dry_run and not asked:
        with context.catalogue(settings, must_exist=True):
            pull(store_of(settings), "erasures")
            waiting = len(open_entries(settings.data_dir))
        text = "{open} erasures were begun and are not finished: btfer forget finishes them"
        output.report({"open": waiting}, text, as_json)
        return
    if dry_run:
        with context.catalogue(settings, must_exist=True) as cat:
            plan = preview(cat, settings, asked)
        facts = plan.as_json() if isinstance(plan, ErasurePlan) else asdict(plan)
        lines = list(plan.lines()) or ["nothing of it is here; it would be refused from now on"]
        print(json.dumps(facts, indent=2) if as_json else output.plain("\n".join(lines)))
        return
    if asked and not yes and not sys.stdin.isatty():
        raise UsageError(
            "nothing was deleted: add --yes to delete without being asked, or --dry-run to look"
        )
    with context.catalogue(settings, must_exist=True) as cat, output.progress() as progress:
        done = erase(
            cat,
            settings,
            asked,
            agree=lambda plan: yes or _asked(plan),
            wait_s=wait,
            progress=progress,
        )
    text = output.plain("\n".join(done.lines()))
    print(json.dumps(asdict(done), indent=2, default=str) if as_json else text)
    if done.left or done.unsearched:
        raise typer.Exit(1)


def _asked(plan: "ErasurePlan") -> bool:
    """Whether a person at the terminal says yes to what would go."""
    print(output.plain("\n".join(plan.lines())), file=sys.stderr)
    return typer.confirm("Delete all of it?", err=True)
