"""`btfer build`: every automatic stage that has work, in order, with stops where people judge."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from btfer import leaks
from btfer.catalogue import Catalogue, faces, photos, verdicts
from btfer.catalogue import votes as ballots
from btfer.catalogue.store import Row
from btfer.errors import Incomplete
from btfer.pipeline import crop, dedup, funnel, release, sample
from btfer.review.agreement_table import soft_labels
from btfer.settings import Settings

OPEN_APP = "streamlit run review_app/app.py"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to build. unreviewed: '' = stop for people, or `drop` or `keep` what nobody has judged.

    strategy and per_place: how a class is drawn (`sample.draw`). training: sets by name whose faces are
    not drawn; None = nobody asked.
    """

    per_class: int = 300
    unreviewed: str = ""
    allow_short: bool = False
    name: str = "btfer"
    strategy: str = "equal"
    per_place: int = sample.PER_PLACE
    training: dict[str, Path] | None = None


def run(
    cat: Catalogue, settings: Settings, plan: Plan, on_progress: Progress | None = None
) -> release.Release:
    """Bring the catalogue as far as it goes. Raises Incomplete, with the next command, where people are needed."""
    if not photos.count(cat):
        raise Incomplete("there are no photos yet: run 'make crawl', or 'btfer import FOLDER'")
    dedup.run(cat, settings, on_progress)
    _stop_for_disputes(cat, "photos")
    _stop_for_people(len(photos.awaiting_review(cat)), "photos", 1, plan)
    crop.run(cat, settings, unreviewed=plan.unreviewed, on_progress=on_progress)
    chosen = crop.crop_settings(settings)
    _stop_for_disputes(cat, "faces")
    _stop_for_people(len(faces.awaiting_review(cat, chosen.digest)), "faces", 2, plan)
    kept = kept_faces(cat, chosen.digest, plan.unreviewed)
    free = [row for row in kept if release.may_be_cropped(row)]
    facts: dict[str, Any] = {"no_derivatives": len(kept) - len(free)}
    told: dict[str, Any] = {}
    if plan.training is not None:
        free, told = leaks.exclude(cat, settings, free, plan.training, on_progress or _silent)
    drawn = sample.draw(
        free,
        per_class=plan.per_class,
        seed=settings.seed,
        allow_short=plan.allow_short,
        strategy=plan.strategy,
        per_place=plan.per_place,
    )
    facts |= _facts(cat, settings, plan, drawn)
    facts["settings"] |= {"excluded_leaks": told} if told else {}
    images = release.pictures(settings.data_dir, drawn.chosen)
    return release.write(cat, settings, images, facts, name=plan.name)


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody looks on."""


def kept_faces(cat: Catalogue, settings: str, unreviewed: str = "") -> list[Row]:
    """Faces that may be sampled: kept or relabelled by a person, or not judged where `unreviewed` is `keep`."""
    allowed = {"keep", "relabel"} | ({""} if unreviewed == "keep" else set())
    votes = soft_labels(verdicts.votes(cat, "faces"), photos.label_of_each(cat))
    return [
        row | {"votes": votes.get(row["id"], {})}
        for row in faces.labelled(cat, settings)
        if row["decision"] in allowed
    ]


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


def _facts(cat: Catalogue, settings: Settings, plan: Plan, drawn: sample.Sample) -> dict[str, Any]:
    chosen = crop.crop_settings(settings)
    lines = funnel.before_release(cat, chosen.digest)
    return {
        "per_class": plan.per_class,
        "available": drawn.available,
        "counts": {label: len(rows) for label, rows in drawn.chosen.items()},
        "settings": {
            "crop": asdict(chosen),
            "max_hamming_bits": settings.max_hamming_bits,
            "seed": settings.seed,
            "strategy": plan.strategy,
            "per_place": plan.per_place,
            "unreviewed": plan.unreviewed,
        },
        "funnel": lines,
        "version": 1,
        "changes": [],
    }
