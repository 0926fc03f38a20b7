"""The rules of both review rounds, without Streamlit."""

import csv
import io
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue, tables, verdicts
from btfer.catalogue.faces import newest_settings
from btfer.catalogue.verdicts import Verdict
from btfer.errors import UsageError
from btfer.review import ExchangedVerdict, Judged, PhotoBox, TrueFace
from tests.drawn_catalogue import DIGEST, FACE_BOX, add_face, add_photo, label_of, make

BOX = FACE_BOX


@pytest.fixture
def photos(tmp_path: Path) -> tuple[Catalogue, list[str]]:
    return make(tmp_path, 5)


@pytest.fixture
def faces(tmp_path: Path) -> tuple[Catalogue, list[str]]:
    return make(tmp_path, 5, with_faces=True)


def waiting(cat: Catalogue, round_: str = "photos") -> list[str]:
    return [item.id for item in review.queue(cat, round_, DIGEST)]


def held(cat: Catalogue, round_: str = "photos") -> list[tuple[str, str, str, str]]:
    rows = verdicts.current_in(cat, round_)
    return [(r.face or r.photo, r.decision, r.reason, r.expression) for r in rows]


@pytest.mark.parametrize("round_", review.ROUNDS)
def test_every_reason_has_a_key_of_its_own(round_: str) -> None:
    keys = list(review.DROP_REASONS[round_].values())
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 1 and key.islower() for key in keys)
    assert not set(keys) & review.RESERVED_KEYS


def test_a_committed_page_leaves_the_queue_and_stands_in_the_catalogue(photos) -> None:
    cat, ids = photos
    page = [Judged(ids[0]), Judged(ids[1], "drop", "text"), Judged(ids[2], "relabel", "", "sad")]
    assert review.commit(cat, "photos", page, "ann") == review.Committed(3, 0)
    assert waiting(cat) == ids[3:]
    assert held(cat) == [
        (ids[0], "keep", "", ""),
        (ids[1], "drop", "text", ""),
        (ids[2], "relabel", "", "sad"),
    ]


def test_a_relabel_to_the_label_it_has_is_a_keep(photos) -> None:
    cat, ids = photos
    review.commit(cat, "photos", [Judged(ids[1], "relabel", "", label_of(1))], "ann")
    assert held(cat) == [(ids[1], "keep", "", "")]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Judged("../../etc/passwd"), "no picture '../../etc/passwd'"),
        (Judged("", "drop", "ugly"), "drop reason 'ugly'"),
        (Judged("", "drop", "not a face"), "drop reason 'not a face'"),
        (Judged("", "relabel", "", "bored"), "unknown class 'bored'"),
        (Judged("", "maybe"), "decision 'maybe'"),
        (Judged("", "keep", "text"), "only a drop has a reason"),
    ],
    ids=["unknown id", "reason", "reason of round 2", "class", "decision", "keep with reason"],
)
def test_one_bad_judgement_writes_nothing_of_the_page(photos, bad: Judged, said: str) -> None:
    cat, ids = photos
    bad = Judged(bad.id or ids[1], bad.decision, bad.reason, bad.expression)
    with pytest.raises(UsageError, match=said):
        review.commit(cat, "photos", [Judged(ids[0]), bad], "ann")
    assert held(cat) == []


def test_a_face_is_no_picture_of_round_photos(faces) -> None:
    cat, ids = faces
    with pytest.raises(UsageError, match="round photos has no picture"):
        review.commit(cat, "photos", [Judged(ids[0])], "ann")
    with pytest.raises(UsageError, match="unknown review round 'crop'"):
        review.commit(cat, "crop", [Judged(ids[0])], "ann")


def test_a_verdict_needs_a_name_and_a_page_names_a_picture_once(photos) -> None:
    cat, ids = photos
    with pytest.raises(UsageError, match="name of its reviewer"):
        review.commit(cat, "photos", [Judged(ids[0])], "  ")
    with pytest.raises(UsageError, match="twice"):
        review.commit(cat, "photos", [Judged(ids[0]), Judged(ids[0], "drop", "text")], "ann")


def test_what_another_reviewer_judged_first_is_skipped_and_counted(photos) -> None:
    cat, ids = photos
    review.commit(cat, "photos", [Judged(ids[0])], "ben")
    page = [Judged(ids[0], "drop", "text"), Judged(ids[1])]
    assert review.commit(cat, "photos", page, "ann") == review.Committed(1, 1)
    assert held(cat)[0] == (ids[0], "keep", "", "")


