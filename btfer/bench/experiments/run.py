"""One run: train one network on one split, score it on its validation part and on a release.

A run is a folder named by what defines it. `run.json` is written whole each time; its state is
`running`, `trained` (only the release is to be scored), `done` or `failed`. A finished run is not
repeated; another release is only predicted, and what was scored before is kept beside.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from btfer.bench.architectures import architecture
from btfer.bench.architectures.weights import load_pretrained
from btfer.bench.datasets import HeldOut, ImageSet, Indices, Split
from btfer.bench.datasets.pixels import Pixels, load_pixels
from btfer.bench.runs import plots
from btfer.bench.runs.predictions import (
    counted,
    predictions_table,
    table_scores,
    write_table,
)
from btfer.bench.runs.record import ReleaseRef, RunDefinition, RunRecord, run_id
from btfer.bench.runs.store import MODEL, RunStore
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.checkpoint import (
    STATE,
    EpochRow,
    OnEpoch,
    TrainingState,
    best_weights,
    epoch_in_words,
)
from btfer.bench.train.devices import (
    even_batches,
    keep_tensorflow_out,
    replicas,
    set_precision,
    warps_on_device,
)
from btfer.bench.train.machine import forget_peak, make_deterministic, peak_memory, versions
from btfer.bench.train.phases import ALL, HEAD, TrainingPlan, train
from btfer.bench.train.protocol import Protocol, class_weights
from btfer.bench.train.recipe import PLAIN, Recipe, effective_weights
from btfer.csv_writer import frame_as_csv
from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import only_one, remove_parts, write_atomic
from btfer.parsing import parse_json
from btfer.progress import Progress

REPLICA_BATCH = 32
PREDICTIONS = {"validation": "predictions_val.parquet", "test": "predictions_test.parquet"}


@dataclass(frozen=True)
class Experiment:
    """What is run, but for the data. epochs: at most, per phase. fold: of a cross-validation, or empty.

    weights_digest: sha256 of the weight file that was given, or empty: by its name Keras finds one file.
    recipe: what is trained otherwise than the protocol says; off, a run is what it was before there were any.
    limit: images of a class to learn from, at most. mixed_precision: compute in half precision. replicas: GPUs
    that share each batch.
    """

    architecture: str
    weights: str
    resolution: int
    balance: str
    seed: int
    protocol: Protocol
    epochs: int | None = None
    fold: str = ""
    weights_digest: str = ""
    limit: int | None = None
    mixed_precision: bool = False
    replicas: int = 1
    recipe: Recipe = PLAIN

    @property
    def batch_size(self) -> int:
        """Of all replicas together: 32 for each, and the protocol's, which is that of two, at least."""
        return max(self.protocol.batch_size, REPLICA_BATCH * self.replicas)

    def definition(self, data_digest: str, split: str, votes: str = "") -> RunDefinition:
        """Everything that a result depends on, as JSON has it. data_digest: of the split. votes: digest of these."""
        whole = asdict(self) | {"data": data_digest, "split": split, "versions": versions()}
        del whole["recipe"]
        if changes := self.recipe.changes:
            whole["recipe"] = changes | ({"soft_labels": votes} if self.recipe.soft_labels else {})
        return RunDefinition(parse_json(json.dumps(whole)))


@dataclass(frozen=True)
class ScoringTarget:
    """The images of a release to score: those at `indices`."""

    images: ImageSet
    indices: Indices


@dataclass(frozen=True)
class RunContext:
    """Where a run works: its own folder, and the store that has its record, the cache and the progress.

    weights_from: file or folder of pretrained weights; None = Keras's cache. augment: where training
    images are warped, `auto`, `host` or `device`.
    """

    folder: Path
    store: RunStore
    weights_from: Path | None = None
    augment: str = "auto"

    @property
    def cache(self) -> Path:
        """Folder of decoded pixels."""
        return self.store.cache

    @property
    def progress(self) -> Progress:
        """Who is shown what happens."""
        return self.store.progress


