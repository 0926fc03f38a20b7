"""Which degraded faces the hints find, and how often they are wrong on good ones (`make benchmark-hints`).

    python benchmarks/hints.py [--photos FOLDER] [--most N] [--save]

Faces of the synthetic sample, and of a folder of photos where one is given, are degraded in known ways. The thresholds
of `btfer/faces/hints.py` were chosen on one half of the people; both halves are shown, and the other one counts. What
the photos are is held to be sharp, light and whole: leave out folders of which that is not so.
"""

import argparse
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import results
from rich.console import Console
from rich.table import Table

from btfer.errors import ImageError
from btfer.faces import Box, detect
from btfer.faces.cut import cut_rectangle
from btfer.faces.hints import FaceHints, badges, hints_of
from btfer.faces.modes import MODES
from btfer.images import Pixels, decode_rgb
from btfer.sample import load_manifest, picture_path

LEAST_PX, MOST_PX = 110, 260  # of a face's height: of a larger one, 3x leaves what a usual face has
LEAST_PROBABILITY = 0.97
AROUND = 0.5  # of the box, that is degraded with it
ANGLES_DEG = 180


@dataclass(frozen=True)
class KnownFace:
    """A face and its surroundings. person: who is never in both halves."""

    pixels: Pixels
    box: Box
    person: str

    @property
    def tests(self) -> bool:
        """Whether it is in the half that is reported."""
        return hashlib.sha256(self.person.encode()).digest()[0] % 2 == 1


Degrade = Callable[[KnownFace, np.random.Generator], Pixels]

# ---- degradations ----


def blurred(share: float, noise: float = 0) -> Degrade:
    """Gaussian blur of a share of the face's height, then noise in levels."""

    def degrade(face: KnownFace, rng: np.random.Generator) -> Pixels:
        soft = cv2.GaussianBlur(face.pixels, (0, 0), share * face.box.height)
        return _levels(soft + rng.normal(0, noise, soft.shape) if noise else soft)

    return degrade


def moved(share: float) -> Degrade:
    """The camera or the head moves by a share of the face's height, in any direction."""

    def degrade(face: KnownFace, rng: np.random.Generator) -> Pixels:
        half = share * face.box.height / 2
        size = 2 * int(np.ceil(half)) + 3
        angle = np.radians(rng.uniform(0, ANGLES_DEG))
        kernel = np.zeros((size, size), np.float32)
        for at in np.linspace(-half, half, 8 * size):
            x, y = size // 2 + at * np.cos(angle), size // 2 + at * np.sin(angle)
            left, top = int(x), int(y)
            for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
                weight = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
                kernel[top + dy, left + dx] += weight
        return _levels(cv2.filter2D(face.pixels, -1, kernel / kernel.sum()))

    return degrade


def enlarged(factor: float) -> Degrade:
    """Made so many times smaller, and as large again."""

    def degrade(face: KnownFace, _: np.random.Generator) -> Pixels:
        height, width = face.pixels.shape[:2]
        small = (max(round(width / factor), 1), max(round(height / factor), 1))
        shrunk = cv2.resize(face.pixels, small, interpolation=cv2.INTER_AREA)
        return _levels(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC))

    return degrade


def enlarged_from(height_px: float) -> Degrade:
    """Out of a face of so many pixels."""
    return lambda face, rng: enlarged(face.box.height / height_px)(face, rng)


def as_jpeg(quality: int) -> Degrade:
    """Through a JPEG of that quality."""

    def degrade(face: KnownFace, _: np.random.Generator) -> Pixels:
        _, data = cv2.imencode(".jpg", face.pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))
        return _levels(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])

    return degrade


def darkened(share: float) -> Degrade:
    """So much of the light, and noise of a level."""

    def degrade(face: KnownFace, rng: np.random.Generator) -> Pixels:
        return _levels(face.pixels * share + rng.normal(0, 1, face.pixels.shape))

    return degrade


MASKS = ((170, 205, 225), (245, 245, 245), (25, 25, 30), (60, 90, 150), (200, 120, 140))


def masked(face: KnownFace, rng: np.random.Generator) -> Pixels:
    """A mask from the nose to the chin, of one of a few colours, with folds."""
    points = face.box.landmarks
    top = points["nose"][1] - 0.05 * face.box.height
    bottom = face.box.y + face.box.height * 1.02
    left, right = face.box.x + 0.03 * face.box.width, face.box.x + 0.97 * face.box.width
    middle = (left + right) / 2
    shape = [(left, top), (middle, top - 0.06 * face.box.height), (right, top)]
    shape += [(right - 0.15 * face.box.width, bottom), (left + 0.15 * face.box.width, bottom)]
    return _painted(face, shape, MASKS[rng.integers(len(MASKS))], rng)


