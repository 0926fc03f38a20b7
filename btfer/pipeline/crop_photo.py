"""The crop stage's work on one photo, in a worker process: it takes a file and returns values, and writes nothing."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from btfer.errors import ImageError
from btfer.faces.cut import Cut, cut_face
from btfer.faces.find import FoundFace, find_faces
from btfer.faces.modes import CropSettings
from btfer.images import CRASHED, OUT_OF_MEMORY, Pixels, decode_rgb, encode_png

NO_FACE_REASONS = (
    "no face",
    "no usable face",
)  # what a photo yields; all other reasons are failures


class PhotoFile(NamedTuple):
    """A photo that awaits its crop."""

    sha256: str
    path: Path


@dataclass(frozen=True)
class PhotoFaces:
    """What a worker found in one photo; error: why it could not look, as a word for the funnel."""

    sha256: str
    found: tuple[FoundFace, ...] = ()
    error: str = ""

    @property
    def taken(self) -> int:
        """How many faces were cut out."""
        return sum(one.cut is not None for one in self.found)

    @property
    def reason(self) -> str:
        """Why the photo yields nothing; '' where it yields a face."""
        nothing = NO_FACE_REASONS[bool(self.found)]
        return self.error or ("" if self.taken else nothing)


def find_and_cut(photo: PhotoFile, settings: CropSettings) -> PhotoFaces:
    """All of the stage's work on one photo, in a worker process; what cannot be used is a reason."""
    try:
        return PhotoFaces(photo.sha256, find_faces(_read(photo), settings))
    except ImageError as error:
        return PhotoFaces(photo.sha256, error=error.reason)
    except MemoryError:
        return PhotoFaces(photo.sha256, error=OUT_OF_MEMORY)


def crashed(photo: PhotoFile) -> PhotoFaces:
    """As `find_and_cut`, of a photo of which worker processes died."""
    return PhotoFaces(photo.sha256, error=CRASHED)


def _read(photo: PhotoFile) -> Pixels:
    """The pixels of a stored photo. Raises ImageError where the file is not there, or not what came in."""
    try:
        data = photo.path.read_bytes()
    except FileNotFoundError:
        raise ImageError("file missing", str(photo.path)) from None
    except OSError as error:
        raise ImageError("file unreadable", f"{photo.path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != photo.sha256:
        raise ImageError("file changed", f"{photo.path} is not what was stored")
    return decode_rgb(data)


class LostCrop(NamedTuple):
    """How a lost crop was cut and packed."""

    cut: Cut
    settings: CropSettings
    packing: str


@dataclass(frozen=True)
class LostCrops:
    """A photo and those of its faces whose files have gone or are cut off, each as it was cut."""

    photo: PhotoFile
    cuts: dict[str, LostCrop]


def cut_again(lost: LostCrops) -> tuple[LostCrops, dict[str, bytes], str]:
    """The PNG of each lost face, or the word why there is none."""
    try:
        pixels = _read(lost.photo)
        pngs = {
            id_: encode_png(cut_face(pixels, one.cut, one.settings), packing=one.packing)
            for id_, one in lost.cuts.items()
        }
    except ImageError as error:
        return lost, {}, error.reason
    except MemoryError:
        return lost, {}, "out of memory"
    return lost, pngs, ""


def cut_crashed(lost: LostCrops) -> tuple[LostCrops, dict[str, bytes], str]:
    """As `cut_again`, of a photo of which worker processes died."""
    return lost, {}, CRASHED
