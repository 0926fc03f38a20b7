"""What a person had best do next, as one sentence: judge, settle, or run a command."""

from collections.abc import Sequence
from dataclasses import dataclass

from btfer.review.forecast import Forecast


@dataclass(frozen=True)
class NextStep:
    """A sentence, and the page of the app where it is done ('' = a command does it)."""

    sentence: str
    page: str = ""
    button: str = ""


def next_step(
    *,
    photos: int,
    faces: int,
    disputes: int,
    to_crop: int,
    forecasts: Sequence[Forecast],
    wanted: int,
    pairs: int = 0,
    to_dedup: int = 0,
    others: int = 0,
) -> NextStep:
    """From what awaits people and the crop stage, and from how many faces of each class are wanted.

    to_dedup: photos that have just come. pairs: those that dedup asks about; first, since the answers say which
    photos are judged at all. others: pictures that await other people's votes alone.
    """
    if pairs:
        are = "pair of photos is" if pairs == 1 else "pairs of photos are"
        sentence = f"{pairs:,} {are} waiting to be compared: one picture, or two?"
        return NextStep(sentence, "pairs", "Compare pairs")
    if photos:
        return NextStep(f"{_are(photos, 'photo')} waiting to be judged.", "photos", "Judge photos")
    if faces:
        return NextStep(f"{_are(faces, 'face')} waiting to be judged.", "faces", "Judge faces")
    if disputes:
        was = "picture was" if disputes == 1 else "pictures were"
        sentence = f"{disputes:,} {was} judged differently and await the last word."
        return NextStep(sentence, "disagreements", "Settle them")
    if to_dedup and not to_crop:  # btfer build, which crops, does both
        sentence = f"{_are(to_dedup, 'new photo')} waiting for the search of duplicates"
        return NextStep(f"{sentence}: run `btfer dedup`, then load this page again.")
    if to_crop:
        return NextStep(
            f"{_are(to_crop, 'kept photo')} waiting for the crop stage: run `btfer build`."
        )
    if others:
        return NextStep(f"{_are(others, 'picture')} waiting for other reviewers, and none for you.")
    short = [one for one in forecasts if one.kept < wanted]
    if not short:
        return NextStep(f"Every class has its {wanted:,} faces: run `btfer build`.")
    least = min(short, key=lambda one: one.kept)
    missing = wanted - least.kept
    return NextStep(
        f"All is judged, and {len(short)} of {len(forecasts)} classes are short of faces, "
        f"{least.expression} of {missing:,}: run `btfer crawl`."
    )


def _are(n: int, noun: str) -> str:
    return f"{n:,} {noun} is" if n == 1 else f"{n:,} {noun}s are"
