import io
from pathlib import Path

import pytest
from PIL import Image

from btfer.catalogue import Catalogue, faces, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.faces.modes import crop_settings
from btfer.pipeline import crop, dedup, face_dedup
from btfer.sample import load_manifest, picture_path
from btfer.settings import Settings
from tests.conftest import as_bytes, take_in

HAPPY = Query("happy", "happy")
SINGLES = [one.file for one in load_manifest() if one.kind == "single"]


def framed(jpeg: bytes) -> Image.Image:
    """A picture on a page with much else: its pHash is another, with and without the edges."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    screen = Image.linear_gradient("L").resize((image.width * 2, int(image.height * 1.5)))
    screen = screen.convert("RGB")
    screen.paste(image, (image.width // 2, image.height // 4))
    return screen


@pytest.fixture
def twice(cat: Catalogue, settings: Settings) -> tuple[str, str]:
    """An original and its screenshot among other people, cropped; their sha256."""
    pictures = [picture_path(name).read_bytes() for name in SINGLES[:4]]
    original, *_ = (
        take_in(cat, settings.data_dir, jpeg, HAPPY, f"u{n}") for n, jpeg in enumerate(pictures)
    )
    copy = take_in(cat, settings.data_dir, as_bytes(framed(pictures[0])), HAPPY, "screenshot")
    assert dedup.run(cat, settings).dropped == 0  # the whole pictures are not alike
    for photo in {original, copy, *_}:
        verdicts.add(cat, [Verdict("photos", photo, "keep", "ann")])
    crop.run(cat, settings)
    return original, copy


def photos_of(cat: Catalogue, settings: Settings) -> list[str]:
    return [one.photo for one in faces.accepted(cat, crop_settings(settings).digest)]


def test_the_same_shot_of_a_face_in_two_photos_stands_once(
    cat: Catalogue, settings: Settings, twice: tuple[str, str]
) -> None:
    assert len(photos_of(cat, settings)) == 5
    outcome = face_dedup.run(cat, settings)
    assert (outcome.faces, outcome.dropped, outcome.changed) == (5, 1, 1)
    assert len(set(twice) & set(photos_of(cat, settings))) == 1
    assert len(photos_of(cat, settings)) == 4
    again = face_dedup.run(cat, settings)
    assert (again.faces, again.dropped, again.changed) == (5, 1, 0)


def test_faces_are_compared_once(
    cat: Catalogue,
    settings: Settings,
    twice: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = face_dedup.run(cat, settings)
    for name in ("_level", "_compare"):
        monkeypatch.setattr(face_dedup, name, lambda *_: pytest.fail("computed again"))
    again = face_dedup.run(cat, settings)
    assert (again.faces, again.dropped, again.changed) == (first.faces, first.dropped, 0)


def test_a_face_returns_when_people_drop_the_photo_that_was_kept_for_it(
    cat: Catalogue, settings: Settings, twice: tuple[str, str]
) -> None:
    face_dedup.run(cat, settings)
    [kept] = set(twice) & set(photos_of(cat, settings))
    verdicts.add(cat, [Verdict("photos", kept, "drop", "ann", reason="other")])
    assert face_dedup.run(cat, settings).changed == 1
    assert set(photos_of(cat, settings)) & set(twice) == set(twice) - {kept}


def test_a_lost_crop_is_nobodys_copy(
    cat: Catalogue, settings: Settings, twice: tuple[str, str]
) -> None:
    for png in Path(settings.data_dir, "faces").rglob("*.png"):
        png.write_bytes(b"")
    assert face_dedup.run(cat, settings).dropped == 0
