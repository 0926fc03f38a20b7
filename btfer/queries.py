"""The query plan: TOML files that a native speaker can read, expanded to search phrases.

A plan is a folder: `expressions.toml` (terms of each class), `people.toml` (whom to ask for) and
`languages/<code>.toml` (word order, nouns and agreement). Source of the grid: BTFER, section 2.
"""

import csv
import hashlib
import io
import itertools
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic

PEOPLE = ("ethnicity", "gender", "age")
LANGUAGE_KEYS = ("name", "default", "reviewed", "order", "noun", "age", "ethnicity")
SLOTS = ("age", "ethnicity", "noun", "expression")


@dataclass(frozen=True)
class Query:
    """One search phrase and what it intends; '' where it intends nothing."""

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
    """All queries of a folder. unreviewed: languages no speaker has read.

    version: hash of the phrases and what they intend; a comment in a file does not change it.
    """

    queries: list[Query]
    version: str
    unreviewed: list[str]

    @property
    def languages(self) -> list[str]:
        """Codes, in the order in which they are searched."""
        return list(dict.fromkeys(query.language for query in self.queries))


@dataclass(frozen=True)
class PlanFile:
    """One TOML file: its keys, and where to point when one is wrong.

    A place is the way to a key or to an item of a list: ("happy", "es", 1) is its second term.
    """

    path: Path
    text: str
    keys: dict[str, Any]

    def at(self, *place: str | int) -> Any:
        """What is written at a place."""
        return _at(self.keys, place)

    def where(self, *place: str | int) -> str:
        """`path:line` of a place, or the path alone for the file as a whole."""
        line = _line(self.text, place) if place else None
        return f"{self.path}:{line}" if line else str(self.path)

    def error(self, what: str, *place: str | int) -> UsageError:
        """The error that names the file and the line of a place."""
        return UsageError(f"{self.where(*place)}: {what}")


def load_plan(folder: Path, languages: list[str] | None = None) -> QueryPlan:
    """Read, check and expand the plan of a folder.

    languages: codes; none = those with `default = true`; only the chosen ones are checked in full.
    Neighbouring queries are of different classes, so that a crawl that is stopped early is
    balanced. Raises UsageError naming file and line for what is missing, unknown, of a wrong type,
    for a class without a term, a missing form, or a phrase that comes twice.
    """
    expressions, people = _read(folder / "expressions.toml"), _read(folder / "people.toml")
    known = {path.stem: _read(path) for path in sorted((folder / "languages").glob("*.toml"))}
    _check_people(people)
    _check_classes(expressions, known)
    chosen = [known[code] for code in _chosen(folder, known, languages)]
    for language in chosen:
        _check_language(language, people)
        _check_terms(expressions, language, people)
    queries = [query for one in chosen for query in _expand(expressions, people, one)]
    version = _version(queries)
    unreviewed = [language.path.stem for language in chosen if not language.keys["reviewed"]]
    return QueryPlan([replace(query, plan=version) for query in queries], version, unreviewed)


def plan_table(plan: QueryPlan) -> list[list[Any]]:
    """Rows of class, language, number of queries."""
    counts = Counter((query.expression, query.language) for query in plan.queries)
    return [[label, language, n] for (label, language), n in sorted(counts.items())]


def group_table(plan: QueryPlan) -> list[list[Any]]:
    """Rows of kind (ethnicity, gender or age), group, number of queries per language, total.

    The languages' columns are in the order of `plan.languages`.
    """
    rows: list[list[Any]] = []
    for kind in PEOPLE:
        counts = Counter((getattr(query, kind), query.language) for query in plan.queries)
        for group in dict.fromkeys(group for group, _ in counts):
            per_language = [counts[group, language] for language in plan.languages]
            rows.append([kind, group, *per_language, sum(per_language)])
    return rows


