import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btfer.bench.experiments.cells import PAPER_SETS, GridCell, cells, paper_cells
from btfer.bench.experiments.cost import cost_beside_others
from btfer.bench.experiments.shards import deal, shard
from btfer.bench.train.protocol import PAPER
from btfer.errors import UsageError

NETWORKS = ("lenet5", "resnet18", "vgg16", "sequential_4conv")
grids = st.builds(
    cells,
    st.lists(st.sampled_from(NETWORKS), min_size=1, unique=True),
    st.lists(st.sampled_from([48]), min_size=1, unique=True),
    st.lists(st.sampled_from(["none", "simple", "conservative"]), min_size=1, unique=True),
    st.just(["none"]),
    st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(["rafdb", "fer2013", "mine"]), unique=True),
)


def cost(cell: GridCell) -> float:
    return cost_beside_others(cell, PAPER)


@given(wanted=grids, count=st.integers(1, 40), seed=st.integers())
def test_shares_are_disjoint_whole_and_the_same_in_whatever_order_cells_come(
    wanted: list[GridCell], count: int, seed: int
) -> None:
    shares = [shard(wanted, f"{number}/{count}", cost) for number in range(1, count + 1)]
    assert sorted(map(str, wanted)) == sorted(str(cell) for one in shares for cell in one)
    assert all(one == sorted(one, key=wanted.index) for one in shares)
    mixed = random.Random(seed).sample(wanted, len(wanted))
    again = [shard(mixed, f"{number}/{count}", cost) for number in range(1, count + 1)]
    assert list(map(set, shares)) == list(map(set, again))


@given(wanted=grids, count=st.integers(1, 12))
def test_shares_of_a_set_differ_by_one_cell_at_most(wanted: list[GridCell], count: int) -> None:
    for name in {cell.training for cell in wanted}:
        own = [cell for cell in wanted if cell.training == name]
        loads = [sum(map(cost, one)) for one in deal(own, count, cost)]
        assert max(loads) - min(loads) <= max(map(cost, own)) * (1 + 1e-9)


@pytest.mark.parametrize("count", [2, 4, 8, 16])
def test_shares_of_the_papers_grid_take_about_as_long_as_each_other(count: int) -> None:
    wanted = paper_cells([], [], [], [], [1], PAPER_SETS)
    loads = [sum(map(cost, one)) for one in deal(wanted, count, cost)]
    plain = [sum(map(cost, wanted[number::count])) for number in range(count)]
    assert max(loads) < 1.2 * min(loads)
    assert max(loads) <= max(plain)  # of every n-th cell


def test_no_share_is_empty_while_another_has_two_cells() -> None:
    wanted = cells(["lenet5", "resnet18"], [48], ["none"], ["none"], [1], ["a", "b"])
    assert [len(one) for one in deal(wanted, 4, cost)] == [1, 1, 1, 1]
    assert shard(wanted, "5/5", cost) == []
    assert shard(wanted, "1/999999999", cost) != []
    assert shard([], "1/2", cost) == []


@pytest.mark.parametrize(
    "part", ["0/4", "5/4", "a/b", "1", "", "1/", "/4", "1/2/3", "-1/4", "²/4", "1/" + "9" * 5000]
)
def test_a_share_that_is_none_is_refused(part: str) -> None:
    with pytest.raises(UsageError, match="is not a share; write I/N, from 1/N to N/N"):
        shard([GridCell("lenet5", 48, "none", "none", 1)], part, cost)
