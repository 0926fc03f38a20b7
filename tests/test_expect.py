"""`btfer bench --expect`: rows that are whole and true, and an exit code that says so."""

import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from btfer import cli, expect
from btfer.bench.architectures import ARCHITECTURES
from btfer.bench.runs.record import RunRecord
from btfer.errors import UsageError
from btfer.expect import FINDING, RUN, Expectation, Outcome, read_expectations
from btfer.settings import Settings


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
    assert len(rows) == 3
    found = expect.expect(tmp_path, rows, print)
    assert [one.holds for one in found] == [True] * 3


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
        value = scored[name]
        state = "failed" if value is None else "done"
        metrics = {"in_domain": {"accuracy": value, "macro": {"f1": value}}} if value else {}
        known = {"id": "a", "training": "in-domain", "error": "out of memory"}
        of = {"architecture": name, "weights": "none", "resolution": 48, "balance": "none"}
        record = known | {"state": state, "metrics": metrics}
        record["definition"] = of | {"seed": 1, "protocol": {"name": "paper"}}
        return [RunRecord.from_json(record, Path())]

    monkeypatch.setattr(expect.bench, "bench", train)
    monkeypatch.setattr(expect, "_release", lambda *_: Path("release"))
    assert typed(monkeypatch, "--model", "lenet5", "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["measured"] == 0.15
    assert row["holds"] is True
    assert typed(monkeypatch, "--model", "sequential_4conv") == 1
    shown = capsys.readouterr().out
    assert "DIFFERS" in shown
    assert "out of memory" in shown
    scored["lenet5"] = 0.9
    assert typed(monkeypatch, "--model", "lenet5") == 1
    assert not list((settings.data_dir / "expected").iterdir())
    assert typed(monkeypatch, "--seed", "3") == 2
    assert "--seed has no effect here" in capsys.readouterr().err
    assert replace(Outcome(read_expectations()[0], 1.0)).holds is False