def write_plan(plan: QueryPlan, path: Path) -> None:
    """Write every query as a line of a CSV: phrase, expression, language, ethnicity, gender, age, plan."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [key.name for key in fields(Query)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(query) for query in plan.queries)
    write_atomic(path, text.getvalue().encode())


def _read(path: Path) -> PlanFile:
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows may put a mark first
        return PlanFile(path, text, tomllib.loads(text))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"there is no {path}: a query plan is a folder with expressions.toml, people.toml and "
            "languages/<code>.toml; set the folder with BTFER_QUERIES_DIR"
        ) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))  # else it says "at end of document"
        line = int(found[1]) if found else len(text.splitlines())
        raise UsageError(f"{path}:{line}: {error}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: not UTF-8 ({error}): save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def _at(found: Any, place: Sequence[str | int]) -> Any:
    for step in place:
        found = found[step]
    return found


def _line(text: str, place: Sequence[str | int]) -> int | None:
    """The line where a place is written: the first one that, with all above it, makes tomllib see it.

    A list or an inline table that goes on below is closed for the trial.
    """
    lines = text.split("\n")
    for number in range(1, len(lines) + 1):
        for closing in ("", "]", "]}"):
            try:
                _at(tomllib.loads("\n".join([*lines[:number], closing])), place)
            except (tomllib.TOMLDecodeError, LookupError, TypeError):
                continue
            return number
    return None


def _chosen(folder: Path, known: Mapping[str, PlanFile], asked: list[str] | None) -> list[str]:
    if not asked:
        asked = [code for code, language in known.items() if _flag(language, "default")]
    if not asked:
        raise UsageError(f"{folder / 'languages'} has no language with 'default = true': name one")
    for code in asked:
        if code not in known:
            raise UsageError(
                f"there is no language '{code}' in {folder / 'languages'}: "
                f"use one of {', '.join(known) or '(none is there)'}"
            )
    return list(dict.fromkeys(asked))


def _flag(language: PlanFile, key: str) -> bool:
    value = language.keys.get(key)
    if not isinstance(value, bool):
        raise language.error(f"'{key}' must be true or false, got {value!r}", key)
    return value


def _check_keys(
    file: PlanFile, known: Sequence[str], *place: str, optional: Sequence[str] = ()
) -> None:
    """A table with all of the known keys, perhaps the optional ones, and no other."""
    table, use = file.at(*place), ", ".join((*known, *optional))
    if not isinstance(table, dict):
        raise file.error(f"'{'.'.join(place)}' must be a table of {use}, got {table!r}", *place)
    for key in table:
        if key not in known and key not in optional:
            raise file.error(f"unknown key '{key}': use {use}", *place, key)
    for key in known:
        if key not in table:
            inside = f" in [{'.'.join(place)}]" if place else ""
            raise file.error(f"'{key}' is missing{inside}", *place)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _check_people(people: PlanFile) -> None:
    _check_keys(people, PEOPLE)
    for key in PEOPLE:
        values = people.keys[key]
        if not (isinstance(values, list) and values and all(map(_is_word, values))):
            raise people.error(f"'{key}' must be a list of words, got {values!r}", key)
        for place, value in enumerate(values):
            if value in values[:place]:
                raise people.error(f"'{key}' names '{value}' twice", key, place)


def _check_classes(expressions: PlanFile, known: Mapping[str, PlanFile]) -> None:
    """Every class, and for each a list of terms in languages that are there."""
    _check_keys(expressions, EXPRESSIONS)
    for label in EXPRESSIONS:
        if not isinstance(expressions.keys[label], dict):
            raise expressions.error(f"'{label}' must have a list of terms per language", label)
        for code, terms in expressions.keys[label].items():
            if code not in known:
                raise expressions.error(
                    f"'{label}': there is no languages/{code}.toml", label, code
                )
            if not isinstance(terms, list):
                raise expressions.error(
                    f"'{label}.{code}' must be a list of terms, got {terms!r}", label, code
                )


def _check_language(language: PlanFile, people: PlanFile) -> None:
    """One language's file, with every form that the people need."""
    _check_keys(language, LANGUAGE_KEYS, optional=["agreement"])
    for key in ("default", "reviewed"):
        _flag(language, key)
    for key in ("name", "order"):
        if not isinstance(language.keys[key], str):
            raise language.error(f"'{key}' must be text, got {language.keys[key]!r}", key)
    _check_order(language)
    _check_agreement(language, people)
    _check_words(language, people)


def _check_order(language: PlanFile) -> None:
    """Each slot once; between them spaces, or nothing where the language writes none."""
    order = language.keys["order"]
    between = re.sub(r"\{\w+\}", "", order)
    if sorted(re.findall(r"\{(\w+)\}", order)) != sorted(SLOTS) or between.strip():
        needed = " ".join(f"{{{slot}}}" for slot in SLOTS)
        raise language.error(f"'order' must have each of {needed} once, got '{order}'", "order")


def _check_agreement(language: PlanFile, people: PlanFile) -> None:
    """Of which age and gender the noun has a grammatical gender that is not the person's."""
    if "agreement" not in language.keys:
        return
    _check_keys(language, [], "agreement", optional=people.keys["age"])
    for age, forms in language.keys["agreement"].items():
        _check_keys(language, [], "agreement", age, optional=people.keys["gender"])
        for gender, form in forms.items():
            if not _is_word(form):
                raise language.error(
                    f"'agreement.{age}.{gender}' must name a form, got {form!r}", "agreement", age
                )


