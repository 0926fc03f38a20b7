"""Every builder by the name of its architecture. Importing this loads Keras."""

from collections.abc import Callable

import keras

from btfer.bench.architectures import (
    applications,
    branched,
    classic,
    googlenet,
    repvgg,
    resnet,
    sequential,
    vggnet,
)

_FUNCTIONS: tuple[Callable[..., keras.Model], ...] = (
    applications.vgg16,
    applications.vgg19,
    vggnet.vggnet,
    repvgg.repvgg,
    repvgg.repvgg_a0,
    applications.mobilenet,
    applications.mobilenetv2,
    applications.efficientnetv2b0,
    applications.resnet50,
    resnet.resnet18,
    applications.senet50,
    applications.nasnetmobile,
    applications.densenet121,
    googlenet.googlenet,
    googlenet.googlenet_szegedy,
    applications.inceptionv3,
    applications.xception,
    classic.lenet5,
    classic.alexnet,
    classic.zfnet,
    sequential.sequential_3conv,
    sequential.sequential_4conv,
    sequential.sequential_simple,
    branched.ensemble,
    branched.modular,
    branched.smmb,
    vggnet.mediapipe_vggnet,
)
BUILDERS: dict[str, Callable[[tuple[int, int, int], int, str], keras.Model]] = {
    function.__name__: function for function in _FUNCTIONS
}
