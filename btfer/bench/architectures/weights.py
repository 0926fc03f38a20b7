"""Pretrained weights: files in Keras's cache folder, given by path, or fetched by Keras; loaded with proof.

Nothing is shipped with btfer. What is loaded is named by file and sha256 in the run's record.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from btfer.bench.architectures.registry import BACKBONE, architecture
from btfer.bench.architectures.weight_files import NOTICES, WeightFile
from btfer.errors import BtferError, UsageError
from btfer.files import only_writer, sha256_file

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Loaded:
    """What was loaded. layers: how many got weights, each of whose kernels has changed."""

    weights: str
    file: str
    sha256: str
    layers: int
    licence: str

    @property
    def where(self) -> str:
        """File and digest, in a few words."""
        return f"{self.file} ({self.sha256[:12]}), {self.layers} layers"


def load_pretrained(
    model: keras.Model, name: str, weights: str, given: Path | None = None
) -> Loaded:
    """Load `weights` into the backbone of a model of the network `name`, built in their variant.

    given: the file, or a folder that has it under its published name; otherwise Keras's cache, then
    the network. Raises UsageError for a given path without it, BtferError for a file that cannot be
    fetched or is another network's, where a kernel is as before or constant, and where a weight is no number.
    """
    backbone = model.get_layer(BACKBONE)
    path = weight_file(architecture(name).weight_file(weights), given)
    before = _kernels(backbone)
    if weights == "vggface":
        load_by_layer(backbone, path)
    else:
        _load_by_keras(backbone, path)
    _check_changed(backbone, before, path)
    _check_sound(backbone, path)
    layers = sum(bool(layer.weights) for layer in backbone.layers)
    digest = _digest(path, *_stamp(path))
    return Loaded(weights, path.name, digest, layers, NOTICES.get(weights, ""))


def weight_file(wanted: WeightFile, given: Path | None = None) -> Path:
    """Where the file is: at or in the given path, else in Keras's cache, fetched if need be.

    A file in the cache must be the published one, where a checksum of that is known. Raises UsageError where the
    given path has it not, BtferError that names the file and the folder to put it in, where it cannot be fetched
    or is another one.
    """
    if given:
        path = _in(given, wanted)
        if not path.is_file():
            raise UsageError(f"no weight file {path}: put {wanted.name} there, from {wanted.url}")
        return path
    path = cache_folder() / wanted.folder / wanted.name
    if not path.is_file():
        return _fetched(wanted, path)
    if wanted.md5 and _md5(path, *_stamp(path)) != wanted.md5:
        raise BtferError(
            f"{path} is not the published file, whose md5 is {wanted.md5}: delete it, or give it with "
            "--weights-file if it is meant"
        )
    return path


def _stamp(path: Path) -> tuple[int, int]:
    """Changes with the content of a file."""
    now = path.stat()
    return now.st_mtime_ns, now.st_size


@cache
def _md5(path: Path, changed_ns: int, n_bytes: int) -> str:
    """Once for all cells of a grid that begin with the same file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def given_digest(name: str, weights: str, given: Path | None) -> str:
    """sha256 of the weight file in the given path; empty where none is given, needed or there."""
    if weights == "none" or not given:
        return ""
    path = _in(given, architecture(name).weight_file(weights))
    return _digest(path, *_stamp(path)) if path.is_file() else ""


@cache
def _digest(path: Path, changed_ns: int, n_bytes: int) -> str:
    """Once for all cells of a grid that begin with the same file."""
    return sha256_file(path)


def _in(given: Path, wanted: WeightFile) -> Path:
    return given / wanted.name if given.is_dir() else given


