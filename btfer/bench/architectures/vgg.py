"""VGG16 and VGG19 with BTFER's head, and VGGNet from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.head import bare_backbone, with_common_head
from btfer.bench.architectures.preprocessing import CENTRED_BGR, VGGFACE_BGR
from btfer.bench.architectures.registry import Shape, at_both_sizes, network
from btfer.bench.architectures.vggface import vggface_vgg16
from btfer.bench.architectures.weight_files import imagenet_file, vggface_file

if TYPE_CHECKING:
    import keras
    from keras import layers
else:
    from btfer.bench.architectures.lazy import keras, layers


@network(
    family="VGG",
    parameters=at_both_sizes(14_879_815),
    multiply_adds={48: 705, 224: 15_347},
    weight_files={
        "imagenet": imagenet_file(
            "vgg16",
            "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="6d6bbae143d832006294945121d1f1fc",
        ),
        "vggface": vggface_file("vgg16"),
    },
    preprocessing={"none": CENTRED_BGR, "imagenet": CENTRED_BGR, "vggface": VGGFACE_BGR},
)
def vgg16(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """VGG16's convolutions, global average, the common head.

    Reference: Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556; BTFER, section 3. Some
    notebooks flatten instead, which is the same at 48 and 21,171,271 parameters at 224. Pixels 0 to 1, RGB.
    """
    if weights == "vggface":
        return with_common_head(vggface_vgg16(input_shape), classes, "vgg16")
    return with_common_head(bare_backbone(keras.applications.VGG16, input_shape), classes, "vgg16")


@network(
    family="VGG",
    parameters=at_both_sizes(20_189_511),
    multiply_adds={48: 896, 224: 19_509},
    weight_files={
        "imagenet": imagenet_file(
            "vgg19",
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="253f8cb515780f3b799900260a226db6",
        )
    },
    preprocessing={"none": CENTRED_BGR, "imagenet": CENTRED_BGR},
)
def vgg19(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """VGG19's convolutions, global average, the common head.

    Reference: Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556; BTFER, section 3. Some
    notebooks filed as VGG19 build VGG16. Pixels 0 to 1, RGB.
    """
    return with_common_head(bare_backbone(keras.applications.VGG19, input_shape), classes, "vgg19")


@network(
    family="VGG",
    parameters={48: 33_625_927, 224: 134_289_223},
    multiply_adds={48: 724, 224: 15_466},
)
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
