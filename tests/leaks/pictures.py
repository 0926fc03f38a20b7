"""Faces of the synthetic sample, whose boxes are known, and training pictures made of them."""

from pathlib import Path

import cv2
import numpy as np

from btfer.leaks.views import Grey, LeakSubject, grey_of
from btfer.sample import load_manifest, picture_path


def subjects(n: int, first: int = 0) -> list[LeakSubject]:
    """One face of each of some sample pictures."""
    chosen = [one for one in load_manifest() if one.kind == "single"][first : first + n]
    return [
        LeakSubject(one.file, picture_path(one.file), (box.x, box.y, box.width, box.height))
        for one in chosen
        for box in one.faces[:1]
    ]


def cut(subject: LeakSubject, *, high: float = 1.0, down: float = 0.0, size: int = 48) -> Grey:
    """A square around the face. high: its side, and down: how far it is moved, in heights of the box."""
    grey = grey_of(subject.picture.read_bytes())
    x, y, width, height = subject.box
    side = high * height
    left = max(round(x + width / 2 - side / 2), 0)
    top = max(round(y + height / 2 + down * height - side / 2), 0)
    part = grey[top : top + round(side), left : left + round(side)]
    return np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def save(folder: Path, file: str, grey: Grey, quality: int = 85) -> None:
    """Write one training picture."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
