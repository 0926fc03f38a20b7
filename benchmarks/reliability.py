"""Proof of reliability: every command killed at random points, on full disks, and under each kind of fault.

    python benchmarks/reliability.py [--kills N] [--seed N] [--only WORDS] [--save]
    python benchmarks/reliability.py --page

It runs the tests that carry the marker `reliability`, wherever they stand, and prints for each what was tried and
what survived; --save keeps a row as soon as its test has ended. Exit code 1 where anything was lost. Each seed kills
at other points, so that runs with several seeds add up; the same seed counts once. --page makes the table of
docs/reliability.md, and that of the README, of the saved figures; nothing is run.
"""

import argparse
import csv
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import results
from rich.console import Console
from rich.table import Table

from btfer.files import write_atomic

ROOT = Path(__file__).parents[1]
PAGE, README = ROOT / "docs" / "reliability.md", ROOT / "README.md"
CODE = ("btfer", "review_app")
MARKER = "reliability"
KILLED = "killed"
UNIT = "survived"
_MADE = re.compile(
    r"(<!-- made by benchmarks/reliability.py -->\n).*?([ \t]*<!-- end -->)", re.DOTALL
)


@dataclass(frozen=True)
class Trial:
    """What one test tried under a name of the table. seed: '' = none was drawn. code: digest of what it tried."""

    name: str
    test: str
    tried: int
    lost: int
    seed: str = ""
    code: str = ""
    day: str = ""

    def replaces(self, other: "Trial") -> bool:
        """Whether the same test with the same seed need not be counted any more: it tried no less, or it lost."""
        return self.tried >= other.tried or self.lost > 0


@dataclass
class Tried:
    """What was tried of one kind, and lost. mended: lost earlier, and survived since by the same test and seed.

    skipped: why nothing was tried. day: of the last trial. codes: digests of the states of the code that were tried.
    """

    tried: int = 0
    lost: int = 0
    mended: int = 0
    skipped: str = ""
    day: str = ""
    codes: frozenset[str] = frozenset()

    def __add__(self, other: "Tried") -> "Tried":
        """Both."""
        figures = (self.tried + other.tried, self.lost + other.lost, self.mended + other.mended)
        words = (self.skipped or other.skipped, max(self.day, other.day))
        return Tried(*figures, *words, self.codes | other.codes)

    @property
    def survived(self) -> int:
        """What was not lost."""
        return self.tried - self.lost


@dataclass(eq=False)  # pytest has its plugins in a set
class Count:
    """Counts the tests that have the marker, by its name; of a test that tries several times, each of them.

    ended: what is done with a test as soon as it has run.
    """

    ended: Callable[[Trial], object]
    by_name: dict[str, Tried] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """Count a test when it has run, or could not be begun."""
        report = yield
        if report.when == "call" or (report.when == "setup" and not report.passed):
            self._add(item, report)
        return report

    def _add(self, item: pytest.Item, report: pytest.TestReport) -> None:
        for marker in item.iter_markers(MARKER):
            name = str(marker.args[0])
            if name == KILLED:
                name = f"{KILLED}: {item.callspec.params['command'].name}"  # type: ignore[attr-defined]
            before = self.by_name.get(name, Tried())
            if report.skipped:
                why = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
                self.by_name[name] = before + Tried(skipped=why)
                continue
            own: tuple[int, int] = dict(item.user_properties).get("tries", (1, 0))  # type: ignore[assignment]
            tried, lost = own
            seed = str(marker.kwargs.get("seed", ""))
            one = Trial(name, item.nodeid, tried, lost or int(report.failed), seed, code_digest())
            self.by_name[name] = before + Tried(one.tried, one.lost)
            self.ended(one)


@cache
def code_digest() -> str:
    """Of all that is tried: the program and the review app as they are now, eight hex digits."""
    digest = hashlib.sha256()
    every = [one for name in CODE for one in (ROOT / name).rglob("*") if one.is_file()]
    for path in sorted(one for one in every if one.suffix != ".pyc"):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:8]


def test_files() -> list[str]:
    """The files with tests that have the marker."""
    every = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(one) for one in every if f"pytest.mark.{MARKER}" in one.read_text(encoding="utf-8")]


def run(kills: int, seed: int, only: str, ended: Callable[[Trial], object]) -> Mapping[str, Tried]:
    """Run the tests; how often what survived, by name. Raises SystemExit where pytest itself fails, or finds none."""
    os.environ |= {"KILLS": str(kills), "SEED": str(seed)}
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    code_digest()  # before anybody goes on working on it
    count = Count(ended)
    chosen = ["-k", only] if only else []
    arguments = [*test_files(), "-q", "-m", MARKER, "-p", "no:cacheprovider", *chosen]
    code = pytest.main(arguments, [count])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise SystemExit(f"pytest ended with {code!r}")
    return dict(sorted(count.by_name.items()))


