"""fer (https://github.com/justinshenk/fer, MIT): a small Xception, trained on FER2013.

Its quantised network, the package's default, is run from the package's own file: the package itself
needs an OpenCV with cascades, moviepy and torch. What is done to the face is as in its fer.py.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from btfer.bench.systems import Ask, package_folder
from btfer.errors import MissingExtra
from btfer.images import Pixels
from btfer.quiet import quiet_stderr

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def load() -> Ask:
    """The network on one thread, whatever the machine."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise MissingExtra("fer's network", "bench") from None
    file = package_folder("fer") / "data" / "emotion_model_quantized.tflite"
    with quiet_stderr():  # it prints that it has a delegate
        network = Interpreter(str(file))
        network.allocate_tensors()
    given, output = network.get_input_details()[0], network.get_output_details()[0]
    side = (int(given["shape"][2]), int(given["shape"][1]))

    def ask(face: Pixels) -> Mapping[str, float]:
        grey = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), side)
        values = (grey.astype(np.float32) / 255 - 0.5) * 2
        network.set_tensor(given["index"], values[None, :, :, None])
        network.invoke()
        return dict(zip(CLASSES, network.get_tensor(output["index"])[0].tolist(), strict=True))

    return ask
