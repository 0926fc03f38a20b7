"""Any network that a file, a folder or a name stands for, ready to be fed.

Keras, ONNX and TFLite files; PyTorch's .pt2 and TorchScript; `timm:NAME` with weights; folders of Hugging
Face and open_clip, or `hf:ORG/NAME`. Only the framework that is needed is imported.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.card import read_card
from btfer.bench.edge.runtimes import Runnable, load_file
from btfer.bench.systems.hugging_face import (
    PREFIX,
    Answer,
    Folder,
    config_of,
    fetched,
    load_classifier,
)
from btfer.bench.systems.input_card import InputCard, check_classes, input_card
from btfer.bench.systems.prompts import Prompts
from btfer.bench.systems.torch_networks import TORCH, load_timm, load_torch, timm_card
from btfer.bench.systems.zero_shot import OPEN_CLIP, is_zero_shot, load_zero_shot
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import sha256_file

Array = np.ndarray[Any, Any]

TIMM = "timm:"
FEEDING = set(InputCard.model_fields) - {"classes", "outputs", "licence", "claimed"}


@dataclass(frozen=True)
class AskedNetwork:
    """What is to be scored. place: a file, a folder, `timm:NAME` or `hf:ORG/NAME`. weights: of a timm network.

    card: None = the network says itself how it is fed. prompts: gives those of zero-shot networks. language:
    that was asked for, '' = none was.
    """

    place: Path
    card: InputCard | None = None
    weights: Path | None = None
    prompts: Callable[[], Prompts] | None = None
    language: str = ""

    @property
    def name(self) -> str:
        """In reports, where nobody gives another."""
        text = str(self.place)
        return text.rpartition(":")[2] if text.startswith((TIMM, PREFIX)) else self.place.stem


@dataclass(frozen=True)
class OpenNetwork:
    """A network that is loaded. answer: with its makers' own preparation, where it has one.

    card: how it is fed where that is not the way. digest: of its files. side_px: of the own preparation.
    language: of the prompts that it was given, if any.
    """

    where: str
    digest: str
    classes: tuple[str, ...]
    runnable: Runnable
    card: InputCard | None = None
    answer: Answer | None = None
    side_px: int | None = None
    language: str = ""

    @property
    def feeding(self) -> InputCard:
        """Its card; for own preparation, one that says no more than classes and side."""
        return self.card or InputCard(classes=self.classes, size=self.side_px)


def open_network(asked: AskedNetwork) -> OpenNetwork:
    """Load what is asked for. Raises UsageError where it cannot be, or its classes are not known."""
    network = _opened(asked)
    if asked.language and not network.language:
        raise UsageError(f"--language is for networks that read prompts; {network.where} does not")
    return network


def _opened(asked: AskedNetwork) -> OpenNetwork:
    text = str(asked.place)
    if asked.weights and not text.startswith(TIMM):
        raise UsageError("--weights is for --model-file timm:NAME")
    if text.startswith(TIMM):
        return _timm(asked, text.removeprefix(TIMM))
    if text.startswith(PREFIX):
        return _folder(asked, fetched(text.removeprefix(PREFIX)))
    if asked.place.is_dir():
        return _folder(asked, asked.place)
    return _file(asked)


def _file(asked: AskedNetwork) -> OpenNetwork:
    file, card = asked.place, asked.card
    if file.suffix.lower() in TORCH:
        runnable = load_torch(file, 1 if card and card.channels == "grey" else 3)
    else:
        runnable = load_file(file)
        card = card or _exported_card(file)
    if card is None:
        raise UsageError(
            f"{file} does not name its classes: put a card {file.with_suffix('.toml').name} beside it (or give "
            f"--card), or give their names in the order of its outputs, such as --labels {','.join(EXPRESSIONS)}"
        )
    return OpenNetwork(str(file), sha256_file(file), card.classes, runnable, card)


def _timm(asked: AskedNetwork, name: str) -> OpenNetwork:
    if not (asked.card and asked.weights):
        raise UsageError(
            f"{TIMM}{name} needs --weights with a file of its weights, and --card or --labels with the names of "
            "its outputs in their order"
        )
    card = asked.card
    runnable, config = load_timm(name, asked.weights, len(card.classes))
    digest = f"{TIMM}{name} {sha256_file(asked.weights)}"
    return OpenNetwork(TIMM + name, digest, card.classes, runnable, timm_card(card, config))


def _folder(asked: AskedNetwork, folder: Path) -> OpenNetwork:
    language = ""
    if (folder / OPEN_CLIP).is_file() or is_zero_shot(folder, config_of(folder)):
        assert asked.prompts is not None
        prompts = asked.prompts()
        found, language = load_zero_shot(folder, prompts), prompts.language
    else:
        found = load_classifier(folder)
    network = _of_folder(asked, found)
    return replace(network, language=language)


def _of_folder(asked: AskedNetwork, found: Folder) -> OpenNetwork:
    """With the folder's own preparation, unless a card says another."""
    card, where = asked.card, str(asked.place)
    classes = card.classes if card else found.classes
    try:
        check_classes(classes)
    except ValueError as error:
        raise UsageError(f"{where} does not name its classes ({error}): give --card") from None
    network = OpenNetwork(where, found.digest, classes, found.runnable, side_px=found.side_px)
    if card and card.model_fields_set & FEEDING:
        return replace(network, card=card)
    return replace(network, answer=found.answer)


def _exported_card(file: Path) -> InputCard | None:
    """Of a file that `btfer export` wrote: scaling is inside."""
    card = read_card(file)
    if card is None:
        return None
    return input_card({"classes": card["classes"], "range": (0.0, 255.0)}, str(file))
