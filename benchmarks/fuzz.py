"""Fuzzing: pictures, pages, tables and records with drawn damage, for as long as one likes; counts cases and crashes.

    python benchmarks/fuzz.py [--examples N | --minutes N] [--only WORDS] [--save]
    python benchmarks/fuzz.py --page

It runs tests/fuzz with new cases each time. A crash is shown with the smallest case that makes it. Exit code 1 where
there was one. --page makes the table of docs/reliability.md of the saved figures; nothing is run.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import results

from btfer.files import write_atomic

ROOT = Path(__file__).parents[1]
FUZZ, PAGE = ROOT / "tests" / "fuzz", ROOT / "docs" / "reliability.md"
OF_A_ROUND = 300
"""Cases of each test, after which the time is looked at."""
UNIT = "crashes"
_MADE = re.compile(r"(<!-- made by benchmarks/fuzz.py -->\n).*?([ \t]*<!-- end -->)", re.DOTALL)


@dataclass
class Found:
    """How many cases were tried of each test, by its name, and which tests met a crash."""

    cases: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)


def run_once(file: Path, examples: int, only: str, found: Found) -> None:
    """Run the tests of a file in a process of its own: a crash of a decoder ends no more than that."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            *(sys.executable, "-m", "pytest", str(file), "-q", "-p", "no:cacheprovider"),
            *("-o", "junit_family=xunit1", "--timeout", "0", "-k", only, f"--junitxml={report}"),
        ]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"FUZZ": str(examples)}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        count(report, file.stem, done.returncode, found)
        if done.returncode not in (0, 5):
            print(done.stdout[-20_000:], done.stderr[-2_000:], flush=True)


def count(report: Path, name: str, code: int, found: Found) -> None:
    """Add what a run's report says; a process that was killed has left none."""
    if not report.is_file():
        found.crashes[name] += code not in (0, 5)
        return
    for test in ElementTree.parse(report).iter("testcase"):
        title = title_of(str(test.get("name")))
        for one in test.iter("property"):
            found.cases[title] += int(one.get("value", 0)) if one.get("name") == "cases" else 0
        found.crashes[title] += any(test.find(word) is not None for word in ("failure", "error"))


def title_of(test: str) -> str:
    """What is tried, in words: of all sources together."""
    return test.partition("[")[0].removeprefix("test_").replace("_", " ")


def run(examples: int, minutes: float, only: str) -> Found:
    """Run every file once, or again and again until the time is over."""
    found, ends = Found(), time.monotonic() + 60 * minutes
    while True:
        for file in sorted(FUZZ.glob("test_*.py")):
            if minutes and time.monotonic() >= ends:
                return found
            run_once(file, examples or OF_A_ROUND, only, found)
            print(
                f"{sum(found.cases.values()):,} cases, {sum(found.crashes.values())} crashes",
                flush=True,
            )
        if not minutes:
            return found


def measured(found: Found) -> list[results.Measured]:
    """The rows to keep."""
    return [
        results.Measured(f"{what}: {n} cases", found.crashes[what], UNIT, limit="<= 0")
        for what, n in sorted(found.cases.items())
    ]


def saved(folder: Path = results.FOLDER) -> dict[str, tuple[int, int]]:
    """Cases and crashes of each test in all saved runs."""
    sums: dict[str, tuple[int, int]] = {}
    for path in sorted(folder.glob("*-fuzz.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                what, _, cases = row["what"].removesuffix(" cases").rpartition(": ")
                before = sums.get(what, (0, 0))
                sums[what] = before[0] + int(cases), before[1] + int(row["value"])
    return dict(sorted(sums.items()))


def page_table(sums: Mapping[str, tuple[int, int]]) -> str:
    """The table of the page, in Markdown."""
    lines = ["| tried with drawn damage | cases | crashes |", "|---|---:|---:|"]
    lines += [f"| {what} | {cases:,} | {crashes} |" for what, (cases, crashes) in sums.items()]
    every = [sum(one) for one in zip(*sums.values(), strict=True)] or [0, 0]
    lines.append(f"| **all** | **{every[0]:,}** | **{every[1]}** |")
    return "\n".join(lines)


def write_page(page: Path) -> None:
    """Put the table of what was kept into a page. Raises SystemExit where the page has no place for it."""
    text = page.read_text(encoding="utf-8")
    if not _MADE.search(text):
        raise SystemExit(f"{page} has no line <!-- made by benchmarks/fuzz.py -->")
    part = page_table(saved())
    write_atomic(page, _MADE.sub(lambda one: f"{one[1]}{part}\n{one[2]}", text).encode())


def main() -> None:
    """Run the tests and print what was counted, or make the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--examples", type=int, default=0, help=f"of each test [{OF_A_ROUND}]")
    parser.add_argument("--minutes", type=float, default=0, help="in all, in place of --examples")
    parser.add_argument("--only", default="", help="names of tests, as pytest -k takes them")
    parser.add_argument("--page", action="store_true", help="make the page of what was saved")
    results.add_save(parser)
    args = parser.parse_args()
    if args.page:
        write_page(PAGE)
        return
    found = run(args.examples, args.minutes, args.only)
    print(page_table({what: (n, found.crashes[what]) for what, n in sorted(found.cases.items())}))
    if args.save:
        results.save(measured(found))
    raise SystemExit(any(found.crashes.values()))


if __name__ == "__main__":
    main()
