"""Whatever lies in the store: a result or a reason, never an error of the run."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from btfer.catalogue import Catalogue, photos
from btfer.errors import ImageError
from btfer.faces.cut import Cut
from btfer.faces.modes import MODES, crop_settings
from btfer.images import QUICK, Pixels
from btfer.paths import photo_path
from btfer.pipeline import crop
from btfer.pipeline.crop_photo import (
    LostCrop,
    LostCrops,
    PhotoFaces,
    PhotoFile,
    cut_again,
    find_and_cut,
)
from btfer.sample import load_manifest, picture_path
from btfer.settings import Settings
from tests.conftest import as_bytes
from tests.pipeline.crop_photos import detect_drawn, keep, keep_many, photo_of, reasons

PORTRAIT = next(one for one in load_manifest() if one.kind == "single")


def portrait() -> Image.Image:
    return Image.open(picture_path(PORTRAIT.file)).convert("RGB")


def looked_at(folder: Path, data: bytes, mode: str = "paper") -> PhotoFaces:
    """What the worker says of a stored file."""
    path = folder / "photo"
    path.write_bytes(data)
    return find_and_cut(PhotoFile(hashlib.sha256(data).hexdigest(), path), MODES[mode])


def turned(orientation: int, transpose: Image.Transpose) -> bytes:
    """The portrait lying on its side in the file, with the EXIF tag that makes it upright."""
    lying = portrait().transpose(transpose)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return as_bytes(lying, "JPEG", quality=95, exif=exif)


ONE_FACE = {
    "grey": lambda: as_bytes(portrait().convert("L"), "PNG"),
    "palette": lambda: as_bytes(portrait().quantize(256), "PNG"),
    "alpha": lambda: as_bytes(portrait().convert("RGBA"), "PNG"),
    "CMYK": lambda: as_bytes(portrait().convert("CMYK"), "JPEG", quality=95),
    "16 bit": lambda: as_bytes(
        Image.fromarray(np.asarray(portrait().convert("L")).astype(np.uint16) * 257), "PNG"
    ),
    "turned by EXIF, 6": lambda: turned(6, Image.Transpose.ROTATE_90),
    "turned by EXIF, 3": lambda: turned(3, Image.Transpose.ROTATE_180),
}


@pytest.mark.parametrize("data", ONE_FACE.values(), ids=ONE_FACE)
def test_a_face_in_any_kind_of_file_is_found_where_it_is_seen(tmp_path: Path, data) -> None:  # type: ignore[no-untyped-def]
    result = looked_at(tmp_path, data())
    assert (result.error, result.taken) == ("", 1)
    [true], box = PORTRAIT.faces, result.found[0].box
    assert abs(box.x + box.width / 2 - true.x - true.width / 2) < 0.2 * true.width
    assert abs(box.y + box.height / 2 - true.y - true.height / 2) < 0.2 * true.height


SHAPES = [(1, 1), (20, 3000), (3000, 20), (60, 3000), (3000, 60), (24, 24), (41, 41)]


@pytest.mark.parametrize("size", SHAPES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("mode", MODES)
def test_a_photo_of_any_shape_has_a_result(
    tmp_path: Path, size: tuple[int, int], mode: str
) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    result = looked_at(tmp_path, as_bytes(Image.fromarray(noise), "PNG"), mode)
    assert result.error == ""
    assert (result.reason == "") == (result.taken > 0)


@pytest.mark.parametrize("mode", MODES)
def test_of_a_crowd_of_two_hundred_fifty_are_taken_and_each_other_says_why(
    tmp_path: Path, mode: str
) -> None:
    [face] = PORTRAIT.faces
    around = (face.x - 40, face.y - 40, face.x + face.width + 40, face.y + face.height + 40)
    small = portrait().crop(around).resize((80, 100))
    crowd = Image.new("RGB", (20 * 80, 10 * 100))
    for n in range(200):
        crowd.paste(small, (n % 20 * 80, n // 20 * 100))
    result = looked_at(tmp_path, as_bytes(crowd, "PNG"), mode)
    assert result.taken == 50
    assert sum(one.reason == "over the cap" for one in result.found) > 100
    assert all(bool(one.reason) != bool(one.png) for one in result.found)


@pytest.mark.slow
def test_fifty_megapixels_have_a_result(tmp_path: Path) -> None:
    large = portrait().resize((8000, 6250))
    result = looked_at(tmp_path, as_bytes(large, "JPEG"))
    assert (result.error, result.taken) == ("", 1)
    assert result.found[0].box.width > 1000  # in pixels of the photo, however it was searched


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: as_bytes(portrait(), "JPEG")[:-2000], "truncated"),
        (lambda: as_bytes(portrait(), "PNG")[:20], "truncated"),
        (lambda: b"<html>404</html>", "not an image"),
        (lambda: as_bytes(portrait(), "GIF"), "format"),
        (lambda: b"", "empty"),
    ],
    ids=["cut off", "header only", "a page", "another format", "empty"],
)
@pytest.mark.reliability("deleted, cut off or swapped photo")
def test_a_file_that_was_corrupt_when_it_was_stored_is_a_reason(  # type: ignore[no-untyped-def]
    tmp_path: Path, data, reason: str
) -> None:
    assert looked_at(tmp_path, data()).reason == reason


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda path: path.unlink(), "file missing"),
        (lambda path: path.write_bytes(b""), "file changed"),
        (lambda path: path.write_bytes(path.read_bytes()[:-900]), "file changed"),
        (lambda path: path.write_bytes(as_bytes(photo_of(2), "PNG")), "file changed"),
        (lambda path: (path.unlink(), path.mkdir()), "file unreadable"),
    ],
    ids=["vanished", "empty", "cut", "another photo", "a folder"],
)
@pytest.mark.reliability("deleted, cut off or swapped photo")
def test_a_photo_that_is_not_what_was_stored_is_a_reason_and_can_be_tried_again(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch, break_it, reason: str
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("btfer.faces.find.detect", detect_drawn)
    good, bad = (as_bytes(photo_of(1, n), "PNG") for n in (5, 6))
    kept, broken = keep(cat, settings, good), keep(cat, settings, bad)
    path = photo_path(settings.data_dir, broken, "png")
    break_it(path)
    outcome = crop.run(cat, settings, unreviewed="keep")
    assert (outcome.taken, outcome.reasons) == (1, {reason: 1})
    assert reasons(cat, broken) == [("drop", reason)]
    assert reasons(cat, kept) == [("keep", "")] * 2

    if path.is_dir():
        path.rmdir()
    path.write_bytes(bad)
    assert crop.run(cat, settings, unreviewed="keep").photos == 0
    assert crop.run(cat, settings, unreviewed="keep", retry=True).taken == 1
    assert photos.awaiting_crop(cat, crop_settings(settings).digest, unreviewed="keep") == []


def test_looking_again_leaves_alone_what_was_looked_at(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btfer.faces.find.detect", detect_drawn)
    keep_many(cat, settings, 4)  # one of them has no face
    crop.run(cat, settings, unreviewed="keep")
    assert crop.run(cat, settings, unreviewed="keep", retry=True).photos == 0


@pytest.mark.parametrize(
    "error",
    [MemoryError("3 GiB"), ImageError("out of memory", "a photo of 9000x9000 pixels")],
    ids=["of Python", "of the detector"],
)
def test_a_detector_out_of_memory_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def detect(pixels: Pixels, *, min_face_px: int) -> None:
        raise error

    monkeypatch.setattr("btfer.faces.find.detect", detect)
    assert looked_at(tmp_path, as_bytes(photo_of(1), "PNG")).reason == "out of memory"


def test_a_crop_that_cannot_be_made_again_for_want_of_memory_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("btfer.pipeline.crop_photo.cut_face", full)
    data = as_bytes(photo_of(1), "PNG")
    (tmp_path / "photo").write_bytes(data)
    photo = PhotoFile(hashlib.sha256(data).hexdigest(), tmp_path / "photo")
    lost = LostCrops(photo, {"a": LostCrop(Cut(0, 0, 9, 9), MODES["paper"], QUICK)})
    assert cut_again(lost) == (lost, {}, "out of memory")
