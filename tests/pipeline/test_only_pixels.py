"""Nothing of what thirty and more nasty photos carry beside their pixels is in a release made of them."""

import zlib
from pathlib import Path

import pytest

from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.expressions import EXPRESSIONS
from btfer.images import bare_size, metadata_in
from btfer.paths import face_path
from btfer.pipeline import build, crop, verify
from btfer.settings import Settings
from tests.conftest import take_in
from tests.pipeline.nasty import NASTY, SECRET
from tests.pipeline.test_release import add_face


def tells(data: bytes) -> bool:
    """Whether the secret lies in a file, as it is or in a deflated part of it."""
    if SECRET in data:
        return True
    starts = [at for at in range(len(data) - 1) if data[at : at + 2] in (b"\x78\x9c", b"\x78\xda")]
    return any(SECRET in _inflated(data[at:]) for at in starts)


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data)
    except zlib.error:
        return b""


@pytest.fixture
def released(cat: Catalogue, settings: Settings) -> Path:
    """A release of all nasty photos, each cropped by the crop stage's own code."""
    for number, (kind, make) in enumerate(NASTY.items()):
        label = EXPRESSIONS[number % 7]
        query = Query(f"{label} {SECRET.decode()}", label, "en")
        seen = {"title": SECRET.decode(), "page_url": f"https://x.example/{SECRET.decode()}"}
        sha256 = take_in(cat, settings.data_dir, make(), query, f"{kind}.jpg", **seen)
        verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
        verdicts.add(cat, [Verdict("photos", sha256, "keep", "ann")])
        id_ = add_face(cat, settings, sha256, number)
        face_path(settings.data_dir, id_).unlink()
        verdicts.add(cat, [Verdict("faces", sha256, "keep", "ann", face=id_)])
    crop.rebuild(cat, settings)
    return build.run(cat, settings, build.Plan(per_class=9, allow_short=True)).path


def test_nothing_but_pixels_is_in_a_release_of_nasty_photos(released: Path) -> None:
    assert len(NASTY) >= 30
    silent = {"png alpha", "png palette", "png time and place", "jpeg exif thumbnail"}
    told = {kind for kind, make in NASTY.items() if tells(make())}
    assert set(NASTY) - told <= silent, "each photo carries what is looked for"
    images = sorted(released.rglob("*.png"))
    assert len([one for one in images if one.parent.parent.name == "test"]) == len(NASTY)
    assert [one for one in images if metadata_in(one) or not bare_size(one.read_bytes())] == []
    assert [
        one.name for one in released.rglob("*") if one.is_file() and tells(one.read_bytes())
    ] == []
    wrong = {check.name for check in verify.verify(released) if check.problems}
    assert wrong == {"no image and no photo is there twice"}  # they all show the same drawing


def test_a_crop_that_was_tampered_with_is_made_anew(
    cat: Catalogue, settings: Settings, released: Path
) -> None:
    """Something wrote a text and bytes behind the end into the crops: the release is the same as without."""
    for path in (settings.data_dir / "faces").rglob("*.png"):
        data = path.read_bytes()
        text = b"Author\0" + SECRET
        chunk = len(text).to_bytes(4) + b"tEXt" + text + zlib.crc32(b"tEXt" + text).to_bytes(4)
        path.write_bytes(data[:33] + chunk + data[33:] + SECRET)
    again = build.run(cat, settings, build.Plan(per_class=9, allow_short=True))
    assert again.path == released
