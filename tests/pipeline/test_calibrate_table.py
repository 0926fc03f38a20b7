"""What the numbers of a calibration say: shares with intervals, the suggested distance, kinds."""

import pytest
from scipy.stats import binomtest

from btfer.pipeline.calibrate_table import (
    Measured,
    by_distance,
    by_kind,
    share,
    suggest,
    wilson,
)


def pair(distance: int, *, same: bool, confirmed: bool | None = None, **more: object) -> Measured:
    return Measured(same, distance, same if confirmed is None else confirmed, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (8, 10), (10, 10), (295, 311)])
def test_intervals_are_wilsons(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(0.95, "wilson")
    found = wilson(hits / n, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_nothing_to_count_is_no_share_and_a_heavy_pair_is_no_crowd() -> None:
    assert share([], lambda one: True).point is None
    light, heavy = pair(1, same=True, weight=1.0), pair(2, same=False, weight=98.0)
    found = share([light, light, heavy], lambda one: one.same)
    assert found.point == pytest.approx(0.02)
    assert found.high > 0.7  # three pairs, of which one counts for nearly all


def test_precision_and_recall_by_distance_of_the_hash_and_of_both() -> None:
    measured = [
        pair(0, same=True),
        pair(4, same=True, confirmed=False),
        pair(4, same=False),
        pair(6, same=True),
        pair(40, same=True),
    ]
    rows = by_distance(measured)
    assert [row.max_bits for row in rows] == list(range(21))
    at = rows[6]
    assert at.pairs == 4
    assert (at.by_hash.precision.point, at.by_hash.recall.point) == (0.75, 0.75)
    assert (at.confirmed.precision.point, at.confirmed.recall.point) == (1.0, 0.5)
    assert rows[3].by_hash.recall.point == 0.25


@pytest.mark.parametrize(
    ("measured", "best"),
    [
        ([pair(d, same=True) for d in (0, 2, 6)], 6),
        ([pair(2, same=True)] * 300 + [pair(18, same=True)], 2),
        ([pair(2, same=True)] * 5 + [pair(10, same=False, confirmed=True)], 2),
        ([pair(2, same=True), pair(9, same=False)], 2),
        ([pair(0, same=False, confirmed=True), pair(3, same=True)], None),
        ([pair(3, same=False)], None),
        ([pair(3, same=True, confirmed=False)], None),
    ],
    ids=[
        "as far as copies lie",
        "not for less than 0.5 %",
        "not where others are called the same",
        "others that the thumbnails refuse do no harm",
        "never precise",
        "no copies",
        "no copy found",
    ],
)
def test_the_suggested_distance(measured: list[Measured], best: int | None) -> None:
    assert suggest(by_distance(measured)) == best


def test_kinds_are_counted_apart_and_weak_ones_known() -> None:
    measured = [pair(2, same=True, kind="resized")] * 3
    measured += [pair(2, same=True, kind="turned", confirmed=n > 0) for n in range(2)]
    measured += [pair(4, same=False, kind="studio"), pair(4, same=True, kind="studio")]
    found = {(one.kind, one.same): one for one in by_kind(measured, 4)}
    assert [one.kind for one in found.values() if one.weak] == ["turned"]
    assert found["turned", True].by_hash.point == 1.0
    assert found["turned", True].confirmed.point == 0.5
    assert (found["studio", False].by_hash.point, found["studio", False].confirmed.point) == (1, 0)
    assert by_kind([pair(1, same=True)], 4) == []
