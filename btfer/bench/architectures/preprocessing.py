"""What each backbone was made for, as layers: RGB pixels 0 to 1 go in, as into every other network.

Sources: keras.applications, `preprocess_input` of each network; keras-vggface for its three. A network
that is only ever trained from scratch was made for no other range, and is left as it is.
"""

from collections.abc import Callable

import keras
from keras import layers, ops

Steps = Callable[[keras.KerasTensor], keras.KerasTensor]

IMAGENET_MEANS_BGR = (103.939, 116.779, 123.68)
VGGFACE_MEANS_BGR = {
    "vgg16": (93.5940, 104.7624, 129.1863),
    "resnet50": (91.4953, 103.8827, 131.0912),
    "senet50": (91.4953, 103.8827, 131.0912),
}
TORCH_MEANS, TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

CENTRED_BGR = ("vgg16", "vgg19", "resnet50")  # "caffe"
PLUS_MINUS_1 = ("mobilenet", "mobilenetv2", "nasnetmobile", "inceptionv3", "xception")  # "tf"
STANDARDISED = ("densenet121",)  # "torch"
UP_TO_255 = ("efficientnetv2b0",)  # begins with a layer that divides by 255


def with_own_preprocessing(model: keras.Model, name: str, weights: str) -> keras.Model:
    """The model behind the layers that bring pixels 0 to 1 to what its backbone was made for.

    The backbone stays a layer of its own, so that it can be frozen and loaded.
    """
    steps = preprocessing(name, weights)
    if steps is None:
        return model
    inputs = keras.Input(model.input_shape[1:])
    x = steps(inputs)
    for layer in model.layers[1:]:  # a chain: backbone, average, head
        x = layer(x)
    return keras.Model(inputs, x, name=model.name)


def preprocessing(name: str, weights: str) -> Steps | None:
    """What comes before a network with these weights; None = nothing."""
    if weights == "vggface" or name == "senet50":  # SENet50 was made for VGGFace2 only
        return _centred_bgr(VGGFACE_MEANS_BGR[name])
    if name in CENTRED_BGR:
        return _centred_bgr(IMAGENET_MEANS_BGR)
    if name in PLUS_MINUS_1:
        return layers.Rescaling(2.0, -1.0)
    if name in STANDARDISED:
        offset = [-mean / d for mean, d in zip(TORCH_MEANS, TORCH_DEVIATIONS, strict=True)]
        return layers.Rescaling([1 / deviation for deviation in TORCH_DEVIATIONS], offset)
    return layers.Rescaling(255.0) if name in UP_TO_255 else None


def _centred_bgr(means: tuple[float, ...]) -> Steps:
    centre = layers.Rescaling(255.0, [-mean for mean in means])
    return lambda x: centre(ops.flip(x, axis=-1))
