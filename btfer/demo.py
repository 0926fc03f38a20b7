"""`btfer demo`: the whole line on the built-in synthetic sample, with the real code of every stage.

The sample is served on loopback in the shape of an image search and crawled; people's two rounds are
played from the verdicts that the sample records. Run again, it goes on where it stopped.
"""

import base64
import shlex
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from btfer import bench, review
from btfer.bench.report import print_table, results_table, write_report
from btfer.bench.runs.record import RunRecord
from btfer.catalogue import Catalogue, open_catalogue, photos
from btfer.extras import require
from btfer.faces.modes import crop_settings
from btfer.files import write_atomic
from btfer.pipeline import build, crawl, crop, dedup, funnel, release, verify
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.progress import SILENT, Progress
from btfer.queries import load_plan
from btfer.release_record import FunnelLine
from btfer.review import Judged, PhotoBox, TrueFace
from btfer.sample import load_manifest
from btfer.settings import Settings, load_settings
from btfer.sources.sample import open_sample

REVIEWER = "demo"
QUERIES = Path(__file__).parent / "sample" / "queries"
SHOWN = ("architecture", "resolution", "balance", "train_set", "val_accuracy", "val_macro_f1")


def run(
    folder: Path,
    *,
    per_class: int,
    epochs: int,
    say: Callable[[str], None],
    progress: Progress = SILENT,
    **flags: Any,
) -> Path:
    """Do everything under `folder`, saying each step; the page that shows the outcome."""
    require("bench", "btfer demo")
    # Its own catalogue, whatever is set for the user's own work.
    settings = load_settings(
        data_dir=folder / "data", catalogue="", queries_dir=QUERIES, host_delay_s=0, **flags
    )
    made, lines = sample_release(settings, per_class, say, progress)
    say(f"7. bench: sequential_4conv, {epochs} epochs a fold, in-domain on synthetic faces")
    results = _bench(settings, made, epochs, say)
    page = _write_page(folder / "index.html", lines, made, results)
    report = write_report(settings.data_dir / "runs", settings.data_dir / "reports")
    _tell(say, settings, lines, results, made, (page, report))
    return page


def sample_release(
    settings: Settings, per_class: int, say: Callable[[str], None], progress: Progress = SILENT
) -> tuple[release.Release, list[FunnelLine]]:
    """The built-in sample made into a release by the real stages, saying each; the release and the funnel.

    Done again in the same data folder, it is the release that is there.
    """
    with closing(open_catalogue(settings.catalogue_url)) as cat:
        say("1. crawl: the synthetic sample on loopback, searched and fetched like the web")
        _crawl(cat, settings, say, progress)
        found = dedup.run(cat, settings, progress)
        say(f"2. dedup: {found.dropped} near-duplicates in {found.groups} groups dropped")
        say(f"3. photos: {_judge_photos(cat)} judged as recorded in the sample")
        cut = crop.run(cat, settings, progress=progress)
        say(f"4. crop: {cut.taken} faces in {cut.photos} photos, {cut.empty} without one")
        say(f"5. faces: {_judge_faces(cat, settings)} judged by the sample's exact boxes")
        made = build.run(cat, settings, build.Plan(per_class=per_class, max_per_site=0), progress)
        wrong = [problem for check in verify.verify(made.path) for problem in check.problems]
        state = "; ".join(wrong) or "verified"
        say(f"6. release: {made.images} images, {state}: {made.path}")
        lines = funnel.funnel(cat, crop_settings(settings).digest)
    return made, lines


def _crawl(
    cat: Catalogue, settings: Settings, say: Callable[[str], None], progress: Progress
) -> None:
    def watch(outcome: CrawlOutcome) -> None:
        progress.update("fetch", outcome.ended, outcome.to_end)

    plan = load_plan(QUERIES)
    with open_sample() as source:
        outcome = crawl.run(cat, settings, [source], plan, per_query=100, watch=watch)
    for line in outcome.lines():
        say(f"   {line}")


def _judge_photos(cat: Catalogue) -> int:
    """Round 1, as a person would have judged: the verdict that the sample records for each picture."""
    recorded = {one.sha256: one for one in load_manifest()}
    judged = []
    for photo in photos.awaiting_review(cat):
        one = recorded.get(photo.sha256)
        if one:
            judged.append(Judged(photo.sha256, one.decision, one.reason))
    return review.commit(cat, "photos", judged, REVIEWER).written


def _judge_faces(cat: Catalogue, settings: Settings) -> int:
    """Round 2: each crop takes the label of the true face that it overlaps."""
    truth = [
        TrueFace(one.sha256, PhotoBox(face.x, face.y, face.width, face.height), face.label)
        for one in load_manifest()
        for face in one.faces
    ]
    digest = crop_settings(settings).digest
    return review.apply_labels_to_faces(cat, digest, truth, REVIEWER).written


class _Indented:
    """The lines of the benchmark, indented below the step."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def update(self, stage: str, done: int, total: int) -> None:
        """Not shown."""

    def say(self, text: str) -> None:
        """Print it below the step."""
        self._say(f"   {text}")


def _bench(
    settings: Settings, made: release.Release, epochs: int, say: Callable[[str], None]
) -> list[RunRecord]:
    request = bench.BenchRequest(
        data_dir=settings.data_dir,
        release=made.path,
        architectures=["sequential_4conv"],
        seeds=[settings.seed],
        epochs=epochs,
        folds=2,
    )
    return bench.bench(request, _Indented(say))


def _write_page(
    path: Path, lines: list[FunnelLine], made: release.Release, results: list[RunRecord]
) -> Path:
    sheet = (made.path / "contact_sheet.png").read_bytes()
    environment = Environment(
        loader=PackageLoader("btfer"), undefined=StrictUndefined, autoescape=True, trim_blocks=True
    )
    html = environment.get_template("demo.html.j2").render(
        classes=funnel.CLASSES,
        lines=lines,
        release=made,
        sheet=base64.b64encode(sheet).decode(),
        results=[{name: getattr(row, name) for name in SHOWN} for row in results_table(results)],
    )
    write_atomic(path, html.encode())
    return path


def _tell(
    say: Callable[[str], None],
    settings: Settings,
    lines: list[FunnelLine],
    results: list[RunRecord],
    made: release.Release,
    pages: tuple[Path, Path],
) -> None:
    say("\nThe funnel (synthetic faces):")
    for line in lines:
        say(f"  {line.stage:8} {line.what:34} {line.total:5}")
    say("\nResults on synthetic faces; they show that the line works, and nothing else:")
    print_table(results_table(results))
    say(f"\ncontact sheet  {made.path / 'contact_sheet.png'}")
    say(f"page           {pages[0]}")
    say(f"report         {pages[1]}")
    say(
        "\nTo judge by hand instead: open the app on this data, undo the verdicts of 'demo' (page Log), and build:"
    )
    say(f"  BTFER_DATA_DIR={shlex.quote(str(settings.data_dir))} btfer app")
