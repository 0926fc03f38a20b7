"""A face that a person drew a box around, where the detector saw none: cut and judged like any other."""

import uuid
from dataclasses import asdict

from btfer.catalogue import Catalogue, faces, photos, votes
from btfer.catalogue.rows import Face, PhotoBox
from btfer.catalogue.verdicts import Verdict
from btfer.errors import ImageError, UsageError
from btfer.faces.box import Box
from btfer.faces.cut import crop_record, cut_face, cut_rectangle
from btfer.faces.modes import CropSettings
from btfer.images import Pixels, decode_rgb, encode_png
from btfer.paths import face_id, face_path, photo_path
from btfer.review.exchange_rows import shortened
from btfer.review.rules import check_reviewer
from btfer.store import Store

DETECTOR = {"detector": "person"}
"""Among a face's hints: who found it."""


def add_drawn_face(
    cat: Catalogue,
    store: Store,
    settings: CropSettings,
    photo: str,
    shares: PhotoBox,
    reviewer: str,
    *,
    page: str = "",
) -> str:
    """Cut a face by hand and put it into the queue of round `faces`; its id.

    shares: the box in shares of the upright photo's width and height, 0 to 1. page: names this sending; sent again
    under the same name, nothing is written, and the answer is ''. Raises UsageError for a box that
    is too small or not in the photo, for a photo that the crop stage has not looked at under these settings, or
    one that cannot be read.
    """
    by = check_reviewer(reviewer)
    uid = shortened(f"{page}|{by}|crop|{photo}") if page else uuid.uuid4().hex
    if votes.known_uids(cat, [uid]):
        return ""
    if photo not in {one.sha256 for one in faces.photos_without_face(cat, settings.digest)}:
        raise UsageError(
            f"photo {photo[:16]} is not among those without a face under the crop settings of now: "
            "load the page again, or run `btfer crop` first"
        )
    pixels = _pixels(cat, store, photo)
    box = _box(shares, pixels.shape[1], pixels.shape[0], settings)
    cut = cut_rectangle(box, pixels.shape[1], pixels.shape[0], settings)
    number = 1 + max((one.number for one in faces.of_photo(cat, photo)), default=-1)
    id_ = face_id(photo, settings.digest, number)
    store.write(face_path(store.folder, id_), encode_png(cut_face(pixels, cut, settings)))
    row = Face(
        *(id_, photo, settings.digest, number),
        *(box.x, box.y, box.width, box.height),
        box.probability,
        landmarks={},
        crop=asdict(crop_record(cut, settings)),
        hints=DETECTOR,
    )
    taken = [
        Verdict("crop", photo, "keep", by, settings=settings.digest, uid=uid),
        Verdict("crop", photo, "keep", by, face=id_, settings=settings.digest),
    ]
    faces.add(cat, [row], taken)
    return id_


def _pixels(cat: Catalogue, store: Store, photo: str) -> Pixels:
    format_ = photos.described(cat, [photo])[photo].format
    try:
        return decode_rgb(store.fetch(photo_path(store.folder, photo, format_)).read_bytes())
    except (OSError, ImageError) as error:
        raise UsageError(f"photo {photo[:16]} cannot be read: {error}") from error


def _box(shares: PhotoBox, width: int, height: int, settings: CropSettings) -> Box:
    x, y, wide, high = shares
    if not (0 <= x <= 1 and 0 <= y <= 1 and 0 < wide <= 1 - x + 1e-6 and 0 < high <= 1 - y + 1e-6):
        raise UsageError(f"the box {tuple(shares)} is not in the photo: draw it again")
    box = Box(x * width, y * height, wide * width, high * height, 1.0, {})
    if min(box.width, box.height) < settings.min_face_px:
        raise UsageError(
            f"the box is {box.width:.0f} x {box.height:.0f} px, and a face needs {settings.min_face_px} px "
            "on its shorter side: draw it larger, or drop the photo"
        )
    return box
