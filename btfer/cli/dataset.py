"""Commands about releases and how they came about: build, rebuild, verify, leaks, diff, status, explain."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from btfer.cli import arguments, choices, complete, context, output
from btfer.errors import UsageError

if TYPE_CHECKING:
    from btfer.leaks import LeakCheck
    from btfer.pipeline.verify import Check
    from btfer.settings import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
def build(
    ctx: typer.Context,
    per_class: Annotated[int, typer.Option(min=1, help="Images per class.")] = 300,
    unreviewed: Annotated[
        choices.Unreviewed | None,
        typer.Option(help="Drop or keep what nobody has reviewed [stop and wait for review]."),
    ] = None,
    allow_short: Annotated[
        bool, typer.Option("--allow-short", help="Accept classes with fewer images than asked for.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Key of the draw [setting seed].")] = None,
    hash_: Annotated[
        choices.Hash | None,
        typer.Option("--hash", help="Which hash finds near-duplicates [setting hash]."),
    ] = None,
    strategy: Annotated[
        choices.Strategy, typer.Option(help="How the groups of people share a class.")
    ] = choices.Strategy.equal,
    max_per_site: Annotated[
        int, typer.Option(min=0, help="Most images of a class from one site or author; 0 = any.")
    ] = 10,
    max_per_person: Annotated[
        int,
        typer.Option(
            min=0, help="Most images of one person in the release, by likeness; 0 = any. See below."
        ),
    ] = 0,
    name: Annotated[str, typer.Option(help="First part of the release's name.")] = "btfer",
    exclude_leaks: Annotated[
        bool, typer.Option("--exclude-leaks", help="Exclude faces also found in a training set.")
    ] = False,
    against: arguments.Against = None,
    format_: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="folder, tfrecord, webdataset or parquet; several with commas [folder].",
            autocompletion=complete.release_formats,
        ),
    ] = None,
    with_sources: Annotated[
        bool,
        typer.Option(
            "--with-sources", help="Add the address and query of each photo: sources.csv."
        ),
    ] = False,
    sources_only: Annotated[
        bool,
        typer.Option(
            "--sources-only", help="Addresses and hashes without images, for btfer rebuild."
        ),
    ] = False,
    redistributable: Annotated[
        bool,
        typer.Option(
            "--redistributable", help="Only works whose licence lets you share and adapt them."
        ),
    ] = False,
    commercial: Annotated[
        bool,
        typer.Option("--commercial", help="Only works that may be used commercially too."),
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Run dedup, crop, sample and release in turn; stop where people must judge (exit code 3).

    Works that are reserved, or may not be adapted, are never in a release. Works whose licence is
    not stated or not understood are, unless --redistributable or --commercial is given; such a
    release is for this machine, and its README says so.

    --max-per-person compares faces by a network (pip install 'btfer[faces]', or an ONNX file of
    your own as the setting face_embedder). What it computes of a face is biometric data (GDPR,
    article 9): it stays in memory and is stored nowhere. Such networks confuse people of some
    groups, women and children more often than others, so look at what is left out.

    Example: btfer build --per-class 300
    """
    from btfer.pipeline import build as line

    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--name '{name}': use letters, digits, - and _")
    if not exclude_leaks:
        arguments.refuse(ctx, "against", because="training sets are searched with --exclude-leaks")
    if commercial:
        arguments.refuse(ctx, "redistributable", because="--commercial takes no other works")
    if sources_only:
        arguments.refuse(ctx, "with_sources", because="--sources-only writes sources.csv by itself")
        arguments.refuse(ctx, "format_", because="with --sources-only no image is written")
    settings = context.settings(seed=seed, hash=arguments.value(hash_) or None)
    sets = context.training_sets(against, "--against") if exclude_leaks else None
    sources = "only" if sources_only else "with" if with_sources else "without"
    plan = line.Plan(
        per_class=per_class,
        unreviewed=arguments.value(unreviewed),
        allow_short=allow_short,
        name=name,
        strategy=strategy.value,
        max_per_site=max_per_site,
        max_per_person=max_per_person,
        formats=_formats(format_),
        sources=sources,
        training=sets,
        use="commercial" if commercial else "redistributable" if redistributable else "local",
    )
    with context.catalogue(settings) as cat, output.progress() as progress:
        made = line.run(cat, settings, plan, progress)
    lines = ["{images} images: {path}", f"check it: btfer verify {made.path.name}"]
    if max_per_person:
        why = f"enough of the same people (--max-per-person {max_per_person})"
        lines.insert(1, f"{{same_person}} faces left out: {why}")
    output.report(asdict(made), "\n".join(lines), as_json)


