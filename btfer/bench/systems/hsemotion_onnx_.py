"""HSEmotion (https://github.com/av-savchenko/hsemotion-onnx, Apache-2.0): EfficientNet-B0, on AffectNet.

Eight classes; contempt is left out. The package fetches the ONNX file at first use.
"""

from collections.abc import Mapping

from btfer.bench.systems import Ask
from btfer.images import Pixels

MODEL = "enet_b0_8_best_vgaf"  # the package's default


def load() -> Ask:
    """The recogniser on ONNX Runtime."""
    from hsemotion_onnx.facial_emotions import HSEmotionRecognizer

    network = HSEmotionRecognizer(model_name=MODEL)

    def ask(face: Pixels) -> Mapping[str, float]:
        _, scores = network.predict_emotions(face, logits=False)
        return {name: float(scores[n]) for n, name in network.idx_to_class.items()}

    return ask
