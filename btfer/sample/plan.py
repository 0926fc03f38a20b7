"""What the sample contains: who is in each picture, where it is listed, and its verdict in round 1."""

from dataclasses import dataclass

import numpy as np

from btfer.expressions import EXPRESSIONS
from btfer.sample.scene import CastMember

GENDERS = ("female", "male")
AGES = ("child", "adult", "middle-aged", "elderly")
ETHNICITIES = ("White", "Black", "Asian")
SINGLES_PER_CLASS = 16
GROUPS = 14
_SIZES = ((640, 480), (480, 640), (560, 560), (720, 480))
_GROUP_SIZE = (800, 534)


@dataclass(frozen=True)
class PictureSpec:
    """A picture to draw. The first of its cast decides which query finds it."""

    file: str
    kind: str
    title: str
    cast: tuple[CastMember, ...]
    size_px: tuple[int, int]
    decision: str = "keep"
    reason: str = ""


@dataclass(frozen=True)
class CopySpec:
    """A near-duplicate to make. listed_as: the class of the query that finds it; '' = as the original."""

    file: str
    original: str
    transform: str
    listed_as: str = ""


COPIES = (
    CopySpec("copy_01.jpg", "angry_01.jpg", "resized"),
    CopySpec("copy_02.jpg", "disgust_02.jpg", "recompressed"),
    CopySpec("copy_03.jpg", "fear_03.jpg", "mirrored"),
    CopySpec("copy_04.jpg", "happy_04.jpg", "cropped"),
    CopySpec("copy_05.jpg", "neutral_05.jpg", "resized"),
    CopySpec("copy_06.jpg", "sad_06.jpg", "recompressed"),
    CopySpec("copy_07.jpg", "surprise_07.jpg", "mirrored"),
    CopySpec("copy_08.jpg", "neutral_08.jpg", "cropped"),
    CopySpec("copy_09.jpg", "group_03.jpg", "resized"),
    CopySpec("copy_10.jpg", "happy_10.jpg", "relisted", listed_as="surprise"),
)


def picture_specs(seed: int) -> list[PictureSpec]:
    """Every picture with people, without the copies."""
    rng = np.random.default_rng([seed, 0])
    singles = [_single(label, i) for label in EXPRESSIONS for i in range(SINGLES_PER_CLASS)]
    return singles + [_group(rng, i) for i in range(GROUPS)]


def _single(label: str, i: int) -> PictureSpec:
    """A picture of one person; the groups take turns, each class beginning with another."""
    shift = EXPRESSIONS.index(label)
    who = (label, GENDERS[i % 2], AGES[i // 2 % 4], ETHNICITIES[(i + shift) % 3])
    title = f"Synthetic {_words(who)}, rendered"
    return PictureSpec(f"{label}_{i + 1:02d}.jpg", "single", title, (who,), _SIZES[(i + shift) % 4])


def _group(rng: np.random.Generator, i: int) -> PictureSpec:
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
    return PictureSpec(f"group_{i + 1:02d}.jpg", "group", title, people, _GROUP_SIZE, *verdict)


def _words(who: CastMember) -> str:
    expression, gender, age, ethnicity = who
    return f"{age} {ethnicity} {gender}, {expression}"
