"""ResNet50 and SENet50 with BTFER's head, and ResNet18 with the layers that BTFER adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.head import bare_backbone, with_common_head
from btfer.bench.architectures.preprocessing import CENTRED_BGR, VGGFACE2_BGR
from btfer.bench.architectures.registry import Shape, at_both_sizes, network
from btfer.bench.architectures.vggface import vggface_resnet50, vggface_senet50
from btfer.bench.architectures.weight_files import imagenet_file, vggface_file

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


@network(
    family="ResNet",
    parameters=at_both_sizes(24_146_055),
    multiply_adds={48: 204, 224: 3_856},
    variants={"vggface": {224: 24_119_495}},
    weight_files={
        "imagenet": imagenet_file(
            "resnet",
            "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="4d473c1dd8becc155b73f8504c6f6626",
        ),
        "vggface": vggface_file("resnet50"),
    },
    preprocessing={"none": CENTRED_BGR, "imagenet": CENTRED_BGR, "vggface": VGGFACE2_BGR},
)
def resnet50(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """ResNet50 without its top, global average, the common head.

    Reference: He et al. 2016, https://arxiv.org/abs/1512.03385; BTFER, section 3. The VGGFace form is
    another network: no biases, first pool unpadded, strides in the first convolution of a block. Pixels 0 to 1, RGB.
    """
    if weights == "vggface":
        return with_common_head(vggface_resnet50(input_shape), classes, "resnet50")
    return with_common_head(
        bare_backbone(keras.applications.ResNet50, input_shape), classes, "resnet50"
    )


@network(
    family="ResNet",
    parameters={48: 11_710_919, 224: 11_718_599},
    multiply_adds={48: 1_250, 224: 1_814},
)
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


@network(
    family="ResNet",
    parameters={224: 26_650_487},
    multiply_adds={224: 3_835},
    weight_files={"vggface": vggface_file("senet50")},
    preprocessing={"none": VGGFACE2_BGR, "vggface": VGGFACE2_BGR},
)
def senet50(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """SENet50 as in keras-vggface, the common head; at 224 only, where its 7x7 average pool fits.

    Reference: Hu et al. 2018, https://arxiv.org/abs/1709.01507; BTFER, table 3. Pixels 0 to 1, RGB.
    """
    return with_common_head(vggface_senet50(input_shape), classes, "senet50")


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
