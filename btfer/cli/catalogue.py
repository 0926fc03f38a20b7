"""Commands about the catalogue itself: catalogue verify, catalogue upgrade."""

import typer

from btfer.cli import arguments, context, dataset, output
from btfer.cli.groups import Group

app = typer.Typer(rich_markup_mode=None)
catalogue_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(
    catalogue_app,
    name="catalogue",
    help="Check the catalogue against its files, or bring it up to date.",
)


@catalogue_app.command("verify")
def catalogue_verify(as_json: arguments.AsJson = False) -> None:
    """Check the catalogue against its photos and faces on disk. Exit code 1 if anything is wrong.

    A release or a training set that came back from a backup with a forgotten face is named.

    Example: btfer catalogue verify
    """
    from btfer.pipeline.forget import check_forgotten
    from btfer.pipeline.verify_catalogue import verify_catalogue

    settings = context.settings()
    with context.catalogue(settings, must_exist=True) as cat, output.progress() as progress:
        checks = verify_catalogue(cat, settings, progress)
        checks.append(check_forgotten(cat, settings))
    dataset.print_checks(checks, as_json)


@catalogue_app.command("upgrade")
def catalogue_upgrade(as_json: arguments.AsJson = False) -> None:
    """Bring a catalogue of an earlier version up to date; other commands do so when they open it.

    Make a copy first: an earlier btfer cannot open it afterwards.

    Example: btfer catalogue upgrade
    """
    from btfer.catalogue.upgrade import upgrade_catalogue

    settings = context.settings()
    before, after = upgrade_catalogue(settings.catalogue_url)
    text = "the catalogue is up to date: revision {after}"
    if before != after:
        text = "the catalogue was upgraded from revision {before} to {after}"
    output.report({"before": before, "after": after}, text, as_json)
