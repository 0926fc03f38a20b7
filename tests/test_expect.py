"""`btfer bench --expect`: rows that are whole and true, and an exit code that says so."""

import json
import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from btfer import cli, expect
from btfer.bench.architectures import ARCHITECTURES
from btfer.bench.runs.record import RunRecord
from btfer.cli.sample import PER_CLASS
from btfer.demo.benchmark import NETWORKS, PROTOCOL
from btfer.errors import BtferError, UsageError
from btfer.expect import FINDING, RUN, Expectation, Outcome, read_expectations
from btfer.sample.training_pack import SET_NAME
from btfer.settings import Settings

ROOT = Path(__file__).parents[1]


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["btfer", "bench", "--expect", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_every_row_is_whole() -> None:
    rows = read_expectations()
    assert len({row.what for row in rows}) == len(rows)
    for row in rows:
        date.fromisoformat(row.date)
        assert row.command.startswith("btfer ")
        assert row.published
        assert 0 < row.noise < row.expected or row.kind == RUN
        if row.kind == RUN:
            ARCHITECTURES[row.network].check(row.resolution, "none")
            assert row.seeds >= 3
            assert row.noise == pytest.approx(3 * row.sd, abs=0.001)
            assert row.score in ("accuracy", "macro_f1")
    assert {row.network for row in read_expectations(["lenet5"])} == {"lenet5"}
    with pytest.raises(UsageError, match="no number is expected of 'vgg'; choose one of lenet5"):
        read_expectations(["vgg"])


def test_the_findings_hold(tmp_path: Path) -> None:
    rows = [row for row in read_expectations() if row.kind == FINDING]
    assert len(rows) == 4
    found = expect.expect(tmp_path, rows, print)
    assert [one.holds for one in found] == [True] * 4


def test_a_row_that_cannot_be_made_here_says_why_and_keeps_no_other_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_room(*_: object) -> Path:
        raise BtferError("cannot write to the folder: no space left")

    monkeypatch.setattr(expect, "_release", no_room)
    rows = read_expectations()
    gone = replace(rows[0], contrast="256 px")
    found = expect.expect(tmp_path, [gone, *rows], print)
    assert [one.holds for one in found[1:5]] == [True] * 4
    assert {one.error for one in found[5:]} == {"cannot write to the folder: no space left"}
    assert found[0].error.startswith("the report has no contrast '256 px'; it has 224 px")


def test_every_command_of_a_row_is_one_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in {row.command for row in read_expectations()}:
        monkeypatch.setattr(sys, "argv", [*command.split(), "--help"])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code, command


def test_the_rows_of_the_demo_are_trained_as_the_demo_trains() -> None:
    of_demo = [row for row in read_expectations() if row.training == SET_NAME]
    assert {row.network for row in of_demo} == NETWORKS.keys()
    for row in of_demo:
        assert row.command == "btfer demo"
        assert (row.epochs, row.protocol) == (NETWORKS[row.network], PROTOCOL)
        assert row.per_class == PER_CLASS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_ranks_as_it_says(tmp_path: Path) -> None:
    rows = [row for row in read_expectations(["lenet5"]) if row.training == SET_NAME]
    assert [row.score for row in rows] == ["accuracy", "macro_f1"]
    assert all((row.epochs, row.protocol) == (NETWORKS["lenet5"], PROTOCOL) for row in rows)
    found = expect.expect(tmp_path, rows, print)
    assert all(one.holds for one in found), found


def test_the_documents_show_what_is_expected_of_the_demo() -> None:
    shown = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for network in NETWORKS:
        its = [row for row in read_expectations([network]) if row.training == SET_NAME]
        scores = {row.score: f"{row.expected:.3f} ± {row.noise:.3f}" for row in its}
        assert f"| {network} | {scores['accuracy']} | {scores['macro_f1']} |" in shown


@pytest.mark.parametrize(
    ("measured", "holds"),
    [(0.5, True), (0.56, True), (0.4399, False), (0.561, False), (None, False)],
)
def test_a_number_holds_within_its_noise(measured: float | None, holds: bool) -> None:
    row = Expectation("x", RUN, "here", "btfer bench", 0.5, 0.06, 3, 0.02, "2026-11-29")
    assert Outcome(row, measured).holds is holds


def test_what_is_outside_the_noise_or_failed_ends_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    """The rows, the folder and the table are real; what a training would have scored is given."""
    scored: dict[str, float | None] = {"lenet5": 0.15, "sequential_4conv": None}

    def train(request: object, _: object) -> list[RunRecord]:
        [name] = request.architectures  # type: ignore[attr-defined]
        demo = bool(request.training)  # type: ignore[attr-defined]
        value = 0.87 if demo else scored[name]
        part = "cross_domain" if demo else "in_domain"
        state = "failed" if value is None else "done"
        metrics = {part: {"accuracy": value, "macro": {"f1": value}}} if value else {}
        known = {"id": "a", "training": "in-domain", "error": "out of memory"}
        of = {"architecture": name, "weights": "none", "resolution": 48, "balance": "none"}
        record = known | {"state": state, "metrics": metrics}
        record["definition"] = of | {"seed": 1, "protocol": {"name": "paper"}}
        return [RunRecord.from_json(record, Path())]

    monkeypatch.setattr(expect.bench, "bench", train)
    monkeypatch.setattr(expect, "_release", lambda *_: Path("release"))
    monkeypatch.setattr(expect, "unpack", lambda folder: folder)
    assert typed(monkeypatch, "--model", "lenet5", "--json") == 0
    row, *of_demo = json.loads(capsys.readouterr().out)
    assert row["measured"] == 0.15
    assert [one["measured"] for one in of_demo] == [0.87, 0.87]
    assert all(one["holds"] is True for one in (row, *of_demo))
    assert typed(monkeypatch, "--model", "sequential_4conv") == 1
    shown = capsys.readouterr().out
    assert "NOT MADE" in shown
    assert "out of memory" in shown
    scored["lenet5"] = 0.9
    assert typed(monkeypatch, "--model", "lenet5") == 1
    shown = capsys.readouterr().out
    assert re.search(
        r"DIFFERS +accuracy of lenet5, 30 epochs a fold +0\.151 +0\.055 +0\.900 ", shown
    )
    assert not list((settings.data_dir / "expected").iterdir())
    assert typed(monkeypatch, "--seed", "3") == 2
    assert "--seed has no effect here" in capsys.readouterr().err
    assert replace(Outcome(read_expectations()[0], 1.0)).holds is False
