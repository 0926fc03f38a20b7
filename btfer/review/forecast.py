"""What each class will likely yield in the end, beside what is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from btfer.catalogue import Catalogue
from btfer.expressions import EXPRESSIONS
from btfer.review.queues import Tally, counts, progress

ENOUGH = 20  # a rate from fewer judgements of a class is that of all classes


@dataclass(frozen=True)
class Forecast:
    """One class: faces kept by people so far, and how many there will likely be (None = too early to tell)."""

    expression: str
    kept: int
    likely: int | None


def forecast(cat: Catalogue, crop_digest: str) -> list[Forecast]:
    """For each class, in label order.

    It assumes that waiting faces are kept at the rate so far, and that waiting photos, and those that the
    crop stage has not looked at, yield faces at the rate so far.
    """
    counted = counts(cat, crop_digest)
    seen, taken = counted["crop", "seen", ""], counted["crop", "taken", ""]
    waiting = [name for name, n in to_crop(cat, crop_digest).items() for _ in range(n)]
    return estimate(progress(cat, crop_digest), waiting, taken / seen if seen else None)


def to_crop(cat: Catalogue, crop_digest: str) -> dict[str, int]:
    """How many photos of each label people kept and the crop stage has not looked at."""
    counted = counts(cat, crop_digest).items()
    return {label: n for (kind, label, _), n in counted if kind == "uncropped" and n}


def to_dedup(cat: Catalogue, crop_digest: str) -> int:
    """How many photos have come that dedup has not looked at: nobody is asked to judge them yet."""
    return counts(cat, crop_digest)["new", "", ""]


def estimate(
    tallies: Iterable[Tally], uncropped: Iterable[str], faces_per_photo: float | None
) -> list[Forecast]:
    """From how far both rounds are, the labels of kept photos without a crop, and faces taken per photo."""
    of = {(one.round, one.expression): one for one in tallies}
    to_crop = list(uncropped)
    keep_photo, keep_face = _rate(of, "photos"), _rate(of, "faces")
    found = []
    for name in EXPRESSIONS:
        photo = of.get(("photos", name), Tally("photos", name))
        face = of.get(("faces", name), Tally("faces", name))
        likely = _likely(
            face.kept,
            face.awaiting,
            to_crop.count(name),
            photo.awaiting,
            (_rate(of, "photos", name) or keep_photo, faces_per_photo),
            _rate(of, "faces", name) or keep_face,
        )
        found.append(Forecast(name, face.kept, likely))
    return found


def _likely(
    kept: int,
    faces_open: int,
    photos_to_crop: int,
    photos_open: int,
    per_photo: tuple[float | None, float | None],
    keep_face: float | None,
) -> int | None:
    keep_photo, faces_per_photo = per_photo
    photos_to_come = photos_to_crop + (photos_open * keep_photo if keep_photo is not None else 0)
    unknown = (photos_open and keep_photo is None) or (photos_to_come and faces_per_photo is None)
    faces_to_come = faces_open + photos_to_come * (faces_per_photo or 0)
    if unknown or (faces_to_come and keep_face is None):
        return None
    return round(kept + faces_to_come * (keep_face or 0))


def _rate(of: dict[tuple[str, str], Tally], round_: str, name: str = "") -> float | None:
    """The share kept in a round, of one class ('' = of all); None from too few."""
    chosen = [one for one in of.values() if one.round == round_ and name in ("", one.expression)]
    kept, judged = sum(one.kept for one in chosen), sum(one.kept + one.dropped for one in chosen)
    return kept / judged if judged >= ENOUGH else None
