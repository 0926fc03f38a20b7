"""PyTorch networks on the CPU: torch.export (.pt2), TorchScript (.pt) and timm by name with a weights file.

A pickle can run any code when it is opened. Nothing here opens one: weights come as safetensors or through
torch's restricted reader, and whole modules that were pickled are refused.
"""

import logging
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.edge.runtimes import Runnable, check_is_whole, in_batches, told, whole_numbers
from btfer.bench.systems.input_card import FILTERS, InputCard
from btfer.bench.systems.torch_weights import CUT, fill, is_cut_archive, read_weights
from btfer.cached import DAMAGED
from btfer.errors import MissingExtra, UsageError
from btfer.extras import installed
from btfer.parsing import parse_json

Array = np.ndarray[Any, Any]

TORCH = (".pt2", ".pt", ".pth", ".ts", ".torchscript", ".ckpt", ".bin")
EXPORT = (
    "save it with torch.export.save(torch.export.export(network.eval(), (example,)), 'net.pt2'), or give its "
    "weights alone to --model-file timm:NAME --weights FILE"
)
_TIMM_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_TIMM_ARGUMENTS = {
    "img_size",
    "in_chans",
    "global_pool",
    "drop_rate",
    "act_layer",
    "norm_layer",
    "patch_size",
}
"""What a stranger's config may say of the network; no file to read, nothing to fetch."""

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
    check_is_whole(file)
    kind = kind_of(file)
    if kind == CUT:
        raise UsageError(f"{file} is {kind}: copy or fetch it again")
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
    try:
        with zipfile.ZipFile(file) as archive:
            names = ["/" + name for name in archive.namelist()]
    except DAMAGED:
        if is_cut_archive(file):
            return CUT
        return "no archive that torch.export or torch.jit wrote (an old pickle, or another file)"
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
                for text in _expressions(_program(file, archive.read(name))):
                    if not all(_PLAIN.fullmatch(word) for word in _WORD.findall(text)):
                        raise UsageError(f"{file} has a size that is no arithmetic: {text[:60]}")


def _program(file: Path, text: bytes) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise UsageError(f"{file} is damaged: {error}") from None


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
    import torch

    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name}*")[:8])
        raise UsageError(f"timm has no network '{name}'" + (f"; it has {near}" if near else ""))
    network = timm.create_model(name, pretrained=False, num_classes=classes).eval()
    fill(network, read_weights(weights), f"{weights} for timm's {name}")
    config: dict[str, Any] = timm.data.resolve_data_config(model=network)
    channels, height, _ = config["input_size"]
    where = f"timm's {name}"
    run = told(_on_cpu(network, torch.float32, where), where)
    return Runnable((channels, height, height), run), config


@dataclass(frozen=True)
class TimmFolder:
    """A network of timm out of a folder. classes: that it names, or numbers. config: of its input."""

    classes: tuple[str, ...]
    runnable: Runnable
    config: dict[str, Any]


def is_timm(config: Mapping[str, Any]) -> bool:
    """Whether a folder's config.json is timm's, by its own hand or by transformers."""
    by_timm = config.get("model_type") in (None, "timm_wrapper")
    return by_timm and isinstance(config.get("architecture"), str)


def load_timm_folder(folder: Path, config: Mapping[str, Any]) -> TimmFolder:
    """What timm saved for the hub. Raises UsageError where config and weights do not fit timm."""
    need_torch("a network of timm", "timm")
    import timm
    import torch

    own = config.get("pretrained_cfg") or config
    names = config.get("label_names") or own.get("label_names") or ()
    classes = tuple(map(str, names.values() if isinstance(names, dict) else names))
    total = config.get("num_classes") or own.get("num_classes") or len(classes)
    weights = [file for name in _TIMM_WEIGHTS if (file := folder / name).is_file()]
    if not weights:
        raise UsageError(f"{folder} has no weights: {' or '.join(_TIMM_WEIGHTS)} is needed")
    given = {name: value for name, value in (config.get("model_args") or {}).items()
             if name in _TIMM_ARGUMENTS}  # fmt: skip
    try:
        made = timm.create_model(
            config["architecture"], pretrained=False, num_classes=total, **given
        )
        found: dict[str, Any] = timm.data.resolve_data_config(pretrained_cfg=own, model=made)
    except Exception as error:  # of timm, which raises what it likes
        raise _unreadable(folder, error) from error
    fill(made.eval(), read_weights(weights[0]), f"{weights[0]} for timm's {config['architecture']}")
    channels, height, _ = found["input_size"]
    run = told(_on_cpu(made, torch.float32, folder), folder)
    classes = classes or tuple(f"LABEL_{n}" for n in range(int(total)))
    return TimmFolder(classes, Runnable((channels, height, height), run), found)


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
    # A line on every run with PyTorch for the CPU alone, on what is of no use here.
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)
    import torch

    check_expressions(file)
    with restricted():
        program = torch.export.load(str(file))
        network = program.module(check_guards=False)  # guards are Python text that would be run
    given = program.graph_signature.user_inputs
    if len(given) != 1:
        raise UsageError(f"{file} takes {len(given)} inputs: a network of one image is needed")
    nodes = {node.name: node for node in program.graph.nodes}
    picture = nodes[given[0]].meta["val"]
    batch, *shape = (n if isinstance(n, int) else None for n in picture.shape)
    run = _on_cpu(network, picture.dtype, file)
    return Runnable(tuple(shape), told(in_batches(run, batch), file))


def _script(file: Path, channels: int) -> Runnable:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript is no longer developed
        network = torch.jit.load(str(file), map_location="cpu").eval()
    first = next((one for one in network.parameters() if one.is_floating_point()), None)
    kind = torch.float32 if first is None else first.dtype
    return Runnable((channels, None, None), told(_on_cpu(network, kind, file), file))


def _on_cpu(network: Any, kind: Any, where: Path | str) -> Callable[[Array], Array]:
    """kind: torch's type of the numbers that it takes: half precision, or bytes, as well as float32."""
    import torch

    def run(numbers: Array) -> Array:
        if kind == torch.uint8:
            numbers = whole_numbers(numbers, where)
        with torch.inference_mode():
            said = network(torch.from_numpy(numbers).to(kind))
        while isinstance(said, (tuple, list)):  # a network may give features beside its logits
            said = said[0]
        return np.asarray(said.float().numpy())

    return run


def _unreadable(file: Path, error: Exception) -> UsageError:
    if "weights_only" in str(error) or type(error).__name__ == "UnpicklingError":
        return UsageError(
            f"{file} holds more than tensors (a pickle that could run code): {EXPORT}"
        )
    first = next(iter(str(error).strip().splitlines()), "")
    return UsageError(f"{file} cannot be read: {type(error).__name__}: {first[:200]}")
