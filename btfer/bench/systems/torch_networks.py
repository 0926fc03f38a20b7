"""PyTorch networks on the CPU: torch.export (.pt2), TorchScript (.pt) and timm by name with a weights file.

A pickle can run any code when it is opened. Nothing here opens one: weights come as safetensors or through
torch's restricted reader, and whole modules that were pickled are refused.
"""

import json
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.runtimes import Runnable
from btfer.bench.systems.input_card import FILTERS, InputCard
from btfer.errors import MissingExtra, UsageError
from btfer.extras import installed

Array = np.ndarray[Any, Any]

TORCH = (".pt2", ".pt", ".pth", ".ts", ".torchscript", ".ckpt", ".bin")
EXPORT = (
    "save it with torch.export.save(torch.export.export(network.eval(), (example,)), 'net.pt2'), or give its "
    "weights alone to --model-file timm:NAME --weights FILE"
)

# What a size may be made of: symbols (s77, 's77'), numbers, operators, functions of sympy and their flags.
_WORD = re.compile(r"\.?[^\W\d]\w*|\.\D|['\"][^'\"]*['\"]|[^\w\s]")
_PLAIN = re.compile(
    r"'?[a-z]{1,3}\d+'?|[A-Z][A-Za-z]*|positive|integer|nonnegative|[-+*/%(),=<>&|~]"
)


def need_torch(what: str, *modules: str) -> None:
    """Raise MissingExtra unless torch and the modules are installed."""
    if not all(map(installed, ("torch", *modules))):
        raise MissingExtra(what, "torch")


def load_torch(file: Path, channels: int) -> Runnable:
    """An exported program or TorchScript. channels: 1 or 3, where the file does not say.

    Raises UsageError for a pickle, MissingExtra without torch.
    """
    need_torch("a PyTorch file")
    if not file.is_file():
        raise UsageError(f"{file} is not a file")
    kind = kind_of(file)
    if kind not in ("export", "script"):
        raise UsageError(f"{file} is {kind}: {EXPORT}")
    try:
        return _exported(file) if kind == "export" else _script(file, channels)
    except (RuntimeError, ValueError, KeyError, AssertionError, OSError) as error:
        raise _unreadable(file, error) from error
    except (
        Exception
    ) as error:  # of the restricted reader: UnpicklingError, which names what it refused
        raise _unreadable(file, error) from error


def kind_of(file: Path) -> str:
    """`export` or `script`; else what it is, in words. Nothing in it is run."""
    if not zipfile.is_zipfile(file):
        return "no archive that torch.export or torch.jit wrote (an old pickle, or another file)"
    with zipfile.ZipFile(file) as archive:
        names = ["/" + name for name in archive.namelist()]
    if any("/models/" in name and name.endswith(".json") for name in names):
        return "export"
    if any(name.endswith("/serialized_exported_program.json") for name in names):
        return "export"
    if any("/code/" in name for name in names) and any(n.endswith("/data.pkl") for n in names):
        return "script"
    if any(name.endswith("/data.pkl") for name in names):
        return "a pickle of weights or of a whole module, which has no network that could be run safely"
    return "no network of torch.export or torch.jit"


def check_expressions(file: Path) -> None:
    """Refuse a program whose sizes are written as anything but arithmetic: torch evaluates them as Python.

    Raises UsageError.
    """
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                for text in _expressions(json.loads(archive.read(name))):
                    if not all(_PLAIN.fullmatch(word) for word in _WORD.findall(text)):
                        raise UsageError(f"{file} has a size that is no arithmetic: {text[:60]}")


def _expressions(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if isinstance(found.get("expr_str"), str):
            yield found["expr_str"]
        found = list(found.values())
    if isinstance(found, list):
        for one in found:
            yield from _expressions(one)


def load_timm(name: str, weights: Path, classes: int) -> tuple[Runnable, dict[str, Any]]:
    """A network of timm with weights of a file, and its own input: size, mean, std, filter, share of the middle.

    Raises UsageError for an unknown name, or weights that are not its own to the last tensor.
    """
    need_torch("a network of timm", "timm")
    import timm

    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name}*")[:8])
        raise UsageError(f"timm has no network '{name}'" + (f"; it has {near}" if near else ""))
    network = timm.create_model(name, pretrained=False, num_classes=classes).eval()
    fill(network, read_weights(weights), f"{weights} for timm's {name}")
    config: dict[str, Any] = timm.data.resolve_data_config(model=network)
    channels, height, _ = config["input_size"]
    return Runnable((channels, height, height), _on_cpu(network)), config


