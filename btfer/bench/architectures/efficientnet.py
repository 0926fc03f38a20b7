"""EfficientNetV2B0 with BTFER's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.head import with_common_head
from btfer.bench.architectures.preprocessing import UP_TO_255
from btfer.bench.architectures.registry import BACKBONE, Shape, at_both_sizes, network
from btfer.bench.architectures.weight_files import imagenet_file

if TYPE_CHECKING:
    import keras
else:
    from btfer.bench.architectures.lazy import keras


@network(
    family="EfficientNet",
    parameters=at_both_sizes(6_281_047),
    multiply_adds={48: 40, 224: 717},
    weight_files={
        "imagenet": imagenet_file(
            "efficientnet_v2", "efficientnetv2-b0_notop.h5", md5="893217f2bb855e2983157299931e43ff"
        )
    },
    preprocessing={"none": UP_TO_255, "imagenet": UP_TO_255},
)
def efficientnetv2b0(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """EfficientNetV2B0 without its top, global average, the common head.

    Reference: Tan and Le 2021, https://arxiv.org/abs/2104.00298; BTFER, section 3. It divides pixels
    by 255 itself; the notebooks feed 0 to 1 nevertheless. Two of them build EfficientNetB0. Pixels 0 to 1, RGB.
    """
    network = keras.applications.EfficientNetV2B0  # takes no other name: it looks itself up by it
    bare = network(include_top=False, weights=None, input_shape=input_shape)
    backbone = keras.Model(bare.input, bare.output, name=BACKBONE)
    return with_common_head(backbone, classes, "efficientnetv2b0")
