"""Faces: MTCNN finds them in every kept photo, and each is cut out with a margin and resized to a square.

What '20 pixels' means. The paper adds "an additional 20 pixels around the region of interest"
(section 2, stage 3): here `paper` = 20 px on each side, in pixels of the photo, clipped at its border,
then resized to 256x256. The authors' cropping code adds 10 px a side and resizes bilinearly; that is
`authors_code`. Its faults are not repeated: it fed BGR pixels to a detector that expects RGB, let
boxes near the border run to negative indices, and overwrote all faces of a photo but the last.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from btfer.catalogue import Catalogue, faces, photos
from btfer.catalogue.store import Row
from btfer.catalogue.verdicts import Verdict
from btfer.engine import map_unordered
from btfer.errors import BtferError, ImageError, UsageError
from btfer.files import only_one, write_atomic
from btfer.images import Pixels, decode_rgb, encode_png
from btfer.layout import face_path, photo_path
from btfer.settings import Settings
from btfer.silence import quiet_stderr

# A larger photo is searched at reduced size, so that the detector's memory is bounded.
DETECT_PIXELS = 16_000_000
MAX_FACES = 50


@dataclass(frozen=True)
class CropSettings:
    """Everything that decides which faces are taken and how they are cut. margin_px is per side."""

    name: str = "paper"
    margin_px: int = 20
    size_px: int = 256
    shrink_by: str = "area"
    enlarge_by: str = "cubic"
    min_probability: float = 0.90
    min_face_px: int = 40
    max_faces: int = MAX_FACES
    detector: str = "mtcnn 1.0.0, pyramid from 20 px"

    @property
    def digest(self) -> str:
        """Eight hex digits that change with any of the settings; part of every face id."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]


MODES = {
    "paper": CropSettings(),
    "authors_code": CropSettings(
        name="authors_code", margin_px=10, shrink_by="linear", enlarge_by="linear"
    ),
}


def crop_settings(settings: Settings) -> CropSettings:
    """The named crop mode with the thresholds of `settings`. Raises UsageError for an unknown name."""
    if settings.crop not in MODES:
        raise UsageError(f"crop '{settings.crop}' is unknown: use one of {', '.join(MODES)}")
    chosen = asdict(MODES[settings.crop])
    thresholds = {
        "min_probability": settings.min_probability,
        "min_face_px": settings.min_face_px,
    }
    return CropSettings(**chosen | thresholds)


@dataclass(frozen=True)
class Box:
    """A detected face in photo pixels: left, top, width, height, probability, five landmarks (x, y)."""

    x: float
    y: float
    width: float
    height: float
    probability: float
    landmarks: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Cut:
    """The rectangle that was cut, in photo pixels, and the sides where the photo's border clipped the margin."""

    left: int
    top: int
    right: int
    bottom: int
    clipped: tuple[str, ...]


@dataclass(frozen=True)
class PhotoFaces:
    """What a worker found in one photo: boxes, and for each the reason it was not taken, or its cut and PNG."""

    sha256: str
    boxes: list[Box]
    reasons: list[str]
    cuts: list[Cut | None]
    pngs: list[bytes]
    error: str = ""


@dataclass(frozen=True)
class CropOutcome:
    """Photos looked at, faces taken, boxes not taken, and photos without a usable face."""

    photos: int = 0
    taken: int = 0
    refused: int = 0
    empty: int = 0


def cut_rectangle(box: Box, width: int, height: int, *, margin_px: int = 20) -> Cut:
    """The box grown by `margin_px` on each side and clipped to a photo of `width` x `height` pixels.

    Raises ImageError `outside` where nothing of the box lies in the photo.
    """
    left, top = round(box.x) - margin_px, round(box.y) - margin_px
    right, bottom = round(box.x + box.width) + margin_px, round(box.y + box.height) + margin_px
    sides = (("left", left < 0), ("top", top < 0), ("right", right > width))
    clipped = tuple(name for name, out in (*sides, ("bottom", bottom > height)) if out)
    cut = Cut(max(left, 0), max(top, 0), min(right, width), min(bottom, height), clipped)
    if cut.left >= cut.right or cut.top >= cut.bottom:
        raise ImageError("outside", f"the box {box} is not in the {width}x{height} photo")
    return cut


def crop_face(pixels: Pixels, cut: Cut, settings: CropSettings) -> Pixels:
    """Cut one face and resize it to a square; the aspect ratio is not kept, as in the paper.

    pixels: uint8 [H, W, 3], RGB. Returns uint8 [size_px, size_px, 3].
    Source: BTFER section 2, stage 3 (MTCNN, 20 px margin, 256x256).
    """
    import cv2

    methods = {"area": cv2.INTER_AREA, "cubic": cv2.INTER_CUBIC, "linear": cv2.INTER_LINEAR}
    part = pixels[cut.top : cut.bottom, cut.left : cut.right]
    shrinks = min(part.shape[:2]) > settings.size_px
    method = methods[settings.shrink_by if shrinks else settings.enlarge_by]
    return cv2.resize(part, (settings.size_px, settings.size_px), interpolation=method)


def refusals(boxes: list[Box], settings: CropSettings) -> list[str]:
    """For each box the reason why it is not taken, '' where it is: low probability, small, over the cap."""
    reasons, taken = [], 0
    for box in boxes:
        reason = ""
        if box.probability < settings.min_probability:
            reason = "low probability"
        elif min(box.width, box.height) < settings.min_face_px:
            reason = "small"
        elif taken >= settings.max_faces:
            reason = "over the cap"
        taken += not reason
        reasons.append(reason)
    return reasons


