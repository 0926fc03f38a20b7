"""Networks of pictures and texts (CLIP, SigLIP) that never learnt the classes: the nearest sentences decide.

A class is the mean direction of its sentences; the outputs are the network's own scale times the cosine
of each class and the face. With one sentence a class that is what the network itself says.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.runtimes import Runnable, check_is_whole, told
from btfer.bench.systems.hugging_face import (
    PREPARATION,
    Folder,
    folder_digest,
    load_pretrained,
    network_files,
    prepared,
    side_of,
    unreadable,
)
from btfer.bench.systems.model_hub import PICKLED, SAFE
from btfer.bench.systems.prompts import Prompts
from btfer.bench.systems.torch_networks import need_torch, restricted
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.images import Pixels

Array = np.ndarray[Any, Any]
OPEN_CLIP = "open_clip_config.json"
VOCABULARY = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")


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

    # Without its files, transformers makes an empty tokenizer, to which all sentences are one.
    if not any(file for pattern in VOCABULARY for file in folder.glob(pattern)):
        raise UsageError(
            f"{folder} has no tokenizer: {', '.join(VOCABULARY)} or one of them is needed"
        )
    if not any((folder / name).is_file() for name in PREPARATION):
        raise UsageError(f"{folder} has no {PREPARATION[0]}, which says how it is fed")
    network = load_pretrained(AutoModel, folder).eval()
    processor = load_pretrained(AutoImageProcessor, folder)
    tokenizer = load_pretrained(AutoTokenizer, folder)
    longest = network.config.text_config.max_position_embeddings
    # SigLIP was trained on texts that were filled up to the longest.
    siglip = "siglip" in network.config.model_type
    filled: Any = {"padding": "max_length" if siglip else True, "max_length": longest}

    def text(sentences: Sequence[str]) -> Array:
        given = tokenizer(list(sentences), truncation=True, return_tensors="pt", **filled)
        known = {n: given[n] for n in ("input_ids", "attention_mask") if n in given}
        with torch.inference_mode():
            return _numbers(network.get_text_features(**known))

    def picture(numbers: Array) -> Array:
        with torch.inference_mode():
            pixels = torch.from_numpy(numbers).to(network.dtype)
            return _numbers(network.get_image_features(pixel_values=pixels))

    scale = float(network.logit_scale.detach().exp())
    return _folder(
        folder, prompts, text, picture, lambda f: prepared(processor, f), scale, side_of(processor)
    )


def _open_clip(folder: Path, prompts: Prompts) -> Folder:
    need_torch("a network of open_clip", "open_clip")
    import open_clip
    import torch
    from PIL import Image

    files = network_files(folder)
    for file in files:
        check_is_whole(file)
    if not any(file.match(kind) for file in files for kind in (SAFE, PICKLED)):
        raise UsageError(f"{folder} has no weights: a file {SAFE} or {PICKLED} is needed")
    place = f"local-dir:{folder.resolve()}"
    try:
        with restricted():
            network, _, transform = open_clip.create_model_and_transforms(
                place, require_pretrained=True
            )
            tokenizer = open_clip.get_tokenizer(place)
    except Exception as error:  # of every library below
        raise unreadable(folder, error) from error
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
    return _folder(
        folder, prompts, text, picture, prepare, float(network.logit_scale.detach().exp()), side
    )


def _folder(
    folder: Path,
    prompts: Prompts,
    text: Callable[[Sequence[str]], Array],
    picture: Callable[[Array], Array],
    prepare: Callable[[Sequence[Pixels]], Array],
    scale: float,
    side_px: int,
) -> Folder:
    try:
        directions = class_directions([text(sentences) for sentences in prompts.sentences])
    except (
        ValueError,
        RuntimeError,
        IndexError,
        TypeError,
    ) as error:  # of its tokenizer or its text half
        raise UsageError(
            f"{folder} cannot read the prompts: {str(error).strip().splitlines()[0][:200]}"
        ) from error

    if np.ptp(directions, axis=0).max() < 1e-6:
        raise UsageError(
            f"{folder} reads the prompts of all classes alike: its tokenizer is another network's"
        )

    def outputs(numbers: Array) -> Array:
        return np.asarray(scale * _unit(picture(numbers)) @ directions.T)

    run = told(outputs, folder)
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
