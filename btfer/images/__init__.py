"""Photos in, pixels out: safe decode, hashes, thumbnails, encode. The only place that knows formats.

Everywhere else a picture is uint8 [H, W, 3], RGB, sRGB, upright.

decode        bytes -> a picture that was read to its last byte, whole or reduced
first_bytes   which format a file is
jpeg, png, webp, avif, extra_formats   what is particular to each: damage, side data, what the picture is
orientation   EXIF's turn
cicp          colours that are named by numbers
colour        any mode and profile -> RGB, sRGB, on white
hashes        the pHash of a picture and of its mirror image, by one small DCT
hints         numbers about a thumbnail that order the review queue
marks         what a file says of its own use and making
intake        all of these from one decode: what the catalogue knows about a photo
registration  whether two pictures that look alike are one
encode        pictures that carry pixels and nothing else
"""

from btfer.images.colour import Pixels
from btfer.images.decode import FORMATS, MAX_PIXELS, MIN_SIDE_PX, decode_rgb
from btfer.images.encode import (
    PACKINGS,
    QUICK,
    THOROUGH,
    bare_size,
    encode_jpeg,
    encode_png,
    is_whole_png,
    metadata_in,
)
from btfer.images.hashes import phash_pairs
from btfer.images.intake import (
    CRASHED,
    OUT_OF_MEMORY,
    THUMBNAIL_PX,
    Intake,
    describe_photo,
    read_photo,
)
from btfer.images.marks import forbids_mining

__all__ = [
    "CRASHED",
    "FORMATS",
    "MAX_PIXELS",
    "MIN_SIDE_PX",
    "OUT_OF_MEMORY",
    "PACKINGS",
    "QUICK",
    "THOROUGH",
    "THUMBNAIL_PX",
    "Intake",
    "Pixels",
    "bare_size",
    "decode_rgb",
    "describe_photo",
    "encode_jpeg",
    "encode_png",
    "forbids_mining",
    "is_whole_png",
    "metadata_in",
    "phash_pairs",
    "read_photo",
]
