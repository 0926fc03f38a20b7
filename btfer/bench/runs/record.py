"""What is known of one run: `run.json` with types. Keys that this version does not know are kept."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

EXTERNAL = "external"
"""What a run of another system has instead of a training set, weights and protocol."""

RELEASE_PARTS = ("cross_domain", "held_out", "in_domain")
"""Names in `metrics` of what is scored on a release: by a network trained elsewhere, by one fold, by all folds."""


class NotARecord(ValueError):
    """The JSON is not that of a run; the text says what is missing or wrong."""


@dataclass(frozen=True)
class ReleaseRef:
    """Which release a run was scored on."""

    name: str
    digest: str


@dataclass(frozen=True)
class RunDefinition:
    """Everything that a run's result depends on. values: as on disk; the run's id is a hash of them."""

    values: Mapping[str, Any]

    @property
    def architecture(self) -> str:
        """Name of the network, or of the other system."""
        return str(self.values["architecture"])

    @property
    def weights(self) -> str:
        """What the network started from: `none` or the name of pretrained weights."""
        return str(self.values["weights"])

    @property
    def resolution(self) -> int:
        """Side of the input in pixels."""
        return int(self.values["resolution"])

    @property
    def balance(self) -> str:
        """How classes were weighted in the loss."""
        return str(self.values["balance"])

    @property
    def seed(self) -> int:
        """Of the training; splits have a seed of their own."""
        return int(self.values["seed"])

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The fields of `train.protocol.Protocol`; of another system its name alone."""
        found: Mapping[str, Any] = self.values["protocol"]
        return found

    @property
    def protocol_name(self) -> str:
        """`paper`, `authors_code`, `strict` or `external`."""
        return str(self.protocol["name"])

    @property
    def epochs(self) -> int | None:
        """Epochs that a phase had at most; None = as the protocol says."""
        return self.values.get("epochs")

    @property
    def fold(self) -> str:
        """`1 of 3` in a cross-validation, `all of 3` for the whole of it; else empty."""
        return str(self.values.get("fold") or "")

    @property
    def split(self) -> str:
        """How the training set was split, in words."""
        return str(self.values.get("split") or "")

    @property
    def limit(self) -> int | None:
        """Training images of a class at most; None = all."""
        return self.values.get("limit")

    @property
    def mixed_precision(self) -> bool:
        """Whether the network computed in half precision."""
        return bool(self.values.get("mixed_precision"))

    def without_seed(self) -> dict[str, Any]:
        """The values that runs with different seeds share."""
        return {name: value for name, value in self.values.items() if name != "seed"}


