"""Commands that bring photos in and cut faces out: queries, crawl, withdraw, import, dedup, crop, and theirs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from btfer.cli import arguments, choices, complete, context, output
from btfer.cli.groups import Strict
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

if TYPE_CHECKING:
    from btfer.catalogue import Catalogue

app = typer.Typer(rich_markup_mode=None)
crawl_app = typer.Typer(
    cls=Strict,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    rich_markup_mode=None,
)
dedup_app = typer.Typer(
    cls=Strict, invoke_without_command=True, subcommand_metavar="[COMMAND]", rich_markup_mode=None
)
crop_app = typer.Typer(
    cls=Strict, invoke_without_command=True, subcommand_metavar="[COMMAND]", rich_markup_mode=None
)


@app.command()
def queries(
    language: arguments.Languages = None,
    plan: arguments.PlanName = None,
    csv: Annotated[Path | None, typer.Option(help="Write every query to this file.")] = None,
) -> None:
    """Check the query plan and count its phrases by class, language and group.

    Example: btfer queries --language es --csv plan.csv
    """
    from btfer.queries import find_plan, group_table, load_plan, plan_table, write_plan

    settings = context.settings(plan=plan)
    folder = find_plan(settings.queries_dir, settings.plan)
    found = load_plan(folder, language)
    if csv:
        write_plan(found, csv)
    output.table(["class", "language", "queries"], plan_table(found))
    print()
    output.table(["group", "value", *found.languages, "total"], group_table(found))
    cells = len({one.cell for one in found.queries})
    print(
        f"\n{len(found.queries)} queries for {cells} cells, plan version {found.version}, from {folder}"
    )
    if found.unreviewed:
        print(f"no speaker has reviewed these languages yet: {', '.join(found.unreviewed)}")


app.add_typer(crawl_app, name="crawl")


@crawl_app.callback()
def crawl(
    ctx: typer.Context,
    source: arguments.Sources = None,
    expression: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help=f"Search only for this class: {', '.join(EXPRESSIONS)}.",
            autocompletion=complete.classes,
        ),
    ] = None,
    language: arguments.Languages = None,
    plan: arguments.PlanName = None,
    per_query: Annotated[
        int, typer.Option(min=1, help="Images to ask for per query; whole pages are taken.")
    ] = 100,
    target_per_class: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Photos of a class, filled evenly over groups of people and languages [all].",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of queries [all of the plan].")
    ] = None,
    retry: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REASON",
            help="Try lost URLs again: failed, or reasons of btfer status, such as timeout,429.",
            autocompletion=complete.retry_reasons,
        ),
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUERY",
            help="Search once more: suspicious (answers that may be none), or phrases of the plan.",
        ),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Crawl through this proxy, as http://HOST:PORT [none]."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until hosts that ask to wait may be asked again.")
    ] = False,
    check_pages: Annotated[
        bool,
        typer.Option(
            "--check-pages", help="Ask the pages that show the pictures for opt-outs too."
        ),
    ] = False,
    licences: arguments.Licences = None,
    doctor: Annotated[bool, typer.Option("--doctor", hidden=True)] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Search the web with the query plan and fetch the photos that it finds.

    Sources without a key: bing and commons, and google, baidu and yandex, whose pages change often;
    flickr and openverse need a key. What was searched or fetched before is not requested again;
    what is on the block list (blocked.txt of the plan) or was withdrawn (btfer withdraw) never is.
    Stopped by Ctrl-C or SIGTERM, it ends with the same summary (exit code 130 or 143).

    Example: btfer crawl --source commons --class sad --language es --target-per-class 1200
    """
    if ctx.invoked_subcommand:
        return
    if doctor:
        own = ["expression", "language", "per_query", "target_per_class", "limit", "retry"]
        own += ["again", "proxy", "plan", "wait", "check_pages"]
        arguments.refuse(ctx, *own, because="btfer crawl doctor asks each source one fixed query")
        crawl_doctor(source, licences, as_json)
        return
    from btfer.cli import crawl_report
    from btfer.cli.crawl_view import crawl_view
    from btfer.pipeline import crawl as stage
    from btfer.queries import find_plan, load_plan
    from btfer.sources import DEFAULT

    settings = context.settings(
        licences=arguments.value(licences) or None,
        check_pages=check_pages or None,
        proxy=proxy,
        plan=plan,
    )
    asked = load_plan(find_plan(settings.queries_dir, settings.plan), language)
    with (
        context.catalogue(settings) as cat,
        crawl_report.stop_on_signals() as stop,
        crawl_view() as watch,
    ):
        _check_retry(cat, retry or ())
        outcome = stage.run(
            cat,
            settings,
            arguments.values(source) or DEFAULT,
            asked,
            per_query=per_query,
            target_per_class=target_per_class,
            limit=limit,
            retry=retry or (),
            again=again or (),
            classes=expression or (),
            wait=wait,
            watch=watch,
            stop=stop.event,
        )
    crawl_report.show(outcome, as_json, stop.signal)


