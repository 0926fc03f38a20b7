"""`btfer bench --expect`: our published numbers made again, each beside what is expected and its noise.

expected.toml has a row for each: what makes it, where it is published, the mean over seeds, and how far one seed
may be from it. A row of kind `run` trains on the built-in sample; a row of kind `finding` is an answer of the
report to one of the paper's questions, from the published tables alone, and moves with nothing but our code.
"""

import tomllib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from btfer import bench, demo
from btfer.errors import UsageError
from btfer.extras import require
from btfer.progress import SILENT, Progress
from btfer.settings import load_settings

TABLE = "expected.toml"
RUN, FINDING = "run", "finding"


@dataclass(frozen=True)
class Expectation:
    """One published number. kind: RUN or FINDING. expected: mean over `seeds` seeds, whose standard deviation is `sd`.

    noise: how far a single seed may be from it. published: where the number stands. command: makes it again. network,
    resolution (pixels), balance, epochs (a fold), folds, per_class (faces), seed, score (accuracy or macro_f1): of a
    run, else empty or 0. contrast: of a finding, as the report names it.
    """

    what: str
    kind: str
    published: str
    command: str
    expected: float
    noise: float
    seeds: int
    sd: float
    date: str
    network: str = ""
    resolution: int = 48
    balance: str = "conservative"
    epochs: int = 0
    folds: int = 0
    per_class: int = 0
    seed: int = 0
    score: str = ""
    contrast: str = ""


@dataclass(frozen=True)
class Outcome:
    """A number made again. measured: it; None where the run failed, for the reason in `error`."""

    row: Expectation
    measured: float | None
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether it lies within the noise."""
        # Both are rounded, so that a difference of just the noise is not lost to the last binary digit.
        return self.measured is not None and (
            round(abs(self.measured - self.row.expected), 9) <= self.row.noise
        )


def read_expectations(networks: Collection[str] = ()) -> list[Expectation]:
    """The rows of expected.toml. networks: only the runs of these; none given = everything.

    Raises UsageError for a network that no row is about.
    """
    content = tomllib.loads(files(__package__).joinpath(TABLE).read_text(encoding="utf-8"))
    known = {one.name for one in fields(Expectation)}
    rows = [
        Expectation(kind=kind, **{name: one[name] for name in one if name in known})
        for kind in (FINDING, RUN)
        for one in content[kind]
    ]
    named = {row.network for row in rows if row.network}
    if strange := sorted(set(networks) - named):
        raise UsageError(
            f"no number is expected of '{strange[0]}'; choose one of {', '.join(sorted(named))}"
        )
    return [row for row in rows if not networks or row.network in networks]


def expect(
    data_dir: Path,
    rows: Sequence[Expectation],
    say: Callable[[str], None],
    progress: Progress = SILENT,
) -> list[Outcome]:
    """Make each number again. The sample's release is kept in data_dir/expected; runs are made anew each time."""
    require("bench", "btfer bench --expect")
    home = data_dir / "expected"
    home.mkdir(parents=True, exist_ok=True)
    sizes = {row.per_class for row in rows if row.kind == RUN}
    releases = {one: _release(home, one, say, progress) for one in sorted(sizes)}
    # One folder for all rows: two numbers of the same run are made once.
    with TemporaryDirectory(dir=home, prefix="runs-") as folder:
        return [
            _run(row, releases[row.per_class], Path(folder), progress)
            if row.kind == RUN
            else Outcome(row, _finding(row))
            for row in rows
        ]


def _release(home: Path, per_class: int, say: Callable[[str], None], progress: Progress) -> Path:
    settings = load_settings(data_dir=home, catalogue="", queries_dir=demo.QUERIES, host_delay_s=0)
    made, _ = demo.sample_release(settings, per_class, say, progress)
    return made.path


def _run(row: Expectation, release: Path, folder: Path, progress: Progress) -> Outcome:
    request = bench.BenchRequest(
        data_dir=folder,
        release=release,
        architectures=[row.network],
        resolutions=[row.resolution],
        balances=[row.balance],
        seeds=[row.seed],
        epochs=row.epochs,
        folds=row.folds,
    )
    [record] = bench.bench(request, progress)
    if not record.is_done:
        return Outcome(row, None, record.error or record.state)
    scores = record.own_scores
    return Outcome(row, scores["macro"]["f1"] if row.score == "macro_f1" else scores["accuracy"])


def _finding(row: Expectation) -> float:
    """The mean difference over the matched pairs of a contrast of the published tables."""
    from btfer.bench.report.questions import published_findings

    found: Any = next(one for one in published_findings() if one.contrast.name == row.contrast)
    return float(found.mean)
