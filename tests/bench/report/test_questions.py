import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from btfer.bench.report.questions import (
    Finding,
    PairedRuns,
    holm,
    mcnemar,
    our_findings,
    published_findings,
)
from btfer.bench.report.seed_groups import comparable, read_groups
from btfer.bench.report.sentences import answers, certainty, sentence, verdict
from btfer.bench.runs.store import RunStore
from tests.bench.drawn_runs import draw_run

NETWORKS = ("resnet18", "googlenet", "vggnet", "repvgg", "modular", "sequential_simple")


def found_in(runs: Path) -> tuple[list[Finding], list[PairedRuns]]:
    return our_findings(comparable(read_groups(RunStore(runs).all())))


def named(findings: list[Finding], question: str, place: str) -> Finding:
    [one] = [f for f in findings if f.contrast.question == question and f.contrast.place == place]
    return one


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_mcnemar_is_exact() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 * 0.5**5)
    assert mcnemar(3, 9) == pytest.approx(2 * sum([1, 12, 66, 220]) / 2**12)


def test_the_published_numbers_say_that_resolution_helps_by_what_they_say() -> None:
    found = named(published_findings(), "RQ1", "on BTFER, trained on RAF-DB")
    assert (found.cells, found.networks, found.unit) == (32, 14, "networks")
    assert found.interval
    assert 0.05 < found.interval.low < found.mean < found.interval.high < 0.14
    assert certainty(found) == "clear"


def test_the_headline_of_resolution_stands_beside_the_one_without_affectnet() -> None:
    findings = published_findings()
    every, clean = (
        named(findings, "RQ1", place) for place in ("on BTFER", "on BTFER, without AffectNet")
    )
    confounded = named(findings, "RQ1", "on BTFER, trained on AffectNet")
    assert clean.cells == every.cells - confounded.cells
    assert clean.mean < every.mean < confounded.mean
    assert verdict(confounded) == "confounded: other images at 48 px"
    answer = answers(findings)[0][1]
    assert answer.index("on BTFER: accuracy") < answer.index(
        "on BTFER, without AffectNet: accuracy"
    )
    assert f"over {clean.cells} matched pairs" in answer


def test_holm_counts_a_hypothesis_once_and_noise_never(tmp_path: Path) -> None:
    for network, balance in itertools.product(NETWORKS, ("simple", "conservative")):
        accuracy = 0.5 if balance == "simple" else 0.85
        draw_run(tmp_path, network, balance=balance, accuracy=accuracy)
    findings, _ = found_in(tmp_path)
    mine = [one for one in findings if one.contrast.question == "RQ3"]
    assert len(mine) == 6  # in all, on one training set, from scratch: on BTFER and on validation
    distinct = {one.pairs for one in mine}
    assert len(distinct) == 2
    assert [one.p_holm for one in mine] == pytest.approx([2 * 2 / 2**6] * 6)


@pytest.mark.parametrize(("p", "word"), [(0.01, "Clearly higher"), (0.08, "Likely higher")])
def test_no_word_is_surer_than_its_corrected_p(p: float, word: str, tmp_path: Path) -> None:
    draw_run(tmp_path, "resnet18", resolution=48, accuracy=0.3)
    draw_run(tmp_path, "resnet18", resolution=224, accuracy=0.8)
    findings, pairs = found_in(tmp_path)
    found = named(findings, "RQ1", "on BTFER")
    pair = next(one for one in pairs if "validation" not in one.base)
    assert (found.up, found.down, found.p) == (pair.gained, pair.lost, pair.p)
    assert word in sentence(replace(found, p_holm=p))


def test_affectnets_weightings_are_named_as_noise() -> None:
    found = named(published_findings(), "RQ3", "on BTFER, trained on AffectNet")
    assert found.noise
    assert found.gap == pytest.approx(0.029, abs=0.001)
    assert "training was repeated: by 0.029" in sentence(found)
    headline = answers(published_findings())[2][1]
    assert "Likely higher, but not certain" in headline


