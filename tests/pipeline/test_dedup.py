import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from btfer import review
from btfer.catalogue import Catalogue, comparisons, open_catalogue, photos, verdicts
from btfer.catalogue.comparisons import ViewHashes
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.faces import detect
from btfer.images import decode_rgb
from btfer.pipeline import candidates, dedup, funnel, likeness, second_opinions, view_hashes
from btfer.review import duplicates as duplicate_groups
from btfer.review import pairs as review_pairs
from btfer.sample import load_manifest, picture_path
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


@pytest.mark.slow
def test_photos_that_come_bit_by_bit_are_grouped_as_those_that_come_at_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MOST_NEW", 1.1)  # new ones are always searched among the old
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
    monkeypatch.setattr(
        candidates.hamming, "near_pairs", lambda *_, **__: pytest.fail("all with all")
    )
    take_in(cat, settings.data_dir, as_bytes(draw_photo(3).resize((150, 112))), HAPPY, "copy")
    outcome = dedup.run(cat, settings)
    assert (outcome.new, outcome.dropped) == (1, 1)


def test_the_distance_of_two_photos_counts_mirrors_both_ways() -> None:
    one, other = (
        ViewHashes(np.array([words], np.int64), 1) for words in ((0b1111, 0b110000), (0b110000, 0))
    )
    near_by = candidates.PhotoCandidates([0, 1], [one, other], [[0], [1]], [])
    assert near_by.distance(0, 1) == near_by.distance(1, 0) == 0


def test_parts_are_compared_with_whole_pictures_alone() -> None:
    one = ViewHashes(np.array([(1, 2), (255, 254)], np.int64), 1)
    part_of_it = ViewHashes(np.array([(255, 254), (2**60 - 1, 2**59 - 1)], np.int64), 1)
    part_alike = ViewHashes(np.array([(2**50 - 1, 2**49 - 1), (255, 254)], np.int64), 1)
    found = candidates.CandidateIndex([one, part_of_it, part_alike]).around([0, 1, 2], 0)
    assert found.distance(0, 1) == 0
    assert found.distance(0, 2) == 7  # and not 0, as their parts are
    assert found.rows == [0, 1, 2]  # the third is near the second, which is whole there


def test_crops_and_frames_are_found_at_default_settings(cat: Catalogue, settings: Settings) -> None:
    photo = draw_photo(1, (640, 480))
    crop = photo.crop((40, 10, 616, 442))
    frame = ImageOps.expand(photo, 50, (20, 20, 20))
    for n, one in enumerate([photo, crop, frame, draw_photo(2, (640, 480))]):
        take_in(cat, settings.data_dir, as_bytes(one), HAPPY, f"u{n}")
    outcome = dedup.run(cat, settings)
    assert (outcome.dropped, outcome.groups) == (2, 1)


