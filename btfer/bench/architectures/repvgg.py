"""RepVGG as in BTFER's notebooks, and RepVGG-A0 as published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.registry import Shape, at_both_sizes, network

if TYPE_CHECKING:
    import keras
    from keras import layers, ops
else:
    from btfer.bench.architectures.lazy import keras, layers, ops

PUBLISHED = {"momentum": 0.9, "epsilon": 1e-5}  # of the batch normalisation of RepVGG-A0


@network(
    family="VGG",
    parameters=at_both_sizes(26_454_023),
    multiply_adds={48: 440, 224: 9_578},
)
def repvgg(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """What BTFER's notebooks call RepVGG: eleven blocks of two 3x3 convolutions beside a shortcut.

    Not the published network: no 1x1 branch, nothing to re-parameterise, no activation after the
    addition. Before each block stands what they call gradient checkpointing; it stops the gradient
    of the upper half of the channels, and is kept. Reference: BTFER, section 3. Pixels 0 to 1, RGB.
    """
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(64, 3, 2, padding="same")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for width, blocks in ((64, 1), (128, 2), (256, 3), (512, 5)):
        for number in range(blocks):
            stride = 2 if width > 64 and number == 0 else 1
            x = _notebook_block(_stop_upper_half(x), width, stride)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="repvgg")


@network(
    family="VGG",
    parameters=at_both_sizes(7_860_583),
    multiply_adds={48: 74, 224: 1_511},
)
def repvgg_a0(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """RepVGG-A0 in its training form: 3x3, 1x1 and identity branches, added, then the activation.

    Reference: Ding et al. 2021, https://arxiv.org/abs/2101.03697, tables 2 and 3: stages of 1, 2, 4,
    14 and 1 blocks, widths 48, 48, 96, 192 and 1280. Pixels 0 to 1, RGB.
    """
    inputs = x = keras.Input(input_shape)
    for width, blocks in ((48, 1), (48, 2), (96, 4), (192, 14), (1280, 1)):
        for number in range(blocks):
            x = _published_block(x, width, 2 if number == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="repvgg_a0")


def _notebook_block(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    y = layers.ReLU()(_conv(x, width, 3, stride))
    y = _conv(y, width, 3, 1)
    if stride > 1:
        x = layers.Conv2D(width, 1, stride, padding="same", use_bias=False)(x)
    return layers.Add()([y, x])


def _stop_upper_half(x: keras.KerasTensor) -> keras.KerasTensor:
    """The same values; the gradient flows back through the lower half of the channels only."""
    lower, upper = ops.split(x, 2, axis=-1)
    return layers.Concatenate()([lower, ops.stop_gradient(upper)])


def _published_block(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    branches = [_conv(x, width, 3, stride, **PUBLISHED), _conv(x, width, 1, stride, **PUBLISHED)]
    if stride == 1 and x.shape[-1] == width:
        branches.append(layers.BatchNormalization(**PUBLISHED)(x))
    return layers.ReLU()(layers.Add()(branches))


def _conv(
    x: keras.KerasTensor, width: int, kernel: int, stride: int, **normalisation: float
) -> keras.KerasTensor:
    x = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(**normalisation)(x)
