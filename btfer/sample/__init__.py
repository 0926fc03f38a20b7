"""The built-in sample: rendered, synthetic faces, the truth about each, and a loopback site that serves them.

It shows that the line works from crawl to release. It is synthetic: no number measured on it says
anything about people or about a benchmark.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.parsing import parse_json

FOLDER = Path(__file__).parent
PICTURES = FOLDER / "pictures"
MANIFEST = FOLDER / "manifest.json"


@dataclass(frozen=True)
class SampleFace:
    """One rendered face: its box in pixels of the picture, and what it was rendered to be."""

    x: int
    y: int
    width: int
    height: int
    label: str
    gender: str
    age: str
    ethnicity: str


@dataclass(frozen=True)
class SamplePicture:
    """One picture, where the sample site lists it, what is in it, and the verdict of round 1.

    kind: single, group, duplicate or junk. expression, ethnicity, gender, age: the query intent it
    is found under; '' is found under any. original, transform: only of a duplicate.
    """

    file: str
    kind: str
    title: str
    licence: str
    author: str
    expression: str
    ethnicity: str
    gender: str
    age: str
    sha256: str
    decision: str
    reason: str = ""
    original: str = ""
    transform: str = ""
    faces: tuple[SampleFace, ...] = ()


def load_manifest(path: Path = MANIFEST) -> list[SamplePicture]:
    """Every picture of the sample, in the order of its manifest."""
    found = parse_json(path.read_text(encoding="utf-8"))
    return [_picture(one) for one in found["pictures"]]


def picture_path(name: str) -> Path:
    """Where a picture of the sample lies."""
    return PICTURES / name


def _picture(known: dict[str, Any]) -> SamplePicture:
    faces = tuple(_face(one) for one in known["faces"])
    return SamplePicture(**{**known, "faces": faces})


def _face(known: dict[str, Any]) -> SampleFace:
    x, y, width, height = known["box"]
    words = {key: value for key, value in known.items() if key != "box"}
    return SampleFace(x, y, width, height, **words)
