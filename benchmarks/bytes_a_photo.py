"""How many bytes a photo takes on disk: as it came, its thumbnail, and the crop of a face.

    python benchmarks/bytes_a_photo.py [--photos FOLDER] [--count N] [--save]

Without --photos, the 1 Mpx JPEGs of the intake's benchmark are drawn, and their middle is cut in place of a face.
"""

import argparse
from pathlib import Path

import intake
import numpy as np
import results
from PIL import Image

from btfer.images import decode_rgb, encode_png, read_photo

FACE_PX, CROP_PX = 300, 256


def crop_of(data: bytes) -> bytes:
    """A crop as the crop stage packs it: of the middle of a photo."""
    pixels = decode_rgb(data)
    top, left = ((side - FACE_PX) // 2 for side in pixels.shape[:2])
    cut = Image.fromarray(pixels[top : top + FACE_PX, left : left + FACE_PX])
    return encode_png(np.asarray(cut.resize((CROP_PX, CROP_PX))))


def main() -> None:
    """Print the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="JPEGs to measure instead of drawn ones")
    parser.add_argument("--count", type=int, default=30)
    results.add_save(parser)
    given = parser.parse_args()
    photos = (
        intake.read_folder(given.photos, given.count) if given.photos else intake.drawn(given.count)
    )
    if not photos:
        raise SystemExit(f"no readable JPEGs in {given.photos}")
    found = {
        "a photo on disk": map(len, photos),
        "a thumbnail on disk": (len(read_photo(one).thumbnail) for one in photos),
        "a crop on disk": (len(crop_of(one)) for one in photos),
    }
    rows = [
        results.Measured(what, sum(sizes) / len(photos), "bytes") for what, sizes in found.items()
    ]
    for one in rows:
        print(f"{one.what}: {one.value:,.0f} {one.unit}")
    if given.save:
        results.save(rows)


if __name__ == "__main__":
    main()