@pytest.mark.parametrize("how", ["even classes", "a network that the protocol does not weight"])
def test_runs_whose_weightings_are_the_same_numbers_are_noise(tmp_path: Path, how: str) -> None:
    for balance in ("simple", "conservative"):
        unweighted = [] if how == "even classes" else ["smmb"]
        protocol = {"name": "authors_code", "unweighted": unweighted}
        folder = draw_run(tmp_path, "smmb", balance=balance, protocol=protocol)
        if how == "even classes":
            record = json.loads((folder / "run.json").read_text())
            (folder / "run.json").write_text(json.dumps(record | {"training_counts": [300] * 7}))
    findings, _ = found_in(tmp_path)
    assert named(findings, "RQ3", "on BTFER, trained on RAF-DB").noise
    assert "on BTFER" not in {one.contrast.place for one in findings}


def test_one_network_is_never_taken_for_all(tmp_path: Path) -> None:
    draw_run(tmp_path, "resnet18", resolution=48, accuracy=0.3)
    draw_run(tmp_path, "resnet18", resolution=224, accuracy=0.8)
    findings, pairs = found_in(tmp_path)
    found = named(findings, "RQ1", "on BTFER")
    assert found.unit == "images"
    assert "too few networks to generalise to others" in sentence(found)
    pair = next(one for one in pairs if "validation" not in one.base)
    assert pair.images == 280
    assert pair.gained - pair.lost == round(found.mean * 280)
    assert pair.p == mcnemar(pair.gained, pair.lost)
    assert pair.p <= pair.p_holm < 0.001


def test_networks_are_the_units_where_there_are_five(tmp_path: Path) -> None:
    for network, balance in itertools.product(NETWORKS, ("simple", "conservative")):
        accuracy = 0.5 if balance == "simple" else 0.85
        draw_run(tmp_path, network, balance=balance, accuracy=accuracy)
    findings, pairs = found_in(tmp_path)
    found = named(findings, "RQ3", "on BTFER")
    assert (found.cells, found.networks, found.unit, found.up) == (6, 6, "networks", 6)
    assert found.p == pytest.approx(2 / 2**6)
    assert found.interval
    assert found.interval.low > 0
    assert certainty(found) == "likely"  # six networks cannot pass a corrected sign test
    assert len(pairs) == 12
    assert max(one.p for one in pairs) <= max(one.p_holm for one in pairs)


def test_the_same_answers_show_no_difference(tmp_path: Path) -> None:
    one = draw_run(tmp_path, weights="none", resolution=224)
    two = draw_run(tmp_path, weights="imagenet", resolution=224)
    for name in ("predictions_btfer.parquet", "predictions_val.parquet"):
        (two / name).write_bytes((one / name).read_bytes())
    findings, pairs = found_in(tmp_path)
    found = named(findings, "RQ2", "on BTFER")
    assert found.mean == 0
    assert "No difference shown" in sentence(found)
    assert {pair.p for pair in pairs} == {1.0}


def test_only_the_same_seed_on_the_same_release_is_a_pair(tmp_path: Path) -> None:
    draw_run(tmp_path, resolution=48, seed=0)
    draw_run(tmp_path, resolution=224, seed=1)
    assert found_in(tmp_path) == ([], [])


def test_pictures_are_matched_by_name_not_by_place(tmp_path: Path) -> None:
    import pandas as pd

    one = draw_run(tmp_path, resolution=48)
    two = draw_run(tmp_path, resolution=224)
    for name in ("predictions_btfer.parquet", "predictions_val.parquet"):
        table = pd.read_parquet(one / name)
        order = np.random.default_rng(0).permutation(len(table))
        table.iloc[order].to_parquet(two / name, index=False)
    _, pairs = found_in(tmp_path)
    assert [(pair.gained, pair.lost) for pair in pairs] == [(0, 0), (0, 0)]
