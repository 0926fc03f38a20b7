"""Every builder by the name of its architecture. Importing this loads Keras."""

from collections.abc import Callable

import keras

from btfer.bench.architectures.mobilenet import mobilenetv2
from btfer.bench.architectures.resnet import resnet18
from btfer.bench.architectures.sequential import sequential_3conv, sequential_4conv

BUILDERS: dict[str, Callable[[tuple[int, int, int], int, str], keras.Model]] = {
    "resnet18": resnet18,
    "sequential_3conv": sequential_3conv,
    "sequential_4conv": sequential_4conv,
    "mobilenetv2": mobilenetv2,
}
