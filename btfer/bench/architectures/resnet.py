"""ResNet18 with the dropout and dense layers that BTFER adds."""

import keras
from keras import layers


def resnet18(input_shape: tuple[int, int, int], classes: int, weights: str = "none") -> keras.Model:
    """ResNet18 + Dropout 0.2 + Dense 1024 + Dropout 0.5, trained from scratch.

    Below 128 pixels the stem is a 3x3 convolution without stride or pool, as in the notebooks.
    Reference: He et al. 2016, https://arxiv.org/abs/1512.03385; BTFER, table 6. Pixels 0 to 1, RGB.
    """
    inputs = keras.Input(input_shape)
    x = _stem(inputs, large=input_shape[0] >= 128)
    for filters, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        x = _block(x, filters, stride)
        x = _block(x, filters, 1)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(1024, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="resnet18")


def _stem(x: keras.KerasTensor, *, large: bool) -> keras.KerasTensor:
    x = _conv(x, 64, 7 if large else 3, 2 if large else 1)
    x = layers.ReLU()(x)
    return layers.MaxPooling2D(3, 2, padding="same")(x) if large else x


def _block(x: keras.KerasTensor, filters: int, stride: int) -> keras.KerasTensor:
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""
    shortcut = _conv(x, filters, 1, stride) if stride > 1 else x
    y = layers.ReLU()(_conv(x, filters, 3, stride))
    y = _conv(y, filters, 3, 1)
    return layers.ReLU()(layers.Add()([y, shortcut]))


def _conv(x: keras.KerasTensor, filters: int, kernel: int, stride: int) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)
