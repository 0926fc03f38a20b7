"""Hints for a person: what may be wrong with a picture, as short words. Never a verdict."""

from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.store import Row

# Seen on 150 web photos: below or above these lie about 3 to 5 in 100.
DARK_BELOW = 50.0  # mean of 0-255
BLURRED_BELOW = 12.0  # variance of the thumbnail's Laplacian
FLAT_ABOVE = 0.45  # share of pixels without any texture: drawings, slides, logos
FEW_COLOURS = 12  # in drawings, emoji and logos
TEXT_ABOVE = 0.03  # share of places where strokes stand side by side, as in writing
SMALL_PHOTO_PX = 120
SMALL_FACE_PX = 64
UNSURE_BELOW = 0.97  # MTCNN's probability

CONFLICT = "conflicting labels"  # found under queries of different classes
DISAGREE = "models disagree"  # good networks agree against the label
DOUBT = "doubt"  # the hint of a face, 0 to 1: one minus what the networks give its label
FIRST = {"photos": CONFLICT, "faces": DISAGREE}


def of_photo(row: Row, conflicting: bool, has_copies: bool) -> tuple[str, ...]:
    """The hints of a photo. row: expression, width, height and `hints`, as intake measured them."""
    hints = row["hints"]
    found = {
        CONFLICT: conflicting,
        "unlabelled": row["expression"] == UNLABELLED,
        "has copies": has_copies,
        "blurred": hints.get("sharpness", BLURRED_BELOW) < BLURRED_BELOW,
        "dark": hints.get("brightness", DARK_BELOW) < DARK_BELOW,
        "flat": hints.get("flat", 0) > FLAT_ABOVE,
        "drawing-like": hints.get("colours", FEW_COLOURS) < FEW_COLOURS,
        "text-like": hints.get("text", 0) > TEXT_ABOVE,
        "small": min(row["width"], row["height"]) < SMALL_PHOTO_PX,
    }
    return tuple(name for name, holds in found.items() if holds)


def of_face(row: Row, conflicting: bool, faces_in_photo: int) -> tuple[str, ...]:
    """The hints of a face. row: expression, probability, width, height, hints."""
    found = {
        CONFLICT: conflicting,
        DISAGREE: row["hints"].get(DOUBT, 0) > 0,
        "unlabelled": row["expression"] == UNLABELLED,
        "several faces": faces_in_photo > 1,
        "low probability": row["probability"] < UNSURE_BELOW,
        "small": min(row["width"], row["height"]) < SMALL_FACE_PX,
    }
    return tuple(name for name, holds in found.items() if holds)
