"""Which preprocessing a network wants, tried on a tenth of a release, and what a wrong one costs.

A way that is chosen by its score on the test set is tuned on it. So this only shows a table: what is scored
is what the card says, and a card should say what the network's own code does.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets import ImageSet, stratified_split
from btfer.bench.systems.feeding import missed
from btfer.bench.systems.input_card import InputCard
from btfer.bench.systems.model_file import answers_of, fitted
from btfer.bench.systems.networks import OpenNetwork
from btfer.errors import UsageError
from btfer.progress import SILENT, Progress

SHARE = 0.1
OWN = "as its card says"
IMAGENET = {"range": (0.0, 1.0), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
CAFFE_BGR = {"range": (0.0, 255.0), "mean": (103.939, 116.779, 123.68), "std": (1.0,)}
PLAIN = {"mean": (0.0,), "std": (1.0,)}
RANGES: dict[str, dict[str, Any]] = {
    "0 to 255": PLAIN | {"range": (0.0, 255.0)},
    "0 to 1": PLAIN | {"range": (0.0, 1.0)},
    "-1 to 1": PLAIN | {"range": (-1.0, 1.0)},
}
CROPS: dict[str, dict[str, Any]] = {
    "the release's crop": {"crop": "release", "template": "arcface"},
    "tight": {"crop": "tight", "template": "arcface"},
    "aligned-5pt, arcface": {"crop": "aligned-5pt", "template": "arcface"},
}


@dataclass(frozen=True)
class Tried:
    """One way to feed the network. accuracy: on the tenth, 0 to 1. cost: by which it is below the best."""

    preprocessing: str
    accuracy: float
    cost: float = 0.0


@dataclass(frozen=True)
class Trial:
    """rows: the best first; that of OWN is what a score is made with. images: of the tenth.

    without_landmarks: images that are tried as they are instead of tight or aligned.
    """

    rows: tuple[Tried, ...]
    images: int
    without_landmarks: int

    @property
    def noise(self) -> float:
        """Half of the widest 95 % interval of an accuracy on so many images."""
        return round(1.96 * float(np.sqrt(0.25 / self.images)), 3)


def variants(card: InputCard, channels: int) -> Iterator[tuple[str, InputCard]]:
    """The usual colours and ranges, with the rest as in the card. channels: that the network takes."""
    for colours in ("grey",) if channels == 1 else ("RGB", "BGR"):
        for words, way in RANGES.items():
            yield f"{colours}, {words}", _changed(card, channels=colours, **way)
    if channels == 3:
        backwards = {name: values[::-1] for name, values in IMAGENET.items() if name != "range"}
        yield "RGB, ImageNet mean and std", _changed(card, channels="RGB", **IMAGENET)
        bgr = {"channels": "BGR", "range": (0.0, 1.0)} | backwards
        yield "BGR, ImageNet mean and std", _changed(card, **bgr)
        yield "BGR, minus the mean (caffe)", _changed(card, channels="BGR", **CAFFE_BGR)


def try_preprocessing(
    network: OpenNetwork, images: ImageSet, cache: Path, seed: int, progress: Progress = SILENT
) -> Trial:
    """Score the usual ways on a tenth of each class; every crop with the best of the colours and ranges."""
    tenth = subset(images, stratified_split(images.labels, SHARE, seed)[1])
    found = {OWN: _accuracy(network, tenth, cache)}
    card, side, planar = fitted(network.feeding, network.runnable, network.where)
    channels = 1 if card.channels == "grey" else 3
    card = _changed(card, size=side, layout="NCHW" if planar else "NHWC")
    ways = dict(variants(card, channels))
    for words, way in ways.items():
        progress.say(f"trying {words}")
        found[words] = _accuracy(_fed(network, way), tenth, cache)
    best = max(ways, key=lambda words: found[words])
    for words, crop in CROPS.items():
        if crop["crop"] != card.crop:
            progress.say(f"trying {words}")
            way = _changed(ways[best], **crop)
            found[f"{best}; {words}"] = _accuracy(_fed(network, way), tenth, cache)
    without = missed(tenth, _changed(card, crop="tight"), cache)
    top = max(found.values())
    rows = [Tried(words, round(a, 4), round(top - a, 4)) for words, a in found.items()]
    return Trial(tuple(sorted(rows, key=lambda row: row.cost)), len(tenth), without)


def subset(images: ImageSet, places: np.ndarray[Any, Any]) -> ImageSet:
    """Some images of a set, as a set of its own. places: int64 [n]."""
    digest = hashlib.sha256(f"{images.digest} {places.tolist()}".encode()).hexdigest()
    return ImageSet(
        images.name,
        images.root,
        tuple(images.files[n] for n in places),
        images.labels[places],
        {name: tuple(words[n] for n in places) for name, words in images.strata.items()},
        digest,
    )


def _accuracy(network: OpenNetwork, images: ImageSet, cache: Path) -> float:
    try:
        said = answers_of(network, images, cache).probabilities
    except UsageError as error:
        raise UsageError(f"--try-preprocessing: {error}") from None
    return float((said.argmax(axis=1) == images.labels).mean())


def _fed(network: OpenNetwork, card: InputCard) -> OpenNetwork:
    return replace(network, card=card, answer=None)


def _changed(card: InputCard, **values: Any) -> InputCard:
    return card.model_copy(update=values)
