"""What is known of one run: `run.json` with types. Keys that this version does not know are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from btfer.bench.runs.definition import ReleaseRef, RunDefinition, run_id
from btfer.bench.runs.record_check import NotARecord, check

__all__ = [
    "EXTERNAL",
    "PREDICTIONS",
    "RELEASE_PARTS",
    "NotARecord",
    "ReleaseRef",
    "RunDefinition",
    "RunRecord",
    "run_id",
]

EXTERNAL = "external"
"""What a run of another system has instead of a training set, weights and protocol."""

RELEASE_PARTS = ("cross_domain", "held_out", "in_domain")
"""Names in `metrics` of what is scored on a release: by a network trained elsewhere, by one fold, by all folds."""

PREDICTIONS = "predictions_btfer.parquet"
"""What was predicted on the first release; that on another one has its digest in its name."""


@dataclass(frozen=True)
class RunRecord:
    """One run. The fields are the keys of `run.json`, but for the last three.

    It may be scored on several releases. `release`, `metrics`, `leaks`, `unanswered`, `scored` (when, UTC) and
    `predictions` (name of the file) are those of the newest scoring, `also_scored` has those of the others;
    `scorings` gives the run on each of them.

    state: `running`, `trained` (only the release is to be scored), `done` or `failed`. error: of a
    failed run. training: name of the training set. metrics: scores as `runs.metrics.scores` gives
    them, by what was scored. training_counts: images per class that were learnt from, in label order.
    pretrained: weight file, its sha256 and licence. memory: MiB at the peak, by device. leaks: what the
    training set holds of the release. folds: ids of a cross-validation's folds. unanswered: images
    that another system gave no answer for. other_sets: scores on the held-out parts of other training sets, with
    `digest`, `predictions` and `scores`, by the set's name. card: how another network was fed, and what its
    makers claim (`systems.model_file`). other: keys that this version does not know. present: the
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
    scored: str | None = None
    predictions: str | None = None
    also_scored: list[Mapping[str, Any]] | None = None
    other_sets: Mapping[str, Mapping[str, Any]] | None = None
    other: Mapping[str, Any] = field(default_factory=dict)
    present: tuple[str, ...] = field(default=(), compare=False)
    folder: Path = field(default=Path(), compare=False)

    @classmethod
    def from_json(cls, values: Any, folder: Path) -> Self:
        """The record of a parsed run.json. Raises NotARecord that says what is missing or wrong."""
        check(values)
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
    def scorings(self) -> list[Self]:
        """The run on each release that it was scored on, the newest scoring first; on none, the run itself."""
        return [self._of(None), *(self._of(one) for one in self.also_scored or [])]

    def on(self, digest: str) -> Self | None:
        """The run on one release; None where it was not scored on it."""
        found = (one for one in self.scorings if one.release and one.release.digest == digest)
        return next(found, None)

    def scored_on(
        self, release: ReleaseRef, part: str, scores: Mapping[str, Any], **facts: Any
    ) -> Self:
        """The run with a scoring more, or that of this release anew. part: one of RELEASE_PARTS.

        facts: other fields of the scoring. Those on other releases are kept.
        """
        others = [one for one in self.scorings if one.release and one.release != release]
        kept = {name: one for name, one in self.metrics.items() if name not in RELEASE_PARTS}
        changes: dict[str, Any] = {
            "release": release,
            "metrics": {**kept, part: scores},
            "scored": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "predictions": self.predictions_name(release.digest),
        }
        if others:
            changes["also_scored"] = [one._scoring() for one in others]
        if self.leaks is not None:
            changes["leaks"] = None  # of the release before
        return self.changed(**changes | facts)

    def tested_on(self, name: str, digest: str, scores: Mapping[str, Any]) -> Self:
        """The run with its scores on the held-out part of another training set. digest: names the images."""
        one = {"digest": digest, "predictions": self.set_predictions(digest), "scores": scores}
        return self.changed(other_sets={**(self.other_sets or {}), name: one})

    def is_tested_on(self, name: str, digest: str) -> bool:
        """Whether it was scored on these images of another training set."""
        return ((self.other_sets or {}).get(name) or {}).get("digest") == digest

    def set_predictions(self, digest: str) -> str:
        """Name of the file with what the run predicts for images of another training set."""
        return f"predictions_set-{digest[:12]}.parquet"

    def with_leaks(self, digest: str, leaks: Mapping[str, Any]) -> Self:
        """The run with what its training set holds of a release; as it is, where it was not scored on that."""
        if self.release and self.release.digest == digest:
            return self.changed(leaks=leaks)
        others = [
            {**one, "leaks": leaks} if one["release"]["digest"] == digest else one
            for one in self.also_scored or []
        ]
        return self.changed(also_scored=others) if others else self

    def predictions_name(self, digest: str) -> str:
        """Name of the file with what the run predicted, or will predict, on a release."""
        if known := self.on(digest):
            return known.predictions or PREDICTIONS
        return f"predictions_btfer-{digest[:12]}.parquet" if self.release else PREDICTIONS

    @property
    def predictions_path(self) -> Path:
        """The file with what it predicted on its release."""
        return self.folder / (self.predictions or PREDICTIONS)

    @property
    def when(self) -> str:
        """When it was scored, as ISO 8601 in UTC; of older records when they were written; empty = unknown."""
        if self.scored:
            return self.scored
        try:
            seconds = (self.folder / "run.json").stat().st_mtime
        except OSError:
            return ""
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

    def _of(self, one: Mapping[str, Any] | None) -> Self:
        """The run with a scoring that stands under `also_scored`; None = with its own; without the others."""
        if one is None:
            return replace(self, also_scored=None)
        kept = {name: part for name, part in self.metrics.items() if name not in RELEASE_PARTS}
        facts: dict[str, Any] = {name: one.get(name) for name in _OF_A_SCORING}
        release = ReleaseRef(one["release"]["name"], one["release"]["digest"])
        metrics = {**kept, **one["metrics"]}
        return replace(self, release=release, metrics=metrics, also_scored=None, **facts)

    def _scoring(self) -> dict[str, Any]:
        """What stands under `also_scored` for the run on its release."""
        found = {name: part for name, part in self.metrics.items() if name in RELEASE_PARTS}
        facts = {name: getattr(self, name) for name in _OF_A_SCORING}
        release = vars(self.release) if self.release else None
        named = {"predictions": self.predictions or PREDICTIONS}
        return {"release": release, "metrics": found} | facts | named

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
    def coverage(self) -> float | None:
        """Share of the release's images that it had an answer for; None where it was not scored on one."""
        return float(self.cross_scores.get("coverage", 1)) if self.cross_scores else None

    @property
    def accuracy_answered(self) -> float | None:
        """Accuracy on these; None where it was not scored on a release."""
        scores = self.cross_scores
        found: float | None = scores.get("accuracy_answered", scores.get("accuracy"))
        return found

    @property
    def title(self) -> str:
        """Network, side in pixels and id, in a few words."""
        return f"{self.definition.architecture} {self.definition.resolution} ({self.id})"


_KEYS = tuple(one.name for one in fields(RunRecord))[:-3]
_OF_A_SCORING = ("leaks", "unanswered", "scored", "predictions")
