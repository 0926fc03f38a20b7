"""One training step of a network as one would write it by hand for each backend of Keras: nothing but the step."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

Step = Callable[[], float]
"""Takes one step and gives its loss, so that the work is over when it returns."""


def by_hand(
    model: keras.Model, images: np.ndarray[Any, Any], targets: np.ndarray[Any, Any]
) -> Step:
    """A step on one batch that stays on the device. model: compiled. images, targets: float32."""
    return LOOPS[keras.backend.backend()](model, images, targets)


def _tensorflow(model: Any, images: Any, targets: Any) -> Step:
    import tensorflow as tf

    loss, optimizer = keras.losses.CategoricalCrossentropy(), keras.optimizers.Adam(1e-4)
    optimizer.build(model.trainable_variables)
    batch, answer = tf.constant(images), tf.constant(targets)

    # Keras's `fit` compiles with XLA where it does; a loop by hand would do the same.
    @tf.function(jit_compile=bool(model.jit_compile))  # type: ignore[untyped-decorator]
    def step() -> Any:
        with tf.GradientTape() as tape:
            value = loss(answer, model(batch, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    return lambda: float(step())


def _torch(model: Any, images: Any, targets: Any) -> Step:
    import torch

    device = next(model.parameters()).device
    batch, answer = torch.tensor(images, device=device), torch.tensor(targets, device=device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step() -> float:
        optimizer.zero_grad()
        found = model(batch, training=True).clamp(1e-7, 1)
        value = -(answer * found.log()).sum(dim=1).mean()
        value.backward()
        optimizer.step()
        return float(value)

    return step


def _jax(model: Any, images: Any, targets: Any) -> Step:
    import jax
    from jax import numpy as jnp

    loss, optimizer = keras.losses.CategoricalCrossentropy(), keras.optimizers.Adam(1e-4)
    optimizer.build(model.trainable_variables)
    batch, answer = jnp.asarray(images), jnp.asarray(targets)

    def cost(trainable: Any, fixed: Any) -> Any:
        found, changed = model.stateless_call(trainable, fixed, batch, training=True)
        return loss(answer, found), changed

    @jax.jit  # type: ignore[untyped-decorator]
    def update(trainable: Any, fixed: Any, state: Any) -> Any:
        (value, fixed), gradients = jax.value_and_grad(cost, has_aux=True)(trainable, fixed)
        trainable, state = optimizer.stateless_apply(state, gradients, trainable)
        return value, (trainable, fixed, state)

    held = [
        tuple(
            [one.value for one in kind]
            for kind in (
                model.trainable_variables,
                model.non_trainable_variables,
                optimizer.variables,
            )
        )
    ]

    def step() -> float:
        value, held[0] = update(*held[0])
        return float(value)

    return step


LOOPS: dict[str, Callable[[Any, Any, Any], Step]] = {
    "tensorflow": _tensorflow,
    "torch": _torch,
    "jax": _jax,
}
