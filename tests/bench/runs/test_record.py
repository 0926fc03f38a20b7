"""What is written to run.json and read back; ids that runs of earlier versions have."""

import json
from pathlib import Path
from typing import Any

import pytest

from btfer.bench.experiments import run
from btfer.bench.experiments.run import Experiment
from btfer.bench.runs.record import NotARecord, RunRecord, run_id
from btfer.bench.runs.store import RunStore
from btfer.bench.train.protocol import AUTHORS_CODE, PAPER, STRICT
from tests.bench.drawn_runs import draw_run

RESNET = Experiment("resnet18", "none", 48, "simple", 1, PAPER)
VGG = Experiment("vgg16", "vggface", 224, "conservative", 7, STRICT, epochs=3, weights_digest="ab")
GREY = Experiment(
    "mediapipe_vggnet",
    "none",
    48,
    "none",
    2,
    AUTHORS_CODE,
    fold="1 of 3",
    limit=5,
    mixed_precision=True,
    replicas=2,
)


@pytest.mark.parametrize(
    ("experiment", "expected"),
    [(RESNET, "d400373f2532"), (VGG, "03b16e8f9f43"), (GREY, "0a9c48aaa080")],
    ids=["resnet18", "vgg16", "mediapipe_vggnet"],
)
def test_ids_of_runs_stay_as_long_as_what_defines_a_run_does(
    experiment: Experiment, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "versions", lambda: {"btfer": "0", "keras": "0"})
    assert run_id(experiment.definition("d" * 8, "split")) == expected


def test_a_record_is_written_as_it_was_read_with_keys_that_nobody_knows(tmp_path: Path) -> None:
    folder = draw_run(tmp_path)
    values = json.loads((folder / "run.json").read_text())
    values |= {"pretrained": None, "colour": "green", "definition": values["definition"] | {"x": 1}}
    (folder / "run.json").write_text(json.dumps(values))
    store = RunStore(tmp_path)
    record = store.read(folder)
    assert record is not None
    assert (record.definition.architecture, record.release_name) == ("resnet18", "drawn-1")
    store.write(record)
    assert list(json.loads((folder / "run.json").read_text()).items()) == list(values.items())
    store.write(record.changed(state="failed", leaks={"faces": 2}))
    again = json.loads((folder / "run.json").read_text())
    assert again == values | {"state": "failed", "leaks": {"faces": 2}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"definition": None}, "'definition' is not an object"),
        ({"definition": {"architecture": "lenet5"}}, "'definition.weights' is missing"),
        (
            {
                "definition": {
                    **{"architecture": "a\x1b[2J", "weights": "none", "balance": "none", "seed": 1},
                    **{"resolution": 48, "protocol": {"name": "paper"}},
                }
            },
            "'definition.architecture' holds a control character",
        ),
        ({"metrics": []}, "'metrics' is not an object"),
        ({"metrics": {"validation": 1}}, "metrics.validation is not an object"),
        ({"metrics": {"test": {"accuracy": "x"}}}, r"metrics\.test\.accuracy is not a number"),
        ({"metrics": {"test": {"accuracy": None}}}, r"metrics\.test\.accuracy is not a number"),
        (
            {"metrics": {"test": {"accuracy": -1}}},
            r"metrics\.test\.accuracy is -1, not from 0 to 1",
        ),
        (
            {"metrics": {"test": {"macro": {"f1": float("nan")}}}},
            r"metrics\.test\.macro\.f1 is nan, not from 0 to 1",
        ),
        ({"metrics": {"test": {"macro": 1}}}, r"metrics\.test\.macro is not an object"),
        ({"metrics": {"test": {"macro": {"f1": []}}}}, r"metrics\.test\.macro\.f1 is not a number"),
        ({"leaks": 3}, "leaks is not an object"),
        ({"release": "r1"}, "'release' is not an object"),
        ({"release": {"name": "r1"}}, "'release.digest' is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_of_another_form_says_what_is_wrong(
    change: dict[str, Any], why: str, tmp_path: Path
) -> None:
    values = json.loads((draw_run(tmp_path) / "run.json").read_text())
    with pytest.raises(NotARecord, match=f"^{why}$"):
        RunRecord.from_json(values | change, tmp_path)
