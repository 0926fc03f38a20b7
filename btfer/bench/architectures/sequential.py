"""The authors' own small convolutional networks (BTFER, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.registry import Shape, at_both_sizes, network

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


@network(
    family="Sequential",
    parameters=at_both_sizes(1_365_703),
    multiply_adds={48: 121, 224: 3_822},
)
def sequential_3conv(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Sequential 3 Conv: three convolution blocks, global average, Dense 1024.

    Reference: BTFER, section 3. The paper puts both 128 convolutions before one pool; the notebooks
    put a pool between them. Pixels 0 to 1, RGB.
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            *_two_blocks(),
            _conv(512, "same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.2),
            *_head(classes),
        ],
        name="sequential_3conv",
    )


@network(
    family="Sequential",
    parameters=at_both_sizes(2_840_775),
    multiply_adds={48: 96, 224: 3_900},
)
def sequential_4conv(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Sequential 4 Conv: one block more than Sequential 3 Conv, and no pool after the last.

    Reference: BTFER, section 3. The notebooks flatten the 1x1 map that 48x48 images leave, which a
    global average equals; at 224, where the notebooks have no such network, the average keeps it at
    the same size. Pixels 0 to 1, RGB.
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            *_two_blocks(),
            _conv(256),
            layers.MaxPooling2D(),
            _conv(256),
            layers.Dropout(0.25),
            _conv(512, "same"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            *_head(classes),
        ],
        name="sequential_4conv",
    )


@network(
    family="Sequential",
    parameters={48: 2_489_671, 224: 88_997_191},
    multiply_adds={48: 88, 224: 2_681},
)
def sequential_simple(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Sequential Simple: four convolutions, small dropouts, Flatten, Dense 512.

    Reference: BTFER, section 3. The paper's text gives the fourth convolution 64 filters; the
    notebooks have 256. Pixels 0 to 1, RGB.
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            _conv(32),
            *(step for filters in (64, 128, 256) for step in _pooled_conv(filters)),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax"),
        ],
        name="sequential_simple",
    )


def _pooled_conv(filters: int) -> list[layers.Layer]:
    return [_conv(filters), layers.MaxPooling2D(), layers.Dropout(0.1)]


def _two_blocks() -> list[layers.Layer]:
    return [
        _conv(32, "same"),
        _conv(64),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        _conv(128),
        layers.MaxPooling2D(),
        _conv(128),
        layers.Dropout(0.25),
    ]


def _conv(filters: int, padding: str = "valid") -> layers.Layer:
    return layers.Conv2D(filters, 3, padding=padding, activation="relu")


def _head(classes: int) -> list[layers.Layer]:
    return [
        layers.GlobalAveragePooling2D(),
        layers.Dense(1024, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes, activation="softmax"),
    ]
