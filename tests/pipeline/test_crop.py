import dataclasses
import json
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from PIL import Image

from btfer.catalogue import Catalogue, faces, open_catalogue, photos, verdicts
from btfer.catalogue.tables import face as face_table
from btfer.catalogue.verdicts import Verdict
from btfer.errors import BtferError
from btfer.faces import DETECTOR
from btfer.faces.hints import badges
from btfer.faces.modes import CropSettings, crop_settings
from btfer.images import THOROUGH, encode_png
from btfer.paths import face_path, photo_path
from btfer.pipeline import crop, funnel
from btfer.progress import Silent
from btfer.settings import Settings
from tests.conftest import as_bytes
from tests.pipeline.crop_photos import (
    all_of,
    detect_drawn,
    keep,
    keep_many,
    photo_of,
    png_of,
    reasons,
)

MODES = ("paper", "authors_code", "square")


@pytest.fixture(autouse=True)
def quick_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btfer.faces.find.detect", detect_drawn)


def go(cat: Catalogue, settings: Settings, **changed: object) -> crop.CropOutcome:
    """Run the stage on all that dedup kept."""
    return crop.run(cat, settings.model_copy(update=changed), unreviewed="keep")


def test_faces_are_cut_and_what_is_not_taken_has_a_row_with_its_reason(
    cat: Catalogue, settings: Settings
) -> None:
    none, one, two, three = keep_many(cat, settings, 4)
    outcome = go(cat, settings)
    assert (outcome.photos, outcome.taken, outcome.refused, outcome.empty) == (4, 5, 1, 1)
    assert outcome.reasons == {"no face": 1, "face: small": 1}
    assert reasons(cat, none) == [("drop", "no face")]
    assert reasons(cat, one) == [("keep", "")] * 2
    assert reasons(cat, three) == [("keep", "")] * 3 + [("drop", "small")]
    assert len(faces.of_photo(cat, two)) == 2
    small = faces.of_photo(cat, three)[2]
    assert (small.crop, small.hints) == ({}, {})
    assert not face_path(settings.data_dir, small.id).exists()


def test_a_face_is_recorded_with_all_that_made_its_crop(cat: Catalogue, settings: Settings) -> None:
    sha256 = keep(cat, settings, as_bytes(photo_of(1), "PNG"))
    go(cat, settings, crop="square")
    [row] = faces.of_photo(cat, sha256)
    box = detect_drawn(png_of(photo_path(settings.data_dir, sha256, "png")))[0]
    assert (row.x_px, row.y_px, row.width_px, row.height_px) == (2, 40, 90, 117)
    assert {name: tuple(at) for name, at in row.landmarks.items()} == box.landmarks
    assert row.probability == box.probability
    assert row.crop == {
        "left": -32,
        "top": 20,
        "right": 125,
        "bottom": 177,
        "clipped": [],
        "reflected": ["left"],
        "mode": "square",
        "margin_px": 20,
        "size_px": 256,
        "scale_x": 1.630573,
        "scale_y": 1.630573,
        "distortion": 1.0,
        "packing": "paeth runs",
    }
    assert "mirrored" in badges(row.hints)
    assert row.hints["side_px"] == 90
    assert row.crop_digest in row.id
    assert png_of(face_path(settings.data_dir, row.id)).shape == (256, 256, 3)


@pytest.mark.parametrize("mode", MODES)
def test_lost_crops_come_back_with_the_same_bytes(
    cat: Catalogue, settings: Settings, mode: str
) -> None:
    settings = settings.model_copy(update={"crop": mode})
    keep_many(cat, settings, 8)
    go(cat, settings)
    whole = all_of(cat, settings.data_dir)
    lost = sorted(settings.data_dir.glob("faces/**/*.png"))[1:]
    for path in lost:
        path.unlink()
    assert crop.rebuild(cat, settings) == len(lost) == 9
    assert all_of(cat, settings.data_dir) == whole
    assert crop.rebuild(cat, settings) == 0