def new_record(definition: RunDefinition, training: str, folder: Path) -> RunRecord:
    """The record of a run of which nothing is done. training: name of the training set."""
    return RunRecord(
        run_id(definition),
        "running",
        None,
        definition,
        training,
        keras=keras.__version__,
        backend=keras.backend.backend(),
        present=("keras", "backend"),
        folder=folder,
    )


def run_one(
    experiment: Experiment,
    split: Split,
    target: ScoringTarget | None,
    context: RunContext,
    others: Sequence[HeldOut] = (),
) -> RunRecord:
    """Do what of a run is not done yet; its record, on the target's release where there is one.

    others: parts of other training sets, to be scored too. Raises UsageError for images that cannot be read or a
    class without images, Busy where another process has the same run.
    """
    if experiment.protocol.untouched_test and not (experiment.fold or len(split.test_indices)):
        raise UsageError(
            f"'{split.name}' ({split.how}) has no untouched test part, which the protocol "
            f"{experiment.protocol.name} asks for: use --split strict"
        )
    store = context.store
    with only_one(context.folder, "run"):
        remove_parts(context.folder)
        record = store.read(context.folder)
        if record and record.training != split.name:  # the same images by another name
            record = store.write(record.changed(training=split.name))
        if record is None or "validation" not in record.metrics:
            record = _train(experiment, split, context)
        _forget_states(context.folder)
        for one in others:
            if not record.is_tested_on(one.name, one.digest):
                record = _score_other(experiment, record, one, context)
        if target and not record.on(target.images.digest):
            record = _score_target(experiment, record, target, context)
        if not record.is_done:
            record = store.write(record.changed(state="done", error=None))
    return (record.on(target.images.digest) if target else None) or record


def _train(experiment: Experiment, split: Split, context: RunContext) -> RunRecord:
    """Train, validate, and write everything that does not depend on a release."""
    started = time.time()
    forget_peak()
    definition = experiment.definition(split.digest, split.how, split.train.votes_digest)
    record = context.store.write(new_record(definition, split.name, context.folder))
    size, resize = experiment.resolution, experiment.protocol.resize
    pixels = load_pixels(split.train, size, context.cache, resize, context.progress)
    check_pixels = load_pixels(split.validation, size, context.cache, resize, context.progress)
    counts = _counts(split)
    weights = _weights(experiment, counts)
    batches = _training_batches(experiment, split, pixels, context, weights)
    mask = counted(len(split.validation_indices), experiment.protocol, experiment.seed)
    check = _plain_batches(
        experiment,
        split.validation,
        check_pixels,
        split.validation_indices[mask],
        on_device=batches.on_device,
        even=even_batches(experiment.replicas),
    )
    plan = TrainingPlan(
        experiment.protocol,
        weights,
        two_phases=experiment.weights != "none"
        or experiment.architecture in experiment.protocol.head_first,
        epochs=experiment.epochs,
        rate=experiment.protocol.rate(experiment.architecture),
        recipe=experiment.recipe,
    )
    learner = _new_model(experiment, experiment.replicas)
    pretrained = _pretrain(learner, experiment, context)
    on_epoch = _epoch_lines(experiment, split, context.progress)
    with replicas(experiment.replicas):
        done = train(learner, batches, check, plan, context.folder, on_epoch)
    model = _save_model(learner, experiment, context.folder)
    parts = {"validation": split.validation_indices, "test": split.test_indices}
    metrics = {
        part: _score_part(part, indices, model, experiment, split, context)
        for part, indices in parts.items()
        if len(indices)
    }
    record = record.changed(
        **_cost(done, batches, model),
        training_counts=counts,
        pretrained=pretrained,
        metrics=metrics,
        memory=peak_memory(),
        state="trained",
        seconds=round(time.time() - started, 1),
    )
    _write_history(context.folder, done, record)
    return context.store.write(record)


def _forget_states(folder: Path) -> None:
    """Delete what only an unfinished training needs; as large as several models."""
    for spent in (folder / STATE, *(best_weights(folder, phase) for phase in (HEAD, ALL))):
        spent.unlink(missing_ok=True)


