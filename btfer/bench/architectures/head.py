"""What BTFER puts on every pretrained backbone of keras.applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from btfer.bench.architectures.registry import BACKBONE, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


def with_common_head(backbone: keras.Model, classes: int, name: str) -> keras.Model:
    """The backbone, global average, Dense 256, Dropout 0.2, Dense 128, softmax.

    The paper's text says 256 for the second Dense; every printed summary of its notebooks has 128.
    """
    inputs = keras.Input(backbone.input_shape[1:])
    x = layers.GlobalAveragePooling2D()(backbone(inputs))
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name=name)


def bare_backbone(network: Callable[..., Any], input_shape: Shape) -> keras.Model:
    """A network of keras.applications without its top and without weights, under the name BACKBONE."""
    found: keras.Model = network(
        include_top=False, weights=None, input_shape=input_shape, name=BACKBONE
    )
    return found