def _check_retry(cat: "Catalogue", words: Sequence[str]) -> None:
    """Raise UsageError for a reason for which no URL is ever lost."""
    from btfer.pipeline.crawl import retry_reasons
    from btfer.pipeline.funnel import crawl_losses

    unknown = [
        one
        for one in retry_reasons(words)
        if one not in choices.RETRY_REASONS and not one.startswith("http ")
    ]
    if unknown:
        known = {str(row.reason) for row in crawl_losses(cat)}
        for one in unknown:
            if one not in known:
                offered = ", ".join(choices.RETRY_REASONS)
                raise UsageError(
                    f"unknown reason '{one}' in --retry; choose of {offered}, or a status such as 429"
                )


@crawl_app.command("doctor")
def crawl_doctor(
    source: Annotated[
        list[choices.Source] | None, typer.Option("--source", help="Which to check [all].")
    ] = None,
    licences: arguments.Licences = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Check each source: two pages in two languages, and three pictures; is all of it understood?

    What each answered is kept in doctor/ of the data folder, without keys; pictures are not kept.
    Exit code 1 if a source that is set up is blocked, changed, empty or out of reach.

    Example: btfer crawl doctor --source bing
    """
    from btfer.catalogue import withdrawals
    from btfer.errors import BtferError
    from btfer.paths import doctor_dir
    from btfer.sources import SOURCES
    from btfer.sources.doctor import WELL, check_sources

    settings = context.settings(licences=arguments.value(licences) or None)
    with context.catalogue(settings) as cat:
        findings = check_sources(
            arguments.values(source) or list(SOURCES),
            settings,
            folder=doctor_dir(settings.data_dir),
            withdrawn=lambda addresses: withdrawals.among(cat, addresses),
        )
    if as_json:
        print(json.dumps([asdict(one) for one in findings], indent=2))
    else:
        columns = ["source", "state", "images", "odd", "licences", "authors", "pages"]
        columns += ["originals", "thumbnails", "slowest_s", "detail"]
        heads = ["source", "state", "images", "odd", "with licence", "author", "page"]
        heads += ["originals", "thumbnails", "slowest s", "details"]
        output.table(heads, [[getattr(one, name) for name in columns] for one in findings])
    ill = [one.source for one in findings if one.state not in WELL]
    if ill:
        raise BtferError(f"{len(ill)} of {len(findings)} sources cannot be used: {', '.join(ill)}")


@app.command()
def withdraw(
    things: Annotated[
        list[str],
        typer.Argument(
            metavar="THING", help="URLs of images or pages; sha256, photo_id or face id of photos."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, for the record; without names of people.")] = "",
) -> None:
    """Never fetch or store these photos again; only keyed hashes of them are kept.

    A photo that is in the catalogue already is left out of everything made later. Releases
    that exist are not changed: btfer forget does that.

    Example: btfer withdraw https://example.org/people/ann.jpg --reason "asked to be left out"
    """
    from btfer.pipeline.withdraw import withdraw as put_away

    with context.catalogue(context.settings()) as cat:
        done = put_away(cat, things, reason)
    print(
        f"{done.new} added to the withdrawal list; {done.dropped} photos of this catalogue dropped"
    )


@app.command("import")
def import_(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Folder of photos; class sub-folders label them."),
    ],
    labels: Annotated[
        Path | None, typer.Option(help="CSV with the columns file and expression; see above.")
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Take in photos from a folder; they are copied, and the originals are left alone.

    The CSV may also have: ethnicity, gender, age; licence, licence_url, author, title, page_url
    (whom a release gives credit, and what it may hold). file may be called filename, path or
    image, and expression label, emotion or class; licence license or rights, author creator,
    photographer or artist. Imported again with other rights, the last ones hold.

    Example: btfer import ~/photos --labels labels.csv
    """
    from btfer.cli import crawl_report
    from btfer.pipeline.import_photos import import_folder

    settings = context.settings()
    with context.catalogue(settings) as cat, output.progress() as progress:
        outcome = import_folder(cat, settings, folder, labels, progress=progress)
    crawl_report.show(outcome, as_json)


app.add_typer(dedup_app, name="dedup")


@dedup_app.callback()
def dedup(
    ctx: typer.Context,
    hash_: Annotated[
        choices.Hash | None,
        typer.Option("--hash", help="Which hash finds candidates [setting hash]."),
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Group near-duplicates by perceptual hash, and by their faces, and keep the best photo of each group.

    Two photos are compared once; what was found is remembered. Where only the faces of two photos of one scene
    differ, both stay and people are asked (page Pairs of btfer app); the next run does what they say. btfer build
    does all this by itself.

    Example: btfer dedup
    """
    if ctx.invoked_subcommand:
        return
    from btfer.pipeline import dedup as stage

    settings = context.settings(hash=arguments.value(hash_) or None)
    with context.catalogue(settings) as cat, output.progress() as progress:
        outcome = stage.run(cat, settings, progress)
    text = "{new} photos compared; {dropped} duplicates in {groups} groups are dropped"
    if outcome.split:
        text += "; {split} are like a duplicate but not like the photo kept, and stay"
    if outcome.asked:
        text += "; {asked} pairs of one scene await people (btfer app, page Pairs)"
    elif outcome.new:
        text += "; next: btfer app, to judge the photos"
    output.report(asdict(outcome), text, as_json)


@dedup_app.command("calibrate")
def dedup_calibrate(
    ctx: typer.Context,
    pairs: Annotated[
        Path | None,
        typer.Option(help="Measure on this CSV instead of people's answers: a, b, same[, kind]."),
    ] = None,
    per_distance: Annotated[
        int, typer.Option(min=1, help="Pairs to ask people about, per distance.")
    ] = 10,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw other pairs; answers are kept.")
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Measure which distance (max_hamming_bits) fits these photos; nothing is dropped.

    Pairs of photos are drawn over the distances, people say in the app (page Pairs) which show
    the same picture, and the same command then prints precision and recall by distance, and
    the distance to set.

    Example: btfer dedup calibrate
    """
    from btfer.cli import calibrate_view
    from btfer.pipeline import calibrate

    if pairs:
        why = "with --pairs nobody is asked about pairs of the catalogue"
        arguments.refuse(ctx, "per_distance", "redraw", because=why)
    settings = context.settings()
    with context.catalogue(settings) as cat:
        if pairs:
            found = calibrate.from_file(cat, settings, pairs)
        else:
            found = calibrate.from_people(cat, settings, per_distance=per_distance, redraw=redraw)
    calibrate_view.show(found, settings, as_json)


app.add_typer(crop_app, name="crop")


@crop_app.callback()
def crop(
    ctx: typer.Context,
    mode: Annotated[
        choices.CropMode | None, typer.Option(help="How faces are cut [setting crop].")
    ] = None,
    faces: Annotated[
        choices.Faces | None,
        typer.Option(help="Which faces of a photo are taken [setting faces]."),
    ] = None,
    unreviewed: Annotated[
        choices.KeepUnreviewed | None,
        typer.Option(help="Crop photos too that nobody has reviewed [only kept ones]."),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try photos again in which the search failed.")
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Find faces with MTCNN in the kept photos, and cut each out at 256x256 with a 20 px margin.

    A face whose same shot stands in another photo as well (a screenshot, a collage, a crop) is dropped there.
    Modes: paper; authors_code (10 px a side); square (no face is stretched). With --faces single,
    only photos with exactly one face are used. An interrupted run continues where it stopped.
    btfer build does this by itself, with the settings of btfer.toml.

    Example: btfer crop --mode square --faces largest
    """
    if ctx.invoked_subcommand:
        return
    from btfer.pipeline import crop as stage
    from btfer.pipeline import face_dedup

    settings = context.settings(
        crop=arguments.value(mode) or None, faces=arguments.value(faces) or None
    )
    keep = arguments.value(unreviewed)
    with context.catalogue(settings) as cat, output.progress() as progress:
        outcome = stage.run(cat, settings, unreviewed=keep, retry=retry, progress=progress)
        same = face_dedup.run(cat, settings, progress)
        why = "" if outcome.photos else stage.why_no_photos(cat, keep)
    twice = f"{same.dropped} faces dropped that stand in another photo as well"
    text = "\n".join(
        [*outcome.lines(), *([twice] if same.dropped else []), *([why] if why else [])]
    )
    output.report({**asdict(outcome), "same_shots": same.dropped}, text, as_json)


@crop_app.command("repair")
def crop_repair(as_json: arguments.AsJson = False) -> None:
    """Make lost crops again from their photos, byte for byte.

    Example: btfer crop repair
    """
    from btfer.pipeline import crop as stage

    settings = context.settings()
    with context.catalogue(settings) as cat, output.progress() as progress:
        made = stage.rebuild(cat, settings, progress)
    output.report({"made": made}, "{made} crops made again", as_json)