@dataclass(frozen=True)
class RunRecord:
    """One run. The fields are the keys of `run.json`, but for the last three.

    state: `running`, `trained` (only the release is to be scored), `done` or `failed`. error: of a
    failed run. training: name of the training set. metrics: scores as `runs.metrics.scores` gives
    them, by what was scored. training_counts: images per class that were learnt from, in label order.
    pretrained: weight file, its sha256 and licence. memory: MiB at the peak, by device. leaks: what the
    training set holds of the release. folds: ids of a cross-validation's folds. unanswered: images
    that another system gave no answer for. card: how another network was fed, and what its makers claim
    (`systems.model_file`). other: keys that this version does not know. present: the
    keys as they stand on disk, in order. folder: where the run lies.
    """

    id: str
    state: str
    error: str | None
    definition: RunDefinition
    training: str
    release: ReleaseRef | None = None
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keras: str | None = None
    backend: str | None = None
    parameters: int | None = None
    epochs: int | None = None
    seconds: float | None = None
    seconds_per_step: float | None = None
    images_per_second: float | None = None
    training_counts: list[int] | None = None
    pretrained: Mapping[str, Any] | None = None
    memory: Mapping[str, float] | None = None
    leaks: Mapping[str, Any] | None = None
    folds: list[str] | None = None
    unanswered: int | None = None
    source: str | None = None
    card: Mapping[str, Any] | None = None
    other: Mapping[str, Any] = field(default_factory=dict)
    present: tuple[str, ...] = field(default=(), compare=False)
    folder: Path = field(default=Path(), compare=False)

    @classmethod
    def from_json(cls, values: Any, folder: Path) -> Self:
        """The record of a parsed run.json. Raises NotARecord that says what is missing or wrong."""
        _check(values)
        known = {name: values[name] for name in _KEYS if name in values}
        known["definition"] = RunDefinition(values["definition"])
        release = values.get("release")
        known["release"] = ReleaseRef(release["name"], release["digest"]) if release else None
        known.setdefault("error", None)
        rest = {name: value for name, value in values.items() if name not in _KEYS}
        return cls(**known, other=rest, present=tuple(values), folder=folder)

    def to_json(self) -> dict[str, Any]:
        """What stands in run.json, in the order of its keys."""
        values: dict[str, Any] = {name: getattr(self, name) for name in _KEYS} | dict(self.other)
        values["definition"] = dict(self.definition.values)
        values["release"] = vars(self.release) if self.release else None
        required = [name for name in _KEYS[:7] if name not in self.present]
        names = dict.fromkeys([*required, *self.present, *self.other])
        return {name: values[name] for name in names}

    def changed(self, **fields_: Any) -> Self:
        """The same run with other values in these fields, which are written from now on even if None."""
        return replace(self, **fields_, present=tuple(dict.fromkeys([*self.present, *fields_])))

    @property
    def is_done(self) -> bool:
        """Trained, and scored on everything that it was asked for."""
        return self.state == "done"

    @property
    def release_name(self) -> str:
        """Of the release that it was scored on; empty where on none."""
        return self.release.name if self.release else ""

    @property
    def own_scores(self) -> Mapping[str, Any]:
        """Scores on the set that it was trained on: of the validation part, or of all folds."""
        return self.metrics.get("in_domain") or self.metrics.get("validation") or {}

    @property
    def cross_scores(self) -> Mapping[str, Any]:
        """Scores on a release by a network that was trained elsewhere; empty where there are none."""
        return self.metrics.get("cross_domain") or {}

    @property
    def title(self) -> str:
        """Network, side in pixels and id, in a few words."""
        return f"{self.definition.architecture} {self.definition.resolution} ({self.id})"


def run_id(definition: RunDefinition) -> str:
    """12 hex digits that name a definition."""
    text = json.dumps(definition.values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_KEYS = tuple(one.name for one in fields(RunRecord))[:-3]


def _check(values: Any) -> None:
    if not isinstance(values, dict):
        raise NotARecord("it does not hold an object")
    _check_types(values, "", {"id": str, "state": str, "training": str, "metrics": dict})
    _check_types(values, "", {"definition": dict})
    wanted = {"architecture": str, "weights": str, "resolution": int, "balance": str, "seed": int}
    _check_types(values["definition"], "definition.", wanted | {"protocol": dict})
    _check_types(values["definition"]["protocol"], "definition.protocol.", {"name": str})
    for name, scores in values["metrics"].items():
        if not isinstance(scores, dict):
            raise NotARecord(f"metrics.{name} is not an object")
        _check_scores(scores, f"metrics.{name}.")
    leaks = values.get("leaks")
    if leaks is not None and not isinstance(leaks, dict):
        raise NotARecord("leaks is not an object")
    release = values.get("release")
    if release is not None:
        _check_types({"release": release}, "", {"release": dict})
        _check_types(release, "release.", {"name": str, "digest": str})


def _check_scores(scores: Mapping[str, Any], prefix: str) -> None:
    """What every table and list reads of a part's scores."""
    if "accuracy" in scores and type(scores["accuracy"]) not in (int, float):
        raise NotARecord(f"{prefix}accuracy is not a number")
    for group in ("macro", "weighted"):
        values = scores.get(group, {})
        if not isinstance(values, dict):
            raise NotARecord(f"{prefix}{group} is not an object")
        for name, value in values.items():
            if value is not None and type(value) not in (int, float):
                raise NotARecord(f"{prefix}{group}.{name} is not a number")


def _check_types(values: Mapping[str, Any], prefix: str, wanted: Mapping[str, type]) -> None:
    for name, kind in wanted.items():
        if name not in values:
            raise NotARecord(f"'{prefix}{name}' is missing")
        if not isinstance(values[name], kind):
            words = {str: "a text", int: "a whole number", dict: "an object"}
            raise NotARecord(f"'{prefix}{name}' is not {words[kind]}")
