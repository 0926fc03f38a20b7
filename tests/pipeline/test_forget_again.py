"""Forgetting again, under another name, from another version, or after a backup came back."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from btfer.catalogue import Catalogue
from btfer.errors import UsageError
from btfer.images import decode_rgb
from btfer.pipeline.forget import forget
from btfer.pipeline.import_photos import import_folder
from btfer.settings import Settings
from tests.conftest import as_bytes
from tests.pipeline.test_forget import photo_of
from tests.pipeline.test_forget_safe import all_photos, face_at, make
from tests.pipeline.test_release import full

__all__ = ["full"]  # the fixture


@pytest.mark.parametrize("first", ["RELEASE/happy-001.png", "happy-001.png", "SHA256"])
def test_a_bare_name_that_was_forgotten_deletes_nobody_else(
    full: Catalogue, settings: Settings, first: str
) -> None:
    made = make(full, settings)
    sha256 = photo_of(full, face_at(full, made, "test/happy/happy-001.png"))
    asked = first.replace("RELEASE", made.name).replace("SHA256", sha256)
    assert forget(full, settings, [asked]).photos == 1
    rest = all_photos(full)
    for other in ("happy-001.png", "happy/happy-001.png", "./happy-001.png"):
        if first == "happy-001.png":
            assert forget(full, settings, [other]).done_before
        else:
            with pytest.raises(UsageError, match="name the release"):
                forget(full, settings, [other])
    assert all_photos(full) == rest


def test_a_release_record_nested_too_deep_stops_no_erasure(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    sha256 = photo_of(full, face_at(full, made, "test/happy/happy-001.png"))
    (made / "release.json").write_text("[" * 200_000)
    run = settings.data_dir / "runs" / "0123456789ab"
    run.mkdir(parents=True)
    (run / "run.json").write_text("[" * 200_000)
    (run / "predictions_btfer.parquet").write_bytes(b"")
    done = forget(full, settings, [sha256])
    assert (done.photos, done.left) == (1, ())
    assert not (made / "images/test/happy/happy-001.png").exists()


@pytest.mark.slow
def test_an_image_of_a_replaced_version_is_found_in_the_version_that_took_its_place(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    sha256 = photo_of(full, face_at(full, made, "test/happy/happy-002.png"))
    forget(full, settings, [f"{made.name}/sad-001.png"])
    digest = made.name.rpartition("-")[2].upper()
    assert forget(full, settings, [f"{digest}/happy-002.png"]).photos == 1
    rest = all_photos(full)
    assert sha256 not in rest
    assert forget(full, settings, [f"{made.name}/happy-002.png"]).done_before
    assert all_photos(full) == rest


def test_a_release_that_came_back_from_a_backup_is_found_by_the_sha256(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    made = make(full, settings)
    sha256 = photo_of(full, face_at(full, made, "test/happy/happy-001.png"))
    kept = shutil.copytree(made, tmp_path / "backup")
    forget(full, settings, [sha256])
    assert forget(full, settings, [sha256]).done_before
    shutil.copytree(kept, made)
    done = forget(full, settings, [sha256])
    assert (done.done_before, done.left) == ("", ())
    assert not (made / "images/test/happy/happy-001.png").exists()


def test_the_released_image_of_a_forgotten_photo_is_refused_as_a_photo(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    made = make(full, settings)
    image = (made / "images/test/happy/happy-001.png").read_bytes()
    forget(full, settings, [f"{made.name}/happy-001.png"])
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "same.png").write_bytes(image)
    (folder / "changed.jpg").write_bytes(as_bytes(Image.fromarray(decode_rgb(image)), quality=85))
    assert import_folder(full, settings, folder).refused == {"withdrawn": 2}
