"""MobileNet and MobileNetV2 with BTFER's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.head import bare_backbone, with_common_head
from btfer.bench.architectures.preprocessing import PLUS_MINUS_1
from btfer.bench.architectures.registry import Shape, at_both_sizes, network
from btfer.bench.architectures.weight_files import imagenet_file

if TYPE_CHECKING:
    import keras
else:
    from btfer.bench.architectures.lazy import keras


@network(
    family="MobileNet",
    parameters=at_both_sizes(3_525_063),
    multiply_adds={48: 24, 224: 568},
    weight_files={"imagenet": imagenet_file("mobilenet", "mobilenet_1_0_224_tf_no_top.h5")},
    preprocessing={"none": PLUS_MINUS_1, "imagenet": PLUS_MINUS_1},
)
def mobilenet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """MobileNet without its top, global average, the common head.

    Reference: Howard et al. 2017, https://arxiv.org/abs/1704.04861; BTFER, section 3. Some notebooks
    have a head of 1024-1024-512 instead (5,856,455 parameters). Pixels 0 to 1, RGB.
    """
    return with_common_head(
        bare_backbone(keras.applications.MobileNet, input_shape), classes, "mobilenet"
    )


@network(
    family="MobileNet",
    parameters=at_both_sizes(2_619_719),
    multiply_adds={48: 17, 224: 300},
    weight_files={
        "imagenet": imagenet_file(
            "mobilenet_v2", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
        )
    },
    preprocessing={"none": PLUS_MINUS_1, "imagenet": PLUS_MINUS_1},
)
def mobilenetv2(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """MobileNetV2 without its top, global average, the common head.

    Reference: Sandler et al. 2018, https://arxiv.org/abs/1801.04381; BTFER, section 3. Some notebooks
    have a head of 1024-1024-512 instead (5,147,719 parameters). Pixels 0 to 1, RGB.
    """
    backbone = bare_backbone(keras.applications.MobileNetV2, input_shape)
    return with_common_head(backbone, classes, "mobilenetv2")
