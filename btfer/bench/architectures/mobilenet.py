"""MobileNetV2 of keras.applications with the head that BTFER puts on every pretrained network."""

import keras
from keras import layers

from btfer.bench.architectures import BACKBONE
from btfer.bench.architectures.pretrained import load_into, weights_file

FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{FILE}"


def mobilenetv2(
    input_shape: tuple[int, int, int], classes: int, weights: str = "none"
) -> keras.Model:
    """MobileNetV2 without its top, global average, the common head; weights: none or imagenet.

    Reference: Sandler et al. 2018, https://arxiv.org/abs/1801.04381; BTFER, section 3. ImageNet
    weights were made with pixels -1 to 1, the paper feeds 0 to 1. Some of its notebooks have a head
    of 1024-1024-512 instead (5,147,719 parameters).
    """
    backbone = keras.applications.MobileNetV2(
        input_shape=input_shape, alpha=1.0, include_top=False, weights=None, name=BACKBONE
    )
    if weights == "imagenet":
        load_into(backbone, weights_file(FILE, URL))
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(backbone(inputs))
    return keras.Model(inputs, common_head(x, classes), name="mobilenetv2")


def common_head(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Dense 256, Dropout 0.2, Dense 128, softmax.

    The paper's text says 256 for the second Dense; every printed summary of its notebooks has 128.
    """
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(128, activation="relu")(x)
    return layers.Dense(classes, activation="softmax")(x)
