"""Everything that `btfer demo` does, one step after the other, each said."""

import shlex
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from btfer.bench.report import print_table, results_table, write_report
from btfer.catalogue import open_catalogue
from btfer.demo import benchmark
from btfer.demo.line import demo_settings, sample_release
from btfer.extras import require
from btfer.files import only_one
from btfer.progress import SILENT, Progress


def run(
    folder: Path,
    *,
    per_class: int,
    epochs: int | None = None,
    say: Callable[[str], None],
    progress: Progress = SILENT,
    **flags: Any,
) -> Path:
    """Do everything under `folder`, saying each step; the page that tells of it.

    Raises Busy where another demo works there.
    """
    require("bench", "btfer demo")
    from btfer.demo import page, story

    settings = demo_settings(folder / "data", **flags)
    judge = "btfer demo --review"
    if folder != Path("demo"):
        judge += f" --folder {shlex.quote(str(folder))}"
    with only_one(settings.data_dir, "demo"):
        made, lines = sample_release(settings, per_class, say, progress)
        trained = benchmark.train(settings, made.path, epochs, say)
        edge = benchmark.on_a_small_computer(settings.data_dir, trained, say)
        report = write_report(settings.data_dir / "runs", settings.data_dir / "reports")
        with closing(open_catalogue(settings.catalogue_url)) as cat:
            told = story.Told(cat, settings, folder, made, trained, edge, report)
            index = page.write(folder / "index.html", story.gather(told, lines), judge=judge)
    say("\nThe funnel (synthetic faces):")
    for line in lines:
        say(f"  {line.stage:8} {line.what:34} {line.total:5}")
    say("\nResults on synthetic faces; they say nothing about recognising people's expressions:")
    print_table(results_table(trained))
    say(f"\ncontact sheet  {made.path / 'contact_sheet.png'}")
    say(f"page           {index}")
    say(f"report         {report}")
    say(f"\nTo judge the photos yourself: {judge}")
    return index
