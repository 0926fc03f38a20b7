"""How many heads that are turned so far earn a hint: heads of the sample's renderer at known angles.

For `benchmarks/hints.py --heads FOLDER`, which gets the 3D data into FOLDER through pip where they are not there.
A head that MTCNN does not find is in no share: its face would never become a crop.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np

from btfer.faces import Box, detect
from btfer.faces.cut import cut_rectangle
from btfer.faces.hints import badges, hints_of
from btfer.faces.modes import MODES
from btfer.images import Pixels
from btfer.sample.camera import HeadPose
from btfer.sample.head import render_person
from btfer.sample.mesh import Shapes, fetch_assets

YAWS_DEG = (0, 20, 35, 50, 65)
ROLLS_DEG = (15, 30, 50)
PEOPLE = (
    ("female", "adult", "Asian"),
    ("male", "middle-aged", "Black"),
    ("female", "child", "White"),
    ("male", "elderly", "White"),
)
SIDE_PX = 260
PLACE = 160  # grey levels of what is behind


def turned_heads(folder: Path, people: int) -> Iterator[tuple[str, int, Pixels]]:
    """Word, angle and picture of `people` heads at every angle, every other one to the other side."""
    shapes = Shapes(fetch_assets(folder))
    for n in range(people):
        side = 1 if n % 2 else -1
        pitch = float(np.random.default_rng(n).normal(0, 4))
        for yaw in YAWS_DEG:
            yield "turned to", yaw, _head(shapes, n, HeadPose(side * yaw, pitch, 0))
        for roll in ROLLS_DEG:
            yield "rolled to", roll, _head(shapes, n, HeadPose(0, pitch, side * roll))


def _head(shapes: Shapes, n: int, pose: HeadPose) -> Pixels:
    person = PEOPLE[n % len(PEOPLE)]
    made = render_person(shapes, "neutral", person, seed=[7, n], size_px=SIDE_PX, pose=pose)
    noise = np.random.default_rng(n).normal(0, 3, made.colour.shape)
    whole = np.where(made.cover[..., None], made.colour, PLACE) + noise
    return np.clip(np.round(whole), 0, 255).astype(np.uint8)


def found_by_angle(folder: Path, people: int) -> list[tuple[str, int, int, int]]:
    """Word, angle, how many heads MTCNN found, and how many of them earn a hint that tells of it."""
    seen: Counter[tuple[str, int]] = Counter()
    told: Counter[tuple[str, int]] = Counter()
    for word, angle, pixels in turned_heads(folder, people):
        boxes = detect(pixels)
        if boxes:
            seen[word, angle] += 1
            told[word, angle] += bool(_earned(pixels, boxes) & _TELLING[word])
    angles = [("turned to", one) for one in YAWS_DEG] + [("rolled to", one) for one in ROLLS_DEG]
    return [(word, angle, seen[word, angle], told[word, angle]) for word, angle in angles]


_TELLING = {"turned to": {"turned", "odd landmarks"}, "rolled to": {"tilted"}}


def _earned(pixels: Pixels, boxes: list[Box]) -> set[str]:
    surest = max(boxes, key=lambda box: box.probability)
    height, width = pixels.shape[:2]
    cut = cut_rectangle(surest, width, height, MODES["paper"])
    return set(badges(cast("dict[str, float]", hints_of(pixels, surest, cut))))
