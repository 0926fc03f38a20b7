"""The authors' own networks with several branches: Ensemble, Modular, SMMB (BTFER, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.registry import Shape, at_both_sizes, network

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


@network(
    family="branched",
    parameters=at_both_sizes(2_001_045),
    multiply_adds={48: 518, 224: 11_272},
)
def ensemble(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Three networks on one input, trained as one by the loss of their averaged answers.

    Reference: BTFER, section 3. The paper's text gives each three convolutions and a dropout of 0.25
    at the end; the notebooks have six, in pairs, and 0.5. Pixels 0 to 1, RGB.
    """
    inputs = keras.Input(input_shape)
    answers = [
        _member(inputs, widths, classes)
        for widths in ((32, 64, 128), (32, 64, 128), (64, 128, 256))
    ]
    return keras.Model(inputs, layers.Average()(answers), name="ensemble")


@network(
    family="branched",
    parameters={48: 5_337_735, 224: 103_379_591},
    multiply_adds={48: 93, 224: 2_014},
)
def modular(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """A branch with 3x3 kernels for local and one with 5x5 kernels for global features, joined.

    Reference: BTFER, section 3. Pixels 0 to 1, RGB.
    """
    inputs = keras.Input(input_shape)
    x = layers.Concatenate()([_module(inputs, 3), _module(inputs, 5)])
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="modular")


@network(
    family="branched",
    parameters={48: 5_512_455},
    multiply_adds={48: 540},
)
def smmb(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Single model, multi-branch: a "face detection" and an expression branch on shared convolutions.

    The first branch has no loss of its own. Attention goes over all positions of the map, without a
    shortcut. Reference: BTFER, section 3. Pixels 0 to 1, RGB.
    """
    inputs = keras.Input(input_shape)
    shared = _conv(_conv(_conv(inputs, 32), 64), 64)
    face = _conv(layers.MaxPooling2D()(shared), 128)
    face = layers.Dense(64, activation="relu")(layers.Flatten()(face))
    x = layers.MaxPooling2D()(_conv(shared, 128))
    x = layers.MaxPooling2D()(_conv(x, 256))
    x = layers.LayerNormalization()(layers.MultiHeadAttention(num_heads=4, key_dim=32)(x, x))
    x = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x))
    x = layers.Concatenate()([face, layers.Flatten()(x)])
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="smmb")


def _member(x: keras.KerasTensor, widths: tuple[int, ...], classes: int) -> keras.KerasTensor:
    for width in widths:
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same")(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    x = layers.Dense(512, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return layers.Dense(classes, activation="softmax")(layers.Dropout(0.5)(x))


def _module(x: keras.KerasTensor, kernel: int) -> keras.KerasTensor:
    for width in (32, 64, 128):
        x = layers.MaxPooling2D()(_conv(x, width, kernel))
    x = layers.Flatten()(x)
    for units in (512, 256):
        x = layers.Dropout(0.5)(layers.Dense(units, activation="relu")(x))
    return x


def _conv(x: keras.KerasTensor, filters: int, kernel: int = 3) -> keras.KerasTensor:
    return layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
