"""Which of our faces are looked for: those of the catalogue, or the images of a release."""

from collections.abc import Iterable, Mapping
from math import atan2, degrees
from pathlib import Path
from typing import Any

from btfer.catalogue import Catalogue, faces, photos, releases
from btfer.catalogue.rows import Face
from btfer.csv_reader import CsvRow, read_csv
from btfer.errors import UsageError
from btfer.leaks.views import LeakSubject
from btfer.paths import photo_path
from btfer.release_record import read_crop_settings
from btfer.safe_paths import FilesInside
from btfer.store import Store

IMAGE_PX = 256
MOST_PX = 20_000


def subjects_of(cat: Catalogue, store: Store, chosen: Iterable[Face]) -> list[LeakSubject]:
    """Faces of the catalogue in their photos, which are fetched, named by their ids."""
    every = list(chosen)
    known = photos.described(cat, {face.photo for face in every})
    found = [
        LeakSubject(
            face.id,
            photo_path(store.folder, face.photo, known[face.photo].format),
            face.box,
            _tilt_deg(face.landmarks),
        )
        for face in every
    ]
    store.fetch_all({one.picture for one in found})
    return found


def subjects_of_release(cat: Catalogue, store: Store, release: Path) -> list[LeakSubject]:
    """The images of a release by file name: in their photos where these are kept here, else the images themselves.

    With its photo, a face is also found in wider framings. Raises UsageError where the folder
    is not a release.
    """
    images = released_images(release)
    file_of = {one.face: f"images/{one.file}" for one in releases.faces_in(cat, release.name)}
    known = subjects_of(cat, store, faces.by_id(cat, file_of).values())
    here = {file_of[one.name]: one for one in known if one.picture.is_file()}
    return [here[one.name]._replace(name=one.name) if one.name in here else one for one in images]


def _tilt_deg(landmarks: Mapping[str, Any]) -> float:
    """Of the line from eye to eye, clockwise; 0 where there are no landmarks."""
    if not {"left_eye", "right_eye"} <= landmarks.keys():
        return 0.0
    (x0, y0), (x1, y1) = landmarks["left_eye"], landmarks["right_eye"]
    return degrees(atan2(y1 - y0, x1 - x0))


def released_images(release: Path) -> list[LeakSubject]:
    """The images of a release folder, each with the place of the face's box in it. Raises UsageError."""
    table = release / "metadata.csv"
    if not table.is_file():
        raise UsageError(
            f"{release} is not a release: expected images/<class>/*.png and metadata.csv"
        )
    crop = read_crop_settings(release)
    margin, inside = crop.margin_px if crop else 0, FilesInside(release)
    return [
        _image(inside, row, margin, f"{table}, line {row.line}")
        for row in read_csv(table, required=("file_name",), own=True)
    ]


def _image(inside: FilesInside, row: CsvRow, margin: float, where: str) -> LeakSubject:
    """An image, unstretched: in the photo it was the box with a margin all around."""
    width, height = (_side(row.get(f"face_{side}_px"), where) for side in ("width", "height"))
    box = (margin, margin, float(width), float(height))
    natural = (round(width + 2 * margin), round(height + 2 * margin))
    path = inside.path(row["file_name"], where=where)
    return LeakSubject(row["file_name"], path, box, natural=natural)


def _side(text: str, where: str) -> int:
    """A side of a face in pixels of its photo; that of the image where it is not stated."""
    if not text:
        return IMAGE_PX
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_PX and len(text) < 9):
        raise UsageError(f"{where}: '{text[:20]}' is not the side of a face in pixels")
    return int(text)
