"""What the numbers of public sets mean. Each set has its own order; none is that of EXPRESSIONS.

Sources: RAF-DB, its README.txt ("1: Surprise 2: Fear 3: Disgust 4: Happiness 5: Sadness 6: Anger 7:
Neutral"). FER2013, the data page of Kaggle's challenge ("0=Angry, 1=Disgust, 2=Fear, 3=Happy, 4=Sad,
5=Surprise, 6=Neutral"). AffectNet, its README ("0: Neutral, 1: Happy, 2: Sad, 3: Surprise, 4: Fear, 5:
Disgust, 6: Anger, 7: Contempt, 8: None, 9: Uncertain, 10: No-Face"). FER+, the columns of its fer2013new.csv.
ExpW, its readme.txt ("0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral").
"""

from collections.abc import Mapping

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression

RAFDB = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happy",
    "5": "sad",
    "6": "angry",
    "7": "neutral",
}
FER2013 = {
    "0": "angry",
    "1": "disgust",
    "2": "fear",
    "3": "happy",
    "4": "sad",
    "5": "surprise",
    "6": "neutral",
}
AFFECTNET = {
    "0": "neutral",
    "1": "happy",
    "2": "sad",
    "3": "surprise",
    "4": "fear",
    "5": "disgust",
    "6": "angry",
}
FERPLUS = {
    "0": "neutral",
    "1": "happy",
    "2": "surprise",
    "3": "sad",
    "4": "angry",
    "5": "disgust",
    "6": "fear",
}
NUMBERINGS = {
    "rafdb": RAFDB,
    "fer2013": FER2013,
    "affectnet": AFFECTNET,
    "ferplus": FERPLUS,
    "expw": FER2013,
}
AFFECTNET_DROPPED = {"7", "8", "9", "10"}  # contempt, none, uncertain, no face
DROPPED = {
    "affectnet": AFFECTNET_DROPPED,
    "ferplus": {"7", "8", "9"},
}  # FER+: contempt, unknown, no face
CONTEMPT = "contempt"  # AffectNet's and FER+'s eighth class, which BTFER has not


def as_text(numbers: Mapping[str, str]) -> str:
    """`0=angry,1=disgust`, as --labels takes it."""
    return ",".join(f"{number}={name}" for number, name in sorted(numbers.items()))


def from_text(text: str) -> dict[str, str]:
    """The meaning of numbers from `0=angry,1=disgust,7=`; nothing behind the sign = the folder is left out.

    Raises UsageError for another form, an unknown class, and where a class has two numbers or none.
    """
    found: dict[str, str] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        number, sign, name = part.partition("=")
        if not (sign and number.isascii() and number.isdigit()) or number in found:
            raise UsageError(f"--labels '{text}': write NUMBER=CLASS,... with each number once")
        found[number] = parse_expression(name) if name and name.lower() != CONTEMPT else ""
    missing = [name for name in EXPRESSIONS if list(found.values()).count(name) != 1]
    if found and missing:
        raise UsageError(f"--labels '{text}' must name each class once: see {', '.join(missing)}")
    return found


def label_of(expression: str) -> int:
    """The place of a class of EXPRESSIONS."""
    return EXPRESSIONS.index(expression)