def test_crops_of_other_settings_and_those_cut_off_come_back_too(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_many(cat, settings, 4)
    for mode in MODES:
        go(cat, settings, crop=mode)
    whole = all_of(cat, settings.data_dir)
    gone, empty, short, *_ = paths = sorted(settings.data_dir.glob("faces/**/*.png"))
    assert len(paths) == 15
    gone.unlink()
    empty.write_bytes(b"")
    short.write_bytes(short.read_bytes()[:-20])
    newer = settings.model_copy(update={"min_face_px": 33})
    assert crop.rebuild(cat, newer) == 3
    assert all_of(cat, settings.data_dir) == whole


def test_a_crop_of_an_older_catalogue_comes_back_as_it_was_packed_then(
    cat: Catalogue, settings: Settings
) -> None:
    sha256 = keep_many(cat, settings, 2)[1]
    go(cat, settings)
    [face, *_] = faces.of_photo(cat, sha256)
    path = face_path(settings.data_dir, face.id)
    then = encode_png(png_of(path), packing=THOROUGH)
    assert then != path.read_bytes()
    crop_record = {key: value for key, value in face.crop.items() if key != "packing"}
    with cat.write() as connection:
        connection.execute(
            sa.update(face_table).where(face_table.c.id == face.id).values(crop=crop_record)
        )
    path.unlink()
    assert crop.rebuild(cat, settings) == 1
    assert path.read_bytes() == then


def test_one_verdict_hides_no_photo_that_was_cropped_unjudged(
    cat: Catalogue, settings: Settings
) -> None:
    _, one, two, _ = keep_many(cat, settings, 4)
    go(cat, settings)

    def cropped() -> int:
        lines = funnel.funnel(cat, crop_settings(settings).digest)
        return next(line.total for line in lines if line.what == "faces cropped")

    assert cropped() == 5
    verdicts.add(cat, [Verdict("photos", one, "keep", "ann")])
    assert cropped() == 5
    verdicts.add(cat, [Verdict("photos", two, "drop", "ann", reason="text")])
    assert cropped() == 3


def test_an_empty_queue_says_what_it_waits_for(cat: Catalogue, settings: Settings) -> None:
    assert "btfer import" in crop.why_no_photos(cat)
    [sha256] = keep_many(cat, settings, 1)
    assert "1 photo waits to be judged: btfer app, page Photos" in crop.why_no_photos(cat)
    assert crop.why_no_photos(cat, "keep") == ""
    verdicts.add(cat, [Verdict("dedup", sha256, "drop", "dedup", reason="duplicate")])
    assert "btfer dedup" in crop.why_no_photos(cat)


def test_what_cannot_come_back_is_told_after_all_others_have(
    cat: Catalogue, settings: Settings
) -> None:
    first, second, third = (keep(cat, settings, as_bytes(photo_of(1, n), "PNG")) for n in range(3))
    go(cat, settings)
    for path in settings.data_dir.glob("faces/**/*.png"):
        path.unlink()
    photo_path(settings.data_dir, first, "png").unlink()
    photo_path(settings.data_dir, second, "png").write_bytes(as_bytes(photo_of(1, 9), "PNG"))
    with pytest.raises(BtferError, match="1 crops made again; the faces of 2 photos cannot be"):
        crop.rebuild(cat, settings)
    [row] = faces.of_photo(cat, third)
    assert face_path(settings.data_dir, row.id).exists()


def test_a_photo_is_looked_at_once_under_one_setting(cat: Catalogue, settings: Settings) -> None:
    keep_many(cat, settings, 4)
    assert go(cat, settings).photos == 4
    assert go(cat, settings).photos == 0
    assert go(cat, settings, faces="largest").photos == 4
    assert go(cat, settings, crop="square").photos == 4
    assert go(cat, settings).photos == 0


def test_people_are_shown_the_faces_of_the_last_run_also_when_it_had_nothing_to_do(
    cat: Catalogue, settings: Settings
) -> None:
    keep_many(cat, settings, 4)
    for mode, looked_at in (("paper", 4), ("square", 4), ("paper", 0), ("paper", 0)):
        assert go(cat, settings, crop=mode).photos == looked_at
        chosen = settings.model_copy(update={"crop": mode})
        assert faces.newest_settings(cat) == crop_settings(chosen).digest
    assert len(faces.accepted(cat, crop_settings(settings).digest)) == 5


def test_another_detector_looks_again(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_many(cat, settings, 4)
    go(cat, settings)

    def newer(found: Settings) -> CropSettings:
        return dataclasses.replace(crop_settings(found), detector=f"{DETECTOR}, newer")

    monkeypatch.setattr(crop, "crop_settings", newer)
    assert go(cat, settings).photos == 4


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("all", ["", "", "", "small"]),
        ("largest", ["", "", "not the largest", "small"]),
        ("single", ["no usable face", "several people", "several people", "small"]),
    ],
)
def test_the_policy_for_several_people_is_on_record(
    cat: Catalogue, settings: Settings, policy: str, expected: list[str]
) -> None:
    sha256 = keep(cat, settings, as_bytes(photo_of(3), "PNG"))
    go(cat, settings, faces=policy)
    assert [reason for _, reason in reasons(cat, sha256)] == expected


