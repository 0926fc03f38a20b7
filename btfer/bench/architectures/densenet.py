"""DenseNet121 with BTFER's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from btfer.bench.architectures.head import bare_backbone, with_common_head
from btfer.bench.architectures.preprocessing import STANDARDISED
from btfer.bench.architectures.registry import Shape, at_both_sizes, network
from btfer.bench.architectures.weight_files import imagenet_file

if TYPE_CHECKING:
    import keras
else:
    from btfer.bench.architectures.lazy import keras


@network(
    family="DenseNet",
    parameters=at_both_sizes(7_333_703),
    multiply_adds={48: 128, 224: 2_833},
    weight_files={
        "imagenet": imagenet_file(
            "densenet",
            "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="30ee3e1110167f948a6b9946edeeb738",
        )
    },
    preprocessing={"none": STANDARDISED, "imagenet": STANDARDISED},
)
def densenet121(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """DenseNet121 without its top, global average, the common head.

    Reference: Huang et al. 2017, https://arxiv.org/abs/1608.06993; BTFER, section 3. Pixels 0 to 1, RGB.
    """
    backbone = bare_backbone(keras.applications.DenseNet121, input_shape)
    return with_common_head(backbone, classes, "densenet121")
