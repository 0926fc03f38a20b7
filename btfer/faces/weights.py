"""The weights of MTCNN's three networks, read from the installed `mtcnn` package without importing it.

`import mtcnn` brings TensorFlow along: half a gigabyte and seconds that a worker can do without.
"""

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from btfer.errors import BtferError

Weights = list[NDArray[np.float32]]

NETWORKS = ("pnet", "rnet", "onet")


def read_weights(network: str) -> Weights:
    """The weights of "pnet", "rnet" or "onet", layer by layer as Keras lists them, float32.

    Raises BtferError where the mtcnn package or its file is missing.
    """
    import joblib

    path = _folder() / f"{network}.lz4"
    if not path.exists():
        raise BtferError(
            f"the detector's weights {path} are missing: reinstall with pip install --force-reinstall mtcnn==1.0.0"
        )
    return [np.ascontiguousarray(one, np.float32) for one in joblib.load(path)]


def _folder() -> Path:
    found = importlib.util.find_spec("mtcnn")  # of a package at the top: runs none of its code
    if found is None or not found.submodule_search_locations:
        raise BtferError("the mtcnn package is not installed: pip install mtcnn==1.0.0")
    return Path(found.submodule_search_locations[0]) / "assets" / "weights"