def _formats(asked: list[str] | None) -> list[str]:
    """Names, of `--format a,b --format c`. Raises UsageError for an unknown one."""
    names = [one.strip() for text in asked or ["folder"] for one in text.split(",")]
    for one in names:
        if one not in choices.RELEASE_FORMATS:
            known = ", ".join(choices.RELEASE_FORMATS)
            raise UsageError(f"unknown --format '{one}'; choose one of {known}")
    return names


@app.command()
def rebuild(
    release: Annotated[
        str,
        typer.Argument(
            metavar="RELEASE",
            help="Folder or name of a release that has sources.csv.",
            autocompletion=complete.releases,
        ),
    ],
    as_json: arguments.AsJson = False,
) -> None:
    """Fetch the photos of a release again from its addresses, and make its images again.

    Every photo and crop must have the bytes that the release names; what has gone is listed.
    The photos come into this catalogue as from any crawl: use a data folder of its own
    (btfer --data-dir).

    Example: btfer rebuild btfer-1a2b3c4d5e6f
    """
    from btfer.pipeline.rebuild import rebuild as again

    settings = context.settings()
    folder = context.release_folder(release)
    with context.catalogue(settings) as cat:
        done = again(cat, settings, folder)
    text = output.plain("\n".join(done.lines()))
    print(json.dumps(asdict(done), default=str, indent=2) if as_json else text)


@app.command()
def verify(release: arguments.Release = None, as_json: arguments.AsJson = False) -> None:
    """Check a release: checksums, counts, labels, sizes, no metadata. Exit code 1 if anything is wrong.

    Example: btfer verify btfer-1a2b3c4d5e6f
    """
    from btfer.pipeline.verify import verify as check

    print_checks(check(context.release_folder(release, any_kind=True)), as_json)


def print_checks(checks: Sequence["Check"], as_json: bool) -> None:
    """Print each check with its first problems; end with exit code 1 where there is one."""
    if as_json:
        print(json.dumps([asdict(one) for one in checks], indent=2))
    for one in [] if as_json else checks:
        print(f"{'FAILED' if one.problems else 'ok':7} {one.name}")
        for problem in one.problems[:10]:
            print(f"          {problem}")
        for note in one.notes[:10]:
            print(f"          note: {note}")
    if any(one.problems for one in checks):
        raise typer.Exit(1)


