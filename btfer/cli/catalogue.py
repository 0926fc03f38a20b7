"""Commands about the catalogue itself: catalogue verify, catalogue upgrade, catalogue copy."""

from typing import Annotated

import typer

from btfer.cli import arguments, context, dataset, output
from btfer.cli.groups import Group

app = typer.Typer(rich_markup_mode=None)
catalogue_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(
    catalogue_app,
    name="catalogue",
    help="Check the catalogue against its files, bring it up to date, or copy it.",
)


@catalogue_app.command("verify")
def catalogue_verify(as_json: arguments.AsJson = False) -> None:
    """Check the catalogue against its photos and faces on disk. Exit code 1 if anything is wrong.

    A release or a training set that came back from a backup with a forgotten face is named.

    Example: btfer catalogue verify
    """
    from btfer.pipeline.forget import check_forgotten
    from btfer.pipeline.verify_catalogue import verify_catalogue

    settings = context.with_releases()
    with context.catalogue(settings, must_exist=True) as cat, output.progress() as progress:
        checks = verify_catalogue(cat, settings, progress)
        checks.append(check_forgotten(cat, settings))
    dataset.print_checks(checks, as_json)


@catalogue_app.command("upgrade")
def catalogue_upgrade(as_json: arguments.AsJson = False) -> None:
    """Bring a catalogue of an earlier version up to date; other commands do so when they open it.

    It is copied first, to catalogue.db.before-<revision> beside a SQLite file, or from PostgreSQL to the SQLite file
    catalogue.postgresql.before-<revision> in the data folder: an earlier btfer can open only that one afterwards.
    Delete it when all is well; btfer forget does.

    Example: btfer catalogue upgrade
    """
    from btfer.catalogue.upgrade import upgrade_catalogue

    settings = context.settings()
    with output.progress() as progress:
        done = upgrade_catalogue(settings.catalogue_url, settings.data_dir, progress)
    text = "the catalogue is up to date: revision {after}"
    if done.before != done.after:
        text = "the catalogue was upgraded from revision {before} to {after}"
    if done.backup:
        text += "; the old one is {backup}"
    facts = {"before": done.before, "after": done.after, "backup": str(done.backup or "")}
    output.report(facts, text, as_json)


@catalogue_app.command("copy")
def catalogue_copy(
    source: Annotated[str, typer.Argument(help="Database URL to copy from.", show_default=False)],
    target: Annotated[str, typer.Argument(help="Database URL to copy to.", show_default=False)],
    as_json: arguments.AsJson = False,
) -> None:
    """Copy a whole catalogue into an empty database, SQLite or PostgreSQL, and compare the two.

    All rows arrive or none. Photos and faces are files: they stay in the data folder. Run it while nothing else
    writes. A second run compares only. A password is better kept in ~/.pgpass or PGPASSWORD than in the URL, which
    other users of the machine can see.

    Example: btfer catalogue copy sqlite:///data/catalogue.db postgresql://btfer@db.example.org/faces
    """
    from btfer.catalogue.copy import copy_catalogue
    from btfer.passwords import without_password

    with output.progress() as progress:
        done = copy_catalogue(source, target, progress)
    facts = {
        "rows": done.rows,
        "total": done.total,
        "digest": done.digest,
        "target": without_password(target),
    }
    output.report(facts, "{target} holds the same {total} rows, digest {digest}", as_json)
