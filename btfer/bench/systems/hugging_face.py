"""Image classifiers of Hugging Face: `hf:ORG/NAME`, or a folder with config.json, weights and preprocessor_config.json.

Each face is prepared by the folder's own image processor. No code of the folder is run.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.runtimes import Runnable
from btfer.bench.systems.torch_networks import need_torch, restricted
from btfer.errors import BtferError, UsageError
from btfer.files import sha256_file
from btfer.images import Pixels

Array = np.ndarray[Any, Any]
Answer = Callable[[Sequence[Pixels]], Array]
"""Faces, each uint8 [H, W, 3] RGB -> outputs, float [N, classes], prepared as the network's makers do."""

PREFIX = "hf:"
WANTED = ("*.json", "*.txt", "*.safetensors", "*.model", "*.bin")


@dataclass(frozen=True)
class Folder:
    """A network out of a folder. answer: with its own preparation. runnable: from prepared numbers.

    digest: over the files. side_px: of its input.
    """

    classes: tuple[str, ...]
    answer: Answer
    runnable: Runnable
    digest: str
    side_px: int


def fetched(name: str) -> Path:
    """The folder of ORG/NAME in Hugging Face's own cache, fetched where it is not there.

    Raises BtferError where it cannot be fetched.
    """
    need_torch("a network of Hugging Face", "transformers", "huggingface_hub")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(WANTED)))
    except Exception as error:  # of HTTP, of the hub and of the disk
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise BtferError(f"{PREFIX}{name} cannot be fetched: {first[:200]}") from error


def load_classifier(folder: Path) -> Folder:
    """An image classifier. Raises UsageError where the folder is none or its weights do not fit."""
    need_torch("a network of Hugging Face", "transformers", "torchvision")
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    network = load_pretrained(AutoModelForImageClassification, folder).eval()
    processor = load_pretrained(AutoImageProcessor, folder)
    names = {int(n): str(name) for n, name in network.config.id2label.items()}

    def run(numbers: Array) -> Array:
        import torch

        with torch.inference_mode():
            said = network(pixel_values=torch.from_numpy(numbers)).logits
        return np.asarray(said.float().numpy())

    return Folder(
        classes=tuple(names[n] for n in sorted(names)),
        answer=lambda faces: run(prepared(processor, faces)),
        runnable=Runnable((3, None, None), run),
        digest=folder_digest(folder),
        side_px=side_of(processor),
    )


def prepared(processor: Any, faces: Sequence[Pixels]) -> Array:
    """float32 [N, 3, s, s], as the processor of a folder makes it."""
    from PIL import Image

    made = processor(
        images=[Image.fromarray(np.asarray(one)) for one in faces], return_tensors="np"
    )
    return np.ascontiguousarray(made["pixel_values"], np.float32)


def side_of(processor: Any) -> int:
    """In pixels; of a black picture that the processor has prepared."""
    return int(prepared(processor, [np.zeros((64, 64, 3), np.uint8)]).shape[-1])


def load_pretrained(kind: Any, folder: Path, **options: Any) -> Any:
    """What `kind` makes of a folder: from files on this disk, without the folder's code, all weights in place.

    Raises UsageError.
    """
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    weights = hasattr(kind, "register") and "Processor" not in kind.__name__
    weights = weights and "Tokenizer" not in kind.__name__
    try:
        with restricted():
            if not weights:
                return kind.from_pretrained(str(folder), **safe, **options)
            network, told = kind.from_pretrained(
                str(folder), output_loading_info=True, **safe, **options
            )
    except Exception as error:  # of every library below
        first = next(iter(str(error).strip().splitlines()), "")
        raise UsageError(
            f"{folder} cannot be read: {type(error).__name__}: {first[:200]}"
        ) from error
    if told["missing_keys"]:  # they would be random
        lacking = sorted(map(str, told["missing_keys"]))
        raise UsageError(f"the weights in {folder} lack {lacking[0]} ({len(lacking)} such tensors)")
    return network


def folder_digest(folder: Path) -> str:
    """sha256 over the names and bytes of the files that a network is loaded from."""
    digest = hashlib.sha256()
    files = sorted({file for pattern in WANTED for file in folder.glob(pattern)})
    for file in files:
        digest.update(f"{file.name}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def config_of(folder: Path) -> dict[str, Any]:
    """config.json. Raises UsageError where there is none, or no object in it."""
    path = folder / "config.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} is no network's folder: config.json of transformers or open_clip_config.json of "
            f"open_clip is needed ({error})"
        ) from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no object")
    return found
