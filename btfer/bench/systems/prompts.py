"""The sentences that a network of pictures and texts is asked for each class, in a language of the query plan."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.paths import bundled
from btfer.queries.plan_file import PlanFile, read_plan_file

FILE = "prompts.toml"
SLOT = "{}"


@dataclass(frozen=True)
class Prompts:
    """sentences: of each class, in label order, every template with every word."""

    language: str
    sentences: tuple[tuple[str, ...], ...]


def read_prompts(queries_dir: Path, language: str) -> Prompts:
    """The prompts of a language, of the plan's own prompts.toml or of the one that comes with btfer.

    Raises UsageError, with the line, for a language that it lacks, or a part that is missing or wrong.
    """
    own = queries_dir / FILE
    file = read_plan_file(own if os.path.lexists(own) else bundled("queries") / FILE)
    if language not in file.keys:
        raise UsageError(
            f"{file.path} has no prompts in '{language}'; it has {', '.join(file.keys)}"
        )
    table = file.at(language)
    _check(file, language, table)
    return Prompts(
        language,
        tuple(
            tuple(one.replace(SLOT, word) for one in table["templates"] for word in table[label])
            for label in EXPRESSIONS
        ),
    )


def _check(file: PlanFile, language: str, table: Any) -> None:
    known = ("reviewed", "templates", *EXPRESSIONS)
    if not isinstance(table, dict):
        raise file.error(f"'{language}' must be a table of {', '.join(known)}", language)
    for key in table:
        if key not in known:
            raise file.error(f"unknown key '{key}'; known are {', '.join(known)}", language, key)
    for key in known[1:]:
        if key not in table:
            raise file.error(f"'{key}' is missing in [{language}]", language)
        words = table[key]
        if not (isinstance(words, list) and words and all(map(_is_text, words))):
            raise file.error(f"'{key}' must be a list of texts, got {words!r}", language, key)
    for place, text in enumerate(table["templates"]):
        if text.count(SLOT) != 1:
            where = (language, "templates", place)
            raise file.error(f"a template needs {SLOT} once, got '{text}'", *where)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
