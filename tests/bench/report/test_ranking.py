"""The ranking: ours and others', each beside what the paper printed, and never two releases in one list."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from btfer.bench.report import write_report
from btfer.bench.report.ranking import ranking
from btfer.bench.report.results import results_frame
from btfer.bench.report.seed_groups import read_groups
from btfer.bench.runs.record import NotARecord, RunRecord
from btfer.bench.runs.store import RunStore
from btfer.bench.submit import check_bundle, read_bundle
from btfer.bench.submit.pack import pack, write_bundle
from tests.bench.drawn_bundles import (
    draw_bundle,
    draw_scored_run,
    drawn_answers,
    speck_release,
)
from tests.bench.drawn_runs import draw_run


def test_what_the_makers_of_a_network_claim_stands_beside_what_was_measured(tmp_path: Path) -> None:
    own = draw_run(tmp_path / "runs", accuracy=0.6) / "run.json"
    draw_run(tmp_path / "runs", "lenet5")
    claimed = {"accuracy": 0.92, "on": "RAF-DB & test", "source": ""}
    own.write_text(json.dumps(json.loads(own.read_text()) | {"card": {"claimed": claimed}}))
    results = results_frame(read_groups(RunStore(tmp_path / "runs").all()))
    rows = {row.model: row for row in ranking(results)}
    assert (rows["ResNet18"].claimed, rows["ResNet18"].claimed_on) == (0.92, "RAF-DB & test")
    assert rows["LeNet5"].claimed is None
    page = write_report(tmp_path / "runs", tmp_path / "reports").read_text()
    words = f"0.920 ({rows['ResNet18'].accuracy - 0.92:+.3f})"
    assert f'{words}<small class="soft">on RAF-DB &amp; test' in page
    assert "claimed by its makers" in page


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ([], "'card' is not an object"),
        ({"claimed": 0.9}, "'card.claimed' is not an object"),
        ({"claimed": {"on": "RAF-DB"}}, "'card.claimed.accuracy' is missing"),
        ({"claimed": {"on": "RAF-DB", "accuracy": "0.9"}}, "accuracy is not a number"),
        ({"claimed": {"accuracy": 0.9}}, "'card.claimed.on' is missing"),
    ],
)
def test_a_record_with_a_claim_that_is_none_says_so(tmp_path: Path, card: Any, words: str) -> None:
    own = draw_run(tmp_path) / "run.json"
    values = json.loads(own.read_text()) | {"card": card}
    with pytest.raises(NotARecord, match=re.escape(words)):
        RunRecord.from_json(values, tmp_path)


def test_others_stand_by_accuracy_in_the_list_of_their_release(tmp_path: Path) -> None:
    draw_run(tmp_path / "runs", accuracy=0.6)
    results = results_frame(read_groups(RunStore(tmp_path / "runs").all()))
    images = speck_release(tmp_path / "drawn-1")
    paths = [
        draw_bundle(tmp_path, images, name, accuracy, seed=number)
        for number, (name, accuracy) in enumerate({"best": 0.9, "worst": 0.1}.items())
    ]
    others = [check_bundle(read_bundle(path), images) for path in paths]
    same = ranking(results.assign(digest=images.digest[:12]), others)
    assert [row.model for row in same] == ["best", "ResNet18", "worst"]
    assert {row.pictures for row in same} == {"drawn-1"}
    assert same[1].published == pytest.approx(0.61)
    assert same[1].difference == pytest.approx(same[1].accuracy - 0.61, abs=1e-6)
    assert same[1].ece is not None
    assert same[1].macro_recall == pytest.approx(same[1].accuracy)
    assert [row.from_bundle for row in same] == [True, False, True]
    apart = ranking(results.assign(digest="0" * 12), others)
    assert [row.model for row in apart] == ["best", "worst", "ResNet18"]
    assert [row.pictures for row in apart[1:]] == [f"drawn-1 ({images.digest[:6]})", "drawn-1"]


def test_the_same_answers_under_another_name_are_marked(tmp_path: Path) -> None:
    first, second = draw_run(tmp_path / "runs"), draw_run(tmp_path / "runs", "lenet5")
    draw_run(tmp_path / "runs", "alexnet")
    table = "predictions_btfer.parquet"
    turned = pd.read_parquet(first / table).sample(frac=1, random_state=1)
    turned.to_parquet(second / table, index=False)
    rows = ranking(results_frame(read_groups(RunStore(tmp_path / "runs").all())))
    remarks = {row.model: row.remarks for row in rows}
    assert remarks.pop("AlexNet") == ()
    assert sorted(remarks.values()) in (
        [(), ("the very answers of ResNet18",)],
        [(), ("the very answers of LeNet5",)],
    )


def test_a_bundle_with_the_answers_of_our_own_run_is_marked(tmp_path: Path) -> None:
    images = speck_release(tmp_path / "drawn-1")
    answers = drawn_answers(images, 0.6, 1)
    bundle, data = pack(draw_scored_run(tmp_path / "runs", images, answers), images, name="copy")
    path, _ = write_bundle(tmp_path / "bundles", bundle, data, images)
    other = draw_bundle(tmp_path / "others", images, "another", 0.6, seed=2)
    results = results_frame(read_groups(RunStore(tmp_path / "runs").all()))
    rows = ranking(results, [check_bundle(read_bundle(one), images) for one in (path, other)])
    assert {row.model: row.remarks for row in rows} == {
        "LeNet5": (),
        "copy": ("the very answers of LeNet5",),
        "another": (),
    }