def _score_part(
    part: str,
    indices: Indices,
    model: keras.Model,
    experiment: Experiment,
    split: Split,
    context: RunContext,
) -> dict[str, Any]:
    """Predict the validation or the test part, keep the predictions, and score them."""
    images = split.validation if part == "validation" else split.test
    size, resize = experiment.resolution, experiment.protocol.resize
    pixels = load_pixels(images, size, context.cache, resize, context.progress)
    probabilities = predict(model, _plain_batches(experiment, images, pixels, indices))
    mask = counted(len(indices), experiment.protocol, experiment.seed)
    table = predictions_table(images, indices, probabilities, mask)
    write_table(context.folder / PREDICTIONS[part], table)
    return table_scores(table)


def predict(model: keras.Model, batches: ImageBatches) -> np.ndarray[Any, Any]:
    """Probabilities, float32 [N, classes], in the order of the batches' indices.

    Raises BtferError where some are not finite: training has diverged.
    """
    found = np.asarray(model.predict(batches, verbose=0), np.float32)
    if not np.isfinite(found).all():
        raise BtferError(
            "the network predicts NaN, so its training has diverged: run it without "
            "--mixed-precision, with another --seed, or with another network"
        )
    return found


def _score_target(
    experiment: Experiment, record: RunRecord, target: ScoringTarget, context: RunContext
) -> RunRecord:
    """Score a release with the stored model. In a fold these are the images held out of it."""
    table = _answers(experiment, target, target.images.name, context)
    write_table(context.folder / record.predictions_name(target.images.digest), table)
    key = "held_out" if experiment.fold else "cross_domain"
    found = table_scores(table)
    plot = plots.confusion(found["confusion"], target.images.name)
    write_atomic(context.folder / "confusion.png", plot)
    release = ReleaseRef(target.images.name, target.images.digest)
    scored = record.scored_on(release, key, found)
    return context.store.write(scored.changed(state="done", error=None))


def _score_other(
    experiment: Experiment, record: RunRecord, other: HeldOut, context: RunContext
) -> RunRecord:
    """Score the held-out part of a training set that the run did not learn from."""
    target = ScoringTarget(other.images, other.indices)
    table = _answers(experiment, target, f"{other.name}, held out", context)
    write_table(context.folder / record.set_predictions(other.digest), table)
    return context.store.write(record.tested_on(other.name, other.digest, table_scores(table)))


def _answers(
    experiment: Experiment, target: ScoringTarget, name: str, context: RunContext
) -> pd.DataFrame:
    """What the stored model predicts for some images, as a predictions table."""
    text = f"{_name(experiment)}: scoring {len(target.indices)} images of {name}"
    context.progress.say(text)
    model = keras.saving.load_model(context.folder / MODEL)
    size, resize = experiment.resolution, experiment.protocol.resize
    pixels = load_pixels(target.images, size, context.cache, resize, context.progress)
    batches = _plain_batches(experiment, target.images, pixels, target.indices)
    mask = counted(len(target.indices), experiment.protocol, experiment.seed)
    return predictions_table(target.images, target.indices, predict(model, batches), mask)


def _new_model(experiment: Experiment, devices: int = 1) -> keras.Model:
    """The network before anything is loaded or learnt, in the variant that its weights need."""
    keras.utils.clear_session()
    keep_tensorflow_out()
    if experiment.protocol.deterministic:
        make_deterministic()
    set_precision(experiment.mixed_precision)
    keras.utils.set_random_seed(experiment.seed)
    network = architecture(experiment.architecture)
    shape = (experiment.resolution, experiment.resolution, network.channels)
    own = experiment.protocol.preprocessing == "own"
    with replicas(devices):  # not before the session is cleared, which forgets it
        model = network.build(shape, len(EXPRESSIONS), experiment.weights, own_preprocessing=own)
    model.layers[-1].dtype_policy = "float32"  # half precision has three digits for a probability
    return model


def _pretrain(
    model: keras.Model, experiment: Experiment, context: RunContext
) -> dict[str, Any] | None:
    """Load what the network starts from; file, sha256 and licence for the record."""
    if experiment.weights == "none":
        return None
    loaded = load_pretrained(
        model, experiment.architecture, experiment.weights, context.weights_from
    )
    text = f"{_name(experiment)}: {loaded.weights} weights from {loaded.where}"
    context.progress.say(text)
    return asdict(loaded)


