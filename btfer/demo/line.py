"""The line from crawl to release on the built-in sample, which is served on loopback in the shape of an image search.

People's two rounds are played from the verdicts that the sample records.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue, photos
from btfer.faces.modes import crop_settings
from btfer.pipeline import build, crawl, crop, dedup, funnel, release, verify
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.progress import SILENT, Progress
from btfer.queries import load_plan
from btfer.release_record import FunnelLine
from btfer.review import Judged, PhotoBox, TrueFace
from btfer.sample import FOLDER, load_manifest
from btfer.settings import Settings, load_settings
from btfer.sources.sample import open_sample

REVIEWER = "demo"
QUERIES = FOLDER / "queries"


def demo_settings(data_dir: Path, **flags: Any) -> Settings:
    """Settings of a demo's data folder: its own catalogue, whatever is set for the user's own work."""
    return load_settings(
        data_dir=data_dir, catalogue="", queries_dir=QUERIES, host_delay_s=0, **flags
    )


def sample_release(
    settings: Settings, per_class: int, say: Callable[[str], None], progress: Progress = SILENT
) -> tuple[release.Release, list[FunnelLine]]:
    """The built-in sample made into a release by the real stages, saying each; the release and the funnel.

    Done again in the same data folder, it is the release that is there.
    """
    with closing(open_catalogue(settings.catalogue_url)) as cat:
        collect(cat, settings, say, progress)
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


def collect(
    cat: Catalogue, settings: Settings, say: Callable[[str], None], progress: Progress = SILENT
) -> None:
    """Search, fetch and compare: all that comes before people judge."""
    say("1. crawl: the synthetic sample on loopback, searched and fetched like the web")
    _crawl(cat, settings, say, progress)
    found = dedup.run(cat, settings, progress)
    say(f"2. dedup: {found.dropped} near-duplicates in {found.groups} groups dropped")


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