def test_undo_takes_back_only_the_own_last_page_also_after_a_restart(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 5)
    review.commit(cat, "photos", [Judged(ids[0])], "ann")
    review.commit(cat, "photos", [Judged(ids[1], "drop", "text"), Judged(ids[2])], "ann")
    review.commit(cat, "photos", [Judged(ids[3])], "ben")
    cat.close()
    cat = open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}")
    back = review.undo_last(cat, "ann", "photos")
    assert back == [Judged(ids[1], "drop", "text"), Judged(ids[2])]
    assert waiting(cat) == [ids[1], ids[2], ids[4]]
    assert review.undo_last(cat, "ann", "photos") == [Judged(ids[0])]
    assert review.undo_last(cat, "ann", "photos") == []


def test_any_verdict_can_be_taken_back_once(photos) -> None:
    cat, ids = photos
    review.commit(cat, "photos", [Judged(id_) for id_ in ids], "ann")
    row = verdicts.current_in(cat, "photos")[2]
    assert review.undo(cat, [row.id], "ben") == 1
    assert waiting(cat) == [ids[2]]
    with pytest.raises(UsageError, match="cannot be undone"):
        review.undo(cat, [row.id], "ben")


def test_an_unlabelled_photo_may_be_kept_and_an_unlabelled_face_may_not(tmp_path: Path) -> None:
    cat, _ = make(tmp_path, 0)
    photo = add_photo(cat, tmp_path, 1, label="")
    face = add_face(cat, tmp_path, photo)
    assert review.queue(cat, "photos")[0].label == "unlabelled"
    review.commit(cat, "photos", [Judged(photo)], "ann")
    with pytest.raises(UsageError, match="has no label"):
        review.commit(cat, "faces", [Judged(face)], "ann")
    review.commit(cat, "faces", [Judged(face, "relabel", "", "happy")], "ann")
    assert held(cat, "faces") == [(face, "relabel", "", "happy")]


def test_suspicious_pictures_come_first_by_choice_and_classes_can_be_chosen(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 3)
    odd = add_photo(cat, tmp_path, 9, label="")
    assert waiting(cat) == [*ids, odd]
    first = review.queue(cat, "photos", order="suspicious first", limit=1)[0]
    assert first.id == odd
    assert "unlabelled" in first.badges
    assert [i.id for i in review.queue(cat, "photos", label=label_of(1))] == [ids[1]]
    assert [i.id for i in review.queue(cat, "photos", order="suspicious last")][-1] == odd
    with pytest.raises(UsageError, match="unknown order 'best'"):
        review.queue(cat, "photos", order="best")


def test_a_photo_in_which_the_crop_stage_found_no_face_has_a_badge_in_round_one(
    tmp_path: Path,
) -> None:
    cat, ids = make(tmp_path, 2)
    verdicts.add(cat, [Verdict("crop", ids[1], "drop", "crop", "", DIGEST, "no face")])
    found = {one.id: "no face found" in one.badges for one in review.queue(cat, "photos")}
    assert found == {ids[0]: False, ids[1]: True}


def test_the_hints_of_the_crop_stage_are_badges_and_the_order_of_round_two(tmp_path: Path) -> None:
    cat, photos = make(tmp_path, 3)
    hints: list[dict[str, float]] = [{}, {"turn": 0.4, "sharpness": 0.01}, {"tilt_deg": -30.0}]
    usual, worst, tilted = (
        add_face(cat, tmp_path, photo, hints=one) for photo, one in zip(photos, hints, strict=True)
    )
    queue = review.queue(cat, "faces", DIGEST, order="suspicious first")
    assert [(one.id, one.badges) for one in queue] == [
        (worst, ("turned", "blurred")),
        (tilted, ("tilted",)),
        (usual, ()),
    ]


def test_faces_of_a_dropped_photo_and_of_other_crop_settings_do_not_await(faces, tmp_path) -> None:
    cat, ids = faces
    photo = review.queue(cat, "faces", DIGEST)[0].photo
    review.commit(cat, "photos", [Judged(photo, "drop", "non-human")], "ann")
    add_face(cat, tmp_path, ids[0].split("-")[0], digest="ffff0000")
    assert set(waiting(cat, "faces")) == {i for i in ids if not i.startswith(photo)}