def timm_card(card: InputCard, config: Mapping[str, Any]) -> InputCard:
    """A card whose input is timm's own where the card does not say another."""
    side = int(config["input_size"][1])
    said = card.model_fields_set
    own = {
        "size": side,
        "mean": tuple(map(float, config["mean"])),
        "std": tuple(map(float, config["std"])),
        "resize": config["interpolation"] if config["interpolation"] in FILTERS else "bicubic",
        "resize_to": int(side / config["crop_pct"]),
    }
    if "size" in said:
        own["resize_to"] = None
    return card.model_copy(update={name: v for name, v in own.items() if name not in said})


def read_weights(file: Path) -> dict[str, Any]:
    """The tensors of a safetensors file, or of a checkpoint through torch's restricted reader.

    Raises UsageError where it holds anything else.
    """
    import torch

    if not file.is_file():
        raise UsageError(f"{file} is not a file")
    if file.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(file))
        except (SafetensorError, OSError) as error:
            raise UsageError(f"{file} cannot be read: {error}") from None
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _unreadable(file, error) from None
    for inner in ("state_dict", "model_state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(inner), dict):
            found = found[inner]
    if not isinstance(found, dict) or not all(isinstance(v, torch.Tensor) for v in found.values()):
        raise UsageError(f"{file} holds no table of tensors, as network.state_dict() gives it")
    return {str(name).removeprefix("module."): value for name, value in found.items()}


def fill(network: Any, weights: Mapping[str, Any], what: str) -> None:
    """Put weights into a network, each where it belongs. Raises UsageError that names what is too much or missing."""
    own = network.state_dict()
    wrong = [f"{n} {tuple(weights[n].shape)}, not {tuple(own[n].shape)}" for n in own
             if n in weights and weights[n].shape != own[n].shape]  # fmt: skip
    missing, strange = [n for n in own if n not in weights], [n for n in weights if n not in own]
    for words, found in (("lack", missing), ("have besides", strange), ("have", wrong)):
        if found:
            raise UsageError(
                f"the weights of {what} {words} {found[0]} ({len(found)} such tensors)"
            )
    network.load_state_dict(weights)


@contextmanager
def restricted() -> Iterator[None]:
    """torch.load refuses whatever is no tensor, also where its callers ask for all: torch.export does."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _exported(file: Path) -> Runnable:
    import torch

    check_expressions(file)
    with restricted():
        program = torch.export.load(str(file))
        network = program.module(check_guards=False)  # guards are Python text that would be run
    given = program.graph_signature.user_inputs
    if len(given) != 1:
        raise UsageError(f"{file} takes {len(given)} inputs: a network of one image is needed")
    nodes = {node.name: node for node in program.graph.nodes}
    batch, *shape = (n if isinstance(n, int) else None for n in nodes[given[0]].meta["val"].shape)
    return Runnable(tuple(shape), _in_batches(_on_cpu(network), batch))


def _script(file: Path, channels: int) -> Runnable:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript is no longer developed
        network = torch.jit.load(str(file), map_location="cpu").eval()
    return Runnable((channels, None, None), _on_cpu(network))


def _on_cpu(network: Any) -> Callable[[Array], Array]:
    def run(numbers: Array) -> Array:
        import torch

        with torch.inference_mode():
            said = network(torch.from_numpy(numbers))
        while isinstance(said, (tuple, list)):  # a network may give features beside its logits
            said = said[0]
        return np.asarray(said.float().numpy())

    return run


def _in_batches(run: Callable[[Array], Array], batch: int | None) -> Callable[[Array], Array]:
    """The same for any number of images, where a program was exported for a fixed number."""
    if batch is None:
        return run

    def all_of(numbers: Array) -> Array:
        parts = []
        for start in range(0, len(numbers), batch):
            part = numbers[start : start + batch]
            full = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
            parts.append(run(full)[: len(part)])
        return np.concatenate(parts)

    return all_of


def _unreadable(file: Path, error: Exception) -> UsageError:
    if "weights_only" in str(error) or type(error).__name__ == "UnpicklingError":
        return UsageError(
            f"{file} holds more than tensors (a pickle that could run code): {EXPORT}"
        )
    first = next(iter(str(error).strip().splitlines()), "")
    return UsageError(f"{file} cannot be read: {type(error).__name__}: {first[:200]}")
