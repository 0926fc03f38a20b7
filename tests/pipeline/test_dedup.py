import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue, photos, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.pipeline import dedup
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in

HAPPY = Query("happy", "happy")


def test_copies_are_dropped_with_reason_keeper_and_distance(
    cat: Catalogue, settings: Settings
) -> None:
    photo = draw_photo(1, (640, 480))
    first = take_in(cat, settings.data_dir, as_bytes(photo), HAPPY, "u1")
    for n, copy in enumerate([photo.resize((320, 240)), ImageOps.mirror(photo)]):
        take_in(cat, settings.data_dir, as_bytes(copy, quality=60), HAPPY, f"copy{n}")
    other = take_in(cat, settings.data_dir, as_bytes(draw_photo(2)), HAPPY, "u2")
    outcome = dedup.run(cat, settings)
    assert (outcome.new, outcome.dropped, outcome.groups) == (4, 2, 1)
    kept = {one.sha256 for one in photos.awaiting_review(cat)}
    assert kept == {first, other}
    for one in photos.duplicates(cat):
        assert one.keeper == first
        assert one.distance_bits <= 8
    reasons = {one.reason for one in verdicts.log(cat) if one.decision == "drop"}
    assert reasons == {"duplicate"}


def test_a_second_run_changes_nothing_and_a_larger_copy_takes_over(
    cat: Catalogue, settings: Settings
) -> None:
    photo = draw_photo(1, (640, 480))
    small = take_in(cat, settings.data_dir, as_bytes(photo.resize((320, 240))), HAPPY, "small")
    dedup.run(cat, settings)
    before = len(verdicts.log(cat))
    assert dedup.run(cat, settings).new == 0
    assert len(verdicts.log(cat)) == before
    large = take_in(cat, settings.data_dir, as_bytes(photo), HAPPY, "large")
    dedup.run(cat, settings)
    [copy] = photos.duplicates(cat)
    assert (copy.photo, copy.keeper) == (small, large)


def test_a_person_overrules_dedup_for_good(cat: Catalogue, settings: Settings) -> None:
    photo = draw_photo(1, (640, 480))
    take_in(cat, settings.data_dir, as_bytes(photo), HAPPY, "large")
    small = take_in(cat, settings.data_dir, as_bytes(photo.resize((320, 240))), HAPPY, "small")
    dedup.run(cat, settings)
    verdicts.add(cat, [Verdict("dedup", small, "keep", "ann")])
    take_in(cat, settings.data_dir, as_bytes(draw_photo(9)), HAPPY, "new")
    dedup.run(cat, settings)
    assert photos.duplicates(cat) == []


def test_blank_pictures_are_never_copies_of_each_other(cat: Catalogue, settings: Settings) -> None:
    for n in range(100):
        blank = Image.new("RGB", (100 + n, 100), "white")
        take_in(cat, settings.data_dir, as_bytes(blank), HAPPY, f"u{n}")
    outcome = dedup.run(cat, settings)
    assert (outcome.new, outcome.dropped) == (100, 0)
    assert len(photos.awaiting_review(cat)) == 100


def test_photos_that_come_bit_by_bit_are_grouped_as_those_that_come_at_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedup, "MOST_NEW", 1.1)  # new ones are always searched among the old
    bodies = []
    for n in range(6):
        photo = draw_photo(n, (640, 480))
        copies = [
            photo,
            photo.resize((320, 240)),
            ImageOps.mirror(photo),
            photo.crop((9, 9, 631, 471)),
        ]
        bodies += [as_bytes(one, quality=90 - n) for one in copies]

    def groups(name: str, order: list[int], step: int) -> set[frozenset[str]]:
        own = settings.model_copy(update={"data_dir": tmp_path / name})
        cat = open_catalogue(own.catalogue_url)
        for begin in range(0, len(order), step):
            for i in order[begin : begin + step]:
                take_in(cat, own.data_dir, bodies[i], HAPPY, f"u{i}")
            dedup.run(cat, own)
        found: dict[
            str, set[str]
        ] = {}  # who keeps may differ: the earlier one, if all else is equal
        for one in photos.duplicates(cat):
            found.setdefault(one.keeper, {one.keeper}).add(one.photo)
        cat.close()
        return {frozenset(group) for group in found.values()}

    order = list(range(len(bodies)))
    whole = groups("whole", order, len(order))
    assert [len(group) for group in whole] == [4] * 6
    for seed in (1, 2):
        random.Random(seed).shuffle(order)
        assert groups(f"bits{seed}", order, 3) == whole


def test_old_photos_are_not_compared_again(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        take_in(cat, settings.data_dir, as_bytes(draw_photo(n)), HAPPY, f"u{n}")
    dedup.run(cat, settings)
    monkeypatch.setattr(dedup.hamming, "near_pairs", lambda *_, **__: pytest.fail("all with all"))
    take_in(cat, settings.data_dir, as_bytes(draw_photo(3).resize((150, 112))), HAPPY, "copy")
    outcome = dedup.run(cat, settings)
    assert (outcome.new, outcome.dropped) == (1, 1)


def test_the_distance_of_two_photos_counts_mirrors_both_ways() -> None:
    one, mirror = np.uint64(0b1111), np.uint64(0b110000)
    near_by = dedup._NearBy(
        [0, 1], np.array([one, mirror]), np.array([mirror, np.uint64(0)]), [[0], [1]], []
    )
    assert near_by.distance(0, 1) == near_by.distance(1, 0) == 0


def test_a_copy_that_a_person_takes_back_in_the_app_stays_kept(
    cat: Catalogue, settings: Settings
) -> None:
    photo = draw_photo(1, (640, 480))
    take_in(cat, settings.data_dir, as_bytes(photo), HAPPY, "large")
    take_in(cat, settings.data_dir, as_bytes(photo.resize((320, 240))), HAPPY, "small")
    dedup.run(cat, settings)
    [dropped] = [row for row in verdicts.current_in(cat, "dedup") if row.decision == "drop"]
    assert review.undo(cat, [dropped.id], "ann") == 1
    take_in(cat, settings.data_dir, as_bytes(photo.resize((200, 150))), HAPPY, "smaller")
    dedup.run(cat, settings)
    assert dropped.photo in {one.sha256 for one in photos.awaiting_review(cat)}
    assert dropped.photo not in {one.photo for one in photos.duplicates(cat)}
