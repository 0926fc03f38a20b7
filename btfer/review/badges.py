"""Hints for a person: what may be wrong with a picture, as short words. Never a verdict."""

from collections.abc import Iterable

from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.review_rows import MeasuredFace, MeasuredPhoto
from btfer.faces import hints as face_hints

# Seen on 150 web photos: below or above these lie about 3 to 5 in 100.
DARK_BELOW = 50.0  # mean of 0-255
BLURRED_BELOW = 12.0  # variance of the thumbnail's Laplacian
FLAT_ABOVE = 0.45  # share of pixels without any texture: drawings, slides, logos
FEW_COLOURS = 12  # in drawings, emoji and logos
TEXT_ABOVE = 0.03  # share of places where strokes stand side by side, as in writing
SMALL_PHOTO_PX = 120

CONFLICT = "conflicting labels"  # found under queries of different classes
LICENCE_CONFLICT = "licence conflict"  # its sightings state different licences
DISAGREE = "models disagree"  # good networks agree on another label
DOUBT = "doubt"  # a hint of a face, 0 to 1: one minus the probability that networks give its label
EXPLAINED = {
    DISAGREE: "networks that do well agree on another label",
    CONFLICT: "found under queries of different classes: which one is it?",
    "no face found": "the crop stage looked and found no face",
    "odd landmarks": "eyes, nose and mouth are not where a face has them: perhaps no face",
    "low probability": "the detector was not sure that this is a face",
    "machine-made": "its file says that a program made it",
    "drawing-like": "few colours, as in drawings, emoji and logos",
    "text-like": "strokes side by side, as in writing",
    "flat": "large parts without texture, as in drawings, slides and logos",
    "blurred": "little detail: out of focus, or enlarged",
    "odd size": "much smaller or larger than its photo's other faces, and the detector was less sure of it",
    "covered": "mouth, eyes or one half of the face without texture: a mask, glasses, a hand?",
    "enlarged": "made three times larger or more: no detail of its own at this size",
    "compressed": "the blocks of a strongly compressed JPEG are seen",
    "turned": "the head is turned far to one side",
    "tilted": "the line from eye to eye is more than 20 degrees off the level",
    "dark eyes": "the eyes are darker than the face: dark glasses, or a cap",
    "mirrored": "much of the crop is the mirror image of its border",
    "dark": "little light",
    "small": "few pixels",
    "several faces": "its photo has more faces: does the label belong to this one?",
    LICENCE_CONFLICT: "its sightings state different licences",
    "has copies": "near-duplicates of it were dropped",
    "disputed": "people judged it differently",
    "unlabelled": "no query says what it should show",
}
"""What each hint says, the strongest first."""
FIRST = {"photos": CONFLICT, "faces": DISAGREE}


def strongest_first(hints: Iterable[str]) -> tuple[str, ...]:
    """In the order of `EXPLAINED`: what most likely decides is what a small badge has room for."""
    order = list(EXPLAINED)
    return tuple(sorted(hints, key=lambda one: order.index(one) if one in EXPLAINED else -1))


def of_photo(
    photo: MeasuredPhoto,
    label: str,
    conflicting: bool,
    has_copies: bool,
    no_face_found: bool = False,
    licence_conflict: bool = False,
) -> tuple[str, ...]:
    """The hints of a photo.

    no_face_found: the crop stage looked already and found no face.
    """
    hints = photo.hints
    found = (  # in this order, and not as a dict: there may be 100,000 photos
        (CONFLICT, conflicting),
        ("unlabelled", label == UNLABELLED),
        ("machine-made", bool(hints.get("machine_made"))),
        ("has copies", has_copies),
        ("no face found", no_face_found),
        ("blurred", hints.get("sharpness", BLURRED_BELOW) < BLURRED_BELOW),
        ("dark", hints.get("brightness", DARK_BELOW) < DARK_BELOW),
        ("flat", hints.get("flat", 0) > FLAT_ABOVE),
        ("drawing-like", hints.get("colours", FEW_COLOURS) < FEW_COLOURS),
        ("text-like", hints.get("text", 0) > TEXT_ABOVE),
        ("small", min(photo.width_px, photo.height_px) < SMALL_PHOTO_PX),
        (LICENCE_CONFLICT, licence_conflict),
    )
    return tuple([name for name, holds in found if holds])


def of_face(
    face: MeasuredFace,
    label: str,
    conflicting: bool,
    faces_in_photo: int,
    licence_conflict: bool = False,
) -> tuple[str, ...]:
    """The hints of a face."""
    found = {
        CONFLICT: conflicting,
        DISAGREE: face.hints.get(DOUBT, 0) > 0,
        "unlabelled": label == UNLABELLED,
        "several faces": faces_in_photo > 1,
        LICENCE_CONFLICT: licence_conflict,
    }
    # An older catalogue has no hints, but these two it has.
    known = {"probability": face.probability, "side_px": min(face.box.width_px, face.box.height_px)}
    named = tuple(name for name, holds in found.items() if holds)
    return (*named, *face_hints.badges(known | dict(face.hints)))
