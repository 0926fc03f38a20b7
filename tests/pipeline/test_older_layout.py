"""Releases of btfer 0.1 have the folders of classes in images/, those of today in images/test/: both are read."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from btfer.bench.datasets.folders import load_release
from btfer.catalogue import Catalogue, releases
from btfer.pipeline import build, release, verify
from btfer.pipeline.diff import diff
from btfer.pipeline.forget import forget
from btfer.pipeline.release_images import ReleaseImage, read_images
from btfer.pipeline.release_metadata import read_metadata
from btfer.release_record import read_record
from btfer.settings import Settings
from tests.pipeline.test_release import full, sign

__all__ = ["full"]  # the fixture

SAD = "images/sad/sad-001.png"


@pytest.fixture
def new(full: Catalogue, settings: Settings) -> Path:
    return build.run(full, settings, build.Plan(per_class=2, formats=["parquet"])).path


@pytest.fixture
def old(full: Catalogue, settings: Settings, new: Path) -> Path:
    """The release as btfer 0.1 would have laid it out."""
    face_of = {one.file: one.face for one in releases.faces_in(full, new.name)}
    images = [as_older(one) for one in read_images(new, settings.data_dir, face_of)]
    record = replace(read_record(new), version="0.9.0")
    return release.write(full, settings, images, record).path


def as_older(one: ReleaseImage) -> ReleaseImage:
    """An image where btfer 0.1 would have put it."""
    file = one.file.removeprefix("test/")
    name = f"images/{file}"
    return replace(
        one,
        file=file,
        metadata=replace(one.metadata, file_name=name),
        credit=replace(one.credit, file_name=name) if one.credit else None,
        origin=replace(one.origin, file_name=name) if one.origin else None,
    )


def test_an_older_release_is_verified_and_read_as_before(old: Path, new: Path) -> None:
    assert (old / SAD).is_file()
    assert [text for check in verify.verify(old) for text in check.problems] == []
    assert load_release(old).labels.tolist() == load_release(new).labels.tolist()
    readme = (old / "README.md").read_text()
    assert 'data_files={"test": "FOLDER/images/**"}' in readme
    found = diff(old, new)
    assert [*found.only_first, *found.only_second, *found.other_pixels, *found.other_label] == []


def test_an_image_of_an_older_release_is_forgotten_and_its_successor_keeps_the_layout(
    full: Catalogue, settings: Settings, old: Path
) -> None:
    before = (old / SAD).read_bytes()
    done = forget(full, settings, [f"{old.name}/{SAD}"])
    after = old.with_name(str(done.releases[old.name]))
    assert not (old / SAD).exists()
    assert (after / SAD).read_bytes() != before
    assert (after / "images/happy/happy-002.png").is_file()
    assert [text for check in verify.verify(after) for text in check.problems] == []


def test_the_licences_of_an_older_croissant_are_words(old: Path) -> None:
    content = json.loads((old / "croissant.json").read_text())
    rows = [one.licence for one in read_metadata(old)]
    content["license"] = [f"{name} ({n} images)" for name, n in sorted(Counter(rows).items())]
    del content["conditionsOfAccess"]
    (old / "croissant.json").write_text(json.dumps(content))
    assert [text for check in verify.verify(sign(old)) for text in check.problems] == []


def test_the_next_version_moves_the_images_and_keeps_their_names(
    full: Catalogue, settings: Settings, old: Path, new: Path
) -> None:
    for path in sorted(new.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    new.rmdir()  # only the older one is there
    made = build.run(full, settings, build.Plan(per_class=2, formats=["parquet"])).path
    assert (made / "images/test/sad/sad-001.png").read_bytes() == (old / SAD).read_bytes()
    changes = read_record(made).changes
    assert [one for one in changes if "image" in one] == [
        "version 0.9.1: all images: moved to images/test/, with the names that they had"
    ]
