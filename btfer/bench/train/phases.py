"""The two phases of training, with the callbacks that the protocol names.

Phase 1: the pretrained backbone is frozen and the new head learns. Phase 2: from the best weights of
phase 1 everything learns. A network without pretrained weights has phase 2 only.
"""

from dataclasses import dataclass
from pathlib import Path

import keras

from btfer.bench.architectures import BACKBONE
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.checkpoint import (
    Checkpoint,
    OnEpoch,
    TrainingState,
    best_weights,
    load_state,
    restore,
    set_weights,
)
from btfer.bench.train.losses import loss_of
from btfer.bench.train.protocol import Protocol
from btfer.bench.train.recipe import PLAIN, Recipe

HEAD, ALL = 1, 2  # the phases


@dataclass(frozen=True)
class TrainingPlan:
    """What a training goes by. class_weight: by label. epochs: most epochs of each phase, if fewer.

    rate: the learning rate to start with, where it is not the protocol's. recipe: the loss, if another. With a
    recipe the batches weigh their images themselves.
    """

    protocol: Protocol
    class_weight: dict[int, float]
    two_phases: bool
    epochs: int | None = None
    rate: float | None = None
    recipe: Recipe = PLAIN

    def longest(self, phase: int) -> int:
        """The most epochs of a phase."""
        planned = self.protocol.head_epochs if phase == HEAD else self.protocol.max_epochs
        return min(planned, self.epochs or planned)


def train(
    model: keras.Model,
    batches: ImageBatches,
    validation: ImageBatches,
    plan: TrainingPlan,
    folder: Path,
    on_epoch: OnEpoch,
) -> TrainingState:
    """Train from where `folder` remembers to the end; the model then has the weights to be scored.

    on_epoch: called with each epoch's row, after it is on disk. Returns the state with its history.
    """
    state = load_state(folder)
    if not state.history and not plan.two_phases:
        state.begin(ALL)
    if state.phase == HEAD:
        _train_phase(model, batches, validation, plan, folder, state, on_epoch)
        set_weights(model, best_weights(folder, HEAD))
        state.begin(ALL)
    _train_phase(model, batches, validation, plan, folder, state, on_epoch)
    if plan.protocol.evaluated == "best":
        set_weights(model, best_weights(folder, ALL))
    return state


def prepare(
    model: keras.Model,
    protocol: Protocol,
    phase: int,
    rate: float | None = None,
    learner: keras.Model | None = None,
    recipe: Recipe = PLAIN,
) -> None:
    """Freeze or unfreeze the backbone, and compile with a fresh optimizer.

    learner: what is compiled and fitted, where it is not the model itself (`ImageBatches.learner`).
    """
    # One by one: setting it on the model alone does not reach the inside of a frozen sub-model.
    for layer in model.layers:
        layer.trainable = phase == ALL or layer.name != BACKBONE
    (learner or model).compile(
        keras.optimizers.Adam(rate or protocol.learning_rate),
        loss=loss_of(recipe),
        metrics=["accuracy"],
    )


def _train_phase(
    model: keras.Model,
    batches: ImageBatches,
    validation: ImageBatches,
    plan: TrainingPlan,
    folder: Path,
    state: TrainingState,
    on_epoch: OnEpoch,
) -> None:
    learner = batches.learner(model)
    prepare(model, plan.protocol, state.phase, plan.rate, learner, plan.recipe)
    if state.phase_epochs:
        restore(learner, folder)
    longest = plan.longest(state.phase)
    if state.stopped or state.phase_epochs >= longest:
        return
    counted = _callbacks(plan.protocol)
    batches.epoch = len(state.history)
    learner.fit(
        batches,
        validation_data=validation,
        epochs=longest,
        initial_epoch=state.phase_epochs,
        class_weight=None if batches.class_weight else plan.class_weight,
        callbacks=[*counted.values(), Checkpoint(folder, state, counted, on_epoch)],
        shuffle=False,  # the batches shuffle themselves, by seed
        verbose=0,
    )


def _callbacks(protocol: Protocol) -> dict[str, keras.callbacks.Callback]:
    return {
        "plateau": keras.callbacks.ReduceLROnPlateau(
            monitor="val_loss",
            patience=protocol.plateau_patience,
            factor=protocol.plateau_factor,
            min_lr=protocol.min_learning_rate,
        ),
        "stop": keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=protocol.stop_patience, restore_best_weights=False
        ),
    }
