"""Whether the files of a plan are complete: every message names the file and the line."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from btfer.expressions import EXPRESSIONS
from btfer.queries.phrases import needed_forms
from btfer.queries.plan_file import PlanFile

PEOPLE = ("ethnicity", "gender", "age")
LANGUAGE_KEYS = ("name", "default", "reviewed", "order", "noun", "age", "ethnicity")
SLOTS = ("age", "ethnicity", "noun", "expression")


def check_people(people: PlanFile) -> None:
    """people.toml: a list of different words for each of ethnicity, gender and age. Raises UsageError."""
    _check_keys(people, PEOPLE)
    for key in PEOPLE:
        values = people.keys[key]
        if not (isinstance(values, list) and values and all(map(_is_word, values))):
            raise people.error(f"'{key}' must be a list of words, got {values!r}", key)
        for place, value in enumerate(values):
            if value in values[:place]:
                raise people.error(f"'{key}' lists '{value}' twice", key, place)


def check_classes(expressions: PlanFile, known: Mapping[str, PlanFile]) -> None:
    """expressions.toml: every class, with a list of terms for languages that have a file. Raises UsageError."""
    _check_keys(expressions, EXPRESSIONS)
    for label in EXPRESSIONS:
        if not isinstance(expressions.keys[label], dict):
            raise expressions.error(f"'{label}' must have a list of terms per language", label)
        for code, terms in expressions.keys[label].items():
            if code not in known:
                raise expressions.error(
                    f"'{label}': unknown language '{code}': there is no languages/{code}.toml",
                    label,
                    code,
                )
            if not isinstance(terms, list):
                raise expressions.error(
                    f"'{label}.{code}' must be a list of terms, got {terms!r}", label, code
                )


def check_additions(sources: PlanFile, known: Mapping[str, PlanFile]) -> None:
    """sources.toml: a table of words for each source, by language or for `all`. Raises UsageError."""
    for source in sources.keys:
        _check_keys(sources, [], source, optional=["all", *known])
        for code, words in sources.keys[source].items():
            if not _is_word(words):
                raise sources.error(f"'{source}.{code}' must be words, got {words!r}", source, code)


def check_language(language: PlanFile, people: PlanFile) -> None:
    """One language's file: every key, and every form that the people need. Raises UsageError."""
    _check_keys(language, LANGUAGE_KEYS, optional=["agreement"])
    for key in ("default", "reviewed"):
        read_flag(language, key)
    for key in ("name", "order"):
        if not isinstance(language.keys[key], str):
            raise language.error(f"'{key}' must be text, got {language.keys[key]!r}", key)
    _check_order(language)
    _check_agreement(language, people)
    _check_words(language, people)


def check_terms(expressions: PlanFile, language: PlanFile, people: PlanFile) -> None:
    """At least one term for each class, with all forms that the language needs. Raises UsageError."""
    code = language.path.stem
    forms = needed_forms(language, people, *people.keys["age"])
    known = list(dict.fromkeys([*people.keys["gender"], *forms]))
    for label in EXPRESSIONS:
        if not expressions.keys[label].get(code):
            place = [label, code] if code in expressions.keys[label] else [label]
            raise expressions.error(f"class '{label}' has no term in language '{code}'", *place)
        for number in range(len(expressions.keys[label][code])):
            _check_word(expressions, forms, known, label, code, number)


def read_flag(language: PlanFile, key: str) -> bool:
    """A value that must be true or false. Raises UsageError."""
    if key not in language.keys:
        raise language.error(f"'{key}' is missing: write {key} = true, or false")
    value = language.keys[key]
    if not isinstance(value, bool):
        raise language.error(f"'{key}' must be true or false, got {value!r}", key)
    return value


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


def _check_words(language: PlanFile, people: PlanFile) -> None:
    """Nouns have a form per gender of a person, adjectives one per form that a noun asks for."""
    ages, genders = people.keys["age"], people.keys["gender"]
    known = list(dict.fromkeys([*genders, *needed_forms(language, people, *ages)]))
    for key, group in (("noun", "age"), ("age", "age"), ("ethnicity", "ethnicity")):
        _check_keys(language, people.keys[group], key)
    for age in ages:
        _check_word(language, genders, genders, "noun", age)
        _check_word(language, needed_forms(language, people, age), known, "age", age)
    for ethnicity in people.keys["ethnicity"]:
        _check_word(language, needed_forms(language, people, *ages), known, "ethnicity", ethnicity)


def _check_keys(
    file: PlanFile, known: Sequence[str], *place: str, optional: Sequence[str] = ()
) -> None:
    """A table with all of the known keys, perhaps the optional ones, and no other."""
    table, use = file.at(*place), ", ".join((*known, *optional))
    if not isinstance(table, dict):
        raise file.error(f"'{'.'.join(place)}' must be a table of {use}, got {table!r}", *place)
    for key in table:
        if key not in known and key not in optional:
            raise file.error(f"unknown key '{key}'; choose one of {use}", *place, key)
    for key in known:
        if key not in table:
            inside = f" in [{'.'.join(place)}]" if place else ""
            raise file.error(f"'{key}' is missing{inside}", *place)


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
            raise file.error(
                f"'{name}': unknown form '{form}'; choose one of {', '.join(known)}", *place
            )
        if not _is_word(text) and not (text == "" and place[0] in ("age", "ethnicity")):
            raise file.error(f"'{name}' must be a word, or one per form, got {word!r}", *place)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
