"""Queries, and the plan that they come from: read, checked and expanded to search phrases."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.queries.check import check_classes, check_language, check_people, check_terms, read_flag
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


@dataclass(frozen=True)
class QueryPlan:
    """All queries of a folder. unreviewed: codes of languages that no native speaker has checked.

    version: hash of the phrases and their intents; a comment in a file does not change it.
    """

    queries: list[Query]
    version: str
    unreviewed: list[str]

    @property
    def languages(self) -> list[str]:
        """Codes, in the order in which they are searched."""
        return list(dict.fromkeys(query.language for query in self.queries))


def load_plan(folder: Path, languages: list[str] | None = None) -> QueryPlan:
    """Read, check and expand the plan of a folder.

    languages: codes; none = those with `default = true`; only the chosen ones are checked in full.
    Neighbouring queries are of different classes, so that a crawl that is stopped early is
    balanced. Raises UsageError naming file and line for what is missing, unknown, of a wrong type,
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
    chosen = [known[code] for code in _chosen_languages(folder, known, languages)]
    for language in chosen:
        check_language(language, people)
        check_terms(expressions, language, people)
    queries = [query for one in chosen for query in _expand(expressions, people, one)]
    version = _version(queries)
    unreviewed = [language.path.stem for language in chosen if not language.keys["reviewed"]]
    return QueryPlan([replace(query, plan=version) for query in queries], version, unreviewed)


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


def _expand(expressions: PlanFile, people: PlanFile, language: PlanFile) -> Iterator[Query]:
    """Every term of every class for every group; first terms first, the classes in turn."""
    code = language.path.stem
    terms = {label: expressions.keys[label][code] for label in EXPRESSIONS}
    groups = list(itertools.product(*(people.keys[key] for key in ("age", "ethnicity", "gender"))))
    seen: dict[str, tuple[Query, int]] = {}
    for number, (age, ethnicity, gender), label in itertools.product(
        range(max(map(len, terms.values()))), groups, EXPRESSIONS
    ):
        if number >= len(terms[label]):
            continue
        phrase = build_phrase(language, terms[label][number], ethnicity, gender, age)
        query = Query(phrase, label, code, ethnicity, gender, age)
        if phrase in seen:
            raise _phrase_twice(expressions, query, number, *seen[phrase])
        seen[phrase] = (query, number)
        yield query


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
