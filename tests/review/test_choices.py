"""What is chosen of the photos without a face, and of the groups of duplicates, and how many each choice leaves."""

from pathlib import Path

from btfer import review
from btfer.catalogue import verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.review import Judged, choices, duplicates
from btfer.review.duplicate_choices import GroupFilter, chosen_groups, known_of_groups
from btfer.review.without_face import NoFaceFilter, photos_without_face
from tests.drawn_catalogue import DIGEST, add_photo, make


def test_a_choice_is_counted_over_what_fits_the_others() -> None:
    known = {"1": {"a": ["x", "x"], "b": ["p"]}, "2": {"a": ["y"], "b": ["p", "q"]}, "3": {}}
    assert choices.matching(known, {"a": "", "b": "p"}) == ["1", "2"]
    assert choices.matching(known, {"a": "y", "b": "p"}) == ["2"]
    assert choices.counted(known, {"a": "x", "b": ""}) == {"a": {"x": 1, "y": 1}, "b": {"p": 1}}


def test_photos_without_a_face_are_chosen_by_who_said_what(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 6)
    review.commit(cat, "photos", [Judged(ids[0]), Judged(ids[1], "relabel", "", "sad")], "ann")
    said = [("no face", id_) for id_ in ids[:4]] + [("no usable face", id_) for id_ in ids[4:]]
    for reason, id_ in said:
        verdicts.add(cat, [Verdict("crop", id_, "drop", "crop", settings=DIGEST, reason=reason)])

    def shown(**chosen: str) -> list[str]:
        return [one.sha256 for one in photos_without_face(cat, NoFaceFilter(**chosen)).photos]

    assert shown() == ids[::-1]  # newest first
    assert shown(by="ann") == [ids[1], ids[0]]
    assert shown(verdict="sad") == [ids[1]]
    assert shown(verdict="not judged", reason="no face") == [ids[3], ids[2]]
    assert shown(label="sad") == [ids[5], ids[1]]  # people's word, else the query's
    assert shown(find=ids[2][:12]) == [ids[2]]
    assert shown(source="elsewhere") == []
    found = photos_without_face(cat, NoFaceFilter(reason="no face"))
    assert found.counts["verdict"] == {"not judged": 2, "keep": 1, "sad": 1}
    assert found.counts["reason"] == {"no face": 4, "no usable face": 2}
    assert found.total == 6


def test_groups_are_chosen_by_any_of_their_photos(tmp_path: Path) -> None:
    cat, _ = make(tmp_path, 0)
    ids = [add_photo(cat, tmp_path, n, label=label) for n, label in enumerate(["sad", "fear"] * 3)]
    groups = [ids[:2], ids[2:4], ids[4:]]
    for keeper, copy in groups:
        drop = Verdict("dedup", copy, "drop", "dedup", reason="duplicate", keeper=keeper)
        verdicts.add(cat, [drop])
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text")], "ann")
    duplicates.change(cat, ids[2], "cleo", keep=ids[3])
    every = duplicates.group_summaries(cat)
    known = known_of_groups(cat, every)

    def shown(**chosen: str) -> set[str]:
        return {one.keeper for one in chosen_groups(cat, every, known, GroupFilter(**chosen))[0]}

    assert shown() == {ids[0], ids[3], ids[4]}
    assert shown(by="cleo") == {ids[3]}
    assert shown(verdict="text") == {ids[0]}
    assert shown(label="fear", by="dedup") == {ids[0], ids[4]}
    assert shown(find=ids[5]) == {ids[4]}
    assert shown(source="folder", day="1999-01-01") == set()
    _, counts = chosen_groups(cat, every, known, GroupFilter(by="dedup"))
    assert counts["by"] == {"dedup": 2, "cleo": 1}
    assert counts["verdict"] == {"not judged": 2, "text": 1}