def test_progress_counts_each_class_in_each_round(faces) -> None:
    cat, ids = faces
    review.commit(cat, "photos", [Judged(ids[0].split("-")[0], "relabel", "", "surprise")], "ann")
    review.commit(cat, "faces", [Judged(ids[1], "drop", "cut off")], "ann")
    tallies = {(t.round, t.expression): t for t in review.progress(cat, DIGEST)}
    assert tallies["photos", "surprise"] == review.Tally("photos", "surprise", 0, 1, 0)
    assert tallies["photos", "angry"] == review.Tally("photos", "angry", 0, 0, 0)
    assert tallies["faces", "disgust"] == review.Tally("faces", "disgust", 0, 0, 1)
    assert tallies["faces", "surprise"] == review.Tally("faces", "surprise", 1, 0, 0)
    assert sum(t.awaiting for t in tallies.values()) == 4 + 4


def test_known_boxes_label_faces_and_the_rest_is_no_face(faces, tmp_path: Path) -> None:
    cat, ids = faces
    photo = [id_.split("-")[0] for id_ in ids]
    beside = add_face(cat, tmp_path, photo[0], at=1)
    near = PhotoBox(BOX[0] + 4, BOX[1] - 3, BOX[2], BOX[3])
    truth = [
        TrueFace(photo[0], near, "Happiness"),
        TrueFace(photo[1], PhotoBox(*BOX), label_of(1)),
    ]
    done = review.apply_labels_to_faces(cat, DIGEST, truth, "truth")
    assert done == review.Committed(3, 0)
    assert sorted(held(cat, "faces")) == sorted(
        [
            (ids[0], "relabel", "", "happy"),
            (beside, "drop", "not a face", ""),
            (ids[1], "keep", "", ""),
        ]
    )


def test_only_single_labelled_faces_inherit_the_label(faces, tmp_path: Path) -> None:
    cat, ids = faces
    add_face(cat, tmp_path, ids[0].split("-")[0], at=1)
    add_face(cat, tmp_path, add_photo(cat, tmp_path, 9, label=""))
    assert review.keep_single_faces(cat, DIGEST, "rule").written == 4
    assert {id_ for id_, *_ in held(cat, "faces")} == set(ids[1:])


def through_csv(verdicts_: list[ExchangedVerdict]) -> list[dict]:
    rows = [one.to_csv() for one in verdicts_]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return list(csv.DictReader(io.StringIO(text.getvalue())))


def test_verdicts_travel_to_another_catalogue_and_only_once(faces, tmp_path: Path) -> None:
    cat, ids = faces
    photo = ids[0].split("-")[0]
    review.commit(cat, "photos", [Judged(photo, "relabel", "", "fear")], "ann")
    review.commit(cat, "faces", [Judged(ids[0]), Judged(ids[1], "drop", "cut off")], "ben")
    rows = through_csv(review.export_verdicts(cat))
    other, _ = make(tmp_path / "other", 4, with_faces=True)
    assert review.import_verdicts(other, rows, "import") == review.Imported(3, 0, 0)
    assert review.import_verdicts(other, rows, "import") == review.Imported(0, 3, 0)
    assert through_csv(review.export_verdicts(other)) == rows


def test_verdicts_come_along_to_a_new_crop_of_the_same_faces(faces, tmp_path: Path) -> None:
    cat, ids = faces
    review.commit(cat, "faces", [Judged(ids[0]), Judged(ids[1], "drop", "cut off")], "ben")
    rows = through_csv(review.export_verdicts(cat))
    anew = [add_face(cat, tmp_path, id_.split("-")[0], digest="cafe0123") for id_ in ids]
    assert review.import_verdicts(cat, rows, "import") == review.Imported(2, 0, 0)
    assert review.import_verdicts(cat, rows, "import") == review.Imported(0, 2, 0)
    said = {id_: (decision, reason) for id_, decision, reason, _ in held(cat, "faces")}
    assert said == {
        **dict.fromkeys((ids[0], anew[0]), ("keep", "")),
        **dict.fromkeys((ids[1], anew[1]), ("drop", "cut off")),
    }


def test_faces_and_photos_that_are_not_here_are_counted(faces, tmp_path: Path) -> None:
    cat, ids = faces
    review.commit(cat, "faces", [Judged(id_) for id_ in ids], "ann")
    rows = [one.to_csv() for one in review.export_verdicts(cat)]
    rows[0]["x"] += 70  # overlaps by too little
    other, _ = make(tmp_path / "other", 5, with_faces=True)
    rows[1]["photo"] = "0" * 64
    assert review.import_verdicts(other, rows, "import") == review.Imported(3, 0, 2)


