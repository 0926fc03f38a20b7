"""Commands that bring pictures in: queries, crawl, import, dedup, crop."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from btfer.cli import arguments, context, output
from btfer.errors import UsageError

app = typer.Typer(rich_markup_mode=None)


@app.command()
def queries(
    language: arguments.Names = None,
    csv: Annotated[Path | None, typer.Option(help="Write it here.")] = None,
) -> None:
    """Check the query plan and count its phrases by class, language and group.

    Example: btfer queries --language es --csv plan.csv
    """
    from btfer.queries import group_table, load_plan, plan_table, write_plan

    plan = load_plan(context.settings().queries_dir, language)
    output.table(["class", "language", "queries"], plan_table(plan))
    print()
    output.table(["group", "value", *plan.languages, "total"], group_table(plan))
    print(f"\n{len(plan.queries)} queries, plan version {plan.version}")
    if plan.unreviewed:
        print(f"no speaker has read these languages yet: {', '.join(plan.unreviewed)}")
    if csv:
        write_plan(plan, csv)


@app.command()
def crawl(
    source: arguments.Names = None,
    expression: Annotated[list[str] | None, typer.Option("--class", help="Only these.")] = None,
    language: arguments.Names = None,
    per_query: Annotated[int, typer.Option(help="Images asked of each query.")] = 100,
    target_per_class: Annotated[
        int | None, typer.Option(help="Photos of a class, after which no more are sought.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many queries.")] = None,
    retry: Annotated[
        list[str] | None,
        typer.Option(help="Try lost URLs again: failed, or reasons such as timeout,429."),
    ] = None,
    licences: Annotated[
        str | None, typer.Option(help="any, stated, derivatives or free: which to fetch.")
    ] = None,
    doctor: Annotated[bool, typer.Option(help="Only check each source with one query.")] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Search the web with the query plan and fetch what it finds [sources: bing, commons].

    Others: google, baidu (pages that change often), flickr and openverse (with a key). What was
    searched and fetched before is not asked for again; what is on the block list
    (queries/blocked.txt) or was withdrawn (btfer withdraw) is never.

    Example: btfer crawl --source commons --class sad --language es --target-per-class 1200
    """
    from btfer.cli.crawl_view import crawl_view
    from btfer.pipeline import crawl as stage
    from btfer.queries import load_plan
    from btfer.sources import DEFAULT

    settings = context.settings(licences=licences)
    if doctor:
        _examine(source, settings, as_json)
        return
    plan = load_plan(settings.queries_dir, language)
    with context.catalogue(settings) as cat, crawl_view() as watch:
        outcome = stage.run(
            cat,
            settings,
            source or DEFAULT,
            plan,
            per_query=per_query,
            target_per_class=target_per_class,
            limit=limit,
            retry=retry or (),
            classes=expression or (),
            watch=watch,
        )
    _crawl_report(outcome, as_json)


def _examine(names: list[str] | None, settings: Any, as_json: bool) -> None:
    """Print what is the matter with each source; exit code 1 where one of those named is not well."""
    from btfer.errors import BtferError
    from btfer.sources import SOURCES
    from btfer.sources.doctor import examine_all

    findings = examine_all(names or list(SOURCES), settings)
    if as_json:
        print(json.dumps([asdict(one) for one in findings], indent=2))
    else:
        output.table(
            ["source", "state", "images", "with licence", "author", "page", "what"],
            [
                [
                    one.source,
                    one.state,
                    one.images,
                    one.licences,
                    one.authors,
                    one.pages,
                    one.detail,
                ]
                for one in findings
            ],
        )
    ill = [one.source for one in findings if one.state not in ("ok", "not set up")]
    if ill:
        raise BtferError(f"{len(ill)} of {len(findings)} sources cannot be used: {', '.join(ill)}")


