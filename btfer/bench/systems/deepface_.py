"""DeepFace (https://github.com/serengil/deepface, MIT): a small convolutional network, trained on FER2013.

It takes BGR, and fetches its weights at first use.
"""

from collections.abc import Mapping

import numpy as np

from btfer.bench.systems import Ask
from btfer.images import Pixels


def load() -> Ask:
    """Its emotion model, without its detector."""
    from deepface import DeepFace

    def ask(face: Pixels) -> Mapping[str, float]:
        [seen] = DeepFace.analyze(
            np.ascontiguousarray(face[:, :, ::-1]),
            actions=("emotion",),
            detector_backend="skip",
            enforce_detection=False,
            silent=True,
        )
        return {name: value / 100 for name, value in seen["emotion"].items()}

    ask(np.zeros((48, 48, 3), np.uint8))  # the weights are fetched now, or missed now
    return ask
