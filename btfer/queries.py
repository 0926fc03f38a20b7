"""The query plan: TOML files that a native speaker can read, expanded to search phrases.

A plan is a folder: `expressions.toml` (terms of each class), `people.toml` (whom to ask for) and
`languages/<code>.toml` (word order, nouns and agreement). Source of the grid: BTFER, section 2.
"""

import csv
import hashlib
import io
import itertools
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
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
class Plan:
    """All queries of a folder. version: hash of its files. unreviewed: languages no speaker has read."""

    queries: list[Query]
    version: str
    unreviewed: list[str]


@dataclass(frozen=True)
class _File:
    """One TOML file: its keys, and where to point when one is wrong."""

    path: Path
    text: str
    keys: dict[str, Any]

    def error(self, what: str, word: str = "") -> UsageError:
        """The error that names the file, and the first line that has `word`."""
        lines = enumerate(self.text.splitlines(), start=1)
        line = next((number for number, text in lines if word and word in text), None)
        return UsageError(f"{self.path}{f':{line}' if line else ''}: {what}")


def load_plan(folder: Path, languages: list[str] | None = None) -> Plan:
    """Read, check and expand the plan of a folder.

    languages: codes; none = those with `default = true`. Neighbouring queries are of different
    classes, so that a crawl that is stopped early is balanced. Raises UsageError naming file and
    line for unknown keys, a class without a term, a missing form, or a phrase that comes twice.
    """
    expressions, people = _read(folder, "expressions.toml"), _read(folder, "people.toml")
    known = {path.stem: path for path in sorted((folder / "languages").glob("*.toml"))}
    _check_keys(expressions, expressions.keys, EXPRESSIONS)
    _check_people(people)
    chosen = [_language(folder, code, people) for code in _chosen(folder, known, languages)]
    version = _version([expressions, people, *chosen])
    queries = [q for one in chosen for q in _expand(expressions, people, one, version, set(known))]
    unreviewed = [file.path.stem for file in chosen if not file.keys["reviewed"]]
    return Plan(queries, version, unreviewed)


def plan_table(plan: Plan) -> list[list[Any]]:
    """Rows of class, language and number of queries."""
    counts = Counter((query.expression, query.language) for query in plan.queries)
    return [[label, language, n] for (label, language), n in sorted(counts.items())]


def write_plan(plan: Plan, path: Path) -> None:
    """Write every query as a line of a CSV: phrase, expression, language, ethnicity, gender, age, plan."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [key.name for key in fields(Query)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(query) for query in plan.queries)
    write_atomic(path, text.getvalue().encode())


def _read(folder: Path, name: str) -> _File:
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8")
        return _File(path, text, tomllib.loads(text))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"there is no {path}: a query plan is a folder with expressions.toml, people.toml and "
            "languages/<code>.toml; set the folder with BTFER_QUERIES_DIR"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path}: {error}") from None


def _chosen(folder: Path, known: Mapping[str, Path], asked: list[str] | None) -> list[str]:
    if not asked:
        asked = [
            code for code in known if _read(folder, f"languages/{code}.toml").keys.get("default")
        ]
    if not asked:
        raise UsageError(f"{folder / 'languages'} has no language with 'default = true': name one")
    for code in asked:
        if code not in known:
            raise UsageError(
                f"there is no language '{code}' in {folder / 'languages'}: "
                f"use one of {', '.join(known) or '(none is there)'}"
            )
    return list(dict.fromkeys(asked))


def _check_keys(file: _File, keys: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """All of the known keys and no other."""
    for key in keys:
        if key not in known:
            raise file.error(f"unknown key '{key}': use {', '.join(known)}", key)
    for key in known:
        if key not in keys:
            raise file.error(f"'{key}' is missing")


def _check_people(people: _File) -> None:
    _check_keys(people, people.keys, PEOPLE)
    for key in PEOPLE:
        values = people.keys[key]
        if not (isinstance(values, list) and values and all(isinstance(v, str) for v in values)):
            raise people.error(f"'{key}' must be a list of words, got {values!r}", key)
        if len(set(values)) < len(values):
            raise people.error(f"'{key}' names a group twice", key)


def _language(folder: Path, code: str, people: _File) -> _File:
    """One language's file, with every form that the people need."""
    file = _read(folder, f"languages/{code}.toml")
    _check_keys(file, file.keys, LANGUAGE_KEYS)
    for key in ("default", "reviewed"):
        if not isinstance(file.keys[key], bool):
            raise file.error(f"'{key}' must be true or false, got {file.keys[key]!r}", key)
    _check_order(file)
    for key, group in (("noun", "age"), ("age", "age"), ("ethnicity", "ethnicity")):
        table = file.keys[key]
        if not isinstance(table, dict):
            raise file.error(f"'{key}' must be a table of words, got {table!r}", key)
        _check_keys(file, table, tuple(people.keys[group]))
        for word, gender in itertools.product(table, people.keys["gender"]):
            _form(file, table[word], gender, word)
    return file


def _check_order(file: _File) -> None:
    order = str(file.keys["order"])
    if sorted(order.split()) != sorted(f"{{{slot}}}" for slot in SLOTS):
        needed = " ".join(f"{{{slot}}}" for slot in SLOTS)
        raise file.error(f"'order' must have each of {needed} once, got '{order}'", "order")


def _form(file: _File, word: Any, gender: str, key: str) -> str:
    """The form of a word for a gender; a plain string is the same for all."""
    form = word.get(gender) if isinstance(word, dict) else word
    if not isinstance(form, str):
        raise file.error(f"'{key}' has no form for '{gender}': got {word!r}", key)
    return form


def _terms(expressions: _File, label: str, code: str, known: set[str]) -> list[Any]:
    by_language = expressions.keys[label]
    if not isinstance(by_language, dict):
        raise expressions.error(f"'{label}' must have a list of terms per language", label)
    for key in by_language:
        if key not in known:
            raise expressions.error(f"'{label}': there is no languages/{key}.toml", key)
    terms = by_language.get(code)
    if not isinstance(terms, list) or not terms:
        raise expressions.error(f"class '{label}' has no term in language '{code}'", label)
    return terms


def _expand(
    expressions: _File, people: _File, language: _File, version: str, known: set[str]
) -> Iterator[Query]:
    code = language.path.stem
    terms = {label: _terms(expressions, label, code, known) for label in EXPRESSIONS}
    groups = [people.keys[key] for key in ("age", "ethnicity", "gender")]
    rounds = range(max(len(of_class) for of_class in terms.values()))
    seen: set[str] = set()
    for number, (age, ethnicity, gender), label in itertools.product(
        rounds, list(itertools.product(*groups)), EXPRESSIONS
    ):
        if number >= len(terms[label]):
            continue
        term = _form(expressions, terms[label][number], gender, label)
        phrase = _phrase(language, term, ethnicity, gender, age)
        if phrase in seen:
            raise expressions.error(f"'{phrase}' comes twice in language '{code}'", term)
        seen.add(phrase)
        yield Query(phrase, label, code, ethnicity, gender, age, version)


def _phrase(language: _File, term: str, ethnicity: str, gender: str, age: str) -> str:
    keys = language.keys
    words = {
        "noun": _form(language, keys["noun"][age], gender, age),
        "age": _form(language, keys["age"][age], gender, age),
        "ethnicity": _form(language, keys["ethnicity"][ethnicity], gender, ethnicity),
        "expression": term,
    }
    return " ".join(keys["order"].format(**words).split())


def _version(files: list[_File]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.path.name}\n{file.text}\0".encode())
    return digest.hexdigest()[:12]
