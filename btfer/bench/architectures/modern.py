"""Networks since the paper, for the grid `modern`: ConvNeXt-Tiny, EfficientNetV2-S, MobileNetV3, ViT-S/16 and DAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.head import bare_backbone, with_common_head
from btfer.bench.architectures.preprocessing import STANDARDISED, UP_TO_255
from btfer.bench.architectures.registry import BACKBONE, Shape, at_both_sizes, network
from btfer.bench.architectures.weight_files import imagenet_file

if TYPE_CHECKING:
    import keras
    from keras import layers, ops
else:
    from btfer.bench.architectures.lazy import keras, layers, ops

PATCH_PX, WIDTH, DEPTH, HEADS = 16, 384, 12, 6  # ViT-S/16
PUBLISHED = {"momentum": 0.9, "epsilon": 1e-5}  # of the batch normalisation of ResNet-18 and DAN
BRANCHES = 4  # of attention, in DAN


@network(
    family="ConvNeXt",
    parameters=at_both_sizes(28_050_791),
    multiply_adds={48: 185, 224: 4_455},
    weight_files={
        "imagenet": imagenet_file(
            "convnext",
            "convnext_tiny_notop.h5",
            sha256="d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        )
    },
    preprocessing={"none": UP_TO_255, "imagenet": UP_TO_255},
)
def convnext_tiny(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """ConvNeXt-Tiny without its top, global average, the common head.

    Reference: Liu et al. 2022, https://arxiv.org/abs/2201.03545. It standardises pixels 0 to 255
    itself. Pixels 0 to 1, RGB.
    """
    backbone = bare_backbone(keras.applications.ConvNeXtTiny, input_shape)
    return with_common_head(backbone, classes, "convnext_tiny")


@network(
    family="EfficientNet",
    parameters=at_both_sizes(20_693_095),
    multiply_adds={48: 155, 224: 2_849},
    weight_files={
        "imagenet": imagenet_file(
            "efficientnet_v2", "efficientnetv2-s_notop.h5", md5="af0682fb74e8c54910f2d4393339c070"
        )
    },
    preprocessing={"none": UP_TO_255, "imagenet": UP_TO_255},
)
def efficientnetv2s(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """EfficientNetV2-S without its top, global average, the common head.

    Reference: Tan and Le 2021, https://arxiv.org/abs/2104.00298. It scales pixels 0 to 255 itself.
    Pixels 0 to 1, RGB.
    """
    network = keras.applications.EfficientNetV2S  # takes no other name: it looks itself up by it
    bare = network(include_top=False, weights=None, input_shape=input_shape)
    backbone = keras.Model(bare.input, bare.output, name=BACKBONE)
    return with_common_head(backbone, classes, "efficientnetv2s")


@network(
    family="MobileNet",
    parameters=at_both_sizes(1_120_631),
    multiply_adds={48: 4, 224: 55},
    weight_files={
        "imagenet": imagenet_file(
            "mobilenet_v3",
            "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
            md5="d3e8ec802a04aa4fc771ee12a9a9b836",
        )
    },
    preprocessing={"none": UP_TO_255, "imagenet": UP_TO_255},
)
def mobilenetv3_small(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """MobileNetV3-Small without its top, global average, the common head.

    Reference: Howard et al. 2019, https://arxiv.org/abs/1905.02244. It scales pixels 0 to 255 itself.
    Pixels 0 to 1, RGB.
    """
    backbone = _decaying_as_published(
        bare_backbone(keras.applications.MobileNetV3Small, input_shape)
    )
    return with_common_head(backbone, classes, "mobilenetv3_small")


@network(
    family="MobileNet",
    parameters=at_both_sizes(3_276_167),
    multiply_adds={48: 13, 224: 214},
    weight_files={
        "imagenet": imagenet_file(
            "mobilenet_v3",
            "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
            md5="07fb09a5933dd0c8eaafa16978110389",
        )
    },
    preprocessing={"none": UP_TO_255, "imagenet": UP_TO_255},
)
def mobilenetv3_large(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """MobileNetV3-Large without its top, global average, the common head.

    Reference: Howard et al. 2019, https://arxiv.org/abs/1905.02244. It scales pixels 0 to 255 itself.
    Pixels 0 to 1, RGB.
    """
    backbone = _decaying_as_published(
        bare_backbone(keras.applications.MobileNetV3Large, input_shape)
    )
    return with_common_head(backbone, classes, "mobilenetv3_large")


@network(
    family="ViT",
    parameters={48: 21_725_063, 224: 21_796_871},
    multiply_adds={48: 194, 224: 4_220},
    preprocessing={"none": STANDARDISED},
)
def vit_s16(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """ViT-S/16: patches of 16 pixels, twelve blocks of attention with six heads, average, the common head.

    As the plain ViT-S/16 of 2022 without a class token; places are learnt, as the bias that each patch
    has of its own. Reference: Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929; Touvron et al.
    2021, https://arxiv.org/abs/2012.12877 (its width); Beyer et al. 2022, https://arxiv.org/abs/2205.01580.
    Pixels 0 to 1, RGB.
    """
    return with_common_head(_vit(input_shape), classes, "vit_s16")


@network(
    family="FER",
    parameters=at_both_sizes(19_747_939),
    multiply_adds={48: 132, 224: 2_225},
    preprocessing={"none": STANDARDISED},
)
def dan(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """DAN: ResNet-18, four branches of spatial then channel attention, their log-softmax summed, a normalised head.

    The partition and affinity losses of the paper are left out: it is trained by the protocol's loss, as every other
    network here. Reference: Wen et al. 2023, Distract Your Attention, https://arxiv.org/abs/2109.07270: 19.72 million
    parameters that learn. Pixels 0 to 1, RGB.
    """
    inputs = keras.Input(input_shape)
    features = _resnet18(inputs)
    branches = [layers.Reshape((1, 512))(_attended(features)) for _ in range(BRANCHES)]
    x = layers.Concatenate(axis=1)(branches)
    x = ops.sum(ops.log_softmax(x, axis=1), axis=1)
    x = layers.BatchNormalization(**PUBLISHED)(layers.Dense(classes)(x))
    return keras.Model(inputs, layers.Softmax()(x), name="dan")


def _decaying_as_published(backbone: keras.Model) -> keras.Model:
    """MobileNetV3 with the decay of 0.99 that its authors give for their batch normalisation (section 6.1).

    Keras has 0.999: after the 1,200 steps of 20 epochs of 2,400 images a third of what a network began with stands
    in its averages, and it names one class for every face.
    """
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.99
    return backbone


def _vit(input_shape: Shape) -> keras.Model:
    rows, columns = input_shape[0] // PATCH_PX, input_shape[1] // PATCH_PX
    inputs = keras.Input(input_shape)
    x = layers.Reshape((rows, PATCH_PX, columns, PATCH_PX, input_shape[2]))(inputs)
    x = layers.Permute((1, 3, 2, 4, 5))(x)
    x = layers.Reshape((rows * columns, PATCH_PX**2 * input_shape[2]))(x)
    # A bias for each patch: the place is learnt without a layer of our own, which a file would need to know.
    x = layers.EinsumDense(
        "npi,io->npo",
        (rows * columns, WIDTH),
        bias_axes="po",
        bias_initializer=keras.initializers.RandomNormal(stddev=0.02),
    )(x)
    for _ in range(DEPTH):
        x = _transformer_block(x)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    return keras.Model(inputs, layers.Reshape((rows, columns, WIDTH))(x), name=BACKBONE)


def _transformer_block(x: keras.KerasTensor) -> keras.KerasTensor:
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    y = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(y, y)
    x = layers.Add()([x, y])
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    y = layers.Dense(4 * WIDTH, activation="gelu")(y)
    return layers.Add()([x, layers.Dense(WIDTH)(y)])


def _resnet18(x: keras.KerasTensor) -> keras.KerasTensor:
    """ResNet-18 as published, up to its last map: 512 channels at a 32nd of the side."""
    x = layers.ReLU()(_conv(x, 64, 7, 2, bias=False))
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for width in (64, 128, 256, 512):
        for number in range(2):
            x = _basic_block(x, width, 2 if width > 64 and number == 0 else 1)
    return x


def _basic_block(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    y = layers.ReLU()(_conv(x, width, 3, stride, bias=False))
    y = _conv(y, width, 3, 1, bias=False)
    if stride > 1:
        x = _conv(x, width, 1, stride, bias=False)
    return layers.ReLU()(layers.Add()([x, y]))


def _attended(x: keras.KerasTensor) -> keras.KerasTensor:
    """One branch: the map weighted by place, averaged, then weighted by channel. [N, h, w, 512] to [N, 512]."""
    y = _conv(x, 256, 1)
    y = layers.ReLU()(layers.Add()([_conv(y, 512, kernel) for kernel in (3, (1, 3), (3, 1))]))
    x = x * ops.sum(y, axis=-1, keepdims=True)
    x = layers.GlobalAveragePooling2D()(x)
    y = layers.BatchNormalization(**PUBLISHED)(layers.Dense(32)(x))
    y = layers.Dense(512, activation="sigmoid")(layers.ReLU()(y))
    return layers.Multiply()([x, y])


def _conv(
    x: keras.KerasTensor,
    width: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    *,
    bias: bool = True,
) -> keras.KerasTensor:
    x = layers.Conv2D(width, kernel, stride, padding="same", use_bias=bias)(x)
    return layers.BatchNormalization(**PUBLISHED)(x)
