"""What a network learns by where a recipe asks for another way: the focal loss, and steps towards flat places."""

from typing import Any

import keras

from btfer.bench.train.recipe import Recipe
from btfer.errors import UsageError


def loss_of(recipe: Recipe) -> Any:
    """The loss to compile with: cross-entropy, or focal, for targets float32 [N, classes] that sum to 1."""
    if not recipe.focal_gamma:
        return "categorical_crossentropy"
    # Without alpha: classes are weighted by the balance.
    return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=recipe.focal_gamma)


def check_recipe(recipe: Recipe, *, mixed_precision: bool, replicas: int, augment: str) -> None:
    """Raise UsageError for what does not go together with it on this backend."""
    if recipe.mixup and augment == "device":
        raise UsageError("--mixup mixes images on the host: leave --augment device out")
    if not recipe.sam_rho:
        return
    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            f"--sam-rho needs the TensorFlow backend, this is {keras.backend.backend()}"
        )
    if mixed_precision or replicas > 1:
        option = "--mixed-precision" if mixed_precision else "--replicas"
        raise UsageError(f"--sam-rho goes in full precision on one device: leave {option} out")


class SharpnessAware(keras.Model):
    """A network whose steps take the gradient a little uphill, at rho times its direction from the weights.

    Moving averages of batch normalisation are those of the weights themselves. TensorFlow only.
    """

    def __init__(self, *layers: Any, rho: float = 0.05, **options: Any) -> None:
        super().__init__(*layers, **options)
        self.rho = rho

    def train_step(self, data: Any) -> dict[str, Any]:
        """Two gradients, one step: the second, at the higher place, is what the optimizer gets."""
        import tensorflow as tf

        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        here = [tf.identity(one) for one in self.trainable_variables]
        uphill = self._gradients(x, y, weight, count=True)
        statistics = [tf.identity(one) for one in self.non_trainable_weights]
        scale = self.rho / (tf.linalg.global_norm(uphill) + 1e-12)
        for variable, gradient in zip(self.trainable_variables, uphill, strict=True):
            variable.assign_add(gradient * scale)
        gradients = self._gradients(x, y, weight, count=False)
        for variable, value in zip(self.trainable_variables, here, strict=True):
            variable.assign(value)
        for variable, value in zip(self.non_trainable_weights, statistics, strict=True):
            variable.assign(value)
        self.optimizer.apply(gradients, self.trainable_variables)
        return dict(self.get_metrics_result())

    def _gradients(self, x: Any, y: Any, weight: Any, *, count: bool) -> list[Any]:
        """Of the loss by each variable that learns. count: whether loss and metrics are those to show."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            answers = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=answers, sample_weight=weight, training=True)
        if count:
            self._loss_tracker.update_state(loss, sample_weight=tf.shape(y)[0])
            self.compute_metrics(x, y, answers, sample_weight=weight)
        found: list[Any] = tape.gradient(loss, self.trainable_variables)
        return found
