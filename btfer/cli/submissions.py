"""Commands about results that come together: bench submit, bench merge, leaderboard; others' bundles for the report."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from btfer.cli import arguments, context, output
from btfer.cli.bench import bench_app
from btfer.errors import UsageError

if TYPE_CHECKING:
    from btfer.bench.datasets import ImageSet
    from btfer.bench.submit import Bundle, CheckedFolder
    from btfer.progress import Progress

app = typer.Typer(rich_markup_mode=None)

MERGED = {
    "new": "new",
    "replaced": "in place of less finished ones",
    "same": "here already",
    "behind": "less finished than here",
    "differing": "done twice, kept as here",
    "busy": "at work",
    "left_out": "left out",
}
"""What became of runs, in words, in the order of the line that tells it."""


@bench_app.command("submit")
def bench_submit(
    run: arguments.Run,
    release: arguments.ReleaseOption = None,
    name: Annotated[str, typer.Option(help="Name on leaderboards [the network's].")] = "",
    by: Annotated[str, typer.Option(help="Who submits, as leaderboards show it.")] = "",
    link: Annotated[str, typer.Option(metavar="URL", help="A page about the network.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to write [data/bundles].")] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Write a run's predictions on a release as one small checked file, for a leaderboard or for colleagues.

    It holds a card, the predictions by image name, versions and hashes; no pictures, and no path of this machine.

    Example: btfer bench submit 3f2a --by "Lab of Faces"
    """
    from btfer.bench.runs.store import RunStore
    from btfer.bench.submit import pack, write_bundle
    from btfer.paths import bundles_dir

    data_dir = context.settings().data_dir
    record = RunStore(data_dir / "runs", output.ConsoleProgress()).record(run)
    images = _release(release, record.release_name)
    bundle, data = pack(record, images, name=name, by=by, link=link)
    path, checked = write_bundle(out or bundles_dir(data_dir), bundle, data, images)
    facts = {"file": path, "bytes": len(data), "release": images.name, **checked.scores}
    output.report(facts, "{file}: {bytes} bytes; accuracy {accuracy:.3f} on {release}", as_json)


@bench_app.command("merge")
def bench_merge(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Data folders, or their folders of runs."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of each run.")
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Bring the runs of other folders into this one, as those of a cluster's jobs.

    Where a run is here already, finished beats unfinished, and of one training the run that is scored on more; of two
    trainings the one here is kept and the other named. Twice changes nothing, and a merge that was killed goes on.

    Example: btfer bench merge scratch/*/
    """
    from btfer.bench.runs.merge import merge

    with output.progress() as progress:
        found = merge(context.settings().data_dir / "runs", folders, progress, dry_run=dry_run)
    counted = {name: len(ids) for name, ids in asdict(found).items()}
    told = ", ".join(f"{counted[name]} {words}" for name, words in MERGED.items() if counted[name])
    facts = {"dry_run": dry_run, **asdict(found)}
    output.report(facts, f"{'would be: ' if dry_run else ''}{told or 'no run'}", as_json)


@app.command()
def leaderboard(
    folder: Annotated[Path, typer.Argument(help="Folder of bundles.")],
    release: arguments.ReleaseOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write [leaderboard/ beside the bundles].")
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Rank bundles of btfer bench submit on a page that needs no network, every number computed anew.

    Example: btfer leaderboard data/bundles --out site/
    """
    from btfer.bench.datasets import load_release
    from btfer.bench.leaderboard import write_leaderboard

    images = load_release(context.release_folder(release))
    with output.progress() as progress:
        written = write_leaderboard(folder, images, out or folder / "leaderboard", progress)
    facts = {"page": written.page, "ranked": written.ranked, "left_out": dict(written.left_out)}
    told = f"{{page}}: {{ranked}} ranked on {images.name}, {len(written.left_out)} left out"
    output.report(facts, told, as_json)


def checked_bundles(paths: list[Path], progress: "Progress") -> "CheckedFolder":
    """Others' bundles, each scored on the release that it names, which must be in data/releases.

    A file that is named must be one; of a folder, what is none is left out with a line, as a leaderboard does.
    """
    from btfer.bench.submit import CheckedFolder, check_bundle, check_folder, read_bundle

    known: dict[str, ImageSet] = {}
    found = CheckedFolder([], [])
    for path in paths:
        if path.is_dir():
            if not any(path.iterdir()):
                raise UsageError(
                    f"{path} is empty: name a folder with bundles of btfer bench submit"
                )
            folder = check_folder(
                path, lambda one: _release_of(one, known), progress, what="be shown"
            )
            found.checked.extend(folder.checked)
            found.left_out.extend(folder.left_out)
        else:
            bundle = read_bundle(path)
            found.checked.append(check_bundle(bundle, _release_of(bundle, known)))
    return found


def _release_of(bundle: "Bundle", known: "dict[str, ImageSet]") -> "ImageSet":
    """The release of a bundle, the one of its name first. known: those that were read, by name; more are added."""
    from btfer.bench.datasets import load_release
    from btfer.bench.submit.checks import release_of
    from btfer.paths import releases_dir

    home = releases_dir(context.settings().data_dir)
    folders = [one for one in home.glob("*/metadata.csv") if one.is_file()] if home.is_dir() else []
    wanted = bundle.card.release
    for folder in sorted(
        (one.parent for one in folders), key=lambda one: one.name != wanted["name"]
    ):
        if folder.name not in known:
            try:
                known[folder.name] = load_release(folder)
            except UsageError:  # one that is damaged, or only names addresses
                continue
        if known[folder.name].digest == wanted["digest"]:
            break
    return release_of(bundle, list(known.values()))


def _release(asked: str | None, named: str) -> "ImageSet":
    """The release that is asked for, else the one of this name in data/releases, else the newest."""
    from btfer.bench.datasets import load_release
    from btfer.paths import releases_dir

    own = releases_dir(context.with_releases().data_dir) / named
    if asked is None and named and (own / "metadata.csv").is_file():
        return load_release(own)
    return load_release(context.release_folder(asked))
