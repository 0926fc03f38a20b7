"""Commands about people's verdicts: review plan, export, import, keep-single, queue, agreement."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from btfer.cli import arguments, choices, context, output
from btfer.cli.groups import Group
from btfer.errors import UsageError

app = typer.Typer(rich_markup_mode=None)
review_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(review_app, name="review", help="Plan reviews, exchange verdicts, measure agreement.")


@review_app.command("plan")
def review_plan(
    reviewers_per_image: Annotated[
        int, typer.Option(min=1, max=9, help="Reviewers who judge each photo or face.")
    ],
    round_: Annotated[
        choices.Round | None, typer.Option("--round", help="Only this round [both].")
    ] = None,
) -> None:
    """Set how many reviewers judge each photo or face, without seeing each other's verdicts.

    Where their verdicts differ, the photo or face goes to the page Disagreements, and
    btfer build waits until somebody has decided.

    Example: btfer review plan --reviewers-per-image 2
    """
    from btfer import review

    with context.catalogue(context.settings()) as cat:
        review.plan(cat, reviewers_per_image, arguments.value(round_))
    where = f"round {round_.value}" if round_ else "both rounds"
    typer.echo(f"reviewers per image in {where}: {reviewers_per_image}")


@review_app.command("export")
def review_export(
    file: Annotated[Path, typer.Argument(help="CSV to write.")],
    gold: Annotated[
        Path | None,
        typer.Option("--gold", help="CSV to write of all answers on hidden gold pictures."),
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Write all verdicts of reviewers as CSV, to merge into another catalogue.

    Notes, "unsure", and the version of the guidelines that was read are columns of it. Answers on
    hidden gold pictures (btfer app --gold) are no verdicts: --gold writes them, with their notes.

    Example: btfer review export verdicts.csv
    """
    from btfer import review
    from btfer.files import file_to_write
    from btfer.review import gold as gold_answers

    targets = [file_to_write(one).resolve() for one in (file, gold) if one]  # before one is written
    if len(set(targets)) < len(targets):
        raise UsageError(f"--gold writes another file than {file}: name one of its own")
    with context.catalogue(context.settings(), must_exist=True) as cat:
        rows = review.export_verdicts(cat)
        answers = gold_answers.exported(cat) if gold else []
    output.write_csv(file, list(review.exchange_rows.COLUMNS), [one.to_csv() for one in rows])
    if gold:
        output.write_csv(gold, list(gold_answers.COLUMNS), answers)
    output.report({"verdicts": len(rows), "file": file}, "{verdicts} verdicts: {file}", as_json)


@review_app.command("import")
def review_import(
    file: Annotated[
        Path, typer.Argument(help="CSV of verdicts, or of labels: file or sha256, label.")
    ],
    reviewer: Annotated[str, typer.Option(help="Reviewer of rows that name none.")] = "import",
    as_json: arguments.AsJson = False,
) -> None:
    """Read verdicts or labels from a CSV, and add what is new.

    Exports can be merged in any order and any number of times; where two reviewers differ,
    the photo or face goes to the page Disagreements. A label is a class, keep, or drop:REASON,
    and counts only where nobody has judged yet. Columns note and unsure (yes) may be there too.

    Example: btfer review import verdicts.csv --reviewer ann
    """
    from btfer import csv_reader, review

    rows = csv_reader.read_csv(file, may_be_empty=True)
    values, lines = [one.values for one in rows], [one.line for one in rows]
    with context.catalogue(context.settings(), must_exist=True) as cat:
        try:
            review.check_columns(rows.columns)
            outcome = review.import_verdicts(cat, values, reviewer, lines=lines)
        except UsageError as error:
            raise UsageError(f"{file}: {error}") from None
    text = (
        "{added} added, {known} known already, {unknown} about unknown photos or faces, "
        "{taken_back} undone"
    )
    output.report(asdict(outcome), text, as_json)


@review_app.command("keep-single")
def review_keep_single(
    reviewer: Annotated[str, typer.Option(help="Name to record with the verdicts.")],
    as_json: arguments.AsJson = False,
) -> None:
    """Keep every face waiting for review that is the only one of a labelled photo.

    For collections whose photos were labelled one by one. The verdicts can be undone in the app.

    Example: btfer review keep-single --reviewer ann
    """
    from btfer import review
    from btfer.catalogue.faces import newest_settings

    with context.catalogue(context.settings(), must_exist=True) as cat:
        outcome = review.keep_single_faces(cat, newest_settings(cat), reviewer)
    output.report(asdict(outcome), "{written} faces kept", as_json)


@review_app.command("queue")
def review_queue(
    ctx: typer.Context,
    from_report: Annotated[
        bool, typer.Option("--from-report", help="Labels that the newest btfer report doubts.")
    ] = False,
    reopen: Annotated[
        bool,
        typer.Option("--reopen", help="Undo the verdicts on these, so that they are judged again."),
    ] = False,
    reviewer: Annotated[str, typer.Option(help="Name to record with --reopen.")] = "",
    as_json: arguments.AsJson = False,
) -> None:
    """Put faces first, on the page Faces, for which good networks agree on another label.

    They carry the badge "models disagree": a hint, never a verdict. Faces that were judged already
    come back only with --reopen; btfer build then waits until they are judged again.

    Example: btfer review queue --from-report --reopen --reviewer ann
    """
    import datetime

    from btfer import review
    from btfer.bench.report.suspects import read_suspects

    if not from_report:
        raise UsageError("say where the order comes from: add --from-report")
    if reopen and not reviewer:
        raise UsageError("--reopen needs --reviewer NAME, for the log")
    if not reopen:
        arguments.refuse(ctx, "reviewer", because="only --reopen records a name")
    settings = context.settings()
    suspects, seconds = read_suspects(settings.data_dir / "reports")
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="microseconds")
    doubts = {one.file: round(1 - one.p_label, 4) for one in suspects}
    release = suspects[0].release if suspects else ""
    with context.catalogue(settings, must_exist=True) as cat:
        found = review.mark_suspects(cat, release, doubts, at=at, reopen_by=reviewer * reopen)
    text = (
        "{awaiting} faces wait for review, first on the page Faces (restart the app if it is running); "
        "{judged} were judged already, {reopened} of them reopened; {again} were judged since; "
        "{gone} no longer exist"
    )
    output.report(asdict(found), text, as_json)


@review_app.command("agreement")
def review_agreement(as_json: arguments.AsJson = False) -> None:
    """Measure agreement on the photos and faces that two or more reviewers judged.

    Kappa and alpha are 1 for perfect agreement, and 0 for agreement by chance. The JSON has
    them also by class, language and group, and which labels are confused.

    Example: btfer review agreement
    """
    from btfer.review import ROUNDS, agreement_table

    with context.catalogue(context.settings(), must_exist=True) as cat:
        found = [agreement_table.measure(cat, round_) for round_ in ROUNDS]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        if one.n_items:
            output.table(*agreement_table.printed(one))
        else:
            typer.echo(f"Nothing in round {one.round} was judged by two reviewers yet.")
    if not any(one.n_items for one in found):
        typer.echo("To have everything judged twice: btfer review plan --reviewers-per-image 2")
