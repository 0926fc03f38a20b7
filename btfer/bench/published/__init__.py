"""The paper's Tables 2 and 3 as data, with marks where a number is suspect; README.md names the source."""

import re
from functools import cache
from importlib.resources import files
from typing import Literal

import pandas as pd

PAPER = "https://doi.org/10.1016/j.engappai.2024.108983"
REPOSITORY = "https://github.com/gipinze/ResearchModels_GIT"
SCORES = ("precision", "recall", "f1", "accuracy")
TRAINING_SETS = {"rafdb": "RAF-DB", "fer2013": "FER2013", "affectnet": "AffectNet"}
"""The paper's training sets: our name, printed name."""

MARKS = {
    "no_notebook": "the authors' repository has no output of this run",
    "other_set": "the notebook's number of images is that of another data set",
    "recall_not_accuracy": "weighted recall is accuracy by definition, but two numbers are printed",
    "misfiled": "the notebook trains another network, or the numbers are another run's",
    "notebook_differs": "the authors' notebook prints other numbers",
    "one_differs": "one of the four numbers is not the notebook's",
    "not_weighted": "the notebook passes no class weights",
    "row_by_position": "page garbled in the archived text: row known by its position",
}
MILD = {"row_by_position"}
"""Marks that say something about our reading, not about the number."""


@cache
def _table(name: Literal["tables.csv", "class_counts.csv"]) -> pd.DataFrame:
    with files(__package__).joinpath(name).open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)


def published_tables() -> pd.DataFrame:
    """One row for each network, training set, resolution, balance and scored set (validation, btfer).

    Columns as in tables.csv, and `suspect`: whether a mark is on the number itself.
    """
    rows = _table("tables.csv").copy()
    rows["suspect"] = [bool(set(marks.split()) - MILD) for marks in rows["marks"]]
    return rows


def class_counts() -> pd.DataFrame:
    """Images per class (columns training_set, label, train, validation) in the authors' folders."""
    return _table("class_counts.csv").copy()


def model_name(architecture: str, weights: str) -> str:
    """The name in Tables 2 and 3; for a network that they have not, ours with what it starts from."""
    rows = _table("tables.csv")
    found = rows[(rows["architecture"] == architecture) & (rows["weights"] == weights)]["model"]
    start = {"imagenet": " IN", "vggface": " VF"}.get(weights, "")
    return str(found.iloc[0]) if len(found) else f"{architecture}{start}"


def paper_name(training_set: str) -> str:
    """The name in tables.csv of what a user calls RAF-DB, raf_db or rafdb; others as they are."""
    plain = re.sub(r"[^a-z0-9]", "", training_set.lower())
    return plain if plain in TRAINING_SETS else training_set
