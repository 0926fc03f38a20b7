"""Which copies dedup's second opinion takes, and which other expressions it merges (`make benchmark-dedup`).

    python benchmarks/expressions.py [--most N] [--photos FOLDER]

Pairs are made from the built-in sample, or from a folder of photos with a face each (`picture_pairs`). Beside ours
stand the hashes of the imagehash package at 8 bits, which see nothing of a face. `near` is the share of which a
hash is near enough that dedup asks at all: a copy that is not near is left for the faces round.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import imagehash
import numpy as np
import results
from picture_pairs import SHARES, as_bytes, backgrounds, bend_mouth, copies, in_scene, swap_mouth
from PIL import Image
from rich.console import Console
from rich.table import Table

from btfer.catalogue.comparisons import ViewHashes
from btfer.faces import Box, detect
from btfer.files import write_atomic
from btfer.images import Intake, Pixels, decode_rgb, describe_photo
from btfer.paths import photo_path, thumbnail_path
from btfer.pipeline.candidates import PhotoCandidates
from btfer.pipeline.likeness import are_copies
from btfer.pipeline.view_hashes import hashes_of
from btfer.sample import load_manifest, picture_path
from btfer.store import Store

NEAR_BITS = 8
LONGEST_PX = 1400
LEAST_FACE_PX = 60
SMALL = 0.15  # of the height: larger faces fill the scene, whatever it is
NESTED = "a photo"
Made = tuple[str, bytes, bytes]
Portrait = tuple[Pixels, Box]


def portraits(files: list[Path], most: int) -> Iterator[Portrait]:
    """Photos with a face that is sure, and that face."""
    for file in files:
        image = Image.fromarray(decode_rgb(file.read_bytes()))
        image.thumbnail((LONGEST_PX, LONGEST_PX))
        pixels = np.asarray(image)
        sure = [box for box in detect(pixels) if box.probability > 0.95]
        if len(sure) == 1 and sure[0].height >= LEAST_FACE_PX:
            yield pixels, sure[0]
            most -= 1
        if not most:
            return


def spread(files: list[Path], most: int) -> list[Path]:
    """All files, first those that lie evenly apart: neighbours are often of one person."""
    step = max(1, len(files) // most)
    return [files[i] for i in sorted(range(len(files)), key=lambda i: (i % step, i))]


def pairs(found: list[Portrait]) -> Iterator[Made]:
    """Kind, and the two pictures."""
    for n, (pixels, box) in enumerate(found):
        original = as_bytes(Image.fromarray(pixels), 92)
        yield from (
            (f"copy: {kind}", original, copy) for kind, copy in copies(Image.fromarray(pixels), n)
        )
        donor = found[(n + 1) % len(found)]
        changed = {"bent mouth": bend_mouth(pixels, box, 0.15)}
        if donor[0] is not pixels:
            changed["another mouth"] = swap_mouth(pixels, box, *donor)
        photo = found[(n + 2) % len(found)][0]
        for (name, background), share in product(backgrounds(photo).items(), SHARES):
            if share > SMALL and name != NESTED:
                continue
            place = in_scene(box, background, share)
            scene = as_bytes(Image.fromarray(place(pixels)))
            for kind, other in changed.items():
                yield (
                    f"other: {kind}, face {share:.0%} before {name}",
                    scene,
                    as_bytes(Image.fromarray(place(other)), 80),
                )


def measure(made: Iterator[Made], folder: Path) -> dict[str, Counter[str]]:
    """Per kind: pairs, near by our hash, taken as copies, and near by each of imagehash's."""
    counts: dict[str, Counter[str]] = {}
    for kind, *pictures in made:
        taken = [_stored(data, folder) for data in pictures]
        if not all(isinstance(one, Intake) for one in taken):
            continue
        one, other = (intake for intake in taken if isinstance(intake, Intake))
        count = counts.setdefault(kind, Counter())
        count["pairs"] += 1
        near_by = PhotoCandidates([0, 1], [_views(each, folder) for each in (one, other)], [], [])
        count["near"] += near_by.distance(0, 1) <= NEAR_BITS
        count["same"] += are_copies((one.sha256, other.sha256), store=Store(folder))
        for name in ("phash", "dhash", "whash"):
            values = [
                getattr(imagehash, name)(Image.fromarray(decode_rgb(data))) for data in pictures
            ]
            count[name] += values[0] - values[1] <= NEAR_BITS
    return counts


def _stored(data: bytes, folder: Path) -> Intake | str:
    intake = describe_photo(data)
    if isinstance(intake, Intake):
        write_atomic(photo_path(folder, intake.sha256, intake.format), data)
        write_atomic(thumbnail_path(folder, intake.sha256), intake.thumbnail)
    return intake


def _views(one: Intake, folder: Path) -> ViewHashes:
    return hashes_of([one.sha256], kind="phash", data_dir=folder)[one.sha256]


def show(counts: dict[str, Counter[str]]) -> tuple[Table, bool]:
    """The table, and whether no other expression was merged."""
    table = Table("pairs", "n", "near", "same picture", *("phash", "dhash", "whash"))
    for kind, count in counts.items():
        shown = (
            f"{count[name]} of {count['pairs']}"
            for name in ("near", "same", "phash", "dhash", "whash")
        )
        table.add_row(kind, str(count["pairs"]), *shown)
    return table, not any(
        count["same"] for kind, count in counts.items() if kind.startswith("other")
    )


def main() -> int:
    """Make the pairs, compare them, print the table; 1 where another expression was merged."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--most", type=int, default=16, help="photos (default 16)")
    parser.add_argument(
        "--photos", type=Path, help="a folder of photos; default: the built-in sample"
    )
    results.add_save(parser)
    args = parser.parse_args()
    files = (
        sorted(
            one for one in args.photos.rglob("*") if one.suffix.lower() in (".jpg", ".jpeg", ".png")
        )
        if args.photos
        else [picture_path(one.file) for one in load_manifest() if one.kind == "single"]
    )
    with tempfile.TemporaryDirectory() as folder:
        counts = measure(pairs(list(portraits(spread(files, args.most), args.most))), Path(folder))
    table, safe = show(counts)
    Console(width=120).print(table)
    print(f"other expressions merged: {'none' if safe else 'SOME'}")
    if args.save:
        results.save(
            results.Measured(f"{kind}, same picture", count["same"] / count["pairs"], "share")
            for kind, count in counts.items()
        )
    return 0 if safe else 1


if __name__ == "__main__":
    raise SystemExit(main())
