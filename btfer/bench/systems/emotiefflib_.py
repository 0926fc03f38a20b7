"""EmotiEffLib (https://github.com/sb-ai-lab/EmotiEffLib, Apache-2.0): EfficientNet-B0, trained on AffectNet.

Eight classes; contempt is left out. The package fetches the ONNX file at first use.
"""

from collections.abc import Mapping

from btfer.bench.systems import Ask
from btfer.images import Pixels

MODEL = "enet_b0_8_best_vgaf"  # the package's default


def load() -> Ask:
    """The recogniser on ONNX Runtime."""
    from emotiefflib.facial_analysis import EmotiEffLibRecognizer

    network = EmotiEffLibRecognizer(engine="onnx", model_name=MODEL, device="cpu")

    def ask(face: Pixels) -> Mapping[str, float]:
        _, scores = network.predict_emotions(face, logits=False)
        return {name: float(scores[0][n]) for n, name in network.idx_to_emotion_class.items()}

    return ask
