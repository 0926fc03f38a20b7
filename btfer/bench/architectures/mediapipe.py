"""The greyscale network that the paper calls MediaPipe + VGGNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.registry import Shape, network

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


@network(
    family="VGG",
    parameters={48: 7_054_279, 224: 93_561_799},
    multiply_adds={48: 394, 224: 9_915},
    channels=1,
    pixel_range=(0.0, 255.0),
)
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
