"""What the numbers of public sets mean. Each set has its own order; none is that of EXPRESSIONS.

Sources: RAF-DB, its README.txt ("1: Surprise 2: Fear 3: Disgust 4: Happiness 5: Sadness 6: Anger 7:
Neutral"). FER2013, the data page of Kaggle's challenge ("0=Angry, 1=Disgust, 2=Fear, 3=Happy, 4=Sad,
5=Surprise, 6=Neutral"). AffectNet, its README ("0: Neutral, 1: Happy, 2: Sad, 3: Surprise, 4: Fear, 5:
Disgust, 6: Anger, 7: Contempt, 8: None, 9: Uncertain, 10: No-Face"). FER+, the columns of its fer2013new.csv.
ExpW, its readme.txt ("0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral").
"""

from collections.abc import Collection, Mapping

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.packed.image import is_number

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
NO_CLASS = {CONTEMPT, "none", "uncertain", "no-face", "unknown", "nf"}
"""What the makers of AffectNet and FER+ call what is none of the seven classes."""


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


def meanings(found: Collection[str]) -> str:
    """What each public set would mean by some numbers."""
    return "; ".join(
        f"{kind} {as_text({n: name for n, name in numbers.items() if n in found})}"
        for kind, numbers in NUMBERINGS.items()
    )


def labels_by_word(
    words: Mapping[str, str], said: Mapping[str, str], numbers: Mapping[str, str]
) -> dict[str, int | None]:
    """The label that each word of a list means; None for what is no class of the seven.

    words: where each of them stands first, for messages. said: what numbers mean by --labels. numbers: what they mean
    where their set is known beyond doubt, else {}. Raises UsageError where numbers have no meaning, and where two
    words mean one class.
    """
    numbered = [word for word in words if is_number(word)]
    if numbered and len(numbered) < len(words):
        other = next(word for word in words if word not in numbered)
        raise UsageError(
            f"{words[other]} says {other[:40]}, and {words[numbered[0]]} the number {numbered[0][:40]}: write "
            "names, or numbers, throughout"
        )
    if not numbered:
        return _by_name(words)
    _check_whole(words)
    meaning = said or numbers
    if not meaning:
        raise UsageError(
            f"{words[numbered[0]]} says the class by the number {numbered[0]}, and re-uploads number the classes "
            f"anew: say with --labels what each is: {meanings(words)}"
        )
    if unnamed := sorted(words.keys() - meaning.keys()):
        raise UsageError(
            f"{words[unnamed[0]]} says the class {unnamed[0]}, of which {'--labels' if said else 'its set'} says "
            f"nothing: add {unnamed[0]}=CLASS to --labels, or {unnamed[0]}= to leave it out"
        )
    return {word: label_of(meaning[word]) if meaning[word] else None for word in words}


def _check_whole(words: Mapping[str, str]) -> None:
    for word, where in words.items():
        if not (word.isascii() and word.isdigit() and len(word) < 4):
            raise UsageError(
                f"{where}: its class is {word[:40]}, and a whole number from 0 is needed"
            )


def _by_name(words: Mapping[str, str]) -> dict[str, int | None]:
    labels: dict[str, int | None] = {}
    first: dict[int, str] = {}
    for word, where in words.items():
        if word.strip().lower() in NO_CLASS:
            labels[word] = None
            continue
        try:
            label = label_of(parse_expression(word))
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
        if first.setdefault(label, word.lower()) != word.lower():
            raise UsageError(
                f"{where} says {word[:40]}, and others {first[label]}: both are {EXPRESSIONS[label]}, and whether "
                "they are one class is not said: give them one name"
            )
        labels[word] = label
    return labels


def label_of(expression: str) -> int:
    """The place of a class of EXPRESSIONS."""
    return EXPRESSIONS.index(expression)
