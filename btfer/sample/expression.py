"""How much of each Face Unit makes an expression.

The units are the 52 shapes of the Face Units pack by Mika Suominen (CC0), named as in ARKit; a name
here moves its left and right shape alike. The weights are our own, set by eye after descriptions
of prototypical expressions. They are exaggerated on purpose: a synthetic face has few other signs.
"""

from collections.abc import Iterator

import numpy as np

FACE_UNITS: dict[str, dict[str, float]] = {
    "angry": {
        "browDown": 1.6,
        "eyeSquint": 0.45,
        "eyeWide": 0.25,
        "noseSneer": 0.5,
        "mouthPress": 0.2,
        "mouthFrown": 0.45,
        "mouthRollUpper": 0.2,
        "mouthUpperUp": 0.6,
        "mouthLowerDown": 0.8,
        "mouthStretch": 0.4,
        "jawForward": 0.4,
        "jawOpen": 0.08,
    },
    "disgust": {
        "noseSneer": 1.6,
        "mouthUpperUp": 1.4,
        "browDown": 0.7,
        "eyeSquint": 0.65,
        "cheekSquint": 0.9,
        "mouthFrown": 0.6,
        "mouthShrugLower": 0.35,
        "jawOpen": 0.12,
    },
    "fear": {
        "browInnerUp": 1.9,
        "browOuterUp": 0.5,
        "browDown": 0.45,
        "eyeWide": 1.35,
        "mouthStretch": 1.3,
        "mouthLowerDown": 0.65,
        "mouthFrown": 0.2,
        "jawOpen": 0.24,
    },
    "happy": {
        "mouthSmile": 1.0,
        "cheekSquint": 0.8,
        "eyeSquint": 0.45,
        "jawOpen": 0.19,
        "mouthUpperUp": 0.55,
        "mouthDimple": 0.3,
        "mouthLowerDown": 0.25,
    },
    "neutral": {},
    "sad": {
        "browInnerUp": 1.9,
        "browDown": 0.45,
        "mouthFrown": 1.1,
        "mouthShrugLower": 0.6,
        "eyeSquint": 0.3,
        "eyeLookDown": 0.35,
        "eyeBlink": 0.2,
    },
    "surprise": {
        "browInnerUp": 1.9,
        "browOuterUp": 1.9,
        "eyeWide": 1.2,
        "jawOpen": 0.62,
        "mouthFunnel": 0.2,
    },
}

CREASES: dict[str, dict[str, float]] = {
    "angry": {"frown": 1.0, "fold": 0.5},
    "disgust": {"nose": 1.0, "fold": 1.0, "frown": 0.5},
    "fear": {"forehead": 0.8, "frown": 0.25},
    "happy": {"fold": 0.9, "crow": 0.7},
    "neutral": {},
    "sad": {"forehead": 0.3, "frown": 0.4, "fold": 0.3},
    "surprise": {"forehead": 1.0},
}
"""Wrinkles too fine for the mesh; `shade` paints them."""


def drawn_units(
    expression: str, rng: np.random.Generator, strength: float = 1.0
) -> Iterator[tuple[str, float]]:
    """Shape names and weights of one person's way to show an expression, slightly asymmetric."""
    for unit, weight in FACE_UNITS[expression].items():
        habit = rng.uniform(0.82, 1.12)
        for side in ("", "Left", "Right"):
            yield f"{unit}{side}", weight * strength * habit * rng.uniform(0.94, 1.06)