def _save_model(learner: keras.Model, experiment: Experiment, folder: Path) -> keras.Model:
    """Write model.keras, without the optimizer, which would make it three times as large; the network in it."""
    bare = _new_model(experiment)
    bare.set_weights(learner.get_weights())
    part = folder / ".part-model.keras"
    bare.save(part)
    part.replace(folder / MODEL)
    return bare


def _training_batches(
    experiment: Experiment,
    split: Split,
    pixels: Pixels,
    context: RunContext,
    class_weight: dict[int, float],
) -> ImageBatches:
    protocol, recipe = experiment.protocol, experiment.recipe
    return ImageBatches(
        pixels,
        split.train.labels,
        split.train_indices,
        classes=len(EXPRESSIONS),
        batch_size=experiment.batch_size,
        rescale=protocol.rescale,
        pixel_range=architecture(experiment.architecture).pixel_range,
        augmentation=protocol.augmentation,
        seed=experiment.seed,
        skip_remainder=protocol.skip_remainder,
        channels=architecture(experiment.architecture).channels,
        on_device=warps_on_device(context.augment) and not recipe.mixup,
        targets=split.train.soft if recipe.soft_labels else None,
        recipe=recipe,
        class_weight=class_weight if recipe.changes else None,
        even=even_batches(experiment.replicas),
    )


def _plain_batches(
    experiment: Experiment,
    images: ImageSet,
    pixels: Pixels,
    indices: Indices,
    *,
    on_device: bool = False,
    even: int = 1,
) -> ImageBatches:
    return ImageBatches(
        pixels,
        images.labels,
        indices,
        classes=len(EXPRESSIONS),
        batch_size=experiment.batch_size,
        rescale=experiment.protocol.rescale,
        pixel_range=architecture(experiment.architecture).pixel_range,
        channels=architecture(experiment.architecture).channels,
        on_device=on_device,
        even=even,
    )


def _weights(experiment: Experiment, counts: list[int]) -> dict[int, float]:
    beta = experiment.recipe.class_balanced
    if beta:
        return effective_weights(counts, beta)
    return class_weights(counts, _balance(experiment))


def _balance(experiment: Experiment) -> str:
    unweighted = experiment.architecture in experiment.protocol.unweighted
    return "none" if unweighted else experiment.balance


def _counts(split: Split) -> list[int]:
    labels = split.train.labels[split.train_indices]
    return [int(n) for n in np.bincount(labels, minlength=len(EXPRESSIONS))]


def _epoch_lines(experiment: Experiment, split: Split, progress: Progress) -> OnEpoch:
    def on_epoch(row: EpochRow) -> None:
        progress.say(f"{_name(experiment)} on {split.name}: {epoch_in_words(row)}")

    return on_epoch


def _name(experiment: Experiment) -> str:
    fold = f", fold {experiment.fold}" if experiment.fold else ""
    return f"{experiment.architecture} {experiment.resolution} {experiment.balance}{fold}"


def _cost(done: TrainingState, batches: ImageBatches, model: keras.Model) -> dict[str, Any]:
    """Fields of the record about size and speed."""
    # The first epoch is longer: the graph is traced in it.
    rows = done.history[1:] or done.history
    step = float(np.median([row["seconds"] / row["steps"] for row in rows]))
    return {
        "parameters": model.count_params(),
        "epochs": len(done.history),
        "seconds_per_step": round(step, 5),
        "images_per_second": round(min(batches.batch_size, len(batches.indices)) / step, 1),
    }


def _write_history(folder: Path, done: TrainingState, record: RunRecord) -> None:
    write_atomic(folder / "history.csv", frame_as_csv(pd.DataFrame(done.history)))
    write_atomic(folder / "curves.png", plots.curves(done.history))
    matrix = record.metrics["validation"]["confusion"]
    write_atomic(folder / "confusion.png", plots.confusion(matrix, "validation"))
