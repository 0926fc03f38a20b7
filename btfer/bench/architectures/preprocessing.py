"""What each backbone was made for: RGB pixels 0 to 1 go in, as into every other network. Loads no Keras.

Sources: keras.applications, `preprocess_input` of each network; keras-vggface for its three. A network
that is only ever trained from scratch was made for no other range, and is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    from keras import layers, ops
else:
    from btfer.bench.architectures.lazy import keras, layers, ops


@dataclass(frozen=True)
class Preprocessing:
    """Pixels, float [N, side, side, 3], RGB of 0 to 1, times `scale` plus `offset`, by channel or for all.

    bgr: channels are turned to blue, green, red first.
    """

    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...] = 0.0
    bgr: bool = False

    def steps(self) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
        """The layers that do it, as one function of a tensor."""
        rescale = layers.Rescaling(_plain(self.scale), _plain(self.offset))
        if not self.bgr:
            return lambda x: rescale(x)
        return lambda x: rescale(ops.flip(x, axis=-1))


MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

CENTRED_BGR = Preprocessing(255.0, (-103.939, -116.779, -123.68), bgr=True)  # Keras: "caffe"
PLUS_MINUS_1 = Preprocessing(2.0, -1.0)  # Keras: "tf"
STANDARDISED = Preprocessing(  # Keras: "torch"
    tuple(1 / deviation for deviation in DEVIATIONS),
    tuple(-mean / deviation for mean, deviation in zip(MEANS, DEVIATIONS, strict=True)),
)
UP_TO_255 = Preprocessing(255.0)  # for a network that begins by dividing by 255
VGGFACE_BGR = Preprocessing(255.0, (-93.5940, -104.7624, -129.1863), bgr=True)
VGGFACE2_BGR = Preprocessing(255.0, (-91.4953, -103.8827, -131.0912), bgr=True)


def with_preprocessing(model: keras.Model, preprocessing: Preprocessing | None) -> keras.Model:
    """The model behind the layers that bring pixels 0 to 1 to what its backbone was made for.

    Its layers stay layers of the new model, so that the backbone can be frozen and loaded.
    """
    if preprocessing is None:
        return model
    inputs = keras.Input(model.input_shape[1:])
    outputs = model.call(
        preprocessing.steps()(inputs)
    )  # not model(...), which would hide its layers in one
    return keras.Model(inputs, outputs, name=model.name)


def _plain(value: float | tuple[float, ...]) -> float | list[float]:
    """As it is stored in a model's file: Keras reads a list back, not a tuple."""
    return list(value) if isinstance(value, tuple) else value
