"""The files around the code: hooks, forms, changelog, glossary and kept figures are well-formed and true."""

import csv
import importlib
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

import btfer

ROOT = Path(__file__).parents[1]
FORMS = sorted(
    path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"
)
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.csv"))
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
TERMS = {  # what must be in the glossary, and where the word is used in code
    "photo": "btfer.catalogue.tables:photo",
    "face": "btfer.catalogue.tables:face",
    "verdict": "btfer.catalogue.tables:verdict",
    "sighting": "btfer.catalogue.journal:Sighting",
    "query": "btfer.queries:Query",
    "source": "btfer.sources:SOURCES",
    "class": "btfer.expressions:EXPRESSIONS",
    "drop reason": "btfer.review:DROP_REASONS",
    "round": "btfer.review:ROUNDS",
    "crop settings": "btfer.faces.modes:CropSettings",
    "release": "btfer.pipeline.release:write",
    "image": "btfer.bench.datasets:ImageSet",
    "cell": "btfer.queries:Cell",
    "grid cell": "btfer.bench.experiments.cells:GridCell",
    "bundle": "btfer.bench.submit:Bundle",
}
WORDS = [
    *(
        "label",
        "reviewer",
        "run",
        "training set",
        "duplicate",
        "keeper",
        "in-domain",
        "cross-domain",
    ),
    *("network", "protocol", "system", "leak", "withdrawal"),
]


def test_the_hooks_are_local_and_need_no_network() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [one["repo"] for one in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert [one["id"] for one in hooks] == ["ruff-format", "ruff-check", "mypy", "lint-imports"]
    assert {one["language"] for one in hooks} == {"system"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_a_name_and_fields_that_differ(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert form["name"]
    assert form["description"]
    fields = [one["id"] for one in form["body"] if one["type"] != "markdown"]
    assert fields
    assert len(set(fields)) == len(fields)
    known = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
    assert {one["type"] for one in form["body"]} <= known


def test_the_changelog_begins_with_this_version_and_every_section_has_its_date() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    found = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    parts = [one.split(" – ") for one in found]
    assert parts[0][0] == btfer.__version__
    days = [date.fromisoformat(day) for _, day in parts]
    assert days == sorted(days, reverse=True)
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited
    assert cited.group(1) == btfer.__version__


def test_the_glossary_has_each_word_once() -> None:
    defined = re.findall(r"^\| (\*\*.+?) \|", GLOSSARY, flags=re.MULTILINE)
    words = [word for line in defined for word in re.findall(r"\*\*(.+?)\*\*", line)]
    assert len(set(words)) == len(words)
    assert set(words) == {*TERMS, *WORDS}


@pytest.mark.parametrize("place", TERMS.values(), ids=TERMS.keys())
def test_a_word_of_the_glossary_is_the_word_in_code(place: str) -> None:
    module, _, name = place.partition(":")
    assert hasattr(importlib.import_module(module), name)


def _results() -> list[tuple[str, dict[str, str]]]:
    found = []
    for path in RESULTS:
        with path.open(newline="") as file:
            found += [(path.name, row) for row in csv.DictReader(file)]
    return found


def test_kept_figures_have_numbers_and_the_date_of_their_file() -> None:
    assert RESULTS
    for name, row in _results():
        assert name.startswith(f"{date.fromisoformat(row['date'])}-")
        script = row["command"].split()[0]
        assert (ROOT / script).is_file()
        assert name.endswith(f"-{Path(script).stem}.csv")
        assert float(row["value"]) >= 0
        assert row["unit"]
        assert row["machine"]
        assert not row["peer"] or float(row["peer"]) > 0
        assert re.fullmatch(r"(([<>]=?) [\d.]+)?", row["limit"]), row


def test_a_figure_is_added_to_the_file_of_its_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    results = importlib.import_module("results")
    monkeypatch.setattr(
        results,
        "TYPED",
        ["benchmarks/intake.py", "--count", "9", "--photos", "/somewhere/faces/", "--save"],
    )
    for speed in (120.5, 130.0):
        path = results.save(
            [results.Measured("a photo", speed, "photos/s", 60, ">= 1")], folder=tmp_path
        )
    assert path.name == f"{date.today().isoformat()}-intake.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == results.COLUMNS
    assert [row["value"] for row in rows] == ["120.5", "130"]
    assert rows[0]["command"] == "benchmarks/intake.py --count 9 --photos faces"
    assert (rows[0]["peer"], rows[0]["limit"]) == ("60", ">= 1")
