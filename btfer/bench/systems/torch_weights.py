"""Weights of PyTorch out of a file, as training scripts leave them, and put into a network to the last tensor.

A checkpoint is a pickle: it is read by torch's restricted reader, which takes tensors and plain values alone.
"""

import argparse
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.runtimes import check_is_whole
from btfer.cached import DAMAGED
from btfer.errors import UsageError

CUT = "a zip archive that is cut short or damaged"
_AVERAGED = ("state_dict_ema", "model_ema")
_INSIDE = (*_AVERAGED, "state_dict", "model_state_dict", "model", "net", "network", "weights")
"""Where a checkpoint keeps the weights, beside its epoch and the state of its optimizer.

Their average over the steps comes first, as timm reads its own checkpoints: it is what training scripts validate.
"""


def is_cut_archive(file: Path) -> bool:
    """Whether a file begins as a zip archive, and has no end."""
    with file.open("rb") as source:
        if source.read(4) != b"PK\3\4":
            return False
    try:
        zipfile.ZipFile(file).close()
    except DAMAGED:
        return True
    return False


def read_weights(file: Path) -> dict[str, Any]:
    """The tensors of a safetensors file, or of a checkpoint. Raises UsageError where it holds anything else."""
    check_is_whole(file)
    if file.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(file))
        except (SafetensorError, OSError) as error:
            raise UsageError(f"{file} cannot be read: {error}") from None
    found = _unpickled(file)
    while isinstance(found, dict) and not _is_table(found):
        inner = next((found[n] for n in _INSIDE if isinstance(found.get(n), dict)), None)
        if inner is None:
            break
        found = inner
    if not _is_table(found):
        raise UsageError(f"{file} holds no table of tensors, as network.state_dict() gives it")
    return {str(name): value for name, value in found.items()}


def fill(network: Any, weights: Mapping[str, Any], what: str) -> None:
    """Put weights into a network, each where it belongs. Raises UsageError that names what is too much or missing."""
    own = network.state_dict()
    weights = _of_network(weights, own, what)
    wrong = [f"{n} {tuple(weights[n].shape)}, not {tuple(own[n].shape)}" for n in own
             if n in weights and weights[n].shape != own[n].shape]  # fmt: skip
    missing, strange = [n for n in own if n not in weights], [n for n in weights if n not in own]
    for words, found in (("lack", missing), ("have besides", strange), ("have", wrong)):
        if found:
            raise UsageError(
                f"the weights of {what} {words} {found[0]} ({len(found)} such tensors)"
            )
    network.load_state_dict(weights)


def _of_network(weights: Mapping[str, Any], own: Iterable[str], what: str) -> Mapping[str, Any]:
    """Without the prefix that a training script put before each name: `module.`, `_orig_mod.`, Lightning's `model.`.

    What has no such prefix belongs to the script, such as the weights of its loss.
    """
    names = list(own)
    ends = [name.removesuffix(names[0]) for name in weights if name.endswith("." + names[0])]
    whole = [end for end in ends if all(end + name in weights for name in names)]
    if names[0] in weights or not whole:
        return weights
    if len(whole) > 1:
        raise UsageError(
            f"{what} has the network several times, as {' and '.join(whole)}: save the one that is meant alone"
        )
    start = whole[0]
    return {n.removeprefix(start): value for n, value in weights.items() if n.startswith(start)}


def _is_table(found: Any) -> bool:
    import torch

    return (
        isinstance(found, dict)
        and bool(found)
        and all(isinstance(v, torch.Tensor) for v in found.values())
    )


def _unpickled(file: Path) -> Any:
    """Tensors and plain values. Raises UsageError for anything else, which is not opened."""
    import torch

    if is_cut_archive(file):
        raise UsageError(f"{file} is {CUT}: copy or fetch it again")
    with file.open("rb") as source:
        if source.read(2)[:1] not in (b"P", b"\x80"):  # a zip archive or a pickle
            raise UsageError(f"{file} is no checkpoint of PyTorch")
    # Scores and options beside the weights, as timm's own training keeps them: values, no code.
    scalar = np.float64(0).__reduce__()[0]
    plain: list[Any] = [
        argparse.Namespace,
        np.dtype,
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
    ]
    plain += [type(np.dtype(kind)) for kind in ("f8", "f4", "i8", "i4", "?")]
    try:
        with torch.serialization.safe_globals(plain):
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # of the restricted reader, which names what it refused
        if "weights_only" in str(error) or type(error).__name__ == "UnpicklingError":
            raise UsageError(
                f"{file} holds more than tensors (a pickle that could run code): whoever trusts it saves its weights "
                "alone, with torch.save(network.state_dict(), 'weights.pth')"
            ) from None
        first = next(iter(str(error).strip().splitlines()), "")
        raise UsageError(f"{file} cannot be read: {type(error).__name__}: {first[:200]}") from None
