"""The model on paper of many photos on many machines."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import scale_model  # noqa: E402
from scale_model import Constants, Given, Source  # noqa: E402

KNOWN = Constants(
    1_000_000, **{name: Source("a.csv", name, 1.0, "s", "0.5") for name in scale_model.ROWS}
)


def _save(folder: Path, day: str, value: str) -> None:
    (folder / f"{day}-intake.csv").write_text(
        f"date,command,what,value,unit,peer,limit,machine,load\n{day},c,reading,{value},s,,,2 cores,0.5\n"
    )


def test_the_newest_row_counts_and_a_missing_one_names_its_benchmark(tmp_path: Path) -> None:
    _save(tmp_path, "2026-01-02", "7")
    _save(tmp_path, "2026-01-01", "5")
    assert scale_model.newest(tmp_path, "intake", "reading").value == 7
    with pytest.raises(SystemExit, match=r"run benchmarks/intake.py --save"):
        scale_model.newest(tmp_path, "intake", "writing")


def test_more_machines_shorten_all_but_the_catalogue() -> None:
    one, eight = (scale_model.hours(KNOWN, Given(), 1_000_000, n) for n in (1, 8))
    for name in ("read", "near", "crop", "network", "disk"):
        assert getattr(one, name) == pytest.approx(8 * getattr(eight, name))
    assert (one.writes, one.reads) == (eight.writes, eight.reads)


def test_a_slower_part_becomes_the_busiest() -> None:
    slow = replace(KNOWN, insert=replace(KNOWN.insert, value=1e6))
    assert scale_model.hours(slow, Given(), 1_000_000, 64).slowest() == "writes"
    assert scale_model.machines_until_writer(slow, Given()) < 1


def test_prices_are_those_that_are_given_and_no_others() -> None:
    assert "cost" not in scale_model.document(KNOWN, Given()).split("## What it costs")[1]
    told = scale_model.document(KNOWN, Given(price_per_hour=2.0, price_per_tb_month=3.0))
    spent = scale_model.hours(KNOWN, Given(), 200_000, 1).total()
    assert f"{2 * spent:,.2f} |" in told
