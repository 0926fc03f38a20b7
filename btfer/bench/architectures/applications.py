"""The networks of keras.applications with the head that BTFER puts on every pretrained backbone.

BTFER's notebooks feed pixels 0 to 1 to all of them, in RGB, also where ImageNet weights expect
another range; the exceptions are named here. Parameters with seven classes are in the registry.
`weights` chooses the form only: `btfer.bench.architectures.weights` loads them.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from btfer.bench.architectures import BACKBONE
from btfer.bench.architectures.vggface import (
    vggface_resnet50,
    vggface_senet50,
    vggface_vgg16,
)

Shape = tuple[int, int, int]


def vgg16(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """VGG16's convolutions, global average, the common head.

    Reference: Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556; BTFER, section 3. Some
    notebooks flatten instead, which is the same at 48 and 21,171,271 parameters at 224.
    """
    if weights == "vggface":
        return with_common_head(vggface_vgg16(input_shape), classes, "vgg16")
    return with_common_head(_bare(keras.applications.VGG16, input_shape), classes, "vgg16")


def vgg19(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """VGG19's convolutions, global average, the common head.

    Reference: Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556; BTFER, section 3. Some
    notebooks filed as VGG19 build VGG16.
    """
    return with_common_head(_bare(keras.applications.VGG19, input_shape), classes, "vgg19")


def mobilenet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """MobileNet without its top, global average, the common head.

    Reference: Howard et al. 2017, https://arxiv.org/abs/1704.04861; BTFER, section 3. Some notebooks
    have a head of 1024-1024-512 instead (5,856,455 parameters).
    """
    return with_common_head(_bare(keras.applications.MobileNet, input_shape), classes, "mobilenet")


def mobilenetv2(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """MobileNetV2 without its top, global average, the common head.

    Reference: Sandler et al. 2018, https://arxiv.org/abs/1801.04381; BTFER, section 3. Some notebooks
    have a head of 1024-1024-512 instead (5,147,719 parameters).
    """
    backbone = _bare(keras.applications.MobileNetV2, input_shape)
    return with_common_head(backbone, classes, "mobilenetv2")


def efficientnetv2b0(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """EfficientNetV2B0 without its top, global average, the common head.

    Reference: Tan and Le 2021, https://arxiv.org/abs/2104.00298; BTFER, section 3. It divides pixels
    by 255 itself; the notebooks feed 0 to 1 nevertheless. Two of them build EfficientNetB0.
    """
    network = keras.applications.EfficientNetV2B0  # takes no other name: it looks itself up by it
    bare = network(include_top=False, weights=None, input_shape=input_shape)
    backbone = keras.Model(bare.input, bare.output, name=BACKBONE)
    return with_common_head(backbone, classes, "efficientnetv2b0")


def resnet50(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """ResNet50 without its top, global average, the common head.

    Reference: He et al. 2016, https://arxiv.org/abs/1512.03385; BTFER, section 3. The VGGFace form is
    another network: no biases, first pool unpadded, strides in the first convolution of a block.
    """
    if weights == "vggface":
        return with_common_head(vggface_resnet50(input_shape), classes, "resnet50")
    return with_common_head(_bare(keras.applications.ResNet50, input_shape), classes, "resnet50")


def senet50(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """SENet50 as in keras-vggface, the common head; at 224 only, where its 7x7 average pool fits.

    Reference: Hu et al. 2018, https://arxiv.org/abs/1709.01507; BTFER, table 3.
    """
    return with_common_head(vggface_senet50(input_shape), classes, "senet50")


def nasnetmobile(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """NASNetMobile without its top, global average, the common head.

    Reference: Zoph et al. 2018, https://arxiv.org/abs/1707.07012; BTFER, section 3. Its notebooks
    train with pixels -1 to 1, and most then score BTFER with 0 to 1.
    """
    backbone = _bare(keras.applications.NASNetMobile, input_shape)
    return with_common_head(backbone, classes, "nasnetmobile")


def densenet121(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """DenseNet121 without its top, global average, the common head.

    Reference: Huang et al. 2017, https://arxiv.org/abs/1608.06993; BTFER, section 3.
    """
    backbone = _bare(keras.applications.DenseNet121, input_shape)
    return with_common_head(backbone, classes, "densenet121")


def inceptionv3(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """InceptionV3 without its top, global average, the common head; 75 pixels or more.

    Reference: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567; BTFER, table 3.
    """
    backbone = _bare(keras.applications.InceptionV3, input_shape)
    return with_common_head(backbone, classes, "inceptionv3")


def xception(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Xception without its top, global average, the common head; 71 pixels or more.

    Reference: Chollet 2017, https://arxiv.org/abs/1610.02357; BTFER, table 3. Some notebooks flatten
    instead (46,585,647 parameters).
    """
    return with_common_head(_bare(keras.applications.Xception, input_shape), classes, "xception")


def with_common_head(backbone: keras.Model, classes: int, name: str) -> keras.Model:
    """The backbone, global average, Dense 256, Dropout 0.2, Dense 128, softmax.

    The paper's text says 256 for the second Dense; every printed summary of its notebooks has 128.
    """
    inputs = keras.Input(backbone.input_shape[1:])
    x = layers.GlobalAveragePooling2D()(backbone(inputs))
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name=name)


def _bare(network: Callable[..., Any], input_shape: Shape) -> keras.Model:
    return network(include_top=False, weights=None, input_shape=input_shape, name=BACKBONE)
