"""Which degraded faces the hints find, and how often they are wrong on good ones (`make benchmark-hints`).

    python benchmarks/hints.py [--photos FOLDER] [--most N] [--heads FOLDER] [--save]

Faces of the synthetic sample, and of a folder of photos where one is given, are degraded in known ways. The thresholds
of `btfer/faces/hints.py` were chosen on the first half of the people. The second is not quite unseen: it was looked at
while the measures of blur, movement, compression and darkness were invented. The halves go by the path inside FOLDER,
and were made with the folder above all sources; given the sources one by one, both halves hold people of both.
What the photos are is held to be sharp, light and whole: leave out (--without) folders of which that is not so. Faces
keep the box and landmarks that they had before; what is painted over them has one colour. --save also draws the curves.
"""

import argparse
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import results
from hints_degraded import (
    Degrade,
    KnownFace,
    as_jpeg,
    blurred,
    both,
    darkened,
    enlarged,
    enlarged_from,
    half_covered,
    in_sunglasses,
    masked,
    moved,
    noisy,
    reduced,
)
from hints_plot import draw
from hints_turned import found_by_angle
from rich.console import Console
from rich.table import Table

from btfer.errors import ImageError
from btfer.faces import Box, detect
from btfer.faces.cut import cut_rectangle
from btfer.faces.hints import FaceHints, badges, hints_of
from btfer.faces.modes import MODES
from btfer.images import Pixels, decode_rgb
from btfer.sample import load_manifest, picture_path

LEAST_PX, MOST_PX = (
    110,
    260,
)  # of a face's height; a larger one is reduced: 3x would leave what a usual face has
LEAST_PROBABILITY = 0.97
AROUND = 0.5  # of the box, that is degraded with it


MUST, MOST_FALSE = 0.9, 0.02
HINTS = ("blurred", "enlarged", "compressed", "dark", "dark eyes", "covered", "odd landmarks")


@dataclass(frozen=True)
class Kind:
    """One way to degrade a face. must: 9 of 10 have to earn one of the hints `telling`."""

    family: str
    strength: str
    degrade: Degrade
    telling: tuple[str, ...]
    must: bool

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.family} {self.strength}".strip()


def _kinds() -> Iterator[Kind]:
    soft, blocky = ("blurred", "enlarged"), ("compressed", "blurred", "enlarged")
    for percent in (0.5, 0.75, 1, 1.5, 2, 3):
        blur = blurred(percent / 100)
        yield Kind("blur", f"{percent:g} %", blur, soft, percent >= 1.5)
        yield Kind("blur, noise 6", f"{percent:g} %", both(blur, noisy(6)), soft, percent >= 1.5)
        yield Kind("blur, noise 12", f"{percent:g} %", both(blur, noisy(12)), soft, percent >= 2)
    for percent in (2, 3, 5, 8):
        yield Kind("moved", f"{percent} %", moved(percent / 100), soft, percent >= 5)
    for factor in (1.5, 2, 3, 4, 6):
        larger, times, must = enlarged(factor), f"{factor:g}x", factor >= 3
        linear = enlarged(factor, way=cv2.INTER_LINEAR)
        yield Kind("enlarged", times, larger, soft, must)
        yield Kind("enlarged linearly", times, linear, soft, must)
        yield Kind("enlarged, noise 4", times, both(larger, noisy(4)), soft, must)
        yield Kind("enlarged, JPEG 80", times, both(larger, as_jpeg(80)), soft, must)
    for pixels in (64, 48, 32):
        yield Kind("enlarged from", f"{pixels} px", enlarged_from(pixels), soft, pixels <= 32)
    for quality in (50, 30, 20, 14, 8):
        yield Kind("JPEG", f"{quality}", as_jpeg(quality), blocky, quality < 15)
    for percent in (50, 35, 25, 12.5):
        yield Kind("light", f"{percent:g} %", darkened(percent / 100), ("dark",), percent <= 25)
    yield Kind("mask", "", masked, ("covered",), True)
    yield Kind("half covered", "", half_covered, ("covered",), True)
    yield Kind("sunglasses", "", in_sunglasses, ("dark eyes", "covered"), True)


# ---- faces ----


def sample_faces() -> Iterator[KnownFace]:
    """Of the synthetic sample, of which none is a copy."""
    for one in load_manifest():
        if one.kind == "single":
            yield from _faces(picture_path(one.file).read_bytes(), f"sample {one.file}")


