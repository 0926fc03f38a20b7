"""Two small networks that learn within a minute on a CPU: what `btfer demo` ranks beside LeNet5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.registry import Shape, at_both_sizes, network

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


@network(
    family="small",
    parameters=at_both_sizes(24_375),
    multiply_adds={48: 2, 224: 34},
)
def small_3conv(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Three strided convolutions of 16, 32 and 64 filters, and a global average.

    Reference: none; it is btfer's own. Pixels 0 to 1, RGB.
    """
    return _strided("small_3conv", (16, 32, 64), input_shape, classes)


@network(
    family="small",
    parameters=at_both_sizes(391_655),
    multiply_adds={48: 8, 224: 184},
)
def small_4conv(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Four strided convolutions of 32, 64, 128 and 256 filters, and a global average.

    Reference: none; it is btfer's own. Pixels 0 to 1, RGB.
    """
    return _strided("small_4conv", (32, 64, 128, 256), input_shape, classes)


def _strided(name: str, filters: tuple[int, ...], input_shape: Shape, classes: int) -> keras.Model:
    """A convolution with a step of 2 for each number of filters, each normalised."""
    blocks = [
        layer
        for count in filters
        for layer in (
            layers.Conv2D(count, 3, 2, padding="same", use_bias=False),
            # Few steps are trained: the running averages must follow within some of them.
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        )
    ]
    return keras.Sequential(
        [
            keras.Input(input_shape),
            *blocks,
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation="softmax"),
        ],
        name=name,
    )