def _agreeing(language: PlanFile, age: str, gender: str) -> str:
    """The form that adjectives take beside the noun for an age and a gender: mostly the gender's."""
    form: str = language.keys.get("agreement", {}).get(age, {}).get(gender, gender)
    return form


def _forms(language: PlanFile, people: PlanFile, *ages: str) -> list[str]:
    """All forms that adjectives take beside the nouns of some ages."""
    pairs = itertools.product(ages, people.keys["gender"])
    return list(dict.fromkeys(_agreeing(language, age, gender) for age, gender in pairs))


def _check_words(language: PlanFile, people: PlanFile) -> None:
    """Nouns have a form per gender of a person, adjectives one per form that a noun asks for."""
    ages, genders = people.keys["age"], people.keys["gender"]
    known = list(dict.fromkeys([*genders, *_forms(language, people, *ages)]))
    for key, group in (("noun", "age"), ("age", "age"), ("ethnicity", "ethnicity")):
        _check_keys(language, people.keys[group], key)
    for age in ages:
        _check_word(language, genders, genders, "noun", age)
        _check_word(language, _forms(language, people, age), known, "age", age)
    for ethnicity in people.keys["ethnicity"]:
        _check_word(language, _forms(language, people, *ages), known, "ethnicity", ethnicity)


def _check_terms(expressions: PlanFile, language: PlanFile, people: PlanFile) -> None:
    """At least one term for each class, with all forms that the language needs."""
    code = language.path.stem
    forms = _forms(language, people, *people.keys["age"])
    known = list(dict.fromkeys([*people.keys["gender"], *forms]))
    for label in EXPRESSIONS:
        if not expressions.keys[label].get(code):
            place = [label, code] if code in expressions.keys[label] else [label]
            raise expressions.error(f"class '{label}' has no term in language '{code}'", *place)
        for number in range(len(expressions.keys[label][code])):
            _check_word(expressions, forms, known, label, code, number)


def _check_word(
    file: PlanFile, needed: Sequence[str], known: Sequence[str], *place: str | int
) -> None:
    """A text for all, or one for each needed form; empty only where the noun says it already."""
    word = file.at(*place)
    name = ".".join(step for step in place if isinstance(step, str))
    forms = word if isinstance(word, dict) else dict.fromkeys(needed, word)
    for form in needed:
        if form not in forms:
            raise file.error(f"'{name}' has no form for '{form}': got {word!r}", *place)
    for form, text in forms.items():
        if form not in known:
            raise file.error(f"'{name}': unknown form '{form}': use {', '.join(known)}", *place)
        if not _is_word(text) and not (text == "" and place[0] in ("age", "ethnicity")):
            raise file.error(f"'{name}' must be a word, or one per form, got {word!r}", *place)


def _form(word: str | dict[str, str], form: str) -> str:
    return word[form] if isinstance(word, dict) else word


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
        phrase = _phrase(language, terms[label][number], ethnicity, gender, age)
        query = Query(phrase, label, code, ethnicity, gender, age)
        if phrase in seen:
            raise _twice(expressions, query, number, *seen[phrase])
        seen[phrase] = (query, number)
        yield query


def _twice(
    expressions: PlanFile, query: Query, number: int, first: Query, earlier: int
) -> UsageError:
    intents = [
        f"{one.expression} ({one.ethnicity} {one.gender} {one.age})" for one in (first, query)
    ]
    at = expressions.where(first.expression, first.language, earlier)
    return expressions.error(
        f"'{query.phrase}' comes twice in language '{query.language}': "
        f"for {intents[1]} here and for {intents[0]} at {at}",
        *(query.expression, query.language, number),
    )


def _phrase(
    language: PlanFile, term: str | dict[str, str], ethnicity: str, gender: str, age: str
) -> str:
    keys, form = language.keys, _agreeing(language, age, gender)
    phrase = keys["order"].format(
        noun=_form(keys["noun"][age], gender),
        age=_form(keys["age"][age], form),
        ethnicity=_form(keys["ethnicity"][ethnicity], form),
        expression=_form(term, form),
    )
    # Accents in one piece: the same word typed on another system is the same phrase.
    return unicodedata.normalize("NFC", " ".join(phrase.split()))


def _version(queries: list[Query]) -> str:
    asked = "\n".join(sorted(query.id for query in queries))
    return hashlib.sha256(asked.encode()).hexdigest()[:12]
