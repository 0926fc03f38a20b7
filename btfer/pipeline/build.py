"""`btfer build`: every automatic stage that has work, in order, with stops where people judge."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from btfer import leaks
from btfer.catalogue import Catalogue, photos
from btfer.catalogue import votes as ballots
from btfer.catalogue.store import Row
from btfer.errors import Incomplete
from btfer.pipeline import crop, dedup, formats, funnel, overview, release, release_metadata, sample
from btfer.pipeline.overview import OPEN_APP, Overview
from btfer.review import agreement_table
from btfer.settings import Settings

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to build. unreviewed: '' = stop for people, or `drop` or `keep` what nobody has judged.

    strategy and max_per_site: how a class is drawn (`sample.draw`). formats: packed forms beside the folder
    (`formats.FORMATS`). sources: whether the release tells where its photos are (`release.WITHOUT`...).
    training: sets by name whose faces are not drawn; None = nobody asked.
    """

    per_class: int = 300
    unreviewed: str = ""
    allow_short: bool = False
    name: str = "btfer"
    strategy: str = "equal"
    max_per_site: int = sample.MAX_PER_SITE
    formats: Sequence[str] = ()
    sources: str = release.WITHOUT
    training: dict[str, Path] | None = None


def run(
    cat: Catalogue, settings: Settings, plan: Plan, on_progress: Progress | None = None
) -> release.Release:
    """Bring the catalogue as far as it goes. Raises Incomplete, with the next command, where people are needed."""
    packed = formats.check_formats(plan.formats)
    if not photos.count(cat):
        raise Incomplete("there are no photos yet: run btfer crawl, or btfer import FOLDER")
    dedup.run(cat, settings, on_progress)
    chosen = crop.crop_settings(settings)
    _stop_for_disputes(cat, "photos")
    known = overview.read(cat, chosen.digest)
    _stop_for_people(len(known.photos_waiting()), "photos", 1, plan)
    cut = crop.run(cat, settings, unreviewed=plan.unreviewed, on_progress=on_progress)
    _stop_for_disputes(cat, "faces")
    if cut.photos:
        known = overview.read(cat, chosen.digest)
    _stop_for_people(len(known.faces_waiting()), "faces", 2, plan)
    kept = known.kept_faces(plan.unreviewed)
    free = [row for row in kept if release_metadata.may_be_cropped(row)]
    barred = len(kept) - len(free)
    leaked: dict[str, Any] = {}
    if plan.training is not None:
        free, found = leaks.exclude(cat, settings, free, plan.training, on_progress or _silent)
        leaked = {name: asdict(one) for name, one in found.items()}
    drawn = sample.draw(
        free,
        per_class=plan.per_class,
        seed=settings.seed,
        allow_short=plan.allow_short,
        strategy=plan.strategy,
        max_per_site=plan.max_per_site,
    )
    facts = facts_of(settings, plan, drawn) | counted(cat, known)
    facts |= {"no_derivatives": barred, "formats": packed}
    facts["settings"] |= {"excluded_leaks": leaked} if leaked else {}
    images = release_metadata.release_images(cat, settings.data_dir, drawn.chosen, settings.seed)
    return release.write(cat, settings, images, facts, name=plan.name)


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody looks on."""


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


def facts_of(settings: Settings, plan: Plan, drawn: sample.Sample) -> dict[str, Any]:
    """What a release tells of how it was asked for and drawn."""
    return {
        "per_class": plan.per_class,
        "available": drawn.available,
        "counts": {label: len(rows) for label, rows in drawn.chosen.items()},
        "no_derivatives": 0,
        "formats": (),
        "settings": {
            "crop": asdict(crop.crop_settings(settings)),
            "max_hamming_bits": settings.max_hamming_bits,
            "seed": settings.seed,
            "strategy": plan.strategy,
            "per_place": plan.max_per_site,
            "unreviewed": plan.unreviewed,
        },
        "sources": plan.sources,
        "version": 1,
        "changes": [],
    }


def counted(cat: Catalogue, known: Overview) -> dict[str, Any]:
    """What a release tells of how it came about: the funnel, and how far people agreed."""
    lines = funnel.before_release(known)
    return {
        "funnel": [
            {"stage": one.stage, "what": one.what, "total": one.total, "per_class": one.per_class}
            for one in lines
        ],
        "agreement": [line for round_ in ("photos", "faces") for line in _agreement(cat, round_)],
    }


def _agreement(cat: Catalogue, round_: str) -> list[Row]:
    found = agreement_table.measure(cat, round_)
    return [
        {
            "round": round_,
            "statistic": row["statistic"],
            "n_items": row["n_items"],
            "value": agreement_table.number(row),
            "interval": agreement_table.interval(row),
        }
        for row in found.rows
        if found.n_items and row["by"] == agreement_table.ALL and row["value"] is not None
    ]
