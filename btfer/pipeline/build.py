"""`btfer build`: every automatic stage that has work, in order, with stops where people judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from btfer import leaks
from btfer.catalogue import Catalogue, photos, releases
from btfer.catalogue import votes as ballots
from btfer.catalogue.rows import KeptFace
from btfer.errors import Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.faces.modes import crop_settings
from btfer.licences import LOCAL
from btfer.paths import erasures_dir, releases_dir
from btfer.pipeline import (
    crop,
    dedup,
    face_dedup,
    formats,
    funnel,
    licence_policy,
    overview,
    person_cap,
    release,
    release_images,
    sample,
)
from btfer.pipeline.overview import OPEN_APP, Overview, to_judge
from btfer.progress import SILENT, Progress
from btfer.release_record import (
    WITHOUT,
    AgreementLine,
    ExcludedLeaks,
    PersonCap,
    ReleaseRecord,
    ReleaseSettings,
    read_record,
)
from btfer.review import agreement_table
from btfer.settings import Settings
from btfer.store import store_of
from btfer.store.mirror import pull


@dataclass(frozen=True)
class Plan:
    """What to build. unreviewed: '' = stop for people, or `drop` or `keep` what nobody has judged.

    strategy and max_per_site: how a class is drawn (`sample.draw`). formats: packed forms beside the folder
    (`formats.FORMATS`). sources: whether the release names the addresses of its photos (`release_record.WITHOUT`...).
    training: sets by name whose faces are not drawn; None = nobody asked. use: what the release is for, which
    decides on licences (`licences.USES`). max_per_person: most images of one person (`person_cap`), 0 = any number.
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
    use: str = LOCAL
    max_per_person: int = 0


def run(
    cat: Catalogue, settings: Settings, plan: Plan, progress: Progress = SILENT
) -> release.Release:
    """Bring the catalogue as far as it goes. Raises Incomplete, with the next command, where people are needed."""
    packed = formats.check_formats(plan.formats)
    capped = person_cap.cap_of(settings, plan.max_per_person) if plan.max_per_person else None
    store = store_of(settings)
    for name in ("erasures", "releases"):  # of other machines
        pull(store, name)
    if any(erasures_dir(settings.data_dir).glob("open-*.json")):
        raise Incomplete("an erasure was begun and is not finished: run btfer forget")
    if not photos.count(cat):
        raise Incomplete("there are no photos yet: run btfer crawl, or btfer import FOLDER")
    dedup.run(cat, settings, progress)
    chosen = crop_settings(settings)
    _stop_for_disputes(cat, "photos")
    known = overview.read(cat, chosen.digest)
    _stop_for_people(len(known.photos_waiting()), "photos", plan)
    cut = crop.run(cat, settings, unreviewed=plan.unreviewed, progress=progress)
    same = face_dedup.run(cat, settings, progress)
    _stop_for_disputes(cat, "faces")
    if cut.photos or same.changed:
        known = overview.read(cat, chosen.digest)
    _stop_for_people(len(known.faces_waiting()), "faces", plan)
    kept = known.kept_faces(plan.unreviewed)
    by_licence = licence_policy.sort_by_licence(kept, plan.use)
    free = by_licence.free
    leaked: dict[str, ExcludedLeaks] = {}
    if plan.training is not None:
        free, leaked = leaks.exclude(cat, settings, free, plan.training, progress)
    draw = partial(
        sample.draw,
        per_class=plan.per_class,
        seed=settings.seed,
        allow_short=plan.allow_short,
        strategy=plan.strategy,
        max_per_site=plan.max_per_site,
    )
    withheld = by_licence.lines(plan.use)
    if capped:
        people = person_cap.People(cat, settings, *capped, progress)
        drawn = person_cap.draw_capped(draw, free, people, settings.seed, withheld)
    else:
        drawn = draw(free, withheld=withheld)
    if not any(drawn.chosen.values()):
        raise Incomplete(_why_empty(kept, by_licence, free, plan.use))
    asked = record_of(settings, plan, drawn, excluded_leaks=leaked, per_person=capped and capped[0])
    record = counted(cat, known, asked)
    record = replace(
        record,
        no_derivatives=by_licence.no_derivatives,
        reserved=by_licence.reserved,
        withheld=by_licence.by_licence(),
        licence_conflicts=_conflicts(drawn),
        formats=packed,
    )
    earlier = _earlier_names(cat, settings, plan, record)
    images = release_images.release_images(cat, settings.data_dir, drawn.chosen, earlier)
    return release.write(cat, settings, images, record, name=plan.name, follow=True)


def _earlier_names(
    cat: Catalogue, settings: Settings, plan: Plan, record: ReleaseRecord
) -> dict[str, str]:
    """The files of the newest release that was asked for in the same way, by face: an image keeps its name."""
    for name in releases.with_settings(cat, record.settings.as_json()):
        if name.rpartition("-")[0] == plan.name:
            try:
                before = read_record(releases_dir(settings.data_dir) / name)
            except UsageError:
                continue
            if before.per_class == plan.per_class:
                return {one.face: one.file for one in releases.faces_in(cat, name)}
    return {}


def _why_empty(
    kept: Sequence[KeptFace], by_licence: licence_policy.Sorted, free: Sequence[KeptFace], use: str
) -> str:
    """Why there is nothing to draw from, and what to do. free: without those of training sets."""
    empty = "no release was made, it would be empty:"
    if not kept:
        return f"{empty} there are no faces to draw from (btfer status tells where they went)"
    if all(face.expression not in EXPRESSIONS for face in kept):
        return (
            f"{empty} none of {len(kept)} faces has a class: label the photos "
            f"(btfer import FOLDER --labels labels.csv), or judge them: {OPEN_APP}"
        )
    if by_licence.free and not any(face.expression in EXPRESSIONS for face in free):
        return f"{empty} all faces that have a class are found in a training set (--exclude-leaks)"
    lines = [f"{empty} no face with a class may be in it", *by_licence.lines(use)]
    return "\n".join(lines)


def _conflicts(drawn: sample.Sample) -> int:
    return sum(bool(face.licence_conflict) for its in drawn.chosen.values() for face in its)


def _stop_for_people(waiting: int, what: str, plan: Plan) -> None:
    if waiting and not plan.unreviewed:
        raise Incomplete(f"{to_judge(waiting, what)}; then run this command again")


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
    per_person: PersonCap | None = None,
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
            use=plan.use,
            excluded_leaks=excluded_leaks or {},
            per_person=per_person,
        ),
        per_class=plan.per_class,
        counts={label: len(faces) for label, faces in drawn.chosen.items()},
        available=drawn.available,
        same_person=drawn.same_person.total(),
        funnel=(funnel.same_person(drawn.same_person),) if per_person else (),
        sources=plan.sources,
    )


def counted(cat: Catalogue, known: Overview, record: ReleaseRecord) -> ReleaseRecord:
    """The record with how it came about: the funnel, with what was left out by the draw, and how far people agreed."""
    agreement = (line for round_ in ("photos", "faces") for line in _agreement(cat, round_))
    drawn = (line for line in record.funnel if line.stage == funnel.SAMPLE)
    lines = (*funnel.before_release(known), *drawn)
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