def half_covered(face: KnownFace, rng: np.random.Generator) -> Pixels:
    """One side of the face behind something."""
    left, right = face.box.x - 0.3 * face.box.width, face.box.x + 0.5 * face.box.width
    if rng.random() < 0.5:
        left, right = right, face.box.x + 1.3 * face.box.width
    top, bottom = face.box.y - face.box.height, face.box.y + 2 * face.box.height
    shape = [(left, top), (right, top), (right, bottom), (left, bottom)]
    colour = tuple(int(value) for value in rng.integers(10, 246, 3))
    return _painted(face, shape, colour, rng)


def in_sunglasses(face: KnownFace, rng: np.random.Generator) -> Pixels:
    """Dark glasses over both eyes."""
    reach = 0.19 * face.box.width
    pixels = face.pixels
    for name in ("left_eye", "right_eye"):
        x, y = face.box.landmarks[name]
        ring = [
            (x + reach * np.cos(a), y + 0.8 * reach * np.sin(a)) for a in np.linspace(0, 6.28, 24)
        ]
        pixels = _painted(KnownFace(pixels, face.box, ""), ring, (22, 22, 24), rng)
    return pixels


def _painted(
    face: KnownFace,
    shape: list[tuple[float, float]],
    colour: tuple[int, ...],
    rng: np.random.Generator,
) -> Pixels:
    """With a polygon of one colour, shaded and grained as cloth is."""
    height, width = face.pixels.shape[:2]
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.round(shape).astype(np.int32)], 1)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)[..., None]
    shade = 1 + 0.12 * np.sin(np.linspace(0, 3, width))[None, :, None]
    cloth = np.asarray(colour, np.float32) * shade + rng.normal(0, 3, (height, width, 1))
    return _levels(face.pixels * (1 - soft) + cloth * soft)


def _levels(values: object) -> Pixels:
    return np.ascontiguousarray(np.clip(np.round(np.asarray(values, float)), 0, 255), np.uint8)


MUST, MOST_FALSE = 0.9, 0.02
HINTS = ("blurred", "compressed", "dark", "dark eyes", "odd landmarks")
# Name: what is done, the hints that tell of it, whether it must be found.
KINDS: dict[str, tuple[Degrade, tuple[str, ...], bool]] = {
    "blur 1 %": (blurred(0.01), ("blurred",), False),
    "blur 1.5 %": (blurred(0.015), ("blurred",), True),
    "blur 2 %": (blurred(0.02), ("blurred",), True),
    "blur 3 %": (blurred(0.03), ("blurred",), True),
    "moved 3 %": (moved(0.03), ("blurred",), False),
    "moved 5 %": (moved(0.05), ("blurred",), True),
    "moved 8 %": (moved(0.08), ("blurred",), True),
    "blur 1.5 %, noise 6": (blurred(0.015, 6), ("blurred",), True),
    "blur 2 %, noise 12": (blurred(0.02, 12), ("blurred",), True),
    "enlarged 2x": (enlarged(2), ("blurred",), False),
    "enlarged 3x": (enlarged(3), ("blurred",), True),
    "enlarged 4x": (enlarged(4), ("blurred",), True),
    "enlarged from 32 px": (enlarged_from(32), ("blurred",), True),
    "JPEG 20": (as_jpeg(20), ("compressed", "blurred"), False),
    "JPEG 14": (as_jpeg(14), ("compressed", "blurred"), True),
    "JPEG 8": (as_jpeg(8), ("compressed", "blurred"), True),
    "a quarter of the light": (darkened(0.25), ("dark",), True),
    "an eighth of the light": (darkened(0.125), ("dark",), True),
    "mask": (masked, ("odd landmarks", "dark eyes"), True),
    "half covered": (half_covered, ("odd landmarks", "dark eyes"), True),
    "sunglasses": (in_sunglasses, ("dark eyes",), True),
}

# ---- faces ----


def sample_faces() -> Iterator[KnownFace]:
    """Of the synthetic sample, of which none is a copy."""
    for one in load_manifest():
        if one.kind == "single":
            yield from _faces(picture_path(one.file).read_bytes(), f"sample {one.file}")


