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
    PREPARATION,
    Answer,
    Folder,
    config_of,
    folder_digest,
    load_classifier,
)
from btfer.bench.systems.input_card import InputCard, Outputs, check_classes, input_card
from btfer.bench.systems.model_hub import PREFIX, fetched
from btfer.bench.systems.prediction_columns import class_or_none
from btfer.bench.systems.prompts import Prompts
from btfer.bench.systems.torch_networks import (
    TORCH,
    is_timm,
    load_timm,
    load_timm_folder,
    load_torch,
    need_torch,
    timm_card,
)
from btfer.bench.systems.zero_shot import OPEN_CLIP, is_zero_shot, load_zero_shot
from btfer.cached import DAMAGED
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import sha256_file

Array = np.ndarray[Any, Any]

TIMM = "timm:"
MOST_CLASSES = 50  # that a network of expressions may have; sets of photos of things have hundreds
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
        if text.startswith((TIMM, PREFIX)):
            return text.partition(":")[2].partition("@")[0]
        return self.place.stem

    @property
    def source(self) -> str:
        """Its last part, as a run's record names where the answers came from."""
        return Path(self.name).name if str(self.place).startswith(PREFIX) else self.place.name


@dataclass(frozen=True)
class OpenNetwork:
    """A network that is loaded. answer: with its makers' own preparation, where it has one.

    card: how it is fed where that is not the way. digest: of its files. side_px: of the own preparation.
    language: of the prompts that it was given, if any. commit: of the hub that it came from. outputs: as the card of
    a network with its own preparation says. note: what is to be told before it is scored.
    """

    where: str
    digest: str
    classes: tuple[str, ...]
    runnable: Runnable
    card: InputCard | None = None
    answer: Answer | None = None
    side_px: int | None = None
    language: str = ""
    commit: str = ""
    outputs: Outputs | None = None
    note: str = ""

    @property
    def feeding(self) -> InputCard:
        """Its card; for own preparation, one that says no more than classes, side and outputs."""
        own = InputCard(classes=self.classes, size=self.side_px, outputs=self.outputs)
        return self.card or own


def open_network(asked: AskedNetwork) -> OpenNetwork:
    """Load what is asked for. Raises UsageError where it cannot be, or its classes are not known."""
    network = _opened(asked)
    if asked.language and not network.language:
        raise UsageError(f"--language is for networks that read prompts; {network.where} does not")
    return network


def _opened(asked: AskedNetwork) -> OpenNetwork:
    text = str(asked.place)
    if text.startswith(("http:/", "https:/")):
        raise UsageError(
            f"{text} is an address: give {PREFIX}ORG/NAME for a network of Hugging Face, or download the file"
        )
    if asked.weights and not text.startswith(TIMM):
        raise UsageError("--weights is for --model-file timm:NAME")
    if text.startswith(TIMM):
        return _timm(asked, text.removeprefix(TIMM))
    if text.startswith(PREFIX):
        need_torch("a network of Hugging Face", "transformers", "huggingface_hub")
        folder = fetched(text.removeprefix(PREFIX))
        return replace(_folder(asked, folder), commit=folder.name)
    if asked.place.is_dir():
        return _folder(asked, asked.place)
    return _file(asked)


def _file(asked: AskedNetwork) -> OpenNetwork:
    file, card = asked.place, asked.card
    if not file.exists():
        raise UsageError(
            f"{file} is not a file or a folder; a network of Hugging Face is {PREFIX}ORG/NAME, one of timm {TIMM}NAME"
        )
    if file.suffix.lower() == ".safetensors":
        raise UsageError(
            f"{file} holds weights alone: give the folder in which its config.json lies, or {TIMM}NAME --weights {file}"
        )
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
    if (folder / "saved_model.pb").is_file():
        raise UsageError(
            f"{folder} is a SavedModel of TensorFlow: convert it to TFLite (tf.lite.TFLiteConverter.from_saved_model), "
            "and give that file with a card"
        )
    config = {} if (folder / OPEN_CLIP).is_file() else config_of(folder)
    if is_timm(config):
        return _timm_folder(asked, folder, config)
    if is_zero_shot(folder, config):
        assert asked.prompts is not None
        prompts = asked.prompts()
        found, language = load_zero_shot(folder, prompts), prompts.language
    else:
        found = load_classifier(folder)
    network = _of_folder(asked, found)
    return replace(network, language=language)


def _timm_folder(asked: AskedNetwork, folder: Path, config: dict[str, Any]) -> OpenNetwork:
    """As timm saves it for the hub: with its input and, mostly, the names of its classes."""
    found = load_timm_folder(folder, config)
    classes = _classes(asked, found.classes)
    card = asked.card or InputCard(classes=classes)
    digest = folder_digest(folder)
    where = str(asked.place)
    return OpenNetwork(where, digest, classes, found.runnable, timm_card(card, found.config))


def _of_folder(asked: AskedNetwork, found: Folder) -> OpenNetwork:
    """With the folder's own preparation, unless a card says another."""
    card, where = asked.card, str(asked.place)
    classes = _classes(asked, found.classes)
    network = OpenNetwork(where, found.digest, classes, found.runnable, side_px=found.side_px)
    if card and card.model_fields_set & FEEDING:
        card = card if card.size else card.model_copy(update={"size": found.side_px})
        own = f"{where} is fed as its card says; what its own files say of mean, std, size and filter is not used"
        return replace(network, card=card, note=own if found.answer else "")
    if found.answer is None:
        raise UsageError(
            f"{where} has no {PREPARATION[0]}, which says how it is fed: give --card with range, mean and std"
        )
    said = card.outputs if card else None
    return replace(network, answer=found.answer, outputs=said or found.outputs)


def _classes(asked: AskedNetwork, own: tuple[str, ...]) -> tuple[str, ...]:
    """The card's, else those that a folder names. Raises UsageError where they are not expressions."""
    classes = asked.card.classes if asked.card else own
    if len(classes) > MOST_CLASSES and not any(map(class_or_none, classes)):
        raise UsageError(
            f"{asked.place} has {len(classes)} classes ({', '.join(classes[:3])}, ...), and none is an expression: it "
            "is a network for something else"
        )
    try:
        check_classes(classes)
    except ValueError as error:
        raise UsageError(
            f"{asked.place} does not name its classes ({error}): give --card"
        ) from None
    return classes


def _exported_card(file: Path) -> InputCard | None:
    """Of a file that `btfer export` wrote: scaling is inside."""
    try:
        card = read_card(file)
        if card is None:
            return None
        values = {"classes": card["classes"], "range": (0.0, 255.0)}
    except (*DAMAGED, OSError, RuntimeError) as error:  # the last of an archive with a password
        raise UsageError(
            f"{file}: the card inside is damaged ({error}): run btfer export again"
        ) from None
    return input_card(values, str(file))