def test_photos_are_compared_once_even_when_dedup_is_asked_anew(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = draw_photo(1, (640, 480))
    for n, side in enumerate((640, 320, 200)):
        take_in(cat, settings.data_dir, as_bytes(photo.resize((side, side))), HAPPY, f"u{n}")
    dedup.run(cat, settings)
    for one in verdicts.current_in(cat, "dedup"):
        verdicts.undo(cat, [one.id], "ann")
    monkeypatch.setattr(second_opinions.likeness, "compare", lambda *_, **__: pytest.fail("again"))
    outcome = dedup.run(cat, settings)
    assert (outcome.new, outcome.dropped) == (3, 2)


def scene(mouth: float) -> bytes:
    """A person of the built-in sample, the corners of the mouth moved by a share of its width."""
    [file] = [one.file for one in load_manifest() if one.kind == "single"][:1]
    pixels = decode_rgb(picture_path(file).read_bytes())
    box = max(detect(pixels), key=lambda one: one.probability)
    width = box.landmarks["mouth_right"][0] - box.landmarks["mouth_left"][0]
    x, y = (
        sum(box.landmarks[f"mouth_{side}"][n] for side in ("left", "right")) / 2 for n in (0, 1)
    )
    changed = Image.fromarray(pixels)
    if mouth:
        reach = int(width * mouth)
        draw = ImageDraw.Draw(changed)
        draw.ellipse((x - width / 2, y - reach, x + width / 2, y + reach), (90, 20, 20))
    return as_bytes(changed, quality=92)


def test_another_expression_is_kept_and_people_decide(cat: Catalogue, settings: Settings) -> None:
    neutral, open_ = (
        take_in(cat, settings.data_dir, scene(mouth), HAPPY, f"u{mouth}") for mouth in (0, 0.3)
    )
    outcome = dedup.run(cat, settings)
    assert (outcome.dropped, outcome.asked) == (0, 1)
    [asked] = review_pairs.waiting(cat)
    assert {side.photo for side in asked.sides} == {neutral, open_}
    assert dedup.run(cat, settings).new == 0
    review_pairs.answer(cat, {asked.id: True}, "ann")
    outcome = dedup.run(cat, settings)
    assert (outcome.dropped, outcome.asked) == (1, 0)
    review_pairs.undo_last(cat, "ann")


def test_people_are_asked_also_where_the_run_was_stopped_after_its_verdicts(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mouth in (0, 0.3):
        take_in(cat, settings.data_dir, scene(mouth), HAPPY, f"u{mouth}")
    add_all = verdicts.add_all

    def add_and_stop(cat: Catalogue, new: Iterable[Verdict]) -> None:
        add_all(cat, new)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(verdicts, "add_all", add_and_stop)
        with pytest.raises(KeyboardInterrupt):
            dedup.run(cat, settings)
    assert dedup.run(cat, settings).asked == 1


def test_copies_under_other_classes_stay_out_until_people_say_what_they_are(
    cat: Catalogue, settings: Settings
) -> None:
    photo = draw_photo(1, (640, 480))
    take_in(cat, settings.data_dir, as_bytes(photo), HAPPY, "large")
    small = as_bytes(photo.resize((320, 240)))
    copy = take_in(cat, settings.data_dir, small, Query("sad", "sad"), "small")
    take_in(cat, settings.data_dir, as_bytes(photo.resize((200, 150))), HAPPY, "smaller")
    outcome = dedup.run(cat, settings)
    assert (outcome.dropped, outcome.asked) == (2, 1)
    [asked] = review_pairs.waiting(cat)
    assert copy in {side.photo for side in asked.sides}
    review_pairs.answer(cat, {asked.id: True}, "ann")
    assert dedup.run(cat, settings) == dedup.DedupOutcome(0, 2, 1)
    review_pairs.undo_last(cat, "ann")
    review_pairs.answer(cat, {asked.id: False}, "ann")
    outcome = dedup.run(cat, settings)
    assert (outcome.dropped, outcome.asked) == (1, 0)
    assert copy in {one.sha256 for one in photos.awaiting_review(cat)}
    before = len(verdicts.log(cat))
    dedup.run(cat, settings)
    assert len(verdicts.log(cat)) == before


def under_letters(picture: Image.Image, cover: int) -> Image.Image:
    """The picture with large white letters over the face; cover: 255 = nothing is seen below them."""
    layer = Image.new("RGBA", picture.size)
    font = ImageFont.load_default(picture.height * 0.12)
    place = (picture.width * 0.08, picture.height * 0.45)
    ImageDraw.Draw(layer).text(place, "SAMPLE STOCK", (255, 255, 255, cover), font=font)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


@pytest.mark.parametrize(
    ("cover", "qualities", "dropped", "asked"),
    [(110, (92, 85), 1, 0), (110, (70, 92), 1, 0), (255, (92, 85), 0, 0)],
    ids=["see-through", "over the finer copy", "opaque"],
)
def test_a_copy_under_large_letters_goes_where_its_face_is_seen_and_the_clean_one_stays(
    cat: Catalogue,
    settings: Settings,
    cover: int,
    qualities: tuple[int, int],
    dropped: int,
    asked: int,
) -> None:
    picture = Image.fromarray(decode_rgb(scene(0)))
    pictures = zip((picture, under_letters(picture, cover)), qualities, strict=True)
    clean, copy = (
        take_in(cat, settings.data_dir, as_bytes(one, quality=quality), HAPPY, f"u{quality}")
        for one, quality in pictures
    )
    outcome = dedup.run(cat, settings)
    assert (outcome.dropped, outcome.asked) == (dropped, asked)
    assert [(one.photo, one.keeper) for one in photos.duplicates(cat)] == [(copy, clean)] * dropped


def test_of_three_the_clean_one_stays_though_both_others_are_larger(
    cat: Catalogue, settings: Settings
) -> None:
    """The two under letters are copies of each other, so that only one of them is compared with the clean one."""
    picture = Image.fromarray(decode_rgb(scene(0)))
    letters = under_letters(picture, 110)
    sizes = [(picture, 0.64), (letters, 1), (letters, 0.8)]
    clean, *copies = (
        take_in(cat, settings.data_dir, as_bytes(ImageOps.scale(one, size)), HAPPY, f"u{size}")
        for one, size in sizes
    )
    dedup.run(cat, settings)
    assert {one.photo: one.keeper for one in photos.duplicates(cat)} == dict.fromkeys(copies, clean)


def test_the_largest_local_difference_is_told_of_each_copy(
    cat: Catalogue, settings: Settings
) -> None:
    photo = draw_photo(1, (640, 480))
    for n, side in enumerate((640, 320)):
        take_in(cat, settings.data_dir, as_bytes(photo.resize((side, side))), HAPPY, f"u{n}")
    dedup.run(cat, settings)
    [copy] = photos.duplicates(cat)
    [(pair, difference)] = comparisons.differences(cat, [(copy.photo, copy.keeper)]).items()
    assert pair == (copy.photo, copy.keeper)
    assert 0 <= difference <= likeness.MOST_DIFFERENCE
    told = f"largest local difference {difference:.2f}"
    for name in pair:
        assert any(told in line for line in funnel.explain(cat, name))
    [[group]] = duplicate_groups.current_groups(cat, duplicate_groups.group_summaries(cat))
    assert group.copies[0].difference == difference


def test_hashes_of_two_kinds_are_never_compared(cat: Catalogue, settings: Settings) -> None:
    photo = draw_photo(1, (640, 480))
    take_in(cat, settings.data_dir, as_bytes(photo), HAPPY, "u1")
    dedup.run(cat, settings)
    take_in(cat, settings.data_dir, as_bytes(photo.resize((320, 240))), HAPPY, "u2")
    other = settings.model_copy(update={"hash": "dhash"})
    assert dedup.run(cat, other).dropped == 1
    known = [comparisons.view_hashes(cat, f"{kind} 2") for kind in ("phash", "dhash")]
    assert [len(one) for one in known] == [1, 2]


@pytest.mark.parametrize("kind", view_hashes.HASHES)
def test_every_hash_finds_a_smaller_and_a_mirrored_copy(
    cat: Catalogue, settings: Settings, kind: str
) -> None:
    photo = draw_photo(1, (640, 480))
    for n, one in enumerate([photo, photo.resize((320, 240)), ImageOps.mirror(photo)]):
        take_in(cat, settings.data_dir, as_bytes(one), HAPPY, f"u{n}")
    assert dedup.run(cat, settings.model_copy(update={"hash": kind})).dropped == 2


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
