"""Any classifier, run on a release's faces and kept as a run.

How it is fed comes from its card, from what it says itself, or from the names and the range that the
caller gives. Outputs are mapped to classes by name.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.edge.runtimes import Runnable
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.bench.systems.feeding import missed, pictures, values
from btfer.bench.systems.input_card import InputCard, Outputs, input_card, is_left_out
from btfer.bench.systems.networks import AskedNetwork, OpenNetwork, open_network
from btfer.bench.systems.odd_answers import tell_of_odd_answers
from btfer.bench.systems.prediction_files import (
    NO_ANSWER,
    AnswerSource,
    by_class,
    check_name,
    keep_run,
)
from btfer.errors import UsageError
from btfer.images import decode_rgb
from btfer.progress import SILENT, Progress

Array = np.ndarray[Any, Any]

BATCH = 32


@dataclass(frozen=True)
class NetworkAnswers:
    """probabilities: float [N, classes] in label order. side_px: of the input. missed: faces that could not be cut."""

    probabilities: Array
    side_px: int
    missed: int = 0


def card_of_labels(labels: str, pixels: str, *, bgr: bool = False) -> InputCard | None:
    """From `anger,happy,...` and `0,1`; None where no label is given. Raises UsageError."""
    if not labels:
        return None
    try:
        low, high = (float(text) for text in pixels.split(","))
    except ValueError:
        raise UsageError(
            f"--pixels '{pixels}' is not a range; write LOW,HIGH such as 0,1"
        ) from None
    names = tuple(text.strip() for text in labels.split(","))
    channels = "BGR" if bgr else "RGB"
    given = {"classes": names, "range": (low, high), "channels": channels}
    return input_card(given, "--labels and --pixels")


def answers_of(
    network: OpenNetwork, images: ImageSet, cache: Path, progress: Progress = SILENT
) -> NetworkAnswers:
    """What a network says of every face. Raises UsageError where its card does not fit it."""
    if network.card is None:
        assert network.answer is not None
        assert network.side_px is not None
        return NetworkAnswers(
            probabilities_of(_own_outputs(network, images), network, progress), network.side_px
        )
    card, side, planar = fitted(network.card, network.runnable, network.where)
    faces = pictures(images, card, side, cache, progress)
    starts = range(0, len(images), BATCH)
    parts = [
        network.runnable.run(values(faces[n : n + BATCH], card, planar=planar)) for n in starts
    ]
    outputs = np.concatenate(parts)
    said = probabilities_of(outputs, network, progress)
    return NetworkAnswers(said, side, missed(images, card, cache))


def score_network(
    runs_dir: Path, asked: AskedNetwork, name: str, images: ImageSet, progress: Progress = SILENT
) -> RunRecord:
    """Run a network on every face and keep its predictions as a run; its record. Raises UsageError."""
    check_name(name or asked.name)
    network = open_network(asked)
    if network.note:
        progress.say(network.note)
    started = time.time()
    said = answers_of(network, images, runs_dir / "_cache", progress)
    seconds = round(time.time() - started, 1)
    digest = f"{network.digest}{_read(asked, network)}"
    source = AnswerSource(asked.source, digest, said.side_px, seconds)
    title = (name or asked.name) + (f" ({network.language})" if network.language else "")
    record = keep_run(runs_dir, title, said.probabilities, images, source)
    tell_of_odd_answers(said.probabilities, images, progress)
    facts = _facts(asked, network, said)
    return RunStore(runs_dir).write(record.changed(card=facts))


def fitted(card: InputCard, runnable: Runnable, where: str) -> tuple[InputCard, int, bool]:
    """The card as the network takes it, the side in pixels, and whether channels come first.

    Raises UsageError where card and network do not go together.
    """
    planar = card.layout == "NCHW" if card.layout else runnable.planar
    channels, side = (runnable.shape[0] if planar else runnable.shape[-1]), runnable.shape[1]
    if channels == 1 and "channels" not in card.model_fields_set:
        card = card.model_copy(update={"channels": "grey"})
    wanted = 1 if card.channels == "grey" else 3
    if channels not in (wanted, None) or (channels is None and not card.layout):
        raise UsageError(
            f"{where} takes {runnable.shape}, which is not {card.channels} "
            f"{'channels first (NCHW)' if planar else 'channels last (NHWC)'}: "
            "neither grey nor RGB images, or 'channels' and 'layout' of its card are wrong"
        )
    if card.size and side and card.size != side:
        raise UsageError(f"{where} takes images of {side} px, and its card says size = {card.size}")
    if not (side or card.size):
        raise UsageError(f"{where} takes images of any size: give --card with size, such as 224")
    return card, side or card.size or 0, planar


def kind_of_outputs(outputs: Array) -> Outputs:
    """What the numbers look like. outputs: float [N, classes]."""
    if outputs.min() < -1e-3 or not outputs.any():
        return "logits"
    if np.allclose(outputs.sum(axis=1), 1, atol=0.02):
        return "probabilities"
    return "sigmoid" if outputs.max() <= 1 + 1e-3 else "logits"


def as_probabilities(outputs: Array, kind: Outputs | None = None) -> Array:
    """float [N, classes]: of logits the softmax, else the rows made to sum to 1; zeros where all of a row are.

    kind: None = as the numbers look. Raises ValueError where they cannot be of that kind.
    """
    looks = kind_of_outputs(outputs)
    if kind == "logits" and looks == "probabilities":
        raise ValueError(
            'its outputs are probabilities already: its card needs outputs = "probabilities"'
        )
    if kind == "probabilities" and looks != "probabilities":
        raise ValueError(f'its outputs are no probabilities: its card needs outputs = "{looks}"')
    if kind == "sigmoid" and looks == "logits":
        raise ValueError('its outputs are not all from 0 to 1: its card needs outputs = "logits"')
    if (kind or looks) != "logits":
        rows = np.clip(outputs, 0, None)
        sums = rows.sum(axis=1, keepdims=True)
        return np.asarray(rows / np.where(sums > 0, sums, 1))
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def probabilities_of(outputs: Array, network: OpenNetwork, progress: Progress = SILENT) -> Array:
    """In label order. outputs: float [N, ...], of the network's own classes. progress: is told of what looks odd."""
    outputs = outputs.reshape(len(outputs), -1).astype(float)
    if outputs.shape[1] != len(network.classes):
        raise UsageError(
            f"{network.where} has {outputs.shape[1]} outputs, and {len(network.classes)} names were given: "
            f"{', '.join(network.classes)}"
        )
    if not np.isfinite(outputs).all():
        raise UsageError(f"{network.where} gives numbers that are none (NaN or infinite)")
    kind = network.feeding.outputs
    try:
        rows = as_probabilities(outputs, kind)
    except ValueError as error:
        raise UsageError(f"{network.where}: {error}") from None
    if len(outputs) > 1 and np.ptp(outputs, axis=0).max() <= 1e-6 * np.abs(outputs).max():
        progress.say(
            f"{network.where} says the same of every face: its weights are not trained, or it is fed wrongly; "
            "--try-preprocessing shows the usual ways"
        )
    elif kind is None and kind_of_outputs(outputs) == "sigmoid":
        progress.say(
            f"{network.where}: outputs from 0 to 1 that do not sum to 1, as those of a sigmoid: they were divided by "
            'their sum; if they are logits, its card needs outputs = "logits" (with "sigmoid", this line goes)'
        )
    return np.array([_in_order(network.classes, row) for row in rows])