def detect(pixels: Pixels) -> list[Box]:
    """All faces that MTCNN sees, from left to right. pixels: uint8 [H, W, 3], RGB (not BGR)."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, (DETECT_PIXELS / (height * width)) ** 0.5)
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # One image a call and min_face_size at its default: batches and larger sizes lose faces silently.
    found = _detector().detect_faces(small if scale < 1 else pixels)
    boxes = [_box(one, 1 / scale) for one in found]
    return sorted(boxes, key=lambda box: (box.x, box.y))


@cache
def _detector() -> Any:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # one core per worker process
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    with quiet_stderr():
        from mtcnn import MTCNN

        return MTCNN(device="CPU:0")


def _box(found: dict[str, Any], scale: float) -> Box:
    x, y, width, height = (round(float(value) * scale, 3) for value in found["box"])
    points = {
        name: (round(float(px) * scale, 3), round(float(py) * scale, 3))
        for name, (px, py) in found["keypoints"].items()
    }
    return Box(x, y, width, height, round(float(found["confidence"]), 6), points)


def find_faces(photo: tuple[str, Path], settings: CropSettings) -> PhotoFaces:
    """All of the stage's work on one photo (sha256, file), in a worker process; an unusable photo is a reason."""
    sha256, path = photo
    try:
        pixels = decode_rgb(path.read_bytes())
    except FileNotFoundError:
        return PhotoFaces(sha256, [], [], [], [], error="file missing")
    except ImageError as error:
        return PhotoFaces(sha256, [], [], [], [], error=error.reason)
    boxes = detect(pixels)
    reasons = refusals(boxes, settings)
    height, width = pixels.shape[:2]
    cuts = [
        None if reason else cut_rectangle(box, width, height, margin_px=settings.margin_px)
        for box, reason in zip(boxes, reasons, strict=True)
    ]
    pngs = [encode_png(crop_face(pixels, cut, settings)) if cut else b"" for cut in cuts]
    return PhotoFaces(sha256, boxes, reasons, cuts, pngs)


def face_id(sha256: str, settings: str, number: int) -> str:
    """The name of a face: photo, crop settings and box number."""
    return f"{sha256[:24]}-{settings}-{number:02d}"


def run(
    cat: Catalogue,
    settings: Settings,
    *,
    unreviewed: str = "",
    on_progress: Callable[[str, int, int], None] | None = None,
) -> CropOutcome:
    """Find and cut the faces of every kept photo that was not looked at under these settings."""
    chosen = crop_settings(settings)
    with only_one(settings.data_dir, "crop"):
        queue = photos.awaiting_crop(cat, chosen.digest, unreviewed=unreviewed)
        todo = [
            (row["sha256"], photo_path(settings.data_dir, row["sha256"], row["format"]))
            for row in queue
        ]
        work = partial(find_faces, settings=chosen)
        outcome = CropOutcome()
        results = map_unordered(work, todo, engine=settings.engine, workers=settings.workers)
        for result in results:
            _store(cat, settings.data_dir, chosen, result)
            outcome = _count(outcome, result)
            if on_progress:
                on_progress("crop", outcome.photos, len(todo))
    return outcome


def rebuild(
    cat: Catalogue,
    settings: Settings,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> int:
    """Make lost crops again from their photos and recorded rectangles; how many. The bytes are the same.

    Raises BtferError where a photo has gone as well.
    """
    chosen = crop_settings(settings)
    rows = faces.taken(cat, chosen.digest)
    lost = [row for row in rows if not face_path(settings.data_dir, row["id"]).exists()]
    formats = {row["sha256"]: row["format"] for row in photos.labels(cat).values()}
    for done, row in enumerate(lost, start=1):
        path = photo_path(settings.data_dir, row["photo"], formats[row["photo"]])
        if not path.exists():
            raise BtferError(f"the photo {path} has gone: face {row['id']} cannot be made again")
        cut = Cut(**row["crop"] | {"clipped": tuple(row["crop"]["clipped"])})
        png = encode_png(crop_face(decode_rgb(path.read_bytes()), cut, chosen))
        write_atomic(face_path(settings.data_dir, row["id"]), png)
        if on_progress:
            on_progress("crop", done, len(lost))
    return len(lost)


def _store(cat: Catalogue, data_dir: Path, settings: CropSettings, result: PhotoFaces) -> None:
    """The files first, then all rows of the photo in one transaction."""
    rows, judged = [], [_photo_verdict(result, settings)]
    for number, (box, reason, cut, png) in enumerate(
        zip(result.boxes, result.reasons, result.cuts, result.pngs, strict=True)
    ):
        id_ = face_id(result.sha256, settings.digest, number)
        if cut:
            write_atomic(face_path(data_dir, id_), png)
        row: Row = asdict(box) | {"id": id_, "photo": result.sha256, "number": number}
        rows.append(row | {"settings": settings.digest, "crop": asdict(cut) if cut else {}})
        decision = "drop" if reason else "keep"
        judged.append(
            Verdict("crop", result.sha256, decision, "crop", id_, settings.digest, reason)
        )
    faces.add(cat, rows, judged)


def _photo_verdict(result: PhotoFaces, settings: CropSettings) -> Verdict:
    reason = result.error
    if not reason and not any(result.cuts):
        reason = "no usable face" if result.boxes else "no face"
    decision = "drop" if reason else "keep"
    return Verdict("crop", result.sha256, decision, "crop", settings=settings.digest, reason=reason)


def _count(so_far: CropOutcome, result: PhotoFaces) -> CropOutcome:
    taken = sum(cut is not None for cut in result.cuts)
    return CropOutcome(
        so_far.photos + 1,
        so_far.taken + taken,
        so_far.refused + len(result.boxes) - taken,
        so_far.empty + (taken == 0),
    )
