import io
from collections import Counter

import imagehash
import pytest
from PIL import Image, ImageOps

from btfer.errors import ImageError
from btfer.expressions import EXPRESSIONS
from btfer.files import sha256_file
from btfer.images import read_photo
from btfer.queries import load_plan
from btfer.review.rules import Judged, check_judged
from btfer.sample import FOLDER, PICTURES, SamplePicture, load_manifest, picture_path
from btfer.sample.plan import AGES, ETHNICITIES, GENDERS

ALL = load_manifest()
BROKEN = {"truncated.jpg": "truncated", "tiny.jpg": "too small"}
WHOLE = [one for one in ALL if one.file not in BROKEN]
COPIES = [one for one in ALL if one.kind == "duplicate"]
BY_NAME = {one.file: one for one in ALL}


def read(one: SamplePicture) -> bytes:
    return picture_path(one.file).read_bytes()


def test_manifest_and_folder_hold_the_same_files_with_the_same_bytes() -> None:
    assert {one.file for one in ALL} == {path.name for path in PICTURES.iterdir()}
    assert all(sha256_file(picture_path(one.file)) == one.sha256 for one in ALL)


def test_all_pictures_are_different_and_under_six_megabytes_in_all() -> None:
    assert len({one.sha256 for one in ALL}) == len(ALL)
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < 6_000_000


def test_kinds_are_as_many_as_described() -> None:
    assert Counter(one.kind for one in ALL) == {
        "single": 112,
        "group": 14,
        "duplicate": 10,
        "junk": 5,
    }


@pytest.mark.parametrize("label", EXPRESSIONS)
def test_each_class_has_sixteen_singles_spread_over_people(label: str) -> None:
    singles = [one for one in ALL if one.kind == "single" and one.expression == label]
    assert len(singles) == 16
    assert all(one.faces[0].label == label for one in singles)
    for key, words in (("gender", GENDERS), ("age", AGES), ("ethnicity", ETHNICITIES)):
        counts = Counter(getattr(one, key) for one in singles)
        assert set(counts) == set(words)
        assert max(counts.values()) - min(counts.values()) <= 1


def test_half_of_the_groups_are_of_one_expression() -> None:
    groups = [one for one in ALL if one.kind == "group"]
    assert all(2 <= len(one.faces) <= 4 for one in groups)
    of_one = [one for one in groups if len({face.label for face in one.faces}) == 1]
    assert len(of_one) >= 7
    assert {one.expression for one in of_one} == set(EXPRESSIONS)


def test_every_intent_is_a_word_of_the_query_plan() -> None:
    queries = load_plan(FOLDER / "queries").queries
    for key in ("expression", "ethnicity", "gender", "age"):
        known = {getattr(query, key) for query in queries}
        meant = {getattr(one, key) for one in ALL}
        assert meant <= known | ({""} if key != "expression" else set())


@pytest.mark.parametrize("one", WHOLE, ids=lambda one: one.file)
def test_a_picture_decodes_and_its_boxes_lie_inside(one: SamplePicture) -> None:
    known = read_photo(read(one))
    for face in one.faces:
        assert min(face.width, face.height) >= 20
        assert face.x >= 0
        assert face.y >= 0
        assert face.x + face.width <= known.width
        assert face.y + face.height <= known.height


@pytest.mark.parametrize(("file", "reason"), BROKEN.items())
def test_a_broken_picture_is_refused_with_its_reason(file: str, reason: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_photo(read(BY_NAME[file]))
    assert caught.value.reason == reason


def test_the_truncated_jpeg_opens_and_fails_when_loaded() -> None:
    with Image.open(io.BytesIO(read(BY_NAME["truncated.jpg"]))) as image:
        assert image.format == "JPEG"
        with pytest.raises(OSError, match="truncated"):
            image.load()


def test_recorded_verdicts_are_valid_in_round_one() -> None:
    for one in ALL:
        check_judged("photos", Judged(one.sha256, one.decision, one.reason))
    assert {one.reason for one in ALL if one.kind == "duplicate"} == {"duplicate"}


def test_a_copy_is_never_better_than_its_original() -> None:
    for one in COPIES:
        copy, original = read_photo(read(one)), read_photo(read(BY_NAME[one.original]))
        assert copy.width * copy.height <= original.width * original.height
        assert copy.n_bytes < original.n_bytes


def test_one_copy_is_listed_under_another_class() -> None:
    elsewhere = [one for one in COPIES if one.expression != BY_NAME[one.original].expression]
    assert [one.transform for one in elsewhere] == ["relisted"]
    assert elsewhere[0].faces[0].label == BY_NAME[elsewhere[0].original].expression


def test_planted_copies_hash_alike_and_no_other_two_pictures_do() -> None:
    hashes = {one.file: _hashes(one) for one in WHOLE}
    near = {
        frozenset((a.file, b.file))
        for i, a in enumerate(WHOLE)
        for b in WHOLE[i + 1 :]
        if min(hashes[a.file][0] - h for h in hashes[b.file]) <= 8
    }
    assert near == {frozenset((one.file, one.original)) for one in COPIES}


def _hashes(one: SamplePicture) -> tuple[imagehash.ImageHash, imagehash.ImageHash]:
    with Image.open(picture_path(one.file)) as image:
        small = image.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    return imagehash.phash(small), imagehash.phash(ImageOps.mirror(small))
