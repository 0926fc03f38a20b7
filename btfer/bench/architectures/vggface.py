"""The three networks of keras-vggface, without their tops: what its weight files fit, value for value.

Stated as facts of its public source (github.com/rcmalli/keras-vggface, models.py): layer names (where
it has a slash, which Keras 3 refuses, there is an underscore here), which layers have biases, the
unpadded first pool, strides in the first 1x1 convolution of a block, the epsilon of the batch
normalisation, and the 7x7 average pool at the end of the two residual networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.registry import BACKBONE, Shape

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers

STAGES = ((2, 64, 3), (3, 128, 4), (4, 256, 6), (5, 512, 3))  # number, width, blocks
SQUEEZE = 16  # a squeeze-and-excitation gate goes through this share of the channels


def vggface_vgg16(input_shape: Shape) -> keras.Model:
    """The thirteen convolutions of VGG16. Reference: Parkhi et al. 2015, Deep Face Recognition."""
    inputs = x = keras.Input(input_shape)
    for stage, (filters, convolutions) in enumerate(
        ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1
    ):
        for number in range(1, convolutions + 1):
            name = f"conv{stage}_{number}"
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = layers.MaxPooling2D(name=f"pool{stage}")(x)
    return keras.Model(inputs, x, name=BACKBONE)


def vggface_resnet50(input_shape: Shape) -> keras.Model:
    """ResNet50 of VGGFace2. Reference: Cao et al. 2018, https://arxiv.org/abs/1710.08092."""
    return _residual_network(input_shape, gated=False, epsilon=1e-3)


def vggface_senet50(input_shape: Shape) -> keras.Model:
    """SENet50 of VGGFace2. Reference: Cao et al. 2018, https://arxiv.org/abs/1710.08092."""
    return _residual_network(input_shape, gated=True, epsilon=1e-4)


def _residual_network(input_shape: Shape, *, gated: bool, epsilon: float) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = _conv(inputs, 64, 7, 2, "conv1_7x7_s2", epsilon)
    x = layers.MaxPooling2D(3, 2)(layers.ReLU()(x))
    for stage, width, blocks in STAGES:
        for number in range(1, blocks + 1):
            stride = 2 if stage > 2 and number == 1 else 1
            name = f"conv{stage}_{number}"
            x = _block(x, width, stride, name, projected=number == 1, gated=gated, epsilon=epsilon)
    return keras.Model(inputs, layers.AveragePooling2D(7, name="avg_pool")(x), name=BACKBONE)


def _block(
    x: keras.KerasTensor,
    width: int,
    stride: int,
    name: str,
    *,
    projected: bool,
    gated: bool,
    epsilon: float,
) -> keras.KerasTensor:
    """1x1, 3x3, 1x1, gated or not, beside the input or a 1x1 projection of it."""
    y = layers.ReLU()(_conv(x, width, 1, stride, f"{name}_1x1_reduce", epsilon))
    y = layers.ReLU()(_conv(y, width, 3, 1, f"{name}_3x3", epsilon))
    y = _conv(y, 4 * width, 1, 1, f"{name}_1x1_increase", epsilon)
    if gated:
        y = _gate(y, name)
    if projected:
        x = _conv(x, 4 * width, 1, stride, f"{name}_1x1_proj", epsilon)
    return layers.ReLU()(layers.Add()([y, x]))


def _gate(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Each channel times a factor from 0 to 1, which depends on the averages of all channels."""
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(channels // SQUEEZE, 1, activation="relu", name=f"{name}_1x1_down")(gate)
    gate = layers.Conv2D(channels, 1, activation="sigmoid", name=f"{name}_1x1_up")(gate)
    return layers.Multiply()([x, gate])


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str, epsilon: float
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(epsilon=epsilon, name=f"{name}_bn")(x)
