"""Queries, and the plan that they come from: read, checked and expanded to search phrases."""

import hashlib
import itertools
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.paths import bundled
from btfer.queries.cells import Cell, interleave
from btfer.queries.check import (
    check_additions,
    check_classes,
    check_language,
    check_people,
    check_terms,
    read_flag,
)
from btfer.queries.phrases import build_phrase
from btfer.queries.plan_file import PlanFile, read_plan_file


@dataclass(frozen=True)
class Query:
    """One search phrase, and the class and group of people it is meant to find; '' where it means none."""

    phrase: str
    expression: str = ""
    language: str = ""
    ethnicity: str = ""
    gender: str = ""
    age: str = ""
    plan: str = ""

    @property
    def id(self) -> str:
        """The same for the same phrase and intent in every plan."""
        parts = (self.phrase, self.expression, self.language, self.ethnicity, self.gender, self.age)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]

    @property
    def cell(self) -> Cell:
        """What it is meant to find, without the words."""
        return Cell(self.expression, self.language, self.ethnicity, self.gender, self.age)


@dataclass(frozen=True)
class QueryPlan:
    """All queries of a folder. unreviewed: codes of languages that no native speaker has checked.

    version: hash of the phrases and their intents; a comment in a file does not change it. additions:
    words that a source's searches get, by source, then by language (`all` = in each).
    """

    queries: list[Query]
    version: str
    unreviewed: list[str]
    additions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def languages(self) -> list[str]:
        """Codes, in the order in which they are searched."""
        return list(dict.fromkeys(query.language for query in self.queries))

    def images_of(self, asked: Query, per_query: int) -> int:
        """How many images to ask a query for, so that every cell is asked for as many as any other.

        A class with one term, where others have three, asks it for three times as many.
        """
        n = self._queries_by_cell.get(asked.cell, 0)
        return math.ceil(per_query * max(self._queries_by_cell.values()) / n) if n else per_query

    @cached_property
    def _queries_by_cell(self) -> Counter[Cell]:
        return Counter(one.cell for one in self.queries)


def load_plan(folder: Path, languages: list[str] | None = None) -> QueryPlan:
    """Read, check and expand the plan of a folder.

    languages: codes; none = those with `default = true`; only the chosen ones are checked in full.
    Neighbouring queries are of different classes, languages and groups, so that a crawl that is
    stopped early is balanced. Raises UsageError naming file and line for what is missing, unknown, of a wrong type,
    for a class without a term, a missing form, or a phrase that occurs twice.
    """
    expressions, people = (
        read_plan_file(folder / "expressions.toml"),
        read_plan_file(folder / "people.toml"),
    )
    known = {
        path.stem: read_plan_file(path) for path in sorted((folder / "languages").glob("*.toml"))
    }
    check_people(people)
    check_classes(expressions, known)
    additions = _read_additions(folder / "sources.toml", known)
    chosen = [known[code] for code in _chosen_languages(folder, known, languages)]
    for language in chosen:
        check_language(language, people)
        check_terms(expressions, language, people)
    queries = _expand(expressions, people, chosen)
    version = _version(queries)
    unreviewed = [language.path.stem for language in chosen if not language.keys["reviewed"]]
    queries = [replace(query, plan=version) for query in queries]
    return QueryPlan(queries, version, unreviewed, additions)


def find_plan(folder: Path, name: str) -> Path:
    """The folder of a plan by its name inside `folder`; '' is `folder` itself. Raises UsageError.

    `paper` is there even where a folder of one's own has none.
    """
    if not name:
        return folder
    inside = sorted(one.parent.name for one in folder.glob("*/expressions.toml"))
    if name in inside:
        return folder / name
    if name == "paper":
        return bundled("queries") / name
    known = ", ".join(dict.fromkeys([*inside, "paper"]))
    raise UsageError(f"unknown plan '{name}' in {folder}; choose one of {known}")


def _read_additions(path: Path, known: Mapping[str, PlanFile]) -> dict[str, dict[str, str]]:
    """sources.toml, which a plan need not have."""
    if not os.path.lexists(path):
        return {}
    file = read_plan_file(path)
    check_additions(file, known)
    return file.keys


def _chosen_languages(
    folder: Path, known: Mapping[str, PlanFile], asked: list[str] | None
) -> list[str]:
    if not asked:
        asked = [code for code, language in known.items() if read_flag(language, "default")]
    if not asked:
        raise UsageError(
            f"{folder / 'languages'} has no language with 'default = true': pass --language"
        )
    for code in asked:
        if code not in known:
            raise UsageError(
                f"unknown language '{code}' in {folder / 'languages'}; "
                f"choose one of {', '.join(known) or '(there is none)'}"
            )
    return list(dict.fromkeys(asked))


def _expand(expressions: PlanFile, people: PlanFile, chosen: Sequence[PlanFile]) -> list[Query]:
    """Every term of every class for every group in every language, so ordered that any beginning is balanced.

    First terms come first. A group of people and a language is one step further at each query, and so
    is the class; after all groups, each goes on with the class after its last one.
    """
    files = {one.path.stem: one for one in chosen}
    kinds = [people.keys[key] for key in ("age", "ethnicity", "gender")]
    groups = interleave(itertools.product(*kinds, files))
    terms = {
        (label, code): expressions.keys[label][code] for label in EXPRESSIONS for code in files
    }
    seen: dict[tuple[str, str], tuple[Query, int]] = {}
    for number, turn in itertools.product(
        range(max(map(len, terms.values()))), range(len(EXPRESSIONS))
    ):
        for place, (age, ethnicity, gender, code) in enumerate(groups):
            label = EXPRESSIONS[(place + turn) % len(EXPRESSIONS)]
            if number >= len(terms[label, code]):
                continue
            term = terms[label, code][number]
            phrase = build_phrase(files[code], term, ethnicity, gender, age)
            query = Query(phrase, label, code, ethnicity, gender, age)
            if (code, phrase) in seen:
                raise _phrase_twice(expressions, query, number, *seen[code, phrase])
            seen[code, phrase] = (query, number)
    return [query for query, _ in seen.values()]


def _phrase_twice(
    expressions: PlanFile, query: Query, number: int, first: Query, earlier: int
) -> UsageError:
    intents = [
        f"{one.expression} ({one.ethnicity} {one.gender} {one.age})" for one in (first, query)
    ]
    at = expressions.where(first.expression, first.language, earlier)
    return expressions.error(
        f"'{query.phrase}' occurs twice in language '{query.language}': "
        f"for {intents[1]} here and for {intents[0]} at {at}",
        *(query.expression, query.language, number),
    )


def _version(queries: list[Query]) -> str:
    asked = "\n".join(sorted(query.id for query in queries))
    return hashlib.sha256(asked.encode()).hexdigest()[:12]
