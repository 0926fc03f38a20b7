from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from btfer.catalogue import Catalogue, photos, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.pipeline import dedup
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in

HAPPY = Query("happy", "happy")


def row(name: str, side: int = 100, *, judged: bool = False, by: str = "") -> dict:
    decision = "keep" if by else ""
    size = {"width": side, "height": side, "n_bytes": side}
    return {"sha256": name, "judged": judged, "decision": decision, "by": by} | size


def brute_force(values: list[int], max_bits: int) -> Iterator[tuple[int, int, int]]:
    for i, a in enumerate(values):
        for j in range(i + 1, len(values)):
            distance = (a ^ values[j]).bit_count()
            if distance <= max_bits:
                yield i, j, distance


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30), st.integers(0, 12), st.data())
def test_near_pairs_are_exact(values: list[int], max_bits: int, data: st.DataObject) -> None:
    if values:  # some that really are near
        base = data.draw(st.sampled_from(values))
        values = values + [base ^ (1 << bit) for bit in range(0, 64, 13)]
    far = [2**64 - 1 - v for v in values]
    hashes, mirrors = np.array(values, np.uint64), np.array(far, np.uint64)
    found = {(i, j): d for i, j, d in dedup.near_pairs(hashes, mirrors, max_bits=max_bits)}
    expected = {(i, j): d for i, j, d in brute_force(values, max_bits)}
    assert {pair: found[pair] for pair in expected} == expected
    for (i, j), distance in found.items():
        assert distance == min(
            (values[i] ^ values[j]).bit_count(), (values[i] ^ far[j]).bit_count()
        )


def test_blocks_do_not_lose_pairs_at_their_border(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 50, dtype=np.uint64)
    hashes[40] = hashes[3]
    monkeypatch.setattr(dedup, "BLOCK", 7)
    pairs = list(dedup.near_pairs(hashes, ~hashes, max_bits=3))
    assert pairs == [(3, 40, 0)]


def test_the_largest_is_kept_whatever_the_order() -> None:
    rows = [row("a", 100), row("b", 300), row("c", 200)]
    for order in permutations(range(3)):
        shuffled = [rows[i] for i in order]
        pairs = [(0, 1, 2), (0, 2, 2), (1, 2, 2)]
        keepers = dedup.choose_keepers(shuffled, pairs)
        dropped = {shuffled[i]["sha256"]: shuffled[k]["sha256"] for i, (k, _) in keepers.items()}
        assert dropped == {"a": "b", "c": "b"}


def test_a_chain_of_small_steps_does_not_join_its_ends() -> None:
    rows = [row("a", 300), row("b", 200), row("c", 100)]
    assert dedup.choose_keepers(rows, [(0, 1, 5), (1, 2, 5)]) == {1: (0, 5)}


def test_what_people_judged_stays_keeper() -> None:
    rows = [row("a", 300), row("b", 200, judged=True)]
    assert dedup.choose_keepers(rows, [(0, 1, 1)]) == {0: (1, 1)}
    said_no = [row("a", 300), row("b", 200, by="ann")]
    assert dedup.choose_keepers(said_no, [(0, 1, 1)]) == {}


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L").resize((64, 64)), np.float32)


def test_copies_lie_on_their_original_and_other_pictures_do_not() -> None:
    photo = draw_photo(1, (640, 480))
    copies = {
        "brighter": Image.eval(photo, lambda v: min(255, int(v * 1.2))),
        "mirrored": ImageOps.mirror(photo),
        "cropped": photo.crop((32, 24, 608, 456)),
        "cropped off centre": photo.crop((60, 40, 640, 475)),
    }
    for name, copy in copies.items():
        assert dedup.likeness(grey(photo), grey(copy)) >= dedup.SAME_PICTURE, name
    changed = photo.copy()  # the same studio, another face
    changed.paste(draw_photo(5, (200, 200)), (220, 140))
    assert dedup.likeness(grey(photo), grey(changed)) < dedup.SAME_PICTURE


def test_a_near_hash_alone_drops_nothing() -> None:
    rows = [row("a", 300), row("b", 200)]
    assert dedup.choose_keepers(rows, [(0, 1, 0)], lambda one, other: False) == {}


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
    kept = {one["sha256"] for one in photos.awaiting_review(cat)}
    assert kept == {first, other}
    for one in photos.duplicates(cat):
        assert one["keeper"] == first
        assert one["distance"] <= 8
    reasons = {one["reason"] for one in verdicts.log(cat) if one["decision"] == "drop"}
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
    assert photos.duplicates(cat)[0] | {"distance": 0} == {
        "photo": small,
        "keeper": large,
        "distance": 0,
    }


def test_a_person_overrules_dedup_for_good(cat: Catalogue, settings: Settings) -> None:
    photo = draw_photo(1, (640, 480))
    take_in(cat, settings.data_dir, as_bytes(photo), HAPPY, "large")
    small = take_in(cat, settings.data_dir, as_bytes(photo.resize((320, 240))), HAPPY, "small")
    dedup.run(cat, settings)
    verdicts.add(cat, [Verdict("dedup", small, "keep", "ann")])
    take_in(cat, settings.data_dir, as_bytes(draw_photo(9)), HAPPY, "new")
    dedup.run(cat, settings)
    assert photos.duplicates(cat) == []
