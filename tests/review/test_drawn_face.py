"""A face that a person drew is cut as the crop stage cuts, and takes its place in round `faces`."""

import numpy as np
import pytest

from btfer import review
from btfer.catalogue import Catalogue, faces, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.errors import UsageError
from btfer.faces.modes import CropSettings, crop_settings
from btfer.images import decode_rgb
from btfer.paths import face_path, photo_path
from btfer.pipeline import crop
from btfer.review import PhotoBox
from btfer.review.drawn_face import DETECTOR, add_drawn_face
from btfer.settings import Settings
from btfer.store import Store
from tests.drawn_catalogue import make

BOX = PhotoBox(0.3, 0.2, 0.4, 0.6)  # of 200 x 180 px


@pytest.fixture
def without_face(settings: Settings) -> tuple[Catalogue, Settings, CropSettings, str]:
    """One photo in which the crop stage has seen no face."""
    cat, [photo] = make(settings.data_dir, 1)
    chosen = crop_settings(settings)
    said = Verdict("crop", photo, "drop", "crop", settings=chosen.digest, reason="no face")
    verdicts.add(cat, [said])
    return cat, settings, chosen, photo


def test_a_drawn_face_is_cut_and_awaits_its_round(without_face) -> None:
    cat, settings, chosen, photo = without_face
    id_ = add_drawn_face(cat, Store(settings.data_dir), chosen, photo, BOX, "ann")
    assert decode_rgb(face_path(settings.data_dir, id_).read_bytes()).shape == (256, 256, 3)
    [face] = faces.accepted(cat, chosen.digest)
    assert (face.id, face.hints, face.box) == (id_, DETECTOR, PhotoBox(60, 36, 80, 108))
    assert [one.id for one in review.queue(cat, "faces", chosen.digest)] == [id_]
    assert faces.photos_without_face(cat, chosen.digest) == []
    crop.run(cat, settings)  # the stage does not look again, and takes nothing back
    assert [one.id for one in faces.accepted(cat, chosen.digest)] == [id_]


def test_a_lost_drawn_crop_is_made_again(without_face) -> None:
    cat, settings, chosen, photo = without_face
    id_ = add_drawn_face(cat, Store(settings.data_dir), chosen, photo, BOX, "ann")
    file = face_path(settings.data_dir, id_)
    before = file.read_bytes()
    file.unlink()
    assert crop.rebuild(cat, settings) == 1
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (PhotoBox(0.5, 0.5, 0.05, 0.05), "draw it larger"),
        (PhotoBox(0.9, 0.5, 0.5, 0.4), "not in the photo"),
        (PhotoBox(-0.1, 0.5, 0.5, 0.4), "not in the photo"),
        (PhotoBox(0.1, 0.1, float("nan"), 0.4), "not in the photo"),
    ],
    ids=["small", "beyond", "before", "no number"],
)
def test_a_box_that_is_no_face_is_refused(without_face, box: PhotoBox, said: str) -> None:
    cat, settings, chosen, photo = without_face
    with pytest.raises(UsageError, match=said):
        add_drawn_face(cat, Store(settings.data_dir), chosen, photo, box, "ann")
    assert faces.accepted(cat, chosen.digest) == []


def test_it_is_drawn_once_and_only_on_a_photo_that_can_be_read(without_face) -> None:
    cat, settings, chosen, photo = without_face
    path = photo_path(settings.data_dir, photo, "png")
    data = path.read_bytes()
    path.write_bytes(data[:200])
    with pytest.raises(UsageError, match="cannot be read"):
        add_drawn_face(cat, Store(settings.data_dir), chosen, photo, BOX, "ann")
    path.write_bytes(data)
    id_ = add_drawn_face(cat, Store(settings.data_dir), chosen, photo, BOX, "ann")
    with pytest.raises(UsageError, match="not among those without a face"):
        add_drawn_face(cat, Store(settings.data_dir), chosen, photo, BOX, "ann")
    drawn = decode_rgb(face_path(settings.data_dir, id_).read_bytes())
    assert np.ptp(drawn) > 100
