"""Networks of pictures and texts (CLIP, SigLIP) that never learnt the classes: the nearest sentences decide.

A class is the mean direction of its sentences; the outputs are the network's own scale times the cosine
of each class and the face. With one sentence a class that is what the network itself says.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.runtimes import Runnable
from btfer.bench.systems.hugging_face import (
    Folder,
    folder_digest,
    load_pretrained,
    prepared,
    side_of,
)
from btfer.bench.systems.prompts import Prompts
from btfer.bench.systems.torch_networks import need_torch, restricted
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.images import Pixels

Array = np.ndarray[Any, Any]
OPEN_CLIP = "open_clip_config.json"
SIGLIP_TOKENS = 64  # it was trained on texts that were filled up to this length


def is_zero_shot(folder: Path, config: dict[str, Any]) -> bool:
    """Whether the folder is of a network of pictures and texts."""
    return (folder / OPEN_CLIP).is_file() or "text_config" in config


def load_zero_shot(folder: Path, prompts: Prompts) -> Folder:
    """A network of open_clip or transformers with the prompts of one language. Raises UsageError for another."""
    if (folder / OPEN_CLIP).is_file():
        return _open_clip(folder, prompts)
    return _transformers(folder, prompts)


def class_directions(sentences: Sequence[Array]) -> Array:
    """float32 [classes, D] of unit length from the features of each class's sentences, float [n, D]."""
    means = [_unit(one).mean(axis=0) for one in sentences]
    return _unit(np.stack(means))


def _transformers(folder: Path, prompts: Prompts) -> Folder:
    need_torch("a network of pictures and texts", "transformers", "torchvision")
    import torch
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    network = load_pretrained(AutoModel, folder).eval()
    processor = load_pretrained(AutoImageProcessor, folder)
    tokenizer = load_pretrained(AutoTokenizer, folder)
    siglip = "siglip" in network.config.model_type
    filled: Any = (
        {"padding": "max_length", "max_length": SIGLIP_TOKENS} if siglip else {"padding": True}
    )

    def text(sentences: Sequence[str]) -> Array:
        given = tokenizer(list(sentences), truncation=True, return_tensors="pt", **filled)
        known = {n: given[n] for n in ("input_ids", "attention_mask") if n in given}
        with torch.inference_mode():
            return _numbers(network.get_text_features(**known))

    def picture(numbers: Array) -> Array:
        with torch.inference_mode():
            return _numbers(network.get_image_features(pixel_values=torch.from_numpy(numbers)))

    scale = float(network.logit_scale.exp())
    return _folder(
        folder, prompts, text, picture, lambda f: prepared(processor, f), scale, side_of(processor)
    )


def _open_clip(folder: Path, prompts: Prompts) -> Folder:
    need_torch("a network of open_clip", "open_clip")
    import open_clip
    import torch
    from PIL import Image

    place = f"local-dir:{folder.resolve()}"
    try:
        with restricted():
            network, _, transform = open_clip.create_model_and_transforms(place)
            tokenizer = open_clip.get_tokenizer(place)
    except Exception as error:  # of every library below
        first = next(iter(str(error).strip().splitlines()), "")
        raise UsageError(
            f"{folder} cannot be read: {type(error).__name__}: {first[:200]}"
        ) from error
    network.eval()

    def text(sentences: Sequence[str]) -> Array:
        with torch.inference_mode():
            return _numbers(network.encode_text(tokenizer(list(sentences))))

    def picture(numbers: Array) -> Array:
        with torch.inference_mode():
            return _numbers(network.encode_image(torch.from_numpy(numbers)))

    def prepare(faces: Sequence[Pixels]) -> Array:
        made = [transform(Image.fromarray(np.asarray(one))) for one in faces]
        return np.asarray(torch.stack(made).numpy())

    side = int(prepare([np.zeros((64, 64, 3), np.uint8)]).shape[-1])
    return _folder(folder, prompts, text, picture, prepare, float(network.logit_scale.exp()), side)


def _folder(
    folder: Path,
    prompts: Prompts,
    text: Callable[[Sequence[str]], Array],
    picture: Callable[[Array], Array],
    prepare: Callable[[Sequence[Pixels]], Array],
    scale: float,
    side_px: int,
) -> Folder:
    directions = class_directions([text(sentences) for sentences in prompts.sentences])

    def run(numbers: Array) -> Array:
        return np.asarray(scale * _unit(picture(numbers)) @ directions.T)

    return Folder(
        classes=EXPRESSIONS,
        answer=lambda faces: run(prepare(faces)),
        runnable=Runnable((3, None, None), run),
        digest=f"{folder_digest(folder)} {prompts}",
        side_px=side_px,
    )


def _numbers(found: Any) -> Array:
    """Features, float [N, D]; transformers 5 gives them inside a record."""
    tensor = getattr(found, "pooler_output", found)
    return np.asarray(tensor.float().numpy())


def _unit(features: Array) -> Array:
    length = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12))