def photo_faces(folder: Path) -> Iterator[KnownFace]:
    """Of the readable photos of a folder and its subfolders; junk (`_...`) is left out."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith("_") for part in inside.parts):
            yield from _faces(path.read_bytes(), _person(inside))


def _person(path: Path) -> str:
    """Files with the same beginning, up to `_`, `-` or digits behind letters, are held to show the same people."""
    stem = path.stem.split("_")[0].split("-")[0]
    return f"{path.parts[0]} {stem.rstrip('0123456789') or stem}"


def _faces(data: bytes, person: str) -> Iterator[KnownFace]:
    try:
        pixels = decode_rgb(data)
        found = detect(pixels, min_face_px=LEAST_PX)
    except ImageError:
        return
    for box in found:
        if box.probability >= LEAST_PROBABILITY and LEAST_PX <= box.height < MOST_PX:
            yield _with_surroundings(pixels, box, person)


def _with_surroundings(pixels: Pixels, box: Box, person: str) -> KnownFace:
    more_x, more_y = AROUND * box.width, AROUND * box.height
    left, top = max(int(box.x - more_x), 0), max(int(box.y - more_y), 0)
    part = pixels[top : int(box.y + box.height + more_y), left : int(box.x + box.width + more_x)]
    points = {name: (x - left, y - top) for name, (x, y) in box.landmarks.items()}
    moved_box = Box(box.x - left, box.y - top, box.width, box.height, box.probability, points)
    return KnownFace(np.ascontiguousarray(part), moved_box, person)


# ---- measuring ----


def hints_after(face: KnownFace, degrade: Degrade | None, seed: int) -> FaceHints:
    """The hints of a face as it is (None), or degraded."""
    pixels = face.pixels if degrade is None else degrade(face, np.random.default_rng(seed))
    height, width = pixels.shape[:2]
    return hints_of(pixels, face.box, cut_rectangle(face.box, width, height, MODES["paper"]))


def share_found(faces: list[KnownFace], kind: str) -> float:
    """Of faces degraded in one way, those that earn one of its hints."""
    degrade, telling, _ = KINDS[kind]
    return _share(faces, degrade, set(telling))


def false_alarms(faces: list[KnownFace], hint: str) -> float:
    """Of faces as they are, those that earn a hint all the same."""
    return _share(faces, None, {hint})


def _share(faces: list[KnownFace], degrade: Degrade | None, telling: set[str]) -> float:
    earned = [set(badges(hints_after(face, degrade, n))) for n, face in enumerate(faces)]
    return float(np.mean([bool(one & telling) for one in earned])) if earned else 0.0


def report(faces: list[KnownFace]) -> tuple[Table, list[results.Measured], bool]:
    """The table, what to keep of it, and whether all that must be found is found without false alarms."""
    halves = [face for face in faces if not face.tests], [face for face in faces if face.tests]
    title = f"{len(halves[0])} faces that thresholds were chosen on, {len(halves[1])} others"
    table = Table("what", "chosen on", "others", "must", title=title)
    kept, met = [], True
    rows = [(kind, MUST if must else None, True) for kind, (_, _, must) in KINDS.items()]
    rows += [(hint, MOST_FALSE, False) for hint in HINTS]
    for name, limit, is_kind in rows:
        first, other = (share_found(h, name) if is_kind else false_alarms(h, name) for h in halves)
        good = limit is None or (other >= limit if is_kind else other <= limit)
        met &= good
        sign = "" if limit is None else f"{'>=' if is_kind else '<='} {limit:.0%}"
        label = name if is_kind else f"as they are: {name}"
        table.add_row(label, f"{first:.1%}", f"{other:.1%}", sign + ("" if good else " MISS"))
        kept.append(results.Measured(label, other, "share", limit=sign.replace("%", " %")))
    return table, kept, met


def main() -> None:
    """Degrade, measure, print; exit 1 where a must is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, action="append", help="a folder of good photos too")
    parser.add_argument("--most", type=int, default=150, help="faces of a source (150)")
    results.add_save(parser)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    sources = [sample_faces(), *map(photo_faces, asked.photos or [])]
    faces = [face for one in sources for face in itertools.islice(one, asked.most)]
    table, kept, met = report(faces)
    Console(width=100).print(table)
    if asked.save:
        results.save(kept)
    raise SystemExit(not met)


if __name__ == "__main__":
    main()
