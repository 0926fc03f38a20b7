"""The mathematics of boxes and crops, for boxes that no detector would give."""

import math
from dataclasses import asdict, replace

import numpy as np
from hypothesis import strategies as st

from btfer.faces.box import Box
from btfer.faces.cut import (
    CropRecord,
    crop_record,
    crop_settings_of,
    cut_face,
    cut_rectangle,
    in_crop,
    read_cut,
)
from btfer.faces.modes import MODES
from tests.fuzz.driver import fuzz

NUMBERS = st.floats(-3_000, 3_000) | st.sampled_from([-1e-9, 0.0, 0.49999, 0.5, 1e-300, 1e6, -1e6])
SIDES = st.floats(0, 3_000) | st.sampled_from([0.0, 1e-9, 0.5, 1e6])
LENGTHS = st.integers(1, 120) | st.sampled_from([1, 2, 3])


@fuzz(
    40,
    place=st.tuples(NUMBERS, NUMBERS, SIDES, SIDES),
    size=st.tuples(LENGTHS, LENGTHS),
    name=st.sampled_from(sorted(MODES)),
    margin_px=st.integers(0, 200),
    size_px=st.integers(1, 64),
)
def test_a_box_is_outside_or_is_cut_to_a_square(
    place: tuple[float, float, float, float],
    size: tuple[int, int],
    name: str,
    margin_px: int,
    size_px: int,
) -> None:
    settings = replace(MODES[name], margin_px=margin_px, size_px=size_px)
    box = Box(*place, probability=1.0, landmarks={})
    cut = cut_rectangle(box, *size, settings)  # or ImageError: outside
    assert cut.width > 0
    assert cut.height > 0
    assert 0 <= cut.share_beyond(*size) <= 1
    if not cut.reflected:
        assert (cut.left, cut.top) >= (0, 0)
        assert cut.right <= size[0]
        assert cut.bottom <= size[1]
    if cut.width * cut.height > 4_000_000:  # such a face is in no photo of 50 megapixels
        return
    made = crop_record(cut, settings)
    assert isinstance(made, CropRecord)
    assert read_cut(asdict(made)) == cut
    assert crop_settings_of(asdict(made)) == settings
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    assert cut_face(pixels, cut, settings).shape == (size_px, size_px, 3)
    assert all(map(math.isfinite, in_crop((box.x, box.y), cut, size_px)))