def _in_order(classes: tuple[str, ...], row: Array) -> list[float] | tuple[float, ...]:
    """By class; no answer where all is in contempt and the like, as a quantised network may say."""
    known = dict(zip(classes, row.tolist(), strict=True))
    ours = [value for name, value in known.items() if not is_left_out(name)]
    return by_class(known) if sum(ours) > 0 else NO_ANSWER


def _own_outputs(network: OpenNetwork, images: ImageSet) -> Array:
    assert network.answer is not None
    parts = []
    for start in range(0, len(images), BATCH):
        files = images.files[start : start + BATCH]
        parts.append(
            network.answer([decode_rgb((images.root / one).read_bytes()) for one in files])
        )
    return np.concatenate(parts)


def _read(asked: AskedNetwork, network: OpenNetwork) -> str:
    """How the network was fed, as a part of its run's id; empty where the network itself says it.

    In the words of btfer 0.1 where it knew such a way, so that those runs keep their ids.
    """
    if asked.card is None:
        return ""
    card = (network.card or asked.card).model_copy(update={"licence": "", "claimed": None})
    bgr = card.channels == "BGR"
    if card == InputCard(classes=card.classes, range=card.range, channels="BGR" if bgr else "RGB"):
        low, high = card.range
        old = f"classes={card.classes!r}, low={low!r}, high={high!r}, bgr={bgr!r}, size_px=224"
        return f" Reading({old})"
    return f" {json.dumps(card.model_dump(mode='json'), sort_keys=True)}"


def _facts(asked: AskedNetwork, network: OpenNetwork, said: NetworkAnswers) -> dict[str, Any]:
    """What the run's record keeps of how the network was fed, and of what its makers claim."""
    claims = (
        asked.card.model_dump(mode="json", include={"licence", "claimed"}) if asked.card else {}
    )
    fed = (
        network.card.model_dump(mode="json", exclude={"licence", "claimed"})
        if network.card
        else None
    )
    own = {"classes": network.classes, "preparation": "its own"}
    return {
        "input": fed or own,
        **claims,
        "cut_otherwise": said.missed,
        "language": network.language,
    } | ({"commit": network.commit} if network.commit else {})
