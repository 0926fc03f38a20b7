import numpy as np
import pytest

from btfer.bench.architectures import architecture
from btfer.bench.experiments.cells import (
    PAPER_ROWS,
    PAPER_SETS,
    GridCell,
    cells,
    paper_cells,
)
from btfer.bench.experiments.clock import in_words
from btfer.bench.experiments.cost import (
    likely_epochs,
    rate_of_processor,
    rate_of_runs,
    seconds_of_run,
)
from btfer.bench.runs.record import RunDefinition, RunRecord
from btfer.bench.train.protocol import PAPER
from btfer.errors import UsageError

ALL: tuple[list[str], list[int], list[str], list[str], list[int]] = ([], [], [], [], [1])


def test_the_paper_grid_is_tables_2_and_3() -> None:
    found = paper_cells(*ALL, PAPER_SETS)
    assert [len(rows) for rows in PAPER_ROWS.values()] == [23, 20]
    assert len(found) == len(set(found)) == (23 + 20) * 3 * 2
    assert {cell.balance for cell in found} == {"simple", "conservative"}
    assert GridCell("senet50", 224, "simple", "vggface", 1, "rafdb") in found
    for cell in found:
        assert cell.parameters > 0


def test_options_narrow_the_paper_grid() -> None:
    found = paper_cells(["vgg16"], [48], ["simple"], [], [1, 2], ["rafdb"])
    assert [cell.weights for cell in found] == ["imagenet"] * 2 + ["vggface"] * 2 + ["none"] * 2
    with pytest.raises(UsageError, match="no row of the paper's Tables"):
        paper_cells(["repvgg_a0"], *ALL[1:], ["rafdb"])
    with pytest.raises(UsageError, match="unknown architecture"):
        paper_cells(["resnet19"], *ALL[1:], ["rafdb"])


def test_cells_are_every_combination_once() -> None:
    found = cells(["lenet5", "lenet5"], [48], ["none", "simple"], ["none"], [1, 2], ["a", "b"])
    assert len(found) == 8
    assert [cell.training for cell in cells(["lenet5"], [48], ["none"], ["none"], [1], [])] == [""]


def test_a_run_is_expected_to_stop_where_those_of_the_paper_did() -> None:
    assert likely_epochs(48, PAPER, two_phases=True) == 30 + 41
    assert likely_epochs(224, PAPER, two_phases=True) == 20 + 29
    assert likely_epochs(48, PAPER, two_phases=False) == 89
    assert likely_epochs(48, PAPER, two_phases=True, most=5) == 10


def test_time_grows_with_images_epochs_and_multiplications() -> None:
    small = seconds_of_run("lenet5", 48, (1000, 100), 10, 1e9, 32)
    assert seconds_of_run("lenet5", 48, (2000, 200), 10, 1e9, 32) > 1.9 * small
    assert seconds_of_run("lenet5", 48, (1000, 100), 20, 1e9, 32) == pytest.approx(2 * small)
    assert seconds_of_run("resnet18", 48, (1000, 100), 10, 1e9, 32) > 50 * small


def test_speed_is_taken_from_finished_runs() -> None:
    definition = RunDefinition({"architecture": "lenet5", "resolution": 48})
    other = RunDefinition({"architecture": "fer", "resolution": 48})
    records = [
        RunRecord("a", "done", None, one, "faces", images_per_second=speed)
        for one, speed in ((definition, 10), (definition, 20), (definition, 60), (other, 7))
    ]
    expected = 3 * architecture("lenet5").multiply_adds[48] * 1e6 * 20
    assert rate_of_runs(records) == expected
    assert rate_of_runs([]) is None
    assert np.isfinite(rate_of_processor())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "40 s"), (720, "12 min"), (12600, "3.5 h"), (181440, "2.1 days")],
)
def test_time_is_told_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
