"""Commands around the built-in sample of synthetic faces: demo, sample render, sample serve."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from btfer.cli import context, output
from btfer.cli.groups import Group
from btfer.errors import UsageError

OF_DEMO = ("engine", "workers", "seed")

app = typer.Typer(rich_markup_mode=None)
sample_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(
    sample_app, name="sample", help="Render or serve the built-in sample of synthetic faces."
)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Folder for its data.")] = Path("demo"),
    per_class: Annotated[int, typer.Option(min=1, help="Faces per class.")] = 12,
    epochs: Annotated[int, typer.Option(min=1, help="Training epochs per fold.")] = 4,
) -> None:
    """Run the whole line on a built-in synthetic sample, in minutes.

    Crawl, dedup, review, crop, release, training and report run for real; the verdicts are those
    recorded with the sample.

    Example: btfer demo
    """
    from btfer.demo import run

    flags = {name: value for name, value in context.flags.items() if name in OF_DEMO}
    if other := sorted(context.flags.keys() - flags.keys()):
        raise UsageError(
            f"the setting '{other[0]}' has no effect on demo: it runs with its own under --folder"
        )
    context.settings()  # a wrong btfer.toml or variable is named before anything begins
    with output.progress() as progress:
        say = partial(print, flush=True)
        run(folder, per_class=per_class, epochs=epochs, say=say, progress=progress, **flags)


@sample_app.command("render")
def sample_render(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    assets: Annotated[
        Path | None, typer.Option(help="The 3D data [fetched from the package registry].")
    ] = None,
) -> None:
    """Render the built-in sample again, byte for byte, from CC0 3D data.

    Example: btfer sample render /tmp/sample
    """
    from btfer.sample import render

    with output.progress() as progress:
        data = assets or render.fetch_assets(context.settings().data_dir / "assets")
        render.render_sample(
            out, data=data, progress=lambda done, total: progress.update("render", done, total)
        )
    changed = render.check_rendered(out)
    for name in changed:
        print(f"differs from the built-in photo: {name}")
    if changed:
        raise typer.Exit(1)
    print("every photo is byte for byte the built-in one")


@sample_app.command("serve")
def sample_serve() -> None:
    """Serve the built-in sample on this machine like an image search, until Ctrl-C.

    Example: btfer sample serve
    """
    import signal

    from btfer.sample.site import serve_sample

    with serve_sample() as site:
        print(f"{site.url}  (Ctrl-C stops it)", flush=True)
        signal.pause()
