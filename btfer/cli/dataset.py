"""Commands about releases and how they came about: build, rebuild, verify, leaks, diff, forget, status, explain."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from btfer.cli import arguments, context, output
from btfer.errors import UsageError

if TYPE_CHECKING:
    from btfer.catalogue import Catalogue
    from btfer.settings import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
def build(
    per_class: Annotated[int, typer.Option(min=1, help="Faces per class.")] = 300,
    unreviewed: Annotated[
        str, typer.Option(help="drop or keep what nobody judged [stop and ask for people].")
    ] = "",
    allow_short: Annotated[bool, typer.Option(help="Take what is there.")] = False,
    seed: Annotated[int | None, typer.Option(help="Key of the draw.")] = None,
    strategy: Annotated[
        str, typer.Option(help="How groups share a class: equal, proportional or random.")
    ] = "equal",
    per_place: Annotated[
        int, typer.Option(min=0, help="Faces of a class from one site or author; 0 = all.")
    ] = 10,
    name: Annotated[str, typer.Option(help="First part of the release's name.")] = "btfer",
    exclude_leaks: Annotated[
        bool, typer.Option("--exclude-leaks", help="Draw no face that stands in a training set.")
    ] = False,
    against: arguments.Against = None,
    format_: Annotated[
        str, typer.Option("--format", help="folder; and packed: tfrecord,webdataset,parquet.")
    ] = "folder",
    with_sources: Annotated[
        bool, typer.Option(help="Tell each photo's address and phrase too: sources.csv.")
    ] = False,
    sources_only: Annotated[
        bool, typer.Option(help="Addresses and hashes without images, for btfer rebuild.")
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Run dedup, crop, sample and release as far as they go; stop where people must judge (exit code 3).

    Example: btfer build --per-class 300
    """
    from btfer.pipeline import build as line

    arguments.one_of("--unreviewed", unreviewed, ("", "drop", "keep"))
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--name '{name}': use letters, digits, - and _")
    settings = context.settings(seed=seed)
    sets = context.training_sets(against, "--against") if exclude_leaks else None
    sources = "only" if sources_only else "with" if with_sources else "without"
    packed = [one.strip() for one in format_.split(",")]
    plan = line.Plan(
        *(per_class, unreviewed, allow_short, name, strategy, per_place, packed, sources, sets)
    )
    with context.catalogue(settings) as cat, output.progress() as progress:
        made = line.run(cat, settings, plan, progress)
    output.report(asdict(made), "{images} images: {path}\ncheck it: btfer verify {path}", as_json)


@app.command()
def rebuild(
    release: Annotated[Path, typer.Argument(help="Folder of a release that has sources.csv.")],
    as_json: arguments.AsJson = False,
) -> None:
    """Fetch the photos of a release again from its addresses, and make its images anew; tell what has gone.

    Every photo and crop must have the bytes that the release names. The photos come into
    this catalogue as from any crawl: use a data folder of its own (btfer --data-dir).

    Example: btfer rebuild btfer-1a2b3c4d5e6f
    """
    from btfer.pipeline.rebuild import rebuild as again

    settings = context.settings()
    with context.catalogue(settings) as cat:
        done = again(cat, settings, release)
    print(json.dumps(asdict(done), default=str, indent=2) if as_json else "\n".join(done.lines()))