def cache_folder() -> Path:
    """Keras's folder of downloads: `$KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def load_by_layer(model: keras.Model, path: Path) -> None:
    """Load a file in the old HDF5 layout, layer after layer, in the order of both.

    Count, names and shapes are compared before anything is set; a slash in a stored name is an
    underscore in the model's. Raises BtferError that says where they part.
    """
    layers = [layer for layer in model.layers if layer.weights]
    with _opened(path) as file:
        stored = _stored_layers(file)
        if len(stored) != len(layers):
            raise _foreign(path, f"it has {len(stored)} layers with weights, not {len(layers)}")
        for layer, (name, values) in zip(layers, stored, strict=True):
            _check_layer(layer, name, values, path)
        for layer, (_, values) in zip(layers, stored, strict=True):
            layer.set_weights([np.asarray(value) for value in values])


def _check_layer(
    layer: keras.layers.Layer, name: str, values: list[h5py.Dataset], path: Path
) -> None:
    if name.replace("/", "_") != layer.name:
        raise _foreign(path, f"its layer '{name}' stands where '{layer.name}' must")
    expected = [tuple(weight.shape) for weight in layer.weights]
    found = [tuple(value.shape) for value in values]
    if found != expected:
        raise _foreign(path, f"its layer '{name}' has shapes {found}, not {expected}")


def _stored_layers(file: h5py.File) -> list[tuple[str, list[h5py.Dataset]]]:
    """Name and values of each layer that has weights, in stored order."""
    root = file.get("model_weights", file)  # there, where a whole model was saved
    layers = []
    for name in _names(root, "layer_names"):
        values = [root[name][weight] for weight in _names(root[name], "weight_names")]
        if values:
            layers.append((name, values))
    return layers


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names; Keras splits a long one over `attribute0`, `attribute1`, and so on."""
    if attribute in group.attrs:
        parts = [group.attrs[attribute]]
    else:
        split = sum(key.removeprefix(attribute).isdigit() for key in group.attrs)
        parts = [group.attrs[f"{attribute}{number}"] for number in range(split)]
    names = [name for part in parts for name in part]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _load_by_keras(model: keras.Model, path: Path) -> None:
    """Keras's own loader, which goes by order and compares shapes: these files are its own."""
    with _opened(path):
        model.load_weights(path)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The file; what goes wrong inside becomes a BtferError that names it."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (ValueError, OSError, KeyError) as error:
        raise _foreign(path, str(error)[:200]) from None


def _foreign(path: Path, why: str) -> BtferError:
    return BtferError(
        f"{path} does not hold the weights of this network: {why}; put the published file there"
    )


def _kernels(model: keras.Model) -> list[Array]:
    """Every weight that starts at random; the others may well be stored as they start."""
    weights = [keras.ops.convert_to_numpy(one) for one in model.weights]
    return [one for one in weights if one.ndim > 1]


def _check_changed(model: keras.Model, before: list[Array], path: Path) -> None:
    after = _kernels(model)
    same = sum(map(np.array_equal, before, after))
    if same:
        raise BtferError(
            f"{path}: {same} of {len(after)} kernels are as before loading; put the published file there"
        )


def _check_sound(model: keras.Model, path: Path) -> None:
    """Raise BtferError for weights that no training leaves behind: what is learnt from them means nothing."""
    for weight in model.weights:
        values = keras.ops.convert_to_numpy(weight)
        if not np.isfinite(values).all():
            why = "holds what is no number"
        elif values.ndim > 1 and values.size > 1 and values.min() == values.max():
            why = f"is {values.flat[0]:g} everywhere"
        else:
            continue
        raise BtferError(f"{path}: {weight.path} {why}; put the published file there")


def _fetched(wanted: WeightFile, path: Path) -> Path:
    """Fetch by way of a folder beside, so that no other process takes half a file for the whole."""
    part = path.parent / ".part-fetch"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with only_writer(path.parent):
            if not path.is_file():  # else fetched by whom we waited for
                shutil.rmtree(part, ignore_errors=True)
                fetched = keras.utils.get_file(
                    wanted.name,
                    wanted.url,
                    file_hash=wanted.md5,
                    cache_dir=str(cache_folder()),
                    cache_subdir=f"{wanted.folder}/{part.name}",
                )
                os.replace(fetched, path)
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise BtferError(
            f"pretrained weights are not there and cannot be fetched ({error}): "
            f"put the file {wanted.name} into {path.parent}"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return path
