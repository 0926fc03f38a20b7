"""GoogLeNet as in BTFER's notebooks and as published; InceptionV3 and Xception with BTFER's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.head import bare_backbone, with_common_head
from btfer.bench.architectures.preprocessing import PLUS_MINUS_1
from btfer.bench.architectures.registry import Shape, at_both_sizes, network
from btfer.bench.architectures.weight_files import imagenet_file

if TYPE_CHECKING:
    import keras
    from keras import layers, ops
else:
    from btfer.bench.architectures.lazy import keras, layers, ops

Filters = tuple[
    int, int, int, int, int, int
]  # 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection

MODULES: dict[str, Filters] = {  # Szegedy et al. 2015, table 1
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


@network(
    family="Inception",
    parameters={48: 5_909_319, 224: 5_916_999},
    multiply_adds={48: 204, 224: 1_550},
)
def googlenet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """What BTFER's notebooks call GoogLeNet: the published filter lists, passed in the wrong order.

    No auxiliary heads and no normalisation. Below 128 pixels the stem is a 3x3 convolution without
    stride, every pool is 2x2, and one more stands after 4b. The paper's table 3 prints about 89
    million parameters, those of Sequential Simple. Reference: BTFER, section 3. Pixels 0 to 1, RGB.
    """
    small = input_shape[0] < 128
    pool, shrinking = (2, ("3b", "4b", "4e")) if small else (3, ("3b", "4e"))
    inputs = keras.Input(input_shape)
    x = _conv(inputs, 64, 3) if small else _conv(inputs, 64, 7, 2)
    x = layers.MaxPooling2D(pool, 2, padding="same")(x)
    x = _conv(_conv(x, 64, 1), 192, 3)
    x = layers.MaxPooling2D(pool, 2, padding="same")(x)
    for name, filters in MODULES.items():
        x = _notebook_module(x, filters)
        if name in shrinking:
            x = layers.MaxPooling2D(pool, 2, padding="same")(x)
    return _classified(inputs, x, classes, "googlenet")


@network(
    family="Inception",
    parameters=at_both_sizes(5_980_727),
    multiply_adds={48: 77, 224: 1_582},
)
def googlenet_szegedy(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """GoogLeNet as published, with its local response normalisation, without the auxiliary heads.

    The heads are used in training only and make up no part of the published count. Reference:
    Szegedy et al. 2015, https://arxiv.org/abs/1409.4842, table 1. Pixels 0 to 1, RGB.
    """
    inputs = keras.Input(input_shape)
    x = _halved(_conv(inputs, 64, 7, 2))
    x = _conv(_conv(_normalised(x), 64, 1), 192, 3)
    x = _halved(_normalised(x))
    for name, filters in MODULES.items():
        x = _published_module(x, filters)
        if name in ("3b", "4e"):
            x = _halved(x)
    return _classified(inputs, x, classes, "googlenet_szegedy")


@network(
    family="Inception",
    parameters={224: 22_361_127},
    multiply_adds={224: 2_836},
    weight_files={
        "imagenet": imagenet_file(
            "inception_v3",
            "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="bcbd6486424b2319ff4ef7d526e38f63",
        )
    },
    preprocessing={"none": PLUS_MINUS_1, "imagenet": PLUS_MINUS_1},
)
def inceptionv3(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """InceptionV3 without its top, global average, the common head; 75 pixels or more.

    Reference: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567; BTFER, table 3. Pixels 0 to 1, RGB.
    """
    backbone = bare_backbone(keras.applications.InceptionV3, input_shape)
    return with_common_head(backbone, classes, "inceptionv3")


@network(
    family="Inception",
    parameters={224: 21_419_823},
    multiply_adds={224: 4_551},
    weight_files={
        "imagenet": imagenet_file(
            "xception",
            "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="b0042744bf5b25fce3cb969f33bebb97",
        )
    },
    preprocessing={"none": PLUS_MINUS_1, "imagenet": PLUS_MINUS_1},
)
def xception(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """Xception without its top, global average, the common head; 71 pixels or more.

    Reference: Chollet 2017, https://arxiv.org/abs/1610.02357; BTFER, table 3. Some notebooks flatten
    instead (46,585,647 parameters). Pixels 0 to 1, RGB.
    """
    return with_common_head(
        bare_backbone(keras.applications.Xception, input_shape), classes, "xception"
    )


def _notebook_module(x: keras.KerasTensor, filters: Filters) -> keras.KerasTensor:
    """Reads the list as 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection, 1x1."""
    reduce_3, conv_3, reduce_5, conv_5, project, conv_1 = filters
    return layers.Concatenate()(
        [
            _conv(_conv(x, reduce_3, 1), conv_3, 3),
            _conv(_conv(x, reduce_5, 1), conv_5, 5),
            _conv(layers.MaxPooling2D(3, 1, padding="same")(x), project, 1),
            _conv(x, conv_1, 1),
        ]
    )


def _published_module(x: keras.KerasTensor, filters: Filters) -> keras.KerasTensor:
    conv_1, reduce_3, conv_3, reduce_5, conv_5, project = filters
    return layers.Concatenate()(
        [
            _conv(x, conv_1, 1),
            _conv(_conv(x, reduce_3, 1), conv_3, 3),
            _conv(_conv(x, reduce_5, 1), conv_5, 5),
            _conv(layers.MaxPooling2D(3, 1, padding="same")(x), project, 1),
        ]
    )


def _conv(x: keras.KerasTensor, filters: int, kernel: int, stride: int = 1) -> keras.KerasTensor:
    return layers.Conv2D(filters, kernel, stride, padding="same", activation="relu")(x)


def _halved(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.MaxPooling2D(3, 2, padding="same")(x)


def _normalised(x: keras.KerasTensor) -> keras.KerasTensor:
    """Local response normalisation over five channels (Krizhevsky et al. 2012, section 3.3)."""
    channels = x.shape[-1]
    squares = ops.pad(ops.square(x), ((0, 0), (0, 0), (0, 0), (2, 2)))
    nearby = layers.Add()([squares[..., first : first + channels] for first in range(5)])
    return x / (1 + nearby * (1e-4 / 5)) ** 0.75


def _classified(
    inputs: keras.KerasTensor, x: keras.KerasTensor, classes: int, name: str
) -> keras.Model:
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name=name)
