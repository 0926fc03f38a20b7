"""What is told to people: their pace, when to rest, and what each class will likely yield."""

import datetime
from pathlib import Path

import pytest

from btfer import review
from btfer.review import Judged, Pace, Tally
from btfer.review.forecast import Forecast, estimate
from btfer.review.pace import of_pages
from tests.drawn_catalogue import DIGEST, label_of, make

START = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)  # after all that is written meanwhile


def pages(*minutes: float, n: int = 48) -> list[tuple[datetime.datetime, int]]:
    return [(START + datetime.timedelta(minutes=at), n) for at in minutes]


def after(minutes: float) -> datetime.datetime:
    return START + datetime.timedelta(minutes=minutes)


def test_the_pace_is_that_of_work_and_not_of_breaks() -> None:
    found = of_pages(pages(0, 1, 2, 30, 31), after(31))
    assert found.per_minute == pytest.approx(48)
    assert found.worked_s == 60
    assert found.minutes_for(480) == pytest.approx(10)


@pytest.mark.parametrize("given", [[], pages(0)], ids=["no page", "one page"])
def test_one_page_tells_no_pace(given: list) -> None:
    assert of_pages(given, after(1)) == Pace(0.0, 0.0)
    assert Pace(0.0, 0.0).minutes_for(100) is None


def test_three_quarters_of_an_hour_without_a_break_are_enough() -> None:
    long = pages(*range(0, 48, 2))
    assert of_pages(long, after(46)).should_rest
    assert not of_pages(long[:20], after(38)).should_rest
    assert not of_pages(long, after(60)).should_rest  # they have had one


def test_a_persons_pace_comes_from_their_own_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, ids = make(tmp_path, 4)
    times = iter(after(at).isoformat(timespec="microseconds") for at in (0, 0.001, 1.001))
    monkeypatch.setattr("btfer.catalogue.verdicts.timestamp", lambda: next(times))
    review.commit(cat, "photos", [Judged(ids[0])], "ann")
    review.commit(cat, "photos", [Judged(id_) for id_ in ids[1:3]], "ann")
    assert review.pace(cat, "ben", after(1)) == Pace(0.0, 0.0)
    assert review.pace(cat, "ann", after(1)).per_minute == 0  # in an instant: nobody looked at them
    review.commit(cat, "photos", [Judged(ids[3])], "ann")
    assert review.pace(cat, "ann", after(2)).per_minute == pytest.approx(1)


def test_what_nobody_can_have_looked_at_is_no_pace() -> None:
    """As of a script, or of the key that was held down: 48 in 0.4 seconds would be 7,058 a minute."""
    quick = [(START + datetime.timedelta(seconds=0.4 * n), 48) for n in range(20)]
    assert of_pages(quick, after(1)).per_minute == 0
    both = [*quick, *pages(1, 2, 3)]
    assert of_pages(both, after(3)).per_minute == pytest.approx(48, rel=0.1)


@pytest.mark.parametrize(
    ("waiting", "said", "page"),
    [
        ({"pairs": 1, "photos": 3}, "1 pair of photos is waiting", "pairs"),
        ({"pairs": 2}, "2 pairs of photos are waiting", "pairs"),
        ({"photos": 1, "faces": 5}, "1 photo is waiting to be judged", "photos"),
        ({"faces": 1200}, "1,200 faces are waiting to be judged", "faces"),
        ({"disputes": 2}, "2 pictures were judged differently", "disagreements"),
        ({"to_crop": 3}, "3 kept photos are waiting for the crop stage: run `btfer build`", ""),
        ({}, "1 of 2 classes are short of faces, sad of 9: run `btfer crawl`", ""),
        (
            {"to_dedup": 8},
            "8 new photos are waiting for the search of duplicates: run `btfer dedup`",
            "",
        ),
        ({"to_dedup": 8, "photos": 1}, "1 photo is waiting to be judged", "photos"),
        ({"to_dedup": 8, "to_crop": 1}, "1 kept photo is waiting for the crop stage", ""),
        ({"others": 1}, "1 picture is waiting for other reviewers, and none for you", ""),
        ({"others": 3, "faces": 1}, "1 face is waiting to be judged", "faces"),
        ({"wanted": 1}, "Every class has its 1 faces: run `btfer build`", ""),
    ],
    ids=[
        "a pair",
        "pairs",
        "photos",
        "faces",
        "disputes",
        "crop",
        "short",
        "new",
        "photos first",
        "both",
        "others",
        "own first",
        "enough",
    ],
)
def test_the_next_step_is_one_sentence(waiting: dict, said: str, page: str) -> None:
    known = {"photos": 0, "faces": 0, "disputes": 0, "to_crop": 0, "wanted": 10} | waiting
    step = review.next_step(forecasts=[Forecast("happy", 10, None), Forecast("sad", 1, 4)], **known)
    assert said in step.sentence
    assert (step.page, bool(step.button)) == (page, bool(page))


def tallies(photos: tuple[int, int, int], faces: tuple[int, int, int]) -> list[Tally]:
    return [Tally("photos", "happy", *photos), Tally("faces", "happy", *faces)]


@pytest.mark.parametrize(
    ("photos", "faces", "uncropped", "per_photo", "likely"),
    [
        ((0, 50, 50), (0, 80, 20), 0, 1.0, 80),
        ((0, 50, 50), (10, 80, 20), 0, 1.0, 88),
        ((100, 50, 50), (0, 80, 20), 0, 1.5, 80 + 60),
        ((0, 50, 50), (0, 80, 20), 20, 0.5, 80 + 8),
        ((100, 5, 5), (0, 80, 20), 0, 1.0, None),
        ((0, 50, 50), (9, 0, 0), 0, 1.0, None),
        ((0, 50, 50), (0, 0, 0), 5, None, None),
    ],
    ids=[
        "nothing to come",
        "faces to come",
        "photos to come",
        "photos to crop",
        "too few photos judged",
        "too few faces judged",
        "nothing cropped yet",
    ],
)
def test_what_is_to_come_is_kept_at_the_rates_so_far(
    photos, faces, uncropped, per_photo, likely
) -> None:
    found = estimate(tallies(photos, faces), ["happy"] * uncropped, per_photo)
    assert {one.expression: one for one in found}["happy"] == Forecast("happy", faces[1], likely)


def test_a_class_with_few_judgements_takes_the_rate_of_all() -> None:
    others = [Tally("photos", "sad", 0, 90, 10), Tally("faces", "sad", 0, 50, 50)]
    found = estimate([*tallies((0, 2, 0), (10, 1, 0)), *others], [], 1.0)
    assert {one.expression: one.likely for one in found}["happy"] == 1 + round(10 * 51 / 101)


def test_the_forecast_reads_the_catalogue(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 40, with_faces=True)
    review.commit(cat, "faces", [Judged(id_) for id_ in ids[:30]], "ann")
    found = {one.expression: one for one in review.forecast(cat, DIGEST)}
    happy = [n for n in range(40) if label_of(n) == "happy"]
    assert found["happy"].kept == sum(n < 30 for n in happy)
    assert found["happy"].likely is None  # forty photos await a person, and none was judged yet
    review.commit(cat, "photos", [Judged(id_.split("-")[0]) for id_ in ids], "ann")
    assert {one.expression: one.likely for one in review.forecast(cat, DIGEST)}["happy"] is None
