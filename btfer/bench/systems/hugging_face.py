"""Image classifiers of Hugging Face: a folder with config.json, weights and preprocessor_config.json.

Each face is prepared by the folder's own image processor. No code of the folder is run.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.runtimes import Runnable, check_is_whole, told
from btfer.bench.systems.input_card import Outputs
from btfer.bench.systems.model_hub import WANTED
from btfer.bench.systems.torch_networks import need_torch, restricted
from btfer.errors import UsageError
from btfer.files import sha256_file
from btfer.images import Pixels
from btfer.parsing import parse_json
from btfer.plain_files import read_plain

Array = np.ndarray[Any, Any]
PREPARATION = ("preprocessor_config.json", "processor_config.json")

Answer = Callable[[Sequence[Pixels]], Array]
"""Faces, each uint8 [H, W, 3] RGB -> outputs, float [N, classes], prepared as the network's makers do."""


@dataclass(frozen=True)
class Folder:
    """A network out of a folder. answer: with its own preparation; None = it has none. runnable: from prepared numbers.

    digest: over the files. side_px: of its input; None = not known. outputs: what they are, where its files say so.
    """

    classes: tuple[str, ...]
    answer: Answer | None
    runnable: Runnable
    digest: str
    side_px: int | None
    outputs: Outputs | None = None


def load_classifier(folder: Path) -> Folder:
    """An image classifier. Raises UsageError where the folder is none or its weights do not fit."""
    need_torch("a network of Hugging Face", "transformers", "torchvision")
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    network = load_pretrained(AutoModelForImageClassification, folder).eval()
    config = network.config
    names = {int(n): str(name) for n, name in config.id2label.items()}
    channels = getattr(config, "num_channels", None) or 3
    many = config.problem_type == "multi_label_classification"

    def outputs(numbers: Array) -> Array:
        import torch

        with torch.inference_mode():
            said = network(pixel_values=torch.from_numpy(numbers).to(network.dtype)).logits
            if many:
                said = said.sigmoid()  # as transformers' own pipeline reads them
        return np.asarray(said.float().numpy())

    run, answer = told(outputs, folder), None
    side = getattr(config, "image_size", None)
    side = side if isinstance(side, int) else None
    if any((folder / name).is_file() for name in PREPARATION):
        processor, grey = load_pretrained(AutoImageProcessor, folder), channels == 1
        side = side_of(processor, grey)

        def answer(faces: Sequence[Pixels]) -> Array:
            return run(prepared(processor, faces, grey))

    return Folder(
        classes=tuple(names[n] for n in sorted(names)),
        answer=answer,
        runnable=Runnable((channels, None, None), run),
        digest=folder_digest(folder),
        side_px=side,
        outputs="sigmoid" if many else None,
    )


def prepared(processor: Any, faces: Sequence[Pixels], grey: bool = False) -> Array:
    """float32 [N, 3, s, s], or [N, 1, s, s] where grey, as the processor of a folder makes it."""
    from PIL import Image

    pictures = [Image.fromarray(np.asarray(one)) for one in faces]
    if grey:
        planes = [np.array(one.convert("L"))[None] for one in pictures]
        made = processor(images=planes, return_tensors="np", input_data_format="channels_first")
    else:
        made = processor(images=pictures, return_tensors="np")
    return np.ascontiguousarray(made["pixel_values"], np.float32)


def side_of(processor: Any, grey: bool = False) -> int:
    """In pixels; of a black picture that the processor has prepared."""
    return int(prepared(processor, [np.zeros((64, 64, 3), np.uint8)], grey).shape[-1])


def load_pretrained(kind: Any, folder: Path, **options: Any) -> Any:
    """What `kind` makes of a folder: from files on this disk, without the folder's code, all weights in place.

    Raises UsageError.
    """
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    weights = hasattr(kind, "register") and "Processor" not in kind.__name__
    weights = weights and "Tokenizer" not in kind.__name__
    for file in network_files(folder):
        check_is_whole(file)
    try:
        with restricted():
            if not weights:
                return kind.from_pretrained(str(folder), **safe, **options)
            network, found = kind.from_pretrained(
                str(folder),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are named below
                **safe,
                **options,
            )
    except Exception as error:  # of every library below
        raise unreadable(folder, error) from error
    for words, key in (("lack", "missing_keys"), ("have another shape of", "mismatched_keys")):
        if found[key]:  # they would be random
            wrong = sorted(one if isinstance(one, str) else str(one[0]) for one in found[key])
            raise UsageError(
                f"the weights in {folder} {words} {wrong[0]} ({len(wrong)} such tensors)"
            )
    return network


def unreadable(folder: Path, error: Exception) -> UsageError:
    """One line of what a library says of a folder's files."""
    if "Weights only load failed" in str(error) or "weights_only" in str(error):
        return UsageError(
            f"the weights in {folder} hold more than tensors (a pickle that could run code): save them as safetensors, "
            "with network.save_pretrained"
        )
    first = next(iter(str(error).strip().splitlines()), "")
    return UsageError(f"{folder} cannot be read: {type(error).__name__}: {first[:200]}")


def network_files(folder: Path) -> list[Path]:
    """What a network is loaded from."""
    return sorted({file for pattern in WANTED for file in folder.glob(pattern)})


def folder_digest(folder: Path) -> str:
    """sha256 over the names and bytes of the files that a network is loaded from."""
    digest = hashlib.sha256()
    for file in network_files(folder):
        digest.update(f"{file.name}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def config_of(folder: Path) -> dict[str, Any]:
    """config.json. Raises UsageError where there is none, or no object in it."""
    path = folder / "config.json"
    try:
        found = parse_json(read_plain(path))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} is no network's folder: config.json of transformers or open_clip_config.json of "
            f"open_clip is needed ({error})"
        ) from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no object")
    return found
