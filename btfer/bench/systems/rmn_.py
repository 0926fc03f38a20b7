"""RMN (https://github.com/phamquiluan/ResidualMaskingNetwork, MIT): Residual Masking Network, on FER2013.

It takes what OpenCV reads (BGR), and fetches its weights when it is imported first.
"""

from collections.abc import Mapping

import numpy as np

from btfer.bench.systems import Ask
from btfer.images import Pixels


def load() -> Ask:
    """Its network, without its detector."""
    from rmn import RMN

    network = RMN(face_detector=False)

    def ask(face: Pixels) -> Mapping[str, float]:
        bgr = np.ascontiguousarray(face[:, :, ::-1])
        _, _, every = network.detect_emotion_for_single_face_image(bgr)
        return {name: value for one in every for name, value in one.items()}

    return ask
