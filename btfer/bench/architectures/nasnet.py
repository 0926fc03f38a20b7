"""NASNetMobile with BTFER's head."""

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
    family="NASNet",
    parameters=at_both_sizes(4_574_107),
    multiply_adds={48: 31, 224: 563},
    weight_files={
        "imagenet": imagenet_file(
            "nasnet",
            "NASNet-mobile-no-top.h5",
            md5="1ed92395b5b598bdda52abe5c0dbfd63",
            cached_as="nasnet_mobile_no_top.h5",
        )
    },
    preprocessing={"none": PLUS_MINUS_1, "imagenet": PLUS_MINUS_1},
)
def nasnetmobile(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """NASNetMobile without its top, global average, the common head.

    Reference: Zoph et al. 2018, https://arxiv.org/abs/1707.07012; BTFER, section 3. Its notebooks
    train with pixels -1 to 1, and most then score BTFER with 0 to 1. Pixels 0 to 1, RGB.
    """
    backbone = bare_backbone(keras.applications.NASNetMobile, input_shape)
    return with_common_head(backbone, classes, "nasnetmobile")
