"""The measured threshold: which pairs are drawn, who is asked, and what the command prints."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageOps

from btfer.catalogue import Catalogue, pairs, photos, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.cli import calibrate_view
from btfer.errors import Incomplete, UsageError
from btfer.pipeline import calibrate
from btfer.pipeline.calibrate_file import Labelled
from btfer.pipeline.calibrate_hashes import advice, compare_hashes
from btfer.review import pairs as asking
from btfer.settings import Settings
from btfer.store import store_of
from tests.conftest import as_bytes, draw_photo, take_in
from tests.pipeline.known_hashes import HAPPY, add_hash, write_pairs
from tests.test_cli import run


def add_spread(cat: Catalogue, n: int = 40) -> dict[str, tuple[int, int]]:
    """n photos whose hashes lie at every distance from each other; (hash, mirror) by sha256."""
    rng = np.random.default_rng(5)
    base = [int(v) for v in rng.integers(0, 2**63, 2)]
    known = {}
    for number in range(n):
        flips = sum(1 << int(bit) for bit in rng.permutation(64)[: number % 12])
        value, mirror = (word ^ flips for word in base)
        if number % 5 == 4:
            value, mirror = mirror, value
        known[add_hash(cat, f"{number:04x}", value, mirror)] = (value, mirror)
    return known


def brute_distance(one: tuple[int, int], other: tuple[int, int]) -> int:
    ways = ((one[0], other[0]), (one[0], other[1]), (one[1], other[0]))
    return min((a ^ b).bit_count() for a, b in ways)


def test_pairs_are_drawn_over_all_distances_with_what_they_stand_for(cat: Catalogue) -> None:
    known = add_spread(cat)
    ids = sorted(known)
    all_pairs = {
        (one, other): brute_distance(known[one], known[other])
        for n, one in enumerate(ids)
        for other in ids[n + 1 :]
    }
    drawn = calibrate.draw(cat, seed=1, per_distance=3)
    for distance in range(21):
        of = [(a, b, weight) for a, b, weight in drawn if all_pairs[a, b] == distance]
        n_all = sum(bits == distance for bits in all_pairs.values())
        assert math.isclose(sum(weight for *_, weight in of), n_all)
        assert (len(of) > 0) == (n_all > 0)
        assert len({photo for a, b, _ in of for photo in (a, b)}) == 2 * len(of) <= 6
    assert calibrate.draw(cat, seed=1, per_distance=3) == drawn
    assert calibrate.draw(cat, seed=2, per_distance=3) != drawn
    bits = [all_pairs[a, b] for a, b, _ in drawn]
    assert bits != sorted(bits)  # the order tells nothing


def test_blocks_and_the_limit_of_photos_lose_nothing_else(
    cat: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_spread(cat)
    drawn = calibrate.draw(cat, seed=1, per_distance=3)
    monkeypatch.setattr(calibrate, "BLOCK", 7)
    assert calibrate.draw(cat, seed=1, per_distance=3) == drawn
    monkeypatch.setattr(calibrate, "MAX_PHOTOS", 10)
    few = calibrate.draw(cat, seed=1, per_distance=3)
    assert 0 < len({photo for a, b, _ in few for photo in (a, b)}) <= 10


def test_what_was_withdrawn_is_shown_to_nobody(cat: Catalogue) -> None:
    one, other = (add_hash(cat, name, 5, 9) for name in "ab")
    assert len(calibrate.draw(cat, seed=1, per_distance=1)) == 1
    verdicts.add(cat, [Verdict("photos", one, "drop", "withdrawal", reason="do-not-use")])
    assert calibrate.draw(cat, seed=1, per_distance=1) == []
    assert other


def test_answers_are_written_once_taken_back_by_page_and_kept_over_a_new_draw(
    any_cat: Catalogue,
) -> None:
    add_spread(any_cat, 8)
    pairs.draw(any_cat, calibrate.draw(any_cat, seed=1, per_distance=2))
    total = asking.count(any_cat)[1]
    first = asking.waiting(any_cat, 3)
    assert [len(asking.waiting(any_cat)), total] == [min(8, total), len(pairs.drawn(any_cat))]
    assert first[0].sides[0].about["title"].startswith("photo ")
    given = {one.id: n % 2 == 0 for n, one in enumerate(first)}
    assert asking.answer(any_cat, given, "ann").written == 3
    again = asking.answer(any_cat, {id_: not same for id_, same in given.items()}, "ben")
    assert (again.written, again.skipped) == (0, 3)
    later = {asking.waiting(any_cat, 1)[0].id: True}
    asking.answer(any_cat, later, "ann")
    assert asking.undo_last(any_cat, "ben") == {}
    assert asking.undo_last(any_cat, "ann") == later
    assert asking.count(any_cat) == (3, total)

    pairs.draw(any_cat, [(*(side.photo for side in first[0].sides), 7.0)])
    assert asking.count(any_cat) == (1, 1)
    assert [(row.same, row.weight) for row in pairs.drawn(any_cat)] == [(True, 7.0)]
    with pytest.raises(UsageError, match="reviewer"):
        asking.answer(any_cat, given, " ")


@pytest.fixture
def copies(cat: Catalogue, settings: Settings) -> dict[str, str]:
    """Two photos and three copies of the first, by what they are."""
    photo = draw_photo(1, (640, 480))
    pictures = {
        "photo": photo,
        "small": photo.resize((320, 240)),
        "mirrored": ImageOps.mirror(photo),
        "turned": photo.rotate(180),
        "other": draw_photo(2, (640, 480)),
    }
    return {
        name: take_in(
            cat, settings.data_dir, as_bytes(picture, quality=90), HAPPY, f"file:///{name}"
        )
        for name, picture in pictures.items()
    }


@pytest.mark.slow
def test_a_labelled_file_is_measured_and_printed(
    copies: dict[str, str],
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = [f"photo,{name},yes,{name}" for name in ("small", "mirrored", "turned", "photo")]
    file = write_pairs(tmp_path, "a,b,same,kind", *lines, "photo,other,no,stranger")
    command = ["dedup", "calibrate", "--pairs", str(file)]
    assert run(monkeypatch, *command, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pairs"], told["same"], told["equal_bytes"]) == (4, 3, 1)
    recall = {one["kind"]: one["confirmed"]["point"] for one in told["kinds"]}
    assert recall == {"small": 1.0, "mirrored": 1.0, "turned": 0.0, "stranger": 0.0}
    best = told["suggested"]
    assert best <= 8
    assert told["table"][best]["confirmed"]["recall"]["point"] == pytest.approx(2 / 3)
    assert Path(told["plot"]).read_bytes().startswith(b"\x89PNG")

    assert run(monkeypatch, *command) == 0
    shown = capsys.readouterr().out
    assert f"set BTFER_MAX_HAMMING_BITS={best} (now 8)" in shown
    weak = shown.split("found less often than 97%")[1].split("Different pictures")[0]
    assert "turned" in weak
    assert "small" not in weak


@pytest.mark.slow
def test_people_are_asked_first_and_nothing_is_dropped(
    cat: Catalogue,
    copies: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "dedup", "calibrate") == 3
    total = asking.count(cat)[1]
    assert f"{total} pairs await same/different: open btfer app" in capsys.readouterr().err
    group = {copies[name] for name in ("photo", "small", "mirrored")}
    while page := asking.waiting(cat):
        answers = {one.id: {side.photo for side in one.sides} <= group for one in page}
        asking.answer(cat, answers, "ann")
    assert run(monkeypatch, "dedup", "calibrate", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["drawn"]
    assert told["same"] >= 1
    assert told["table"][told["suggested"]]["confirmed"]["recall"]["point"] == 1.0
    assert photos.duplicates(cat) == []
    assert run(monkeypatch, "dedup", "calibrate", "--redraw") == 0  # the same pairs: all answered


def test_what_cannot_be_measured_says_why(
    cat: Catalogue,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Incomplete, match="crawl or import more"):
        calibrate.from_people(cat, settings)
    assert run(monkeypatch, "dedup", "--pairs", "x.csv") == 2
    assert "--pairs" in capsys.readouterr().err
    assert run(monkeypatch, "dedup", "calibrate", "--per-distance", "0") == 2
    one, other = (add_hash(cat, name, 2**64 - 1, 0) for name in "ab")
    assert (
        run(
            monkeypatch,
            "dedup",
            "calibrate",
            "--pairs",
            str(write_pairs(settings.data_dir, "a,b,same", f"{one},{other},yes")),
        )
        == 1
    )
    assert "thumbnail" in capsys.readouterr().err


def test_advice_names_the_setting() -> None:
    assert "none is precise enough" in calibrate_view._advice(None, 8)
    assert "which is what is set" in calibrate_view._advice(8, 8)


@pytest.mark.slow
def test_hashes_are_compared_on_the_labelled_pairs(cat: Catalogue, settings: Settings) -> None:
    names = []
    for n in range(4):
        photo = draw_photo(n, (320, 240))
        for copy in (photo, ImageOps.mirror(photo)):
            body = as_bytes(copy)
            names.append(take_in(cat, settings.data_dir, body, HAPPY, f"u{len(names)}"))
    pairs = [Labelled(*sorted(names[n : n + 2]), same=n % 2 == 0) for n in range(7)]
    curves = {one.name: one for one in compare_hashes(pairs, store_of(settings))}
    assert curves.keys() >= {"phash", "dhash", "whash", "colorhash", "crop_resistant_hash"}
    assert curves["phash"].found == 1.0  # mirrored copies too
    assert curves["phash"].recall[-1] == 1.0
    assert all(a <= b for one in curves.values() for a, b in itertools.pairwise(one.recall))
    assert advice(list(curves.values())).startswith("phash suits these photos")
    assert compare_hashes([], store_of(settings)) == []
