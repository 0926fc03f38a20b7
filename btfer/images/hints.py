"""Numbers about a thumbnail that order the review queue: small, cheap, and never a verdict.

brightness  mean of all channels, 0-255
sharpness   variance of the Laplacian: low where blurred. Pech-Pacheco et al., ICPR 2000
flat        share of pixels without any texture: high in drawings, slides, logos
colours     effective number of colours: low in drawings. After the colour counts of Athitsos, Swain and
            Frankel, "Distinguishing photographs and graphics on the World Wide Web", 1997
text        share of places with a run of strokes to their right: high on pages and captioned pictures.
            After the horizontal edge density of Zhong, Zhang and Jain, IEEE PAMI 22(4), 2000
aspect      width / height of the upright photo
machine_made  there, and true, where the file itself says that a generator made it
"""

from typing import Any, NotRequired, TypedDict

import numpy as np

from btfer.images.colour import Pixels

COLOUR_BITS = 5  # a channel: 32 levels, so that a grey photo still has more colours than a drawing
RUN_PX = 16
STROKES = 3  # a run has this many edges upwards and as many downwards
EDGE = 48  # of 255 levels, between two neighbours

Sums = np.ndarray[Any, np.dtype[np.int16]]


class PhotoHints(TypedDict):
    """The numbers above, by name."""

    brightness: float
    sharpness: float
    flat: float
    colours: float
    text: float
    aspect: float
    machine_made: NotRequired[bool]


def hints_of(thumbnail: Pixels, *, aspect: float) -> PhotoHints:
    """All hints of a photo.

    thumbnail: uint8 [H, W, 3], RGB, 0-255, long side 160 px. aspect: width / height of the upright photo.
    """
    planes = np.ascontiguousarray(thumbnail.transpose(2, 0, 1))  # three times as fast below
    sums = planes[0].astype(np.int16) + planes[1] + planes[2]
    laplacian = _laplacian(sums)
    return {
        "brightness": round(float(sums.mean()) / 3, 1),
        "sharpness": round(_variance(laplacian) / 9, 1),
        "flat": round(float((np.abs(laplacian) < 3).mean()), 3),
        "colours": round(_effective_colours(planes), 1),
        "text": round(_text(sums), 3),
        "aspect": round(aspect, 3),
    }


def _laplacian(sums: Sums) -> Sums:
    """Of the sum of the three channels, in whole numbers: three times that of their mean."""
    if min(sums.shape) < 3:  # the thumbnail of a strip
        sums = np.pad(sums, 1, mode="edge")
    laplacian = 4 * sums[1:-1, 1:-1] - sums[:-2, 1:-1] - sums[2:, 1:-1]
    return laplacian - sums[1:-1, :-2] - sums[1:-1, 2:]


def _variance(values: Sums) -> float:
    flat = values.ravel().astype(np.float32)
    return float(flat @ flat) / flat.size - float(flat.mean()) ** 2


def _effective_colours(planes: Pixels) -> float:
    """2 to the entropy of the colours: that many equally frequent colours would be as varied.

    Every second pixel of every second row is asked, so that the answer is at most 6,400.
    """
    red, green, blue = (planes[:, ::2, ::2] >> (8 - COLOUR_BITS)).astype(np.uint16)
    codes = np.sort(((red << 2 * COLOUR_BITS) | (green << COLOUR_BITS) | blue).ravel())
    last = np.flatnonzero(codes[1:] != codes[:-1])  # of each colour but the greatest
    shares = np.diff(last, prepend=-1, append=codes.size - 1) / codes.size
    return float(2 ** -(shares @ np.log2(shares)))


def _text(sums: Sums) -> float:
    steps = np.diff(sums[::2], axis=1)  # letters are higher than one row
    if steps.shape[1] <= RUN_PX:
        return 0.0
    # Both counts in one running sum: edges upwards in the low byte, downwards in the high byte.
    edges = (steps > 3 * EDGE).astype(np.int16)
    edges += (steps < -3 * EDGE) * np.int16(256)
    passed = np.cumsum(edges, axis=1, dtype=np.int16)  # at most 80 of each in 160 px
    runs = passed[:, RUN_PX:] - passed[:, :-RUN_PX]
    return float(((runs & 255 >= STROKES) & (runs >> 8 >= STROKES)).mean())