@app.command()
def withdraw(
    things: Annotated[list[str], typer.Argument(help="URLs of pictures or pages, or sha256.")],
    reason: Annotated[str, typer.Option(help="Why, for the record; name nobody.")] = "",
) -> None:
    """Never fetch or store these again; only keyed hashes of them are kept.

    A photo that is in the catalogue already is dropped from all that comes later. Releases that
    exist are not changed.

    Example: btfer withdraw https://example.org/people/ann.jpg --reason "asked to be left out"
    """
    from btfer.pipeline.withdraw import withdraw as put_away

    with context.catalogue(context.settings()) as cat:
        done = put_away(cat, things, reason)
    print(f"{done.new} new on the withdrawal list; {done.dropped} photos of this catalogue dropped")


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of photos; class sub-folders label them.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV: file, expression[, ethnicity, gender, age, licence].")
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Take in photos that are on disk already; the originals are copied and left alone.

    Example: btfer import ~/photos --labels labels.csv
    """
    from btfer.pipeline import crawl as stage

    settings = context.settings()
    with context.catalogue(settings) as cat, output.progress() as progress:
        outcome = stage.import_folder(cat, settings, folder, labels, progress=progress)
    _crawl_report(outcome, as_json)


@app.command()
def dedup(
    calibrate: Annotated[
        bool, typer.Option(help="Only measure the distance that fits these photos.")
    ] = False,
    pairs: Annotated[
        Path | None, typer.Option(help="Measure on this CSV: a, b, same[, kind].")
    ] = None,
    per_distance: Annotated[int, typer.Option(help="Pairs to ask for, for each distance.")] = 10,
    redraw: Annotated[bool, typer.Option(help="Draw other pairs; answers are kept.")] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Group near-duplicates by perceptual hash and keep the largest of each group.

    With --calibrate nothing is dropped: pairs of photos are drawn over the distances, people say
    in the review app (page Pairs) which are the same picture, and the same command then prints
    precision and recall by distance and the distance to set.

    Example: btfer dedup
    """
    from btfer.pipeline import dedup as stage

    settings = context.settings()
    if calibrate:
        _calibrate(settings, pairs, per_distance, redraw, as_json)
        return
    if pairs or redraw:
        raise UsageError("--pairs and --redraw belong to a measurement: add --calibrate")
    with context.catalogue(settings) as cat, output.progress() as progress:
        outcome = stage.run(cat, settings, progress)
    text = "{new} photos judged; {dropped} duplicates in {groups} groups are dropped; {split} were too far down a chain"
    output.report(asdict(outcome), text, as_json)


def _calibrate(
    settings: Any, file: Path | None, per_distance: int, redraw: bool, as_json: bool
) -> None:
    from btfer.cli import calibrate_view
    from btfer.pipeline import calibrate

    with context.catalogue(settings) as cat:
        if file:
            found = calibrate.from_file(cat, settings, file)
        else:
            found = calibrate.from_people(cat, settings, per_distance=per_distance, redraw=redraw)
    calibrate_view.show(found, settings, as_json)


@app.command()
def crop(
    mode: Annotated[str | None, typer.Option(help="paper, authors_code or square.")] = None,
    faces: Annotated[
        str | None, typer.Option(help="all, largest, or single: of each photo.")
    ] = None,
    unreviewed: Annotated[str, typer.Option(help="keep: crop unjudged photos too.")] = "",
    retry: Annotated[bool, typer.Option(help="Also photos that could not be looked at.")] = False,
    rebuild: Annotated[bool, typer.Option(help="Make lost crops again from the photos.")] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Find faces with MTCNN in the kept photos, and cut each out at 256x256 with a 20 px margin.

    Modes: paper; authors_code (10 px a side); square (no face is stretched). With --faces single,
    only photos in which MTCNN finds one face count. A run that was killed goes on where it stopped.

    Example: btfer crop --mode square --faces largest
    """
    from btfer.pipeline import crop as stage

    settings = context.settings(crop=mode, faces=faces)
    arguments.one_of("--unreviewed", unreviewed, ("", "keep"))
    with context.catalogue(settings) as cat, output.progress() as progress:
        if rebuild:
            made = stage.rebuild(cat, settings, progress)
            output.report({"made": made}, "{made} crops made again", as_json)
            return
        outcome = stage.run(cat, settings, unreviewed=unreviewed, retry=retry, progress=progress)
        why = "" if outcome.photos else stage.why_no_photos(cat, unreviewed)
    text = "\n".join([*outcome.lines(), *([why] if why else [])])
    output.report(asdict(outcome), text, as_json)


def _crawl_report(outcome: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(outcome), indent=2))
        return
    print("\n".join(outcome.lines()))