def test_the_rows_do_not_depend_on_the_order_in_which_workers_end(
    cat: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_many(cat, settings, 40)  # more than one transaction
    go(cat, settings)
    straight = all_of(cat, settings.data_dir)
    other = settings.model_copy(update={"data_dir": settings.data_dir.parent / "other"})

    def backwards(work: Callable, items: list, **how: object) -> Iterator:
        return map(work, reversed(list(items)))

    again = open_catalogue(other.catalogue_url)
    keep_many(again, other, 40)
    monkeypatch.setattr(crop, "map_unordered", backwards)
    go(again, other)
    assert all_of(again, other.data_dir) == straight
    again.close()


def test_what_is_done_is_kept_when_the_run_is_stopped(cat: Catalogue, settings: Settings) -> None:
    keep_many(cat, settings, 12)

    class StopAtFive(Silent):
        def update(self, stage: str, done: int, total: int) -> None:
            assert (stage, total) == ("crop", 12)
            if done == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crop.run(cat, settings, unreviewed="keep", progress=StopAtFive())
    assert len(photos.awaiting_crop(cat, crop_settings(settings).digest, unreviewed="keep")) == 7
    assert go(cat, settings).photos == 7


def test_photos_without_a_face_can_be_listed(cat: Catalogue, settings: Settings) -> None:
    digest = crop_settings(settings).digest
    none, _, _, _ = keep_many(cat, settings, 4)
    tiny = keep(cat, settings, as_bytes(Image.new("RGB", (90, 60), (3, 0, 0)), "PNG"))
    withdrawn = keep(cat, settings, as_bytes(photo_of(0, 7), "PNG"))
    go(cat, settings)
    verdicts.add(cat, [Verdict("photos", withdrawn, "drop", "ann", reason="other")])
    rows = {row.sha256: row for row in faces.photos_without_face(cat, digest)}
    assert {one: rows[one].reason for one in rows} == {none: "no face", tiny: "no usable face"}
    assert (rows[none].width_px, rows[none].height_px) == (300, 200)
    assert [row.sha256 for row in faces.photos_without_face(cat, digest, "no face")] == [none]
    assert faces.photos_without_face(cat, "other settings") == []


def test_the_outcome_tells_rate_and_reasons(cat: Catalogue, settings: Settings) -> None:
    keep_many(cat, settings, 8)
    first, *rest = go(cat, settings).lines()
    assert first.startswith("8 photos (")
    assert first.endswith(
        "photos/s): 10 faces cropped, 2 boxes not taken, 2 photos without a usable face"
    )
    assert rest == ["       2 face: small", "       2 no face"]
    assert go(cat, settings).lines()[0].startswith("0 photos (nothing to do)")
    assert json.dumps(go(cat, settings).reasons) == "{}"
