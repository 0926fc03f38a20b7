"""Py-Feat (https://github.com/cosanlab/py-feat, MIT): Residual Masking Network, with its own detector.

It has no way to be given a face that is cut already: it looks for one in the crop, and where it finds
none there is no answer. It fetches its weights at first use.
"""

from collections.abc import Mapping

import numpy as np

from btfer.bench.systems import Ask
from btfer.images import Pixels


def load() -> Ask:
    """Its detector of faces and emotions, and nothing else of it."""
    import torch
    from feat import Detectorv1

    network = Detectorv1(
        emotion_model="resmasknet", au_model=None, identity_model=None, gaze_model=None
    )

    def ask(face: Pixels) -> Mapping[str, float] | None:
        tensor = torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1)))[None]
        seen = network.detect(tensor, data_type="tensor", progress_bar=False)
        seen = seen[seen["FaceScore"] > 0]
        if seen.empty:
            return None
        best = seen.loc[[seen["FaceScore"].idxmax()]].emotions.iloc[0]
        return {str(name): float(value) for name, value in best.items()}

    return ask
