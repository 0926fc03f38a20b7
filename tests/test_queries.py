import csv
import shutil
from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.queries import load_plan, plan_table, write_plan

QUERIES = Path(__file__).parent.parent / "queries"
SAMPLE = Path(__file__).parent.parent / "btfer" / "sample" / "queries"

ENGLISH = """
White girl happy | Asian man smiling | Latina woman laughing | Indian girl smiling
Black woman sad | White boy crying | elderly Indian man sorrowful
Asian girl fearful | middle-aged Latino man scared | Black toddler boy screaming
middle-aged White woman neutral | elderly Black woman serious | Indian man angry
White woman surprised | Asian boy amazed | Latina toddler girl disgusted
"""
SPANISH = """
niña india sonriendo | hombre negro triste | mujer blanca enfadada | niño asiático feliz
mujer latina riendo | anciana blanca afligida | anciano indio llorando
niño negro pequeño gritando | niña blanca pequeña asustada | hombre latino temeroso
mujer asiática de mediana edad seria | hombre indio de mediana edad neutral
niña negra sorprendida | hombre blanco asombrado | mujer india asqueada | anciano latino serio
"""


def phrases_in(text: str) -> set[str]:
    return {phrase.strip() for line in text.splitlines() for phrase in line.split("|")} - {""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(QUERIES, tmp_path / "plan")
    return tmp_path / "plan"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_plan_is_the_papers_grid_in_both_languages() -> None:
    plan = load_plan(QUERIES)
    assert len(plan.queries) == 2 * 15 * 5 * 2 * 5
    assert len({query.id for query in plan.queries}) == len(plan.queries)
    assert sum(row[2] for row in plan_table(plan) if row[0] == "sad") == 2 * 3 * 50


@pytest.mark.parametrize(("language", "text"), [("en", ENGLISH), ("es", SPANISH)])
def test_phrases_are_those_a_speaker_would_type(language: str, text: str) -> None:
    known = {query.phrase for query in load_plan(QUERIES, [language]).queries}
    assert len(phrases_in(text)) == 16
    assert phrases_in(text) - known == set()


def test_every_class_comes_early_so_that_a_stopped_crawl_is_balanced() -> None:
    first = [query.expression for query in load_plan(QUERIES, ["es"]).queries[:7]]
    assert sorted(first) == sorted(set(first))
    assert len(first) == 7


def test_nobody_has_reviewed_a_language_yet() -> None:
    assert load_plan(QUERIES).unreviewed == ["en", "es"]


def test_the_sample_has_a_small_english_plan() -> None:
    plan = load_plan(SAMPLE)
    assert len(plan.queries) == 7 * 3 * 2 * 4
    assert {query.language for query in plan.queries} == {"en"}


def test_the_version_changes_with_a_word_and_is_carried_by_every_query(folder: Path) -> None:
    before = load_plan(folder)
    change(folder / "expressions.toml", '"smiling"', '"beaming"')
    after = load_plan(folder)
    assert before.version == load_plan(QUERIES).version != after.version
    assert {query.plan for query in after.queries} == {after.version}


def test_the_plan_is_written_as_csv(tmp_path: Path) -> None:
    write_plan(load_plan(QUERIES, ["es"]), tmp_path / "plan.csv")
    with (tmp_path / "plan.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 750
    assert {"phrase": "niña india sonriendo", "expression": "happy"}.items() <= {
        key: value
        for row in rows
        if row["phrase"] == "niña india sonriendo"
        for key, value in row.items()
    }.items()


BROKEN = [
    ("expressions.toml", "[happy]", "[hapy]", r"expressions.toml:\d+: unknown key 'hapy'"),
    ("expressions.toml", 'en = ["angry"]', "en = []", "class 'angry' has no term in language 'en'"),
    ("expressions.toml", 'en = ["angry"]', 'xx = ["angry"]', "there is no languages/xx.toml"),
    ("expressions.toml", '"serious"', '"neutral"', "'White toddler girl neutral' comes twice"),
    (
        "expressions.toml",
        ', male = "enfadado"',
        "",
        r"expressions.toml:\d+: 'angry' has no form for",
    ),
    ("expressions.toml", '["angry"]', '["angry"', r"expressions.toml: .*line \d+"),
    ("people.toml", '"elderly"]', '"elderly", "adult"]', "'age' names a group twice"),
    (
        "people.toml",
        '"elderly"]',
        '"elderly", "teenager"]',
        "languages/en.toml: 'teenager' is missing",
    ),
    (
        "languages/es.toml",
        ', male = "asiático"',
        "",
        r"es.toml:\d+: 'Asian' has no form for 'male'",
    ),
    ("languages/es.toml", "{noun} ", "", r"es.toml:\d+: 'order' must have each of"),
    ("languages/es.toml", "reviewed = false", "reviewed = 0", "'reviewed' must be true or false"),
    ("languages/es.toml", "name =", "nom =", "unknown key 'nom'"),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), BROKEN, ids=[row[3] for row in BROKEN])
def test_a_broken_plan_is_refused_with_its_file(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    change(folder / file, old, new)
    with pytest.raises(UsageError, match=message):
        load_plan(folder)


def test_a_missing_folder_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"expressions.toml, people.toml and languages/<code>.toml"
    ):
        load_plan(tmp_path / "nowhere")


def test_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no language 'eo' .* use one of en, es"):
        load_plan(QUERIES, ["eo"])