def show(found: Mapping[str, Tried]) -> None:
    """Print the table."""
    table = Table("test", "tried", "survived", "lost")
    for name, one in found.items():
        cells = (str(one.tried), str(one.survived), str(one.lost))
        table.add_row(name, *(cells if one.tried else (f"not here: {one.skipped}", "", "")))
    total = _sum(found.values())
    table.add_section()
    table.add_row("all", str(total.tried), str(total.survived), str(total.lost))
    Console(width=110).print(table)


def save(one: Trial) -> None:
    """Keep a test's figures: the limit is that all survive."""
    row = results.Measured(one.name, one.tried - one.lost, UNIT, limit=f">= {one.tried}")
    results.save([row], more={"test": one.test, "seed": one.seed, "code": one.code})


def saved_trials(folder: Path = results.FOLDER) -> Iterator[Trial]:
    """Every saved row of a test that is still there, in the order of the runs."""
    for path in sorted(folder.glob(f"*-{Path(__file__).stem}.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                tried = int(row["limit"].removeprefix(">= "))
                lost = tried - int(row["value"])
                test, seed, code = (row.get(name) or "" for name in ("test", "seed", "code"))
                if _is_there(test):
                    yield Trial(row["what"], test, tried, lost, seed, code, row["date"])


@cache
def _is_there(test: str) -> bool:
    """Whether a test has not been renamed or taken away since; rows before November 30 name none."""
    file, _, function = test.partition("[")[0].partition("::")
    path = ROOT / file
    return not test or (path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8"))


def saved(folder: Path = results.FOLDER) -> dict[str, Tried]:
    """What the saved rows come to, by name: seeds add up, and of one test with one seed the newest row counts.

    A row that names no test counts as long as no row of its name does.
    """
    counted: dict[tuple[str, str, str], Trial] = {}
    mended: dict[str, int] = {}
    trials = list(saved_trials(folder))
    named = {one.name for one in trials if one.test}
    for one in trials:
        if not one.test and one.name in named:
            mended[one.name] = mended.get(one.name, 0) + one.lost
            continue
        key = (one.name, one.test, one.seed)
        before = counted.get(key)
        if before and not one.replaces(before):
            continue
        if before:
            mended[one.name] = mended.get(one.name, 0) + before.lost
        counted[key] = one
    found: dict[str, Tried] = {}
    for one in counted.values():
        figures = Tried(one.tried, one.lost, day=one.day, codes=frozenset({one.code}))
        found[one.name] = found.get(one.name, Tried(mended=mended.get(one.name, 0))) + figures
    return dict(sorted(found.items()))


def sums(found: Mapping[str, Tried]) -> tuple[Tried, Tried, int, int]:
    """Of all kills and of all faults; how many commands were killed, and how many kinds of faults there are."""
    killed = [one for name, one in found.items() if name.startswith(KILLED)]
    faults = [one for name, one in found.items() if not name.startswith(KILLED)]
    return _sum(killed), _sum(faults), len(killed), len(faults)


def _sum(every: Iterable[Tried]) -> Tried:
    return sum(every, Tried())


def page_table(found: Mapping[str, Tried]) -> str:
    """The table of the page, in Markdown."""
    lines = [
        "| test | tried | survived | lost | mended | states of the code | last tried |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    rows = [*found.items(), ("**all**", _sum(found.values()))]
    for name, one in rows:
        figures = (one.tried, one.survived, one.lost, one.mended, len(one.codes))
        lines.append(f"| {name} | {' | '.join(f'{n:,}' for n in figures)} | {one.day} |")
    return "\n".join(lines)


def readme_table(found: Mapping[str, Tried]) -> str:
    """The table of the README, in Markdown; without blanks, since its words are counted."""
    killed, faults, n_commands, n_kinds = sums(found)
    return (
        "  |`make reliability`|tried|lost|\n"
        "  |---|---:|---:|\n"
        f"  |kills of {n_commands} commands|{killed.tried:,}|{killed.lost}|\n"
        f"  |{n_kinds} kinds of faults|{faults.tried:,}|{faults.lost}|\n\n"
        "  [Every row](docs/reliability.md)"
    )


def made(text: str, part: str) -> str:
    """The text with its generated part."""
    return _MADE.sub(lambda found: f"{found[1]}{part}\n{found[2]}", text)


def write_page() -> None:
    """Put the saved figures into the page and the README."""
    found = saved()
    for path, part in ((PAGE, page_table(found)), (README, readme_table(found))):
        write_atomic(path, made(path.read_text(encoding="utf-8"), part).encode())
        print(path)


def main() -> None:
    """Run the tests and print the table, or make the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="of each command [50]")
    parser.add_argument("--seed", type=int, default=0, help="which kills are drawn [0]")
    parser.add_argument("--only", default="", help="names of tests, as pytest -k takes them")
    parser.add_argument("--page", action="store_true", help="make the page of what was saved")
    results.add_save(parser)
    args = parser.parse_args()
    if args.page:
        write_page()
        return
    found = run(args.kills, args.seed, args.only, save if args.save else lambda _: None)
    show(found)
    raise SystemExit(any(one.lost for one in found.values()))


if __name__ == "__main__":
    main()
