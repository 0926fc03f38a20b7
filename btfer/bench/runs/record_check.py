"""What the JSON of a run must hold, whoever wrote it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class NotARecord(ValueError):
    """The JSON is not that of a run; the text says what is missing or wrong."""


def check(values: Any) -> None:
    """Raise NotARecord where something that is read of every run is missing or of another type."""
    if not isinstance(values, dict):
        raise NotARecord("it does not hold an object")
    _check_types(values, "", {"id": str, "state": str, "training": str, "metrics": dict})
    _check_types(values, "", {"definition": dict})
    wanted = {"architecture": str, "weights": str, "resolution": int, "balance": str, "seed": int}
    _check_types(values["definition"], "definition.", wanted | {"protocol": dict})
    if _CONTROLS.search(values["definition"]["architecture"]):  # it would steer the terminal
        raise NotARecord("'definition.architecture' holds a control character")
    _check_types(values["definition"]["protocol"], "definition.protocol.", {"name": str})
    _check_metrics(values["metrics"], "metrics.")
    _check_also_scored(values.get("also_scored"))
    _check_card(values.get("card"))
    _check_other_sets(values.get("other_sets"))
    for name in ("scored", "predictions"):
        if values.get(name) is not None:
            _check_types(values, "", {name: str})
    _check_name(values.get("predictions"))
    leaks = values.get("leaks")
    if leaks is not None and not isinstance(leaks, dict):
        raise NotARecord("leaks is not an object")
    release = values.get("release")
    if release is not None:
        _check_types({"release": release}, "", {"release": dict})
        _check_types(release, "release.", {"name": str, "digest": str})


def _check_metrics(metrics: Mapping[str, Any], prefix: str) -> None:
    for name, scores in metrics.items():
        if not isinstance(scores, dict):
            raise NotARecord(f"{prefix}{name} is not an object")
        _check_scores(scores, f"{prefix}{name}.")


def _check_also_scored(found: Any) -> None:
    if found is None:
        return
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise NotARecord("also_scored is not a list of objects")
    for one in found:
        _check_types(one, "also_scored.", {"release": dict, "metrics": dict, "predictions": str})
        _check_types(one["release"], "also_scored.release.", {"name": str, "digest": str})
        _check_metrics(one["metrics"], "also_scored.metrics.")
        _check_name(one["predictions"])
        if one.get("leaks") is not None and not isinstance(one["leaks"], dict):
            raise NotARecord("also_scored.leaks is not an object")


def _check_card(card: Any) -> None:
    if card is None:
        return
    _check_types({"card": card}, "", {"card": dict})
    if card.get("claimed") is not None:
        _check_types(card, "card.", {"claimed": dict})
        _check_types(card["claimed"], "card.claimed.", {"on": str})
        _check_scores(card["claimed"], "card.claimed.")
        if "accuracy" not in card["claimed"]:
            raise NotARecord("'card.claimed.accuracy' is missing")


def _check_other_sets(found: Any) -> None:
    if found is None:
        return
    _check_types({"other_sets": found}, "", {"other_sets": dict})
    for name, one in found.items():
        prefix = f"other_sets.{name}"
        _check_types({prefix: one}, "", {prefix: dict})
        _check_types(one, f"{prefix}.", {"digest": str, "predictions": str, "scores": dict})
        _check_scores(one["scores"], f"{prefix}.scores.")
        _check_name(one["predictions"])


def _check_name(predictions: str | None) -> None:
    """A file in the run's own folder: a record may come from somebody else."""
    if predictions is not None and (Path(predictions).name != predictions or not predictions):
        raise NotARecord("'predictions' is not the name of a file")


def _check_scores(scores: Mapping[str, Any], prefix: str) -> None:
    """What every table and list reads of a part's scores."""
    for name in ("accuracy", "coverage", "accuracy_answered"):
        if name in scores:
            _check_share(scores[name], f"{prefix}{name}")
    for group in ("macro", "weighted"):
        values = scores.get(group, {})
        if not isinstance(values, dict):
            raise NotARecord(f"{prefix}{group} is not an object")
        for name, value in values.items():
            if value is not None:
                _check_share(value, f"{prefix}{group}.{name}")


def _check_share(value: Any, name: str) -> None:
    if type(value) not in (int, float):
        raise NotARecord(f"{name} is not a number")
    if not 0 <= value <= 1:  # NaN neither
        raise NotARecord(f"{name} is {value!r:.40}, not from 0 to 1")


def _check_types(values: Mapping[str, Any], prefix: str, wanted: Mapping[str, type]) -> None:
    for name, kind in wanted.items():
        if name not in values:
            raise NotARecord(f"'{prefix}{name}' is missing")
        if not isinstance(values[name], kind):
            words = {str: "a text", int: "a whole number", dict: "an object"}
            raise NotARecord(f"'{prefix}{name}' is not {words[kind]}")
