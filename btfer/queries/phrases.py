"""How a language puts a phrase together: word order, and the forms of its words."""

import itertools
import unicodedata

from btfer.queries.plan_file import PlanFile


def agreeing_form(language: PlanFile, age: str, gender: str) -> str:
    """The form that adjectives take beside the noun for an age and a gender: mostly the gender's."""
    form: str = language.keys.get("agreement", {}).get(age, {}).get(gender, gender)
    return form


def needed_forms(language: PlanFile, people: PlanFile, *ages: str) -> list[str]:
    """All forms that adjectives take beside the nouns of some ages."""
    pairs = itertools.product(ages, people.keys["gender"])
    return list(dict.fromkeys(agreeing_form(language, age, gender) for age, gender in pairs))


def build_phrase(
    language: PlanFile, term: str | dict[str, str], ethnicity: str, gender: str, age: str
) -> str:
    """The search phrase of a language for a term (one text, or one for each form) and a group of people."""
    keys, form = language.keys, agreeing_form(language, age, gender)
    phrase = keys["order"].format(
        noun=_form(keys["noun"][age], gender),
        age=_form(keys["age"][age], form),
        ethnicity=_form(keys["ethnicity"][ethnicity], form),
        expression=_form(term, form),
    )
    # Accents in one piece: the same word typed on another system is the same phrase.
    return unicodedata.normalize("NFC", " ".join(phrase.split()))


def _form(word: str | dict[str, str], form: str) -> str:
    return word[form] if isinstance(word, dict) else word
