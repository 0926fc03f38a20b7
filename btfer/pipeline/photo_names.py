"""What a photo is called where people see it: digits of its sha256, a face of it, or its pseudonym in releases."""

import re

from btfer.catalogue import Catalogue, faces, photos
from btfer.pipeline.release_images import photo_pseudonyms

LEAST_DIGITS = 8
PSEUDONYM_DIGITS = 12
_DIGITS = re.compile(r"[0-9a-f]+")
_FACE = re.compile(r"[0-9a-f]{8,}-[0-9a-f-]*")


def photos_named(cat: Catalogue, text: str) -> set[str]:
    """The photos (sha256) that a text may mean: first digits of a sha256 or of a face id, or a `photo_id`."""
    text = text.strip().lower().removesuffix(".png")
    if _FACE.fullmatch(text):
        return {one.photo for one in faces.find(cat, text)}
    if not _DIGITS.fullmatch(text):
        return set()
    found = {one.sha256 for one in photos.find(cat, text)}
    if len(text) == PSEUDONYM_DIGITS:
        hidden = photo_pseudonyms(cat, (one.sha256 for one in photos.find(cat, "")))
        found |= {photo for photo, name in hidden.items() if name == text}
    return found
