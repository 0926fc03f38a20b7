"""VGGNet from scratch, and the greyscale network that the paper calls MediaPipe + VGGNet."""

import keras
from keras import layers

Shape = tuple[int, int, int]


def vggnet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """VGG16's convolutions, Flatten, two Dense 4096 without dropout.

    Reference: Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556; BTFER, section 3. The
    paper's tables print about 15 and 12 million parameters; the notebooks' network has 33,625,927 at
    48 and 134,289,223 at 224. Pixels 0 to 1, RGB.
    """
    inputs = x = keras.Input(input_shape)
    for filters, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(convolutions):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(4096, activation="relu")(x)
    x = layers.Dense(4096, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="vggnet")


def mediapipe_vggnet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Eight convolutions with batch normalisation and dropout, on greyscale images.

    Reference: BTFER, table 4, which says about 5.5 million parameters; the notebooks' network has
    7,054,279 at 48. No notebook calls MediaPipe. Pixels 0 to 255, one channel; it divides by 255.
    """
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(1 / 255)(inputs)
    for filters, dropout in ((64, 0.5), (128, 0.4), (256, 0.5), (512, 0.4)):
        # The very first convolution is not padded: a slip of the notebooks that the totals keep.
        x = _normalised_conv(x, filters, "valid" if filters == 64 else "same")
        x = _normalised_conv(x, filters, "same")
        x = layers.Dropout(dropout)(layers.MaxPooling2D()(x))
    x = layers.Dense(1024, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(256, activation="relu")(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="mediapipe_vggnet")


def _normalised_conv(x: keras.KerasTensor, filters: int, padding: str) -> keras.KerasTensor:
    """Normalisation after the activation, as in the notebooks."""
    x = layers.Conv2D(
        filters, 3, padding=padding, activation="relu", kernel_initializer="he_normal"
    )(x)
    return layers.BatchNormalization()(x)
