"""The synthetic sample has exact boxes: MTCNN finds every face in it and no other, and what it is sure of is taken."""

import pytest

from btfer.faces import Box
from btfer.faces.find import find_faces
from btfer.faces.modes import MODES
from btfer.images import decode_rgb
from btfer.sample import SampleFace, SamplePicture, load_manifest, picture_path

PICTURES = [one for one in load_manifest() if one.kind in ("single", "group")]


def overlap(box: Box, face: SampleFace) -> float:
    """Intersection over union."""
    across = min(box.x + box.width, face.x + face.width) - max(box.x, face.x)
    down = min(box.y + box.height, face.y + face.height) - max(box.y, face.y)
    both = max(across, 0) * max(down, 0)
    return both / (box.width * box.height + face.width * face.height - both)


def assert_exactly_its_faces(picture: SamplePicture) -> None:
    found = find_faces(decode_rgb(picture_path(picture.file).read_bytes()), MODES["paper"])
    assert len(found) == len(picture.faces)
    for face in picture.faces:
        assert sum(overlap(one.box, face) > 0.4 for one in found) == 1
    for one in found:
        assert one.reason == ("low probability" if one.box.probability < 0.90 else "")
        assert bool(one.png) == bool(one.cut) == bool(one.hints) == (not one.reason)


@pytest.mark.parametrize("picture", PICTURES[::7], ids=lambda picture: picture.file)
def test_every_face_of_the_sample_is_found_and_no_other(picture: SamplePicture) -> None:
    assert_exactly_its_faces(picture)


@pytest.mark.slow
def test_every_face_of_the_whole_sample_is_found_and_no_other() -> None:
    for picture in PICTURES:
        if picture not in PICTURES[::7]:
            assert_exactly_its_faces(picture)
