"""What the sample is to hold: who is in each picture, where it is listed, and its verdict in round 1."""

from dataclasses import dataclass

import numpy as np

from btfer.expressions import EXPRESSIONS
from btfer.sample.scene import Cast

GENDERS = ("female", "male")
AGES = ("child", "adult", "middle-aged", "elderly")
ETHNICITIES = ("White", "Black", "Asian")
SINGLES_PER_CLASS = 16
GROUPS = 14
_SIZES = ((640, 480), (480, 640), (560, 560), (720, 480))
_GROUP_SIZE = (800, 534)


@dataclass(frozen=True)
class Wanted:
    """A picture to draw. The first of its cast says what query finds it."""

    file: str
    kind: str
    title: str
    cast: tuple[Cast, ...]
    size_px: tuple[int, int]
    decision: str = "keep"
    reason: str = ""


@dataclass(frozen=True)
class Copy:
    """A near-duplicate to make. listed_as: the class of the query that finds it; '' = as the original."""

    file: str
    original: str
    transform: str
    listed_as: str = ""


COPIES = (
    Copy("copy_01.jpg", "angry_01.jpg", "resized"),
    Copy("copy_02.jpg", "disgust_02.jpg", "recompressed"),
    Copy("copy_03.jpg", "fear_03.jpg", "mirrored"),
    Copy("copy_04.jpg", "happy_04.jpg", "cropped"),
    Copy("copy_05.jpg", "neutral_05.jpg", "resized"),
    Copy("copy_06.jpg", "sad_06.jpg", "recompressed"),
    Copy("copy_07.jpg", "surprise_07.jpg", "mirrored"),
    Copy("copy_08.jpg", "neutral_08.jpg", "cropped"),
    Copy("copy_09.jpg", "group_03.jpg", "resized"),
    Copy("copy_10.jpg", "happy_10.jpg", "relisted", listed_as="surprise"),
)


def wanted(seed: int) -> list[Wanted]:
    """Every picture with people, without the copies."""
    rng = np.random.default_rng([seed, 0])
    singles = [_single(label, i) for label in EXPRESSIONS for i in range(SINGLES_PER_CLASS)]
    return singles + [_group(rng, i) for i in range(GROUPS)]


def _single(label: str, i: int) -> Wanted:
    """The groups take turns, another one first in each class."""
    shift = EXPRESSIONS.index(label)
    who = (label, GENDERS[i % 2], AGES[i // 2 % 4], ETHNICITIES[(i + shift) % 3])
    title = f"Synthetic {_words(who)}, rendered"
    return Wanted(f"{label}_{i + 1:02d}.jpg", "single", title, (who,), _SIZES[(i + shift) % 4])


def _group(rng: np.random.Generator, i: int) -> Wanted:
    """Two to four people: of one expression when `i` is even, each of their own when odd."""
    label = EXPRESSIONS[i // 2]
    others = [EXPRESSIONS[rng.integers(7)] if i % 2 else label for _ in range(1 + i % 3)]
    cast = tuple(
        (one, *(str(rng.choice(words)) for words in (GENDERS, AGES, ETHNICITIES)))
        for one in (label, *others)
    )
    mood = "mixed expressions" if i % 2 else label
    title = f"Synthetic group of {len(cast)}, {mood}, rendered"
    verdict = ("drop", "several people") if i % 6 == 5 else ("keep", "")
    people = tuple((one[0], one[1], one[2], one[3]) for one in cast)
    return Wanted(f"group_{i + 1:02d}.jpg", "group", title, people, _GROUP_SIZE, *verdict)


def _words(who: Cast) -> str:
    expression, gender, age, ethnicity = who
    return f"{age} {ethnicity} {gender}, {expression}"