def photo_faces(folder: Path, *, without: Collection[str] = ()) -> Iterator[KnownFace]:
    """Of the readable photos of a folder and its subfolders; junk (`_...`) and folders `without` are left out."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        out = any(part.startswith("_") or part in without for part in inside.parts)
        if path.is_file() and not out:
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
        if box.probability >= LEAST_PROBABILITY:
            face = _with_surroundings(pixels, box, person)
            yield face if box.height < MOST_PX else reduced(face)


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


def share_found(faces: list[KnownFace], kind: Kind) -> float:
    """Of faces degraded in one way, those that earn one of its hints."""
    return _share(faces, kind.degrade, set(kind.telling))


def false_alarms(faces: list[KnownFace], hint: str) -> float:
    """Of faces as they are, those that earn a hint all the same."""
    return _share(faces, None, {hint})


def _share(faces: list[KnownFace], degrade: Degrade | None, telling: set[str]) -> float:
    found = [hints_after(face, degrade, n) for n, face in enumerate(faces)]
    earned = [set(badges(cast("dict[str, float]", one))) for one in found]
    return float(np.mean([bool(one & telling) for one in earned])) if earned else 0.0


@dataclass(frozen=True)
class Row:
    """A line of the table: shares of both halves. limit: such as `>= 0.9`, "" = none."""

    family: str
    strength: str
    chosen_on: float
    others: float
    limit: str
    good: bool


def measure(faces: list[KnownFace]) -> list[Row]:
    """Recall of every kind, then false alarms of every hint."""
    halves = [face for face in faces if not face.tests], [face for face in faces if face.tests]
    rows = []
    for kind in _kinds():
        first, other = (share_found(half, kind) for half in halves)
        limit = f">= {MUST:g}" if kind.must else ""
        good = other >= MUST or not kind.must
        rows.append(Row(kind.family, kind.strength, first, other, limit, good))
    for hint in HINTS:
        first, other = (false_alarms(half, hint) for half in halves)
        good = other <= MOST_FALSE
        rows.append(Row("as they are:", hint, first, other, f"<= {MOST_FALSE:g}", good))
    return rows


TURNED_FROM_DEG = 45


def measure_turned(folder: Path, people: int) -> list[Row]:
    """Rendered heads by angle; no threshold was fitted on them, but they are not photos: both columns are the same."""
    rows = []
    for word, angle, seen, told in found_by_angle(folder, people):
        share, must = told / seen if seen else 0.0, angle > TURNED_FROM_DEG
        good, limit = share >= MUST or not must, f">= {MUST:g}" if must else ""
        rows.append(Row(word, f"{angle} deg", share, share, limit, good))
    return rows


def table_of(rows: list[Row], title: str) -> Table:
    """A line each; `MISS` where the other half is on the wrong side of the limit."""
    table = Table("what", "chosen on", "others", "must", title=title)
    for row in rows:
        sign = row.limit if row.good else f"{row.limit} MISS"
        name = f"{row.family} {row.strength}".strip()
        table.add_row(name, f"{row.chosen_on:.1%}", f"{row.others:.1%}", sign)
    return table


def main() -> None:
    """Degrade, measure, print; exit 1 where a must is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, action="append", help="a folder of good photos too")
    parser.add_argument(
        "--without", action="append", default=[], help="a folder inside to leave out"
    )
    parser.add_argument("--most", type=int, default=400, help="faces of a source (400)")
    parser.add_argument("--heads", type=Path, help="3D data of the sample: turned heads too")
    parser.add_argument("--people", type=int, default=8, help="heads at each angle (8)")
    results.add_save(parser)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    folders = [photo_faces(one, without=asked.without) for one in asked.photos or []]
    sources = [sample_faces(), *folders]
    faces = [face for one in sources for face in itertools.islice(one, asked.most)]
    rows, tests = measure(faces), sum(face.tests for face in faces)
    if asked.heads:
        rows += measure_turned(asked.heads, asked.people)
    title = f"{len(faces) - tests} faces that thresholds were chosen on, {tests} others"
    Console(width=100).print(table_of(rows, title))
    if asked.save:
        kept = [
            results.Measured(
                f"{row.family} {row.strength}".strip(), row.others, "share", limit=row.limit
            )
            for row in rows
        ]
        print(draw([(row.family, row.strength, row.others) for row in rows], results.save(kept)))
    raise SystemExit(not all(row.good for row in rows))


if __name__ == "__main__":
    main()
