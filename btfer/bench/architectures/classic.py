"""LeNet5, AlexNet and ZFNet as in BTFER's notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.registry import Shape, at_both_sizes, network

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


@network(
    family="classic",
    parameters={48: 169_271},
    multiply_adds={48: 2},
)
def lenet5(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """LeNet5 with ReLU and maximum pools in place of the tanh and averages of 1998.

    Reference: LeCun et al. 1998; BTFER, section 3. Its notebooks start at a learning rate of 1e-3.
    Pixels 0 to 1, RGB.
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
        name="lenet5",
    )


@network(
    family="classic",
    parameters=at_both_sizes(21_612_295),
    multiply_adds={48: 34, 224: 981},
)
def alexnet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """AlexNet with batch normalisation after the pools, and a global average before Dense 4096.

    Reference: Krizhevsky et al. 2012; BTFER, section 3. The paper's table 2 marks it as flattened.
    The notebooks filed as AlexNet with conservative weights build Modular. Pixels 0 to 1, RGB.
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(96, 11, 4, activation="relu"),
            layers.MaxPooling2D(3, 2),
            layers.BatchNormalization(),
            layers.Conv2D(256, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(3, 2),
            layers.BatchNormalization(),
            layers.Conv2D(384, 3, padding="same", activation="relu"),
            layers.Conv2D(384, 3, padding="same", activation="relu"),
            layers.Conv2D(256, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(3, 2, padding="same"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            *_dense_4096(classes),
        ],
        name="alexnet",
    )


@network(
    family="classic",
    parameters={48: 21_589_127},
    multiply_adds={48: 52},
)
def zfnet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """ZFNet with 2x2 pools and without local response normalisation.

    Reference: Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901; BTFER, section 3. Pixels 0 to
    1, RGB.
    """

    def conv(filters: int, kernel: int, stride: int, padding: str) -> layers.Layer:
        return layers.Conv2D(
            filters,
            kernel,
            stride,
            padding=padding,
            activation="relu",
            kernel_initializer="random_uniform",
        )

    return keras.Sequential(
        [
            keras.Input(input_shape),
            conv(96, 7, 2, "valid"),
            layers.MaxPooling2D(),
            conv(256, 5, 2, "same"),
            layers.MaxPooling2D(),
            conv(384, 3, 1, "same"),
            conv(384, 3, 1, "same"),
            conv(256, 3, 1, "same"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            *_dense_4096(classes),
        ],
        name="zfnet",
    )


def _dense_4096(classes: int) -> list[layers.Layer]:
    return [
        layers.Dense(4096, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(4096, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes, activation="softmax"),
    ]