@app.command()
def leaks(
    release: arguments.Release = None,
    against: arguments.Against = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Look for a release's faces and their photos in training sets; exit code 1 if any is found.

    A training set is a folder of class folders with images, or FER2013's csv. Resized, cropped,
    mirrored and recoloured copies of the same photo are found; data/leaks/RELEASE gets the
    pairs as leaks.csv and as a picture, leaks.png. A pair that is unsure may be two shots of a
    person with nearly the same expression: look at it there. It is not counted.

    Example: btfer leaks --against rafdb=RAFDB/ --against fer2013=fer2013.csv
    """
    from btfer.leaks import check_release
    from btfer.paths import leaks_dir

    settings = context.settings()
    folder = context.release_folder(release)
    sets = context.training_sets(against, "--against")
    with context.catalogue(settings, must_exist=True) as cat, output.progress() as progress:
        found = check_release(cat, settings, folder, sets, progress)
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        _print_leaks(found)
        print(
            f"the pairs, as CSV and picture: {leaks_dir(settings.data_dir) / folder.resolve().name}"
        )
    if any(one.faces for one in found):
        raise typer.Exit(1)


def _print_leaks(found: Sequence["LeakCheck"]) -> None:
    """A table of the training sets, and a table of the pairs."""
    output.table(
        [
            "training set",
            "its images",
            "our images",
            "also in the set",
            "unsure",
            "unreadable",
            "digest",
        ],
        [
            [
                one.training,
                one.pictures,
                one.images,
                one.faces,
                one.unsure,
                len(one.unread),
                one.digest[:12],
            ]
            for one in found
        ],
    )
    output.table(
        ["image", "training set", "file", "bits", "difference", "sure", "shows"],
        [
            [
                one.ours,
                one.training,
                one.file,
                one.bits,
                one.difference,
                "yes" if one.sure else "no",
                one.shows_in_words,
            ]
            for against in found
            for one in against.pairs
        ],
    )


@app.command()
def diff(
    first: Annotated[
        str,
        typer.Argument(
            metavar="RELEASE",
            help="Folder or name of a release.",
            autocompletion=complete.releases,
        ),
    ],
    second: Annotated[
        str,
        typer.Argument(
            metavar="OTHER", help="Folder or name of another.", autocompletion=complete.releases
        ),
    ],
    as_json: arguments.AsJson = False,
) -> None:
    """List what differs between two releases; exit code 1 if anything does.

    Example: btfer diff btfer-1a2b3c4d5e6f btfer-6f5e4d3c2b1a
    """
    from btfer.pipeline.diff import diff as compare

    found = compare(context.release_folder(first), context.release_folder(second))
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        for what, lines in asdict(found).items():
            for line in lines:
                print(f"{what.replace('_', ' '):13} {line}")
        n = len(found.other_pixels)
        were = "image was" if n == 1 else "images were"
        print("no difference" if found.empty else f"{n} {were} replaced")
    if not found.empty:
        raise typer.Exit(1)


@app.command()
def status(as_json: arguments.AsJson = False) -> None:
    """Show how many photos and faces each stage kept, by class, and why others were dropped.

    Photos are counted by cell too (the group of people and language that a query asked for), and
    requests by source and host; --json has all of it.

    Example: btfer status
    """
    from btfer.cli import crawl_status
    from btfer.pipeline import funnel

    settings = context.settings()
    with context.catalogue(settings, must_exist=True) as cat:
        now = funnel.status(cat, _crop_digest(settings))
        losses = funnel.crawl_losses(cat)
        crawled = crawl_status.read(cat, now.by_cell)
    if as_json:
        keys: dict[str, Any] = {
            "classes": funnel.CLASSES,
            "funnel": [asdict(one) for one in now.funnel],
        }
        keys |= {"urls": [one._asdict() for one in losses], "conflicting_labels": now.conflicts}
        print(json.dumps(keys | crawled.facts(), indent=2))
        return
    rows: list[list[Any]] = [[one.stage, one.what, *one.per_class, one.total] for one in now.funnel]
    output.table(["stage", "what", *funnel.CLASSES, "all"], rows)
    output.table(["source", "URLs", "reason", "all"], [list(one) for one in losses])
    crawl_status.show(crawled)
    if now.to_review:
        were = "photo was" if now.to_review == 1 else "photos were"
        print(f"{now.to_review} {were} found by queries of different classes: review first")


@app.command()
def explain(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Id of a photo or face, photo_id, FILE of the newest release, or RELEASE/FILE.",
        ),
    ],
    as_json: arguments.AsJson = False,
) -> None:
    """Show the history of one photo or face, from query to release.

    Example: btfer explain happy-012.png
    """
    from btfer.pipeline.funnel import explain as life

    with context.catalogue(context.settings(), must_exist=True) as cat:
        lines = life(cat, id_)
    print(json.dumps(lines, indent=2) if as_json else "\n".join(lines))


def _crop_digest(settings: "Settings") -> str:
    from btfer.faces.modes import crop_settings

    return crop_settings(settings).digest
