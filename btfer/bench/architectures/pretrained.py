"""Weights from elsewhere: a file in Keras's cache folder, fetched by Keras where the network allows."""

import os
from pathlib import Path

import keras

from btfer.errors import BtferError


def cache_folder() -> Path:
    """Keras's folder of weight files: `$KERAS_HOME/models`, or `~/.keras/models`."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(home) / "models"


def weights_file(name: str, url: str) -> Path:
    """The weight file of that name, fetched from `url` if it is not in the cache folder yet.

    Raises BtferError that names the file and the folder to put it in, where it cannot be fetched.
    """
    path = cache_folder() / name
    if path.is_file():
        return path
    try:
        cache = str(path.parent.parent)
        return Path(keras.utils.get_file(name, url, cache_subdir="models", cache_dir=cache))
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise BtferError(
            f"pretrained weights are not there and cannot be fetched ({error}): "
            f"put the file {name} into {path.parent}"
        ) from None


def load_into(model: keras.Model, path: Path) -> None:
    """Load all weights of `path` into `model`. Raises BtferError where they are another network's."""
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise BtferError(
            f"{path} does not hold the weights of this network: {str(error)[:200]}; remove it"
        ) from None
