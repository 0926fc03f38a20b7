"""What a judgement may be: the rounds, the reasons for a drop with their keys, and the checks on both.

Source: BTFER, section 2, and its design card (non-human faces, irrelevant images, duplicates, no faces,
emojis, words). The reasons are the words of the funnel.
"""

import unicodedata
from dataclasses import dataclass

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

ROUNDS = ("photos", "faces")
RELABEL_KEYS = {str(number): label for number, label in enumerate(EXPRESSIONS, start=1)}
# U takes back, M writes a note, Q says unsure, B compares, G shows the guidelines, K keeps, Z undoes a verdict of
# the log; C and R are Streamlit's own shortcuts.
RESERVED_KEYS = frozenset("umqbgkzcr ") | set(RELABEL_KEYS)
LONGEST_NOTE = 10_000
"""Letters of a note on a picture."""
LONGEST_NAME = 200
"""Letters of a reviewer's name, which is a key of tables."""
_NO_LETTERS = {"Cc", "Cs", "Zl", "Zp"}  # control characters, half letters, ends of lines

_BOTH_ROUNDS = {
    "non-human": "n",
    "irrelevant": "i",
    "duplicate": "d",
    "drawing": "w",
    "text": "t",
    "wrong expression": "e",
    "unclear": "l",
    "several people": "s",
    "too poor": "p",
    "do-not-use": "x",
}
DROP_REASONS: dict[str, dict[str, str]] = {
    "photos": {"no face": "f"} | _BOTH_ROUNDS,
    "faces": {"not a face": "f", "cut off": "o"} | _BOTH_ROUNDS,
}
"""For each round, the reasons for a drop and the letter of each."""


@dataclass(frozen=True)
class Judged:
    """One person's judgement of one photo or face (`id`): keep, drop with a reason, or relabel.

    note: what they wrote beside it. unsure: a second person is to judge it too.
    """

    id: str
    decision: str = "keep"
    reason: str = ""
    expression: str = ""
    note: str = ""
    unsure: bool = False


def check_round(round_: str) -> None:
    """Raises UsageError for a round in which people do not judge."""
    if round_ not in ROUNDS:
        raise UsageError(f"unknown review round '{round_}'; choose one of {', '.join(ROUNDS)}")


def check_reviewer(name: str) -> str:
    """The name without spaces around it. Raises UsageError for one that is empty, too long or not in one line."""
    name = name.strip()
    if not name:
        raise UsageError("a verdict needs the name of its reviewer: enter yours")
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"a reviewer's name has {len(name):,} letters ('{name[:20]}...'): {LONGEST_NAME} at most"
        )
    if any(unicodedata.category(one) in _NO_LETTERS for one in name):
        raise UsageError(f"a reviewer's name holds a character that is not shown: {name!a}")
    return name


def as_note(text: str) -> str:
    """A note as it is stored: one kind of line break, no zero bytes, no half letters, no space at its ends."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return lines.encode("utf-8", "replace").decode("utf-8").strip()


def check_judged(round_: str, one: Judged) -> None:
    """Raises UsageError for an unknown decision, reason or class, for one that does not belong, and a note too long."""
    if len(one.note) > LONGEST_NOTE:
        raise UsageError(f"a note has {len(one.note):,} letters: {LONGEST_NOTE:,} at most")
    if one.decision not in ("keep", "drop", "relabel"):
        raise UsageError(
            f"unknown decision '{one.decision}' ({one.id}); choose one of keep, drop, relabel"
        )
    if one.decision == "drop" and one.reason not in DROP_REASONS[round_]:
        known = ", ".join(DROP_REASONS[round_])
        raise UsageError(
            f"unknown drop reason '{one.reason}' in round {round_}; choose one of {known}"
        )
    if one.decision == "relabel" and one.expression not in EXPRESSIONS:
        known = ", ".join(EXPRESSIONS)
        raise UsageError(f"unknown class '{one.expression}'; choose one of {known}")
    if (one.reason and one.decision != "drop") or (one.expression and one.decision != "relabel"):
        raise UsageError(
            f"a '{one.decision}' verdict ({one.id}) has a reason or a class that does not belong: "
            "only a drop has a reason, only a relabel has a class"
        )
