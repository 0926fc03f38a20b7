"""Numbers of classes that have as many images as a set's classes do in the order of the alphabet.

Tools that make folders of names, or labels of folders, number these anew; the numbers are all there then, and each
means another class. Only sets whose classes are far from equal can show it.

Sources of the numbers: for FER2013 and RAF-DB, Table 1 of BTFER; for AffectNet, the images of the training part in the
paper of its makers (Mollahosseini et al. 2019).
"""

from collections.abc import Mapping

from btfer.bench.datasets.numbering import CONTEMPT, DROPPED, NUMBERINGS
from btfer.bench.datasets.table1 import TABLE_1
from btfer.expressions import EXPRESSIONS

IMAGES = {
    "rafdb": dict(zip(EXPRESSIONS, TABLE_1["rafdb"], strict=True)),
    "fer2013": dict(zip(EXPRESSIONS, TABLE_1["fer2013"], strict=True)),
    "affectnet": {
        "neutral": 74_874,
        "happy": 134_415,
        "sad": 25_459,
        "surprise": 14_090,
        "fear": 6_378,
        "disgust": 3_803,
        "angry": 24_882,
        CONTEMPT: 3_750,
    },
}
"""Images of each class as the makers give them out."""

NEAR, FAR = 0.08, 0.1
"""Sum of the differences of all classes' shares. FER2013 by the alphabet is 0.12 away from its own order."""


def alphabetical(counts: Mapping[str, int], kind: str) -> dict[str, str]:
    """What each number means by the alphabet, where that is how the set was numbered; {} where nothing says so.

    counts: images of each number. kind: whose set it is. Its own meaning stands where both fit, or none.
    """
    if kind not in IMAGES or not all(counts.values()):
        return {}
    numbers = sorted(counts, key=int)
    eighth = [CONTEMPT] if len(numbers) > len(EXPRESSIONS) else []
    by_name = dict(zip(numbers, sorted([*EXPRESSIONS, *eighth]), strict=False))
    own = NUMBERINGS[kind] | dict.fromkeys(DROPPED.get(kind, set()) & {"7"}, CONTEMPT)
    if len(by_name) < len(numbers) or not set(numbers) <= own.keys():
        return {}
    near, far = (_distance(counts, one, IMAGES[kind]) for one in (by_name, own))
    return by_name if near < NEAR and far > FAR else {}


def _distance(
    counts: Mapping[str, int], meaning: Mapping[str, str], known: Mapping[str, int]
) -> float:
    """How far counts are from the known ones, or from these cut at a largest number, as re-uploads often are."""
    most = max(counts.values())
    whole = {number: known[meaning[number]] for number in counts}
    cut = {number: min(most, n) for number, n in whole.items()}
    return min(_difference(counts, whole), _difference(counts, cut))


def _difference(ours: Mapping[str, int], theirs: Mapping[str, int]) -> float:
    all_ours, all_theirs = sum(ours.values()), sum(theirs.values())
    return sum(abs(ours[one] / all_ours - theirs[one] / all_theirs) for one in ours)
