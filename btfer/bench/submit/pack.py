"""A run as a bundle: only what the list in `card_check` allows, and only when it is complete."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from btfer import RUNS_VERSION, __version__
from btfer.bench.datasets import ImageSet
from btfer.bench.runs.record import EXTERNAL, RunRecord
from btfer.bench.submit.bundle import Bundle, Card, as_bytes, parsed, predictions_csv, read_bundle
from btfer.bench.submit.card_check import PARTS, STATED, card_values, text, web_address
from btfer.bench.submit.checks import Checked, check_bundle
from btfer.errors import Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic

Array = np.ndarray[Any, Any]

_P = [f"p_{name}" for name in EXPRESSIONS]


def pack(
    record: RunRecord, images: ImageSet, *, name: str = "", by: str = "", link: str = ""
) -> tuple[Bundle, bytes]:
    """The bundle of a run on a release, and the bytes of its file.

    name: shown in place of the network's. by, link: who submits, and a page about it. Raises Incomplete for a run
    that is not finished, UsageError for one that was scored on something else, lacks images, or holds what is no
    probability, and for a text with a path of this machine in it.
    """
    record = record.on(images.digest) or record
    part = _part(record, images)
    table = _table(record, images)
    predictions = predictions_csv(tuple(table["file"]), _probabilities(record, table))
    # Read again, so that what is claimed is what any reader finds.
    files, probabilities = parsed(record.predictions_path, predictions)
    card = _checked_card(record, images, part, predictions, name, by, link)
    scores = check_bundle(Bundle(card, files, probabilities, record.folder), images).scores
    card = replace(card, claimed=scores)
    return Bundle(card, files, probabilities), as_bytes(card, predictions)


def write_bundle(
    folder: Path, bundle: Bundle, data: bytes, images: ImageSet
) -> tuple[Path, Checked]:
    """Write the bundle's file to `folder`, whole or not at all, and read it back; its path and what it came to.

    The name is made of the network, the run and the release: the same run is the same file. Raises UsageError where
    another file of that name holds something else that is no bundle.
    """
    card = bundle.card
    path = folder / f"{_slug(card.name)}-{card.run}-{card.release['digest'][:6]}.zip"
    if not path.is_file() or path.read_bytes() != data:
        write_atomic(path, data)
    return path, check_bundle(read_bundle(path), images)


def _part(record: RunRecord, images: ImageSet) -> str:
    """What of the run stands in the bundle."""
    if not record.is_done:
        why = f": {record.error}" if record.error else ""
        raise Incomplete(
            f"run {record.id} is not finished, its state is {record.state}{why}: {_again(record)}"
        )
    part = next((one for one in PARTS if one in record.metrics), None)
    if part is None or record.release is None:
        raise UsageError(
            f"run {record.id} was scored on no release: {_again(record)} with --release"
        )
    if record.release.digest != images.digest:
        raise UsageError(
            f"run {record.id} was scored on {record.release.name} ({record.release.digest[:12]}), and "
            f"{images.name} is {images.digest[:12]} now: {_again(record)} on it"
        )
    return part


def _again(record: RunRecord) -> str:
    """How a run is made anew."""
    return f"run btfer bench{' external' if record.training == EXTERNAL else ''} again"


def _table(record: RunRecord, images: ImageSet) -> pd.DataFrame:
    """The run's predictions, in the order of the release."""
    path = record.predictions_path
    try:
        table = pd.read_parquet(path, columns=["file", "counts", *_P])
    except FileNotFoundError:
        raise Incomplete(
            f"run {record.id} has no predictions in {path}: {_again(record)}"
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path} is not a table of predictions ({error})") from None
    if twice := table["file"][table["file"].duplicated()].tolist():
        raise UsageError(f"{path} has {twice[0]} more than once")
    rows = table.set_index("file")
    missing = [file for file in images.files if file not in rows.index]
    strange = [file for file in table["file"] if file not in set(images.files)]
    if missing or strange:
        what = (
            f"lacks {len(missing)} images of {images.name}, such as {missing[0]}" if missing else ""
        )
        what = what or f"has {len(strange)} that are not in {images.name}, such as {strange[0]!r}"
        raise UsageError(f"run {record.id} {what}: {_again(record)}")
    return rows.loc[list(images.files)].reset_index()


def _probabilities(record: RunRecord, table: pd.DataFrame) -> Array:
    """float64 [N, classes], NaN where another system has no answer. Raises UsageError for what is no number."""
    found = table[_P].to_numpy(float).copy()
    if record.training == EXTERNAL:
        found[~table["counts"].to_numpy(bool)] = np.nan
        silent = np.isnan(found).all(axis=1)
    else:
        silent = np.zeros(len(found), bool)
    wrong = ~silent & ~np.isfinite(found).all(axis=1)
    if wrong.any():
        first = table["file"].iloc[int(wrong.argmax())]
        what_to_do = "look at its file" if record.training == EXTERNAL else "train it again"
        raise UsageError(
            f"run {record.id} has {int(wrong.sum())} predictions that are no numbers, the first for {first}: the "
            f"network is broken; {what_to_do}"
        )
    if silent.all():
        raise UsageError(f"run {record.id} has no answer for any image")
    return found


def _checked_card(
    record: RunRecord,
    images: ImageSet,
    part: str,
    predictions: bytes,
    name: str,
    by: str,
    link: str,
) -> Card:
    of = record.definition
    definition = json.dumps(of.values, sort_keys=True)
    try:
        said = {"by": text(by, "--by", may_be_empty=True), "link": web_address(link)}
        card = {
            "name": text(name, "--name") if name else text(of.architecture, "name"),
            "part": part,
            "run": record.id,
            "definition": hashlib.sha256(definition.encode()).hexdigest(),
            "release": {"name": images.name, "digest": images.digest},
            "stated": _stated(record),
            "claimed": {},
            "versions": _versions(record),
            "predictions_sha256": hashlib.sha256(predictions).hexdigest(),
            **said,
        }
        return Card(**card_values(card))
    except ValueError as error:
        hint = "; give a name for others with --name" if "'name'" in str(error) else ""
        raise UsageError(f"run {record.id} cannot be submitted: {error}{hint}") from None


def _stated(record: RunRecord) -> dict[str, Any]:
    of, leaks = record.definition, record.leaks or {}
    known = {
        "architecture": of.architecture,
        "weights": of.weights,
        "resolution": of.resolution,
        "balance": of.balance,
        "protocol": of.protocol_name,
        "seed": of.seed,
        "training": record.training,
        "epochs_limit": of.epochs,
        "training_limit": of.limit,
        "mixed_precision": of.mixed_precision,
        "parameters": record.parameters,
        "epochs": record.epochs,
        "seconds_per_step": record.seconds_per_step,
        "images_per_second": record.images_per_second,
        "leaks": leaks.get("faces"),
        "leaks_of": leaks.get("images"),
    }
    assert known.keys() == STATED.keys()
    return {name: value for name, value in known.items() if value is not None}


def _versions(record: RunRecord) -> dict[str, str]:
    known = {
        "btfer": __version__,
        "runs": RUNS_VERSION,
        "keras": record.keras,
        "backend": record.backend,
    }
    return {name: value for name, value in known.items() if value}


def _slug(name: str) -> str:
    """A name as part of a file's."""
    kept = "".join(one if one.isascii() and one.isalnum() else "-" for one in name.lower())
    return "-".join(filter(None, kept.split("-")))[:40] or "network"
