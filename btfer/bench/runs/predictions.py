"""Predictions as a table: one row for each image, with everything that a score or a plot needs."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from btfer.bench.datasets import ImageSet, Indices
from btfer.bench.runs.metrics import scores
from btfer.bench.train.protocol import Protocol
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic

Array = np.ndarray[Any, Any]


def counted(n: int, protocol: Protocol, seed: int) -> Array:
    """bool [n]: which images count: all, or a random whole number of batches as in the authors' code."""
    mask = np.ones(n, bool)
    if protocol.skip_remainder and n >= protocol.batch_size:
        mask[np.random.default_rng(seed).permutation(n)[: n % protocol.batch_size]] = False
    return mask


NO_ANSWER, OTHER = "", "other"
"""In the column `predicted`: there is no answer, or one that is no class of ours. Both are wrong."""


def predictions_table(
    images: ImageSet, indices: Indices, probabilities: Array, counts: Array
) -> pd.DataFrame:
    """Columns file, label, predicted, counts (in the scores), p_<class>, and the strata.

    indices: int64 [N], of `images`. probabilities: float [N, classes], in their order; NaN = no answer, zeros =
    one that is no class of ours. counts: bool [N].
    """
    table = pd.DataFrame({"file": [images.files[i] for i in indices]})
    table["label"] = [EXPRESSIONS[label] for label in images.labels[indices]]
    table["predicted"] = list(map(_predicted, probabilities))
    table["counts"] = counts
    for label, name in enumerate(EXPRESSIONS):
        table[f"p_{name}"] = probabilities[:, label]
    for name, values in images.strata.items():
        table[name] = [values[i] for i in indices]
    return table


def table_scores(table: pd.DataFrame) -> dict[str, Any]:
    """The scores of a predictions table, over the rows that count."""
    rows = table[table["counts"]]
    labels = np.array([EXPRESSIONS.index(name) for name in rows["label"]])
    return scores(labels, rows[[f"p_{name}" for name in EXPRESSIONS]].to_numpy())


def _predicted(probabilities: Array) -> str:
    if np.isnan(probabilities).any():
        return NO_ANSWER
    return EXPRESSIONS[probabilities.argmax()] if probabilities.sum() > 0 else OTHER


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a predictions table as Parquet, whole."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomic(path, buffer.getvalue())
