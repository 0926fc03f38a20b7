"""`btfer bench --expect`: our published numbers made again, each beside what is expected and its noise.

expected.toml has a row for each: what makes it, where it is published, the mean over seeds, and how far one seed
may be from it. A row of kind `run` trains on the built-in sample; a row of kind `finding` is an answer of the
report to one of the paper's questions, from the published tables alone, and moves with nothing but our code.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from btfer import bench, demo
from btfer.errors import BtferError, UsageError
from btfer.extras import require
from btfer.parsing import parse_toml
from btfer.paths import training_dir
from btfer.progress import SILENT, Progress
from btfer.sample.training_pack import SET_NAME, unpack

TABLE = "expected.toml"
RUN, FINDING = "run", "finding"


@dataclass(frozen=True)
class Expectation:
    """One published number. kind: RUN or FINDING. expected: mean over `seeds` seeds, whose standard deviation is `sd`.

    noise: how far a single seed may be from it. published: where the number stands. command: makes it again. network,
    resolution (pixels), balance, epochs (a fold), folds, per_class (faces), seed, score (accuracy or macro_f1): of a
    run, else empty or 0. protocol: how it is trained; empty = `paper`. training: `synthetic` = the training part of the
    sample, and the score is that on the release; empty = folds of the release itself. contrast: of a finding, as the
    report names it.
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
    protocol: str = ""
    training: str = ""
    contrast: str = ""


@dataclass(frozen=True)
class Outcome:
    """A number made again. measured: it; None where it cannot be made here or its run failed, for `error`'s reason."""

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
    content = parse_toml(files(__package__).joinpath(TABLE).read_text(encoding="utf-8"))
    rows = [Expectation(kind=kind, **one) for kind in (FINDING, RUN) for one in content[kind]]
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
    home = data_dir / "expected"
    home.mkdir(parents=True, exist_ok=True)
    releases = cache(lambda per_class: _release(home, per_class, say, progress))
    # One folder for all rows: two numbers of the same run are made once.
    with TemporaryDirectory(dir=home, prefix="runs-") as folder:
        return [_outcome(row, releases, home, Path(folder), progress) for row in rows]


def _outcome(
    row: Expectation, releases: Callable[[int], Path], home: Path, folder: Path, progress: Progress
) -> Outcome:
    """A row made again; what keeps one from being made here keeps the others from nothing."""
    try:
        require("bench", "btfer bench --expect")
        if row.kind == FINDING:
            return Outcome(row, _finding(row))
        return _run(row, releases(row.per_class), home, folder, progress)
    except BtferError as error:
        return Outcome(row, None, str(error))


def _release(home: Path, per_class: int, say: Callable[[str], None], progress: Progress) -> Path:
    made, _ = demo.sample_release(demo.demo_settings(home), per_class, say, progress)
    return made.path


def _run(row: Expectation, release: Path, home: Path, folder: Path, progress: Progress) -> Outcome:
    training = {SET_NAME: unpack(training_dir(home))} if row.training == SET_NAME else {}
    request = bench.BenchRequest(
        data_dir=folder,
        release=release,
        architectures=[row.network],
        resolutions=[row.resolution],
        balances=[row.balance],
        seeds=[row.seed],
        epochs=row.epochs,
        folds=row.folds or 3,
        protocol=row.protocol,
        training=training,
    )
    [record] = bench.bench(request, progress)
    if not record.is_done:
        return Outcome(row, None, record.error or record.state)
    scores = record.cross_scores if training else record.own_scores
    return Outcome(row, scores["macro"]["f1"] if row.score == "macro_f1" else scores["accuracy"])


def _finding(row: Expectation) -> float:
    """The mean difference over the matched pairs of a contrast of the published tables."""
    from btfer.bench.report.questions import published_findings

    found = {one.contrast.name: one for one in published_findings()}
    if row.contrast not in found:
        raise UsageError(
            f"the report has no contrast '{row.contrast}'; it has {', '.join(found)}: mend {TABLE}"
        )
    return float(found[row.contrast].mean)