def test_plain_labels_keep_relabel_and_drop_photos(photos) -> None:
    cat, ids = photos
    rows = [
        {"sha256": ids[0], "label": label_of(0)},
        {"sha256": ids[1], "label": "Happiness"},
        {"sha256": ids[2], "label": "drop:drawing"},
        {"sha256": "f" * 64, "label": "sad"},
    ]
    assert review.import_verdicts(cat, rows, "ann") == review.Imported(3, 0, 1)
    assert held(cat) == [
        (ids[0], "keep", "", ""),
        (ids[1], "relabel", "", "happy"),
        (ids[2], "drop", "drawing", ""),
    ]


def test_plain_labels_may_name_the_files_themselves(photos, tmp_path: Path) -> None:
    cat, ids = photos
    file = next(tmp_path.glob(f"photos/*/{ids[3]}.png"))
    review.import_verdicts(cat, [{"file": str(file), "label": "drop:text"}], "ann")
    assert held(cat) == [(ids[3], "drop", "text", "")]


@pytest.mark.parametrize(
    ("label", "said"),
    [("bored", "line 3: unknown .* 'bored'"), ("drop:ugly", "line 3: unknown drop reason 'ugly'")],
)
def test_a_bad_line_is_named_and_nothing_is_written(photos, label: str, said: str) -> None:
    cat, ids = photos
    rows = [{"sha256": ids[0], "label": "sad"}, {"sha256": ids[1], "label": label}]
    with pytest.raises(UsageError, match=said):
        review.import_verdicts(cat, rows, "ann")
    assert held(cat) == []


def test_a_file_of_other_columns_is_refused(photos) -> None:
    with pytest.raises(UsageError, match="it needs 'sha256' and 'label'"):
        review.import_verdicts(photos[0], [{"name": "x"}], "ann")


def test_an_import_is_not_undone_by_a_slip_of_a_key(photos, monkeypatch) -> None:
    cat, ids = photos
    monkeypatch.setattr("btfer.review.judge.MAX_UNDO", 2)
    review.import_verdicts(cat, [{"sha256": id_, "label": "sad"} for id_ in ids], "ann")
    with pytest.raises(UsageError, match="it is an import"):
        review.undo_last(cat, "ann", "photos")
    assert len(held(cat)) == 5


def test_the_newest_crop_setting_is_the_one_that_ran_last(faces) -> None:
    cat, ids = faces
    assert newest_settings(cat) == DIGEST
    again = Verdict("crop", ids[0].split("-")[0], "keep", "crop", settings="beef")
    verdicts.add(cat, [again])
    assert newest_settings(cat) == "beef"
    review.commit(cat, "faces", [Judged(ids[0])], "ann")
    assert newest_settings(cat) == "beef"
    with cat.write() as connection:  # as an erasure does
        rows = tables.verdict.c.id > 0
        connection.execute(sa.delete(tables.verdict).where(rows))
    assert newest_settings(cat) == ""


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sampled_from("ab"), st.sets(st.integers(0, 3), min_size=1)),
        st.tuples(st.just("undo"), st.sampled_from("ab"), st.none()),
        st.tuples(st.just("restart"), st.just("a"), st.none()),
    ),
    max_size=12,
)


@pytest.mark.slow
@given(steps=STEPS)
@hypothesis_settings(max_examples=15)
def test_no_order_of_pages_and_undos_skips_or_doubles_a_picture(tmp_path_factory, steps) -> None:
    """Against a model: a stack of pages for each reviewer."""
    data_dir = tmp_path_factory.mktemp("steps")
    cat, ids = make(data_dir, 4)
    pages: dict[str, list[set[str]]] = {"a": [], "b": []}
    for kind, who, picked in steps:
        judged = {id_ for stack in pages.values() for page in stack for id_ in page}
        if kind == "commit":
            page = {ids[index] for index in picked}
            done = review.commit(cat, "photos", [Judged(id_) for id_ in sorted(page)], who)
            assert done == review.Committed(len(page - judged), len(page & judged))
            pages[who] += [page - judged] if page - judged else []
        elif kind == "undo":
            back = {one.id for one in review.undo_last(cat, who, "photos")}
            assert back == (pages[who].pop() if pages[who] else set())
        else:
            cat.close()
            cat = open_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}")
        judged = {id_ for stack in pages.values() for page in stack for id_ in page}
        assert sorted(id_ for id_, *_ in held(cat)) == sorted(judged)
        assert waiting(cat) == [id_ for id_ in ids if id_ not in judged]
    cat.close()


def test_keep_is_a_label_for_photos_of_several_people(tmp_path: Path) -> None:
    cat, _ = make(tmp_path, 0)
    group = add_photo(cat, tmp_path, 1, label="")
    review.import_verdicts(cat, [{"sha256": group, "label": "keep"}], "ann")
    assert held(cat) == [(group, "keep", "", "")]
