"""What the numbers of public sets mean. Each set has its own order; none is that of EXPRESSIONS.

Sources: RAF-DB, its README.txt ("1: Surprise 2: Fear 3: Disgust 4: Happiness 5: Sadness 6: Anger 7:
Neutral"). FER2013, the data page of Kaggle's challenge ("0=Angry, 1=Disgust, 2=Fear, 3=Happy, 4=Sad,
5=Surprise, 6=Neutral"). AffectNet, its README ("0: Neutral, 1: Happy, 2: Sad, 3: Surprise, 4: Fear, 5:
Disgust, 6: Anger, 7: Contempt, 8: None, 9: Uncertain, 10: No-Face").
"""

from btfer.expressions import EXPRESSIONS

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
NUMBERINGS = {"rafdb": RAFDB, "fer2013": FER2013, "affectnet": AFFECTNET}
AFFECTNET_DROPPED = {"7", "8", "9", "10"}  # contempt, none, uncertain, no face
CONTEMPT = "contempt"  # AffectNet's and FER+'s eighth class, which BTFER has not


def label_of(expression: str) -> int:
    """The place of a class of EXPRESSIONS."""
    return EXPRESSIONS.index(expression)
