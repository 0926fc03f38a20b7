"""Training sets and releases as lists of labelled files: a file here for each layout that is read.

Nothing is decoded here, but that images which lie inside a CSV are unpacked once.
"""

from btfer.bench.datasets.folders import STRATA, load_folder, load_release
from btfer.bench.datasets.sets import (
    LEAST_DOUBTED,
    SAME_AS_LABELS,
    HeldOut,
    ImageSet,
    Indices,
    Split,
    TrainingSource,
    held_out_part,
    stratified_folds,
    stratified_split,
)
from btfer.bench.datasets.split import SPLITS, limited, split_source
from btfer.bench.datasets.table1 import TABLE_1, beside_table_1
from btfer.bench.datasets.training import find_training, load_training, read_source

__all__ = [
    "LEAST_DOUBTED",
    "SAME_AS_LABELS",
    "SPLITS",
    "STRATA",
    "TABLE_1",
    "HeldOut",
    "ImageSet",
    "Indices",
    "Split",
    "TrainingSource",
    "beside_table_1",
    "find_training",
    "held_out_part",
    "limited",
    "load_folder",
    "load_release",
    "load_training",
    "read_source",
    "split_source",
    "stratified_folds",
    "stratified_split",
]
