"""Commands for people's verdicts: review plan, review export, review import, review keep-single,
review queue, review agreement.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from btfer.cli import arguments, context, output
from btfer.errors import UsageError

app = typer.Typer(rich_markup_mode=None)
review_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(review_app, name="review", help="Verdicts in and out of the catalogue.")


@review_app.command("plan")
def review_plan(
    reviewers_per_image: Annotated[int, typer.Option(help="Votes on each picture, 1 to 9.")],
    round_: Annotated[str, typer.Option("--round", help="photos or faces [both].")] = "",
) -> None:
    """Say how many people are to judge each picture, none seeing what the others said.

    Where their votes differ, the picture goes to the page Disagreements, and
    btfer build waits until somebody has the last word.

    Example: btfer review plan --reviewers-per-image 2
    """
    from btfer import review

    with context.catalogue(context.settings()) as cat:
        review.plan(cat, reviewers_per_image, round_)
    typer.echo(f"{reviewers_per_image} people judge each picture of {round_ or 'both rounds'}")


@review_app.command("export")
def review_export(
    file: Annotated[Path, typer.Argument(help="CSV to write.")], as_json: arguments.AsJson = False
) -> None:
    """Write every verdict of people as CSV, to merge into another catalogue.

    Example: btfer review export verdicts.csv
    """
    from btfer import review

    with context.catalogue(context.settings()) as cat:
        rows = review.export_verdicts(cat)
    output.write_csv(file, list(review.exchange.COLUMNS), [one.to_csv() for one in rows])
    output.report({"verdicts": len(rows), "file": file}, "{verdicts} verdicts: {file}", as_json)


@review_app.command("import")
def review_import(
    file: Annotated[
        Path, typer.Argument(help="CSV of verdicts, or of labels: file or sha256, label.")
    ],
    reviewer: Annotated[str, typer.Option(help="Whose they are, where not told.")] = "import",
    as_json: arguments.AsJson = False,
) -> None:
    """Read verdicts or labels from a CSV, and add what is new.

    An export is merged, in any order and any number of times: where two people
    judged a picture differently it goes to the page Disagreements. A label is a
    class, keep, or drop:REASON, and stands where nobody has judged yet.

    Example: btfer review import verdicts.csv --reviewer ann
    """
    from btfer import review

    rows = arguments.read_csv(file)
    with context.catalogue(context.settings()) as cat:
        outcome = review.import_verdicts(cat, rows, reviewer)
    text = (
        "{added} added, {known} judged already, {unknown} about unknown pictures, "
        "{taken_back} taken back"
    )
    output.report(asdict(outcome), text, as_json)


@review_app.command("keep-single")
def review_keep_single(
    reviewer: Annotated[str, typer.Option(help="Who decides this.")],
    as_json: arguments.AsJson = False,
) -> None:
    """Keep every awaiting face that is the only one of a labelled photo, without looking at each.

    For collections whose photos were labelled one by one. The verdicts can be undone in the app.

    Example: btfer review keep-single --reviewer ann
    """
    from btfer import review
    from btfer.catalogue.faces import newest_settings

    with context.catalogue(context.settings()) as cat:
        outcome = review.keep_single_faces(cat, newest_settings(cat), reviewer)
    output.report(asdict(outcome), "{written} faces kept", as_json)


@review_app.command("queue")
def review_queue(
    from_report: Annotated[
        bool, typer.Option("--from-report", help="What the newest btfer report doubts.")
    ] = False,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Take back what people said of these, too.")
    ] = False,
    reviewer: Annotated[str, typer.Option(help="Who reopens.")] = "",
    as_json: arguments.AsJson = False,
) -> None:
    """Show first, on the page Faces, those on which good networks agree against the label.

    They carry the badge "models disagree": a hint, never a verdict. Faces that were judged already
    come back only with --reopen; btfer build waits until they are judged again.

    Example: btfer review queue --from-report --reopen --reviewer ann
    """
    import datetime

    from btfer import review
    from btfer.bench.report.suspects import read_suspects

    if not from_report:
        raise UsageError("say where the order is to come from: --from-report")
    if reopen and not reviewer:
        raise UsageError("--reopen needs --reviewer: whose name stands for it in the log")
    settings = context.settings()
    suspects, seconds = read_suspects(settings.data_dir / "reports")
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="microseconds")
    doubts = {one.file: round(1 - one.p_label, 4) for one in suspects}
    release = suspects[0].release if suspects else ""
    with context.catalogue(settings) as cat:
        found = review.mark_suspects(cat, release, doubts, at=at, reopen_by=reviewer * reopen)
    text = (
        "{awaiting} await people, first on the page Faces (start the app again if it is running); "
        "{judged} were judged, {reopened} of them reopened; {again} judged since; {gone} gone"
    )
    output.report(asdict(found), text, as_json)


@review_app.command("agreement")
def review_agreement(as_json: arguments.AsJson = False) -> None:
    """Say how far people agree on the pictures that two or more of them judged.

    Kappa and alpha are 1 where people always agree, and 0 where chance would
    agree as much. The JSON has them also by class, language and group, and which
    categories are taken for each other.

    Example: btfer review agreement
    """
    from btfer.review import ROUNDS, agreement_table

    with context.catalogue(context.settings()) as cat:
        found = [agreement_table.measure(cat, round_) for round_ in ROUNDS]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        if one.n_items:
            output.table(*agreement_table.printed(one))
        else:
            typer.echo(f"No picture of round {one.round} was judged by two people yet.")
    if not any(one.n_items for one in found):
        typer.echo("To have each judged twice: btfer review plan --reviewers-per-image 2")