@app.command()
def verify(
    release: Annotated[Path | None, typer.Argument(help="Folder [the newest release].")] = None,
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Check the catalogue against its photos instead.")
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Check a release: checksums, counts, labels, sizes, no metadata. Exit code 1 if anything is wrong.

    Example: btfer verify data/releases/btfer-1a2b3c4d5e6f
    """
    from btfer.pipeline.verify import verify as check
    from btfer.pipeline.verify_catalogue import verify_catalogue

    if catalogue:
        settings = context.settings()
        with context.catalogue(settings) as cat, output.progress() as progress:
            checks = verify_catalogue(cat, settings, progress)
    else:
        checks = check(release or context.newest_release())
    if as_json:
        print(json.dumps([asdict(one) for one in checks], indent=2))
    for one in [] if as_json else checks:
        print(f"{'FAILED' if one.problems else 'ok':7} {one.name}")
        for problem in one.problems[:10]:
            print(f"          {problem}")
    if any(one.problems for one in checks):
        raise typer.Exit(1)


@app.command()
def leaks(
    release: Annotated[Path | None, typer.Argument(help="Folder [the newest release].")] = None,
    against: arguments.Against = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Look for a release's faces and their photos in training sets; exit code 1 if any stands in one.

    A training set is a folder with pictures in class folders, or FER2013's csv. Found are
    other sizes, crops, mirrored and levelled copies of the same photo; data/leaks/RELEASE
    gets the pairs as leaks.csv and as a picture, leaks.png.

    Example: btfer leaks --against rafdb=RAFDB/ --against fer2013=fer2013.csv
    """
    from btfer.leaks import check_release
    from btfer.paths import leaks_dir

    settings = context.settings()
    folder = release or context.newest_release()
    sets = context.training_sets(against, "--against")
    with context.catalogue(settings) as cat, output.progress() as progress:
        found = check_release(cat, settings, folder, sets, progress)
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        columns = ["training set", "pictures", "images", "in the set", "unread", "digest"]
        rows: list[list[Any]] = [
            [one.training, one.pictures, one.images, one.faces, len(one.unread), one.digest[:12]]
            for one in found
        ]
        output.table(columns, rows)
        pairs = [leak for one in found for leak in one.pairs]
        output.table(
            ["image", "training set", "picture", "bits", "difference", "shows"],
            [
                [one.ours, one.training, one.file, one.bits, one.difference, one.shows_in_words]
                for one in pairs
            ],
        )
        print(
            f"pairs, and a picture of them: {leaks_dir(settings.data_dir) / folder.resolve().name}"
        )
    if any(one.pairs for one in found):
        raise typer.Exit(1)


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(help="Folder of a release.")],
    second: Annotated[Path, typer.Argument(help="Folder of another.")],
    as_json: arguments.AsJson = False,
) -> None:
    """Tell what differs between two releases; exit code 1 if anything does.

    Example: btfer diff data/releases/btfer-1a2b3c4d5e6f data/releases/btfer-6f5e4d3c2b1a
    """
    from btfer.pipeline.diff import diff as compare

    found = compare(first, second)
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        for what, lines in asdict(found).items():
            for line in lines:
                print(f"{what.replace('_', ' '):13} {line}")
        print("the same" if found.empty else f"{len(found.other_pixels)} images were replaced")
    if not found.empty:
        raise typer.Exit(1)


@app.command()
def forget(
    things: Annotated[
        list[str],
        typer.Argument(help="URLs, sha256, face ids, or file names in the newest release."),
    ],
    as_json: arguments.AsJson = False,
) -> None:
    """Delete photos for good, with all that was made of them, and never fetch them again.

    Files, crops, rows and hashes go; of each release that showed one a next version is
    made, in which one face takes its place, and the old one is deleted. Only a keyed hash
    stays, on the withdrawal list. What you have published or copied elsewhere is yours to
    withdraw.

    Example: btfer forget happy-012.png
    """
    from btfer.pipeline.forget import forget as erase

    settings = context.settings()
    with context.catalogue(settings) as cat:
        done = erase(cat, settings, things)
    if as_json:
        print(json.dumps(asdict(done), indent=2))
        return
    print(f"{done.photos} photos and {done.faces} faces forgotten")
    for old, new in done.releases.items():
        print(f"{old} -> {new or 'deleted'}")


@app.command()
def status(as_json: arguments.AsJson = False) -> None:
    """The funnel: class by stage by reason, and what became of every URL.

    Example: btfer status
    """
    from btfer.pipeline.funnel import CLASSES, crawl_losses, funnel

    settings = context.settings()
    with context.catalogue(settings) as cat:
        lines, losses = funnel(cat, _crop_digest(settings)), crawl_losses(cat)
        conflicts = _conflicts(cat)
    if as_json:
        keys = {"classes": CLASSES, "funnel": [asdict(one) for one in lines]}
        print(
            json.dumps(
                keys | {"urls": [one._asdict() for one in losses], "conflicting_labels": conflicts},
                indent=2,
            )
        )
        return
    rows: list[list[Any]] = [[one.stage, one.what, *one.per_class, one.total] for one in lines]
    output.table(["stage", "what", *CLASSES, "all"], rows)
    output.table(["source", "URLs", "reason", "all"], [list(one) for one in losses])
    if conflicts:
        print(
            f"{conflicts} photos were found under queries of different classes: look at them first"
        )


@app.command()
def explain(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="Photo, face or file name in the newest release.")
    ],
    as_json: arguments.AsJson = False,
) -> None:
    """Tell the life of one photo or face, from query to release.

    Example: btfer explain happy-012.png
    """
    from btfer.pipeline.funnel import explain as life

    with context.catalogue(context.settings()) as cat:
        lines = life(cat, id_)
    print(json.dumps(lines, indent=2) if as_json else "\n".join(lines))


def _crop_digest(settings: "Settings") -> str:
    from btfer.faces.modes import crop_settings

    return crop_settings(settings).digest


def _conflicts(cat: "Catalogue") -> int:
    from btfer.catalogue import photos

    return len(photos.conflicting(cat))
