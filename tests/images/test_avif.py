"""An AVIF is cut to its clean aperture, and its second reader refuses no good picture."""

import struct

import numpy as np
import pytest

from btfer import images
from btfer.images import avif, avif_side_data
from tests.conftest import as_bytes, draw_photo

PHOTO = draw_photo(4, (160, 120))


def _grown(data: bytes, box: bytes, content: bytes, *around: bytes) -> bytes:
    """The file with `content` at the end of a box, which and those around it say that they are longer."""
    start = data.index(box) - 4
    end = start + int.from_bytes(data[start : start + 4])
    data = data[:end] + content + data[end:]
    for name in (box, *around):
        at = data.index(name) - 4
        length = int.from_bytes(data[at : at + 4]) + len(content)
        data = data[:at] + length.to_bytes(4) + data[at + 4 :]
    return data


def _with_aperture(data: bytes, *numbers: int) -> bytes:
    """The same AVIF with the property `clap`, essential, for its only item."""
    clap = struct.pack(">I4s8i", 40, b"clap", *numbers)
    last = data.index(b"ipma") - 4
    n_properties = data[last + 18]
    assert data[last + 12 : last + 16] == b"\0\0\0\1"
    pixels = (data.index(b"mdat") + 4).to_bytes(4)
    grown = _grown(data, b"ipco", clap, b"iprp", b"meta")
    grown = _grown(grown, b"ipma", bytes([0x80 | n_properties + 1]), b"iprp", b"meta")
    count = grown.index(b"ipma") + 14
    grown = grown[:count] + bytes([n_properties + 1]) + grown[count + 1 :]
    at = grown.index(pixels, grown.index(b"iloc"))
    return grown[:at] + (grown.index(b"mdat") + 4).to_bytes(4) + grown[at + 4 :]


def test_the_clean_aperture_is_what_is_seen() -> None:
    data = as_bytes(PHOTO, "AVIF", quality=90)
    whole = images.decode_rgb(data)
    cut = _with_aperture(
        data, 100, 1, 80, 1, 10, 1, -4, 1
    )  # 100x80, its centre 10 to the right, 4 up
    assert np.array_equal(images.decode_rgb(cut), whole[16:96, 40:140])
    intake = images.read_photo(cut)
    assert (intake.width, intake.height) == (100, 80)


@pytest.mark.parametrize(
    "numbers",
    [
        (100, 1, 80, 1, 100, 1, 0, 1),
        (101, 2, 80, 1, 0, 1, 0, 1),
        (100, 0, 80, 1, 0, 1, 0, 1),
        (-100, 1, 80, 1, 0, 1, 0, 1),
        (160, 1, 120, 1, 0, 1, 0, 1),
    ],
)
def test_an_aperture_that_is_no_part_of_the_picture_is_ignored(numbers: tuple[int, ...]) -> None:
    data = _with_aperture(as_bytes(PHOTO, "AVIF", quality=90), *numbers)
    assert avif.aperture(data, (160, 120)) is None
    assert images.decode_rgb(data).shape == (120, 160, 3)


def test_no_broken_box_raises_anything() -> None:
    data = _with_aperture(as_bytes(PHOTO, "AVIF"), 100, 1, 80, 1, 10, 1, -4, 1)
    rng = np.random.default_rng(1)
    for _ in range(300):
        broken = bytearray(data[:400])
        for at in rng.integers(0, 400, 3):
            broken[at] = rng.integers(0, 256)
        avif.aperture(bytes(broken), (160, 120))
        avif_side_data.without_side_data(bytes(broken))
