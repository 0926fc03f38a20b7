"""`btfer build`: every automatic stage that has work, in order, with stops where people judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from btfer import leaks
from btfer.catalogue import Catalogue, photos
from btfer.catalogue import votes as ballots
from btfer.errors import Incomplete
from btfer.faces.modes import crop_settings
from btfer.pipeline import crop, dedup, formats, funnel, overview, release, release_images, sample
from btfer.pipeline.overview import OPEN_APP, Overview
from btfer.progress import SILENT, Progress
from btfer.release_record import (
    WITHOUT,
    AgreementLine,
    ExcludedLeaks,
    ReleaseRecord,
    ReleaseSettings,
)
from btfer.review import agreement_table
from btfer.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What to build. unreviewed: '' = stop for people, or `drop` or `keep` what nobody has judged.

    strategy and max_per_site: how a class is drawn (`sample.draw`). formats: packed forms beside the folder
    (`formats.FORMATS`). sources: whether the release names the addresses of its photos (`release_record.WITHOUT`...).
    training: sets by name whose faces are not drawn; None = nobody asked.
    """

    per_class: int = 300
    unreviewed: str = ""
    allow_short: bool = False
    name: str = "btfer"
    strategy: str = "equal"
    max_per_site: int = sample.MAX_PER_SITE
    formats: Sequence[str] = ()
    sources: str = WITHOUT
    training: dict[str, Path] | None = None


def run(
    cat: Catalogue, settings: Settings, plan: Plan, progress: Progress = SILENT
) -> release.Release:
    """Bring the catalogue as far as it goes. Raises Incomplete, with the next command, where people are needed."""
    packed = formats.check_formats(plan.formats)
    if not photos.count(cat):
        raise Incomplete("there are no photos yet: run btfer crawl, or btfer import FOLDER")
    dedup.run(cat, settings, progress)
    chosen = crop_settings(settings)
    _stop_for_disputes(cat, "photos")
    known = overview.read(cat, chosen.digest)
    _stop_for_people(len(known.photos_waiting()), "photos", 1, plan)
    cut = crop.run(cat, settings, unreviewed=plan.unreviewed, progress=progress)
    _stop_for_disputes(cat, "faces")
    if cut.photos:
        known = overview.read(cat, chosen.digest)
    _stop_for_people(len(known.faces_waiting()), "faces", 2, plan)
    kept = known.kept_faces(plan.unreviewed)
    free = [face for face in kept if release_images.may_be_cropped(face)]
    no_derivatives = len(kept) - len(free)
    leaked: dict[str, ExcludedLeaks] = {}
    if plan.training is not None:
        free, leaked = leaks.exclude(cat, settings, free, plan.training, progress)
    drawn = sample.draw(
        free,
        per_class=plan.per_class,
        seed=settings.seed,
        allow_short=plan.allow_short,
        strategy=plan.strategy,
        max_per_site=plan.max_per_site,
    )
    record = counted(cat, known, record_of(settings, plan, drawn, excluded_leaks=leaked))
    record = replace(record, no_derivatives=no_derivatives, formats=packed)
    images = release_images.release_images(cat, settings.data_dir, drawn.chosen)
    return release.write(cat, settings, images, record, name=plan.name, follow=True)


def _stop_for_people(waiting: int, what: str, round_: int, plan: Plan) -> None:
    if waiting and not plan.unreviewed:
        raise Incomplete(f"{waiting} {what} await round {round_}: {OPEN_APP}")


def _stop_for_disputes(cat: Catalogue, round_: str) -> None:
    disputes = ballots.count_disputes(cat, round_)
    if disputes:
        raise Incomplete(
            f"reviewers judged {disputes} {round_} differently: settle them on the page "
            f"'Disagreements': {OPEN_APP}"
        )


def record_of(
    settings: Settings,
    plan: Plan,
    drawn: sample.Sample,
    *,
    excluded_leaks: Mapping[str, ExcludedLeaks] | None = None,
) -> ReleaseRecord:
    """How a release was asked for and drawn; what was counted on the way is still to be filled in."""
    return ReleaseRecord(
        settings=ReleaseSettings(
            crop=crop_settings(settings),
            seed=settings.seed,
            max_hamming_bits=settings.max_hamming_bits,
            strategy=plan.strategy,
            max_per_site=plan.max_per_site,
            unreviewed=plan.unreviewed,
            excluded_leaks=excluded_leaks or {},
        ),
        per_class=plan.per_class,
        counts={label: len(faces) for label, faces in drawn.chosen.items()},
        available=drawn.available,
        sources=plan.sources,
    )


def counted(cat: Catalogue, known: Overview, record: ReleaseRecord) -> ReleaseRecord:
    """The record with how it came about: the funnel, and how far people agreed."""
    agreement = (line for round_ in ("photos", "faces") for line in _agreement(cat, round_))
    lines = tuple(funnel.before_release(known))
    return replace(record, funnel=lines, agreement=tuple(agreement))


def _agreement(cat: Catalogue, round_: str) -> list[AgreementLine]:
    found = agreement_table.measure(cat, round_)
    return [
        AgreementLine(
            round=round_,
            statistic=row.statistic,
            n_items=row.n_items,
            value=agreement_table.number(row),
            interval=agreement_table.interval(row),
        )
        for row in found.rows
        if found.n_items and row.by == agreement_table.ALL and row.value is not None
    ]
