"""Speed of the intake on one core, beside `imagehash.phash(Image.open(f))` alone, in one run.

    python benchmarks/intake.py [--photos FOLDER] [--count N] [--rounds N]

Without --photos, 1 Mpx JPEGs are drawn: gradients, shapes, texture and sensor noise, 150-250 KB each.
Ours is everything that `read_photo` does; the peer reads the same bytes and makes one hash. Rounds
alternate; the figure is the CPU time of each side's best round, since other work on the machine can only
add to it. Threads of the libraries are set to one.
"""

import argparse
import io
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import imagehash
import numpy as np
import results
from PIL import Image, ImageDraw, ImageFilter
from rich.console import Console
from rich.table import Table

from btfer.errors import ImageError
from btfer.images import decode, encode, hashes, hints, intake
from btfer.images.intake import read_photo

MUST, AIM = 1.5, 2.5
WITHIN_BITS, MUST_SHARE = 2, 0.98
LANDSCAPE, PORTRAIT = (1200, 840), (840, 1200)
KB, MS = 1e3, 1e3


def draw_jpeg(seed: int) -> bytes:
    """A 1 Mpx JPEG with the detail of a photo, quality 85-90; no two seeds look alike."""
    rng = np.random.default_rng(seed)
    size = LANDSCAPE if seed % 3 else PORTRAIT
    image = _texture(rng, size)
    shapes = ImageDraw.Draw(image, "RGBA")
    for _ in range(60):
        x, y = rng.integers(-100, 1100, 2)
        w, h = rng.integers(20, 400, 2)
        colour = (*(int(c) for c in rng.integers(0, 256, 3)), int(rng.integers(60, 220)))
        shapes.ellipse((int(x), int(y), int(x + w), int(y + h)), fill=colour)
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(1)), np.float32)
    noisy = soft + rng.normal(0, rng.uniform(3.5, 5.5), soft.shape[:2])[..., None]
    buffer = io.BytesIO()
    picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    picture.save(buffer, "JPEG", quality=int(rng.integers(85, 91)))
    return buffer.getvalue()


def drawn(count: int) -> list[bytes]:
    """The benchmark's own photos."""
    return [draw_jpeg(seed) for seed in range(count)]


def _texture(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Noise of all scales, strongest where coarse: the spectrum of photos."""
    total = np.zeros((size[1], size[0], 3), np.float32)
    for side, strength in ((4, 60), (16, 30), (64, 16), (256, 8)):
        coarse = Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
        total += np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float32) * strength
    return Image.fromarray((total / 114).clip(0, 255).astype(np.uint8))


def read_folder(folder: Path, count: int) -> list[bytes]:
    """The first readable JPEGs of a folder and its subfolders."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg")):
        data = path.read_bytes()
        try:
            read_photo(data)
        except ImageError as error:
            print(f"skipped: {path.name} ({error.reason})")
            continue
        found.append(data)
        if len(found) == count:
            break
    return found


def peer_hash(data: bytes) -> int:
    """imagehash's pHash of the full decode."""
    found = imagehash.phash(Image.open(io.BytesIO(data)))
    return int(np.packbits(found.hash.ravel()).view(">i8")[0])


def cpu_s(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """CPU seconds for all items."""
    start = time.process_time()
    for item in items:
        work(item)
    return time.process_time() - start


def compare(photos: list[bytes], rounds: int) -> tuple[float, float]:
    """CPU seconds of the peer's and of our best round."""
    times = [(cpu_s(peer_hash, photos), cpu_s(read_photo, photos)) for _ in range(rounds)]
    peers, ours = zip(*times, strict=True)
    return min(peers), min(ours)


def share_within(photos: list[bytes]) -> float:
    """Share of photos whose hash is within 2 bits of the upright full decode's."""
    near = 0
    for data in photos:
        whole = Image.fromarray(decode.decode_rgb(data))
        expected = int(np.packbits(imagehash.phash(whole).hash.ravel()).view(">i8")[0])
        far = bin((read_photo(data).phash ^ expected) & (2**64 - 1)).count("1")
        near += far <= WITHIN_BITS
    return near / len(photos)


def profile(photos: list[bytes], rounds: int) -> dict[str, float]:
    """CPU seconds of each step for all photos, best of the rounds."""
    reduced = [decode.decode_reduced(data) for data in photos]
    thumbnails = [intake.thumbnail_of(photo) for photo in reduced]
    greys = [intake.grey_of(photo) for photo in reduced]
    steps: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
        "reduced decode, sRGB": (decode.decode_reduced, photos),
        "thumbnail, resize": (intake.thumbnail_of, reduced),
        "32x32 grey": (intake.grey_of, reduced),
        "both hashes": (hashes.phash_pair, greys),
        "thumbnail, JPEG": (encode.encode_jpeg, thumbnails),
        "hints": (lambda one: hints.hints_of(one, aspect=1.0), thumbnails),
        "sha256": (intake.sha256_of, photos),
    }
    return {
        name: min(cpu_s(work, items) for _ in range(rounds))
        for name, (work, items) in steps.items()
    }


def main() -> None:
    """Print the comparison, the agreement and the profile; exit 1 where a must is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="JPEGs to measure instead of drawn ones")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    results.add_save(parser)
    args = parser.parse_args()
    photos = read_folder(args.photos, args.count) if args.photos else drawn(args.count)
    if not photos:
        raise SystemExit(f"no readable JPEGs in {args.photos}")
    peer_s, ours_s = compare(photos, args.rounds)
    ratio, share = peer_s / ours_s, share_within(photos)
    kb = sum(map(len, photos)) / len(photos) / KB
    table = Table(
        "step",
        "photos/s on one core",
        "CPU ms a photo",
        title=f"{len(photos)} JPEGs of {kb:.0f} KB",
    )
    for name, seconds in (("imagehash.phash alone", peer_s), ("intake, complete", ours_s)):
        table.add_row(name, f"{len(photos) / seconds:.0f}", f"{seconds / len(photos) * MS:.2f}")
    for name, seconds in profile(photos, args.rounds).items():
        table.add_row(f"  {name}", "", f"{seconds / len(photos) * MS:.2f}")
    console = Console(width=100)
    console.print(table)
    console.print(
        f"intake is {ratio:.2f} times as fast as imagehash.phash alone (must {MUST}, aim {AIM})"
    )
    console.print(
        f"hash within {WITHIN_BITS} bits of the full decode's: {share:.1%} of photos (must {MUST_SHARE:.0%})"
    )
    if args.save:
        n, must, near = len(photos), f">= {MUST}", f"hash within {WITHIN_BITS} bits"
        what = "reading a photo on a core, beside imagehash.phash alone"
        kept = [
            results.Measured(what, n / ours_s, "photos/s", peer=n / peer_s),
            results.Measured(f"{what}: ratio", ratio, "x", limit=must),
            results.Measured(near, share, "share", limit=f">= {MUST_SHARE}"),
        ]
        results.save(kept)
    raise SystemExit(ratio < MUST or share < MUST_SHARE)


if __name__ == "__main__":
    main()
