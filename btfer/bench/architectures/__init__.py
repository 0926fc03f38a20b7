"""The networks that can be ranked, one decorated function each; importing this loads no Keras.

registry        the decorator, what is known of a network, and the dict of them
vgg ... mediapipe   the networks, a file for each family; `modern` has those after the paper's
head, vggface   what several families share
preprocessing   what each backbone was made for
weight_files    published weights; `weights` finds, fetches and loads them (that one loads Keras)

Layer by layer as in the BTFER authors' notebooks; where these differ from the paper's text, the
notebooks' printed parameter totals decide, and the builder says so. Where a notebook's network is
not what its name says, the published one stands beside it (`repvgg_a0`, `googlenet_szegedy`).
"""

# The order of the tables, which is not the alphabet's.
# isort: off
from btfer.bench.architectures import vgg as vgg
from btfer.bench.architectures import repvgg as repvgg
from btfer.bench.architectures import mobilenet as mobilenet
from btfer.bench.architectures import efficientnet as efficientnet
from btfer.bench.architectures import resnet as resnet
from btfer.bench.architectures import nasnet as nasnet
from btfer.bench.architectures import densenet as densenet
from btfer.bench.architectures import inception as inception
from btfer.bench.architectures import classic as classic
from btfer.bench.architectures import sequential as sequential
from btfer.bench.architectures import branched as branched
from btfer.bench.architectures import mediapipe as mediapipe
from btfer.bench.architectures import modern as modern
from btfer.bench.architectures import small as small

# isort: on
from btfer.bench.architectures.registry import (
    ARCHITECTURES,
    BACKBONE,
    SIZES,
    Architecture,
    Shape,
    architecture,
    network,
)

__all__ = [
    "ARCHITECTURES",
    "BACKBONE",
    "SIZES",
    "Architecture",
    "Shape",
    "architecture",
    "network",
]
