"""Notes on pictures, and pictures that a person was unsure about: a second one judges them too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from btfer import review
from btfer.catalogue import Catalogue, erasure, open_catalogue, review_pages, verdicts, votes
from btfer.catalogue.current_verdicts import current_verdicts
from btfer.cli import app as command_line
from btfer.errors import UsageError
from btfer.review import LONGEST_NOTE, Judged, PageFacts, Queue
from tests.drawn_catalogue import DIGEST, add_photo, make

NASTY = {
    "formula": '=HYPERLINK("http://evil.example","look")',
    "several lines": 'one; two\n-three\n\n"four", five\n\u0435\u0449\u0451 \u6f22\u5b57',
    "long": "a very long note, " * 555 + "10000 end.",
    "apostrophes": "'=already marked",
    "looks like a row": "photos," * 19,
}


@pytest.fixture
def photos(any_cat: Catalogue, tmp_path: Path) -> tuple[Catalogue, list[str]]:
    return any_cat, [add_photo(any_cat, tmp_path, number) for number in range(4)]


def shown(cat: Catalogue, who: str) -> list[str]:
    return [one.id for one in Queue(cat, "photos", who).page(48).items]


def held(cat: Catalogue) -> dict[str, str]:
    """What holds, by both ways of asking."""
    found = {row.photo: row.decision for row in verdicts.current_in(cat, "photos")}
    read = current_verdicts(cat, "")["photos"]
    assert {photo: one.decision for photo, one in read.items()} == found
    return found


def test_an_unsure_picture_waits_for_a_second_person(photos: tuple[Catalogue, list[str]]) -> None:
    cat, ids = photos
    page = [Judged(ids[0], "drop", "text", unsure=True, note="a sign?"), *map(Judged, ids[1:])]
    assert review.commit(cat, "photos", page, "ann").written == 4
    assert set(held(cat)) == set(ids[1:])
    assert shown(cat, "ann") == []
    assert shown(cat, "ben") == [ids[0]]
    assert [one.awaiting for one in review.progress(cat, "") if one.awaiting] == [1]
    assert review.commit(cat, "photos", [Judged(ids[0])], "ann").written == 0
    review.commit(cat, "photos", [Judged(ids[0], "drop", "unclear")], "ben")
    assert held(cat)[ids[0]] == "drop"
    assert shown(cat, "cleo") == []


def test_two_who_differ_are_a_dispute_that_shows_the_note(
    photos: tuple[Catalogue, list[str]],
) -> None:
    cat, ids = photos
    review.commit(cat, "photos", [Judged(ids[0], unsure=True, note="fear?\nor surprise")], "ann")
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text")], "ben")
    [one] = review.disputes(cat, "photos", settled_by="cleo")
    assert review.as_item(one).badges == ("ann: keep, unsure (with a note)", "ben: drop: text")
    assert review.notes_of(one) == ["ann: fear?\nor surprise"]
    review.settle(cat, "photos", [Judged(ids[0], note="seen")], "cleo")
    assert held(cat)[ids[0]] == "keep"


def test_where_two_votes_are_asked_for_anyway_unsure_asks_for_no_third(
    photos: tuple[Catalogue, list[str]],
) -> None:
    cat, ids = photos
    review.plan(cat, 2)
    for who in ("ann", "ben"):
        review.commit(cat, "photos", [Judged(ids[0], unsure=True)], who)
    assert held(cat) == {ids[0]: "keep"}


def test_undoing_an_unsure_vote_asks_the_same_person_again_with_their_note(
    photos: tuple[Catalogue, list[str]],
) -> None:
    cat, ids = photos
    given = [Judged(ids[0], unsure=True, note="why?")]
    review.commit(cat, "photos", given, "ann")
    assert review.undo_last(cat, "ann", "photos") == given
    assert ids[0] in shown(cat, "ann")
    assert votes.needed(cat, "photos") == 1


def test_a_note_that_is_too_long_is_refused_and_what_no_database_holds_is_cleaned(
    photos: tuple[Catalogue, list[str]],
) -> None:
    cat, ids = photos
    with pytest.raises(UsageError, match="10,001 letters"):
        review.commit(cat, "photos", [Judged(ids[0], note="x" * (LONGEST_NOTE + 1))], "ann")
    review.commit(cat, "photos", [Judged(ids[0], note=" a\0b\r\nc\ud800 ")], "ann")
    assert verdicts.log(cat)[0].note == "ab\nc?"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Path, Catalogue, Catalogue, list[str]]]:
    """Two catalogues with the same pictures."""
    folders = [tmp_path / name for name in ("here", "there")]
    for folder in folders:
        folder.mkdir()
    (one, ids), (other, _) = (make(folder, len(NASTY)) for folder in folders)
    yield tmp_path, one, other, ids
    one.close()
    other.close()


def run(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(
        command_line, ["review", *words], env={"BTFER_DATA_DIR": str(folder)}
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_notes_flags_and_guidelines_travel_whole(
    two: tuple[Path, Catalogue, Catalogue, list[str]],
) -> None:
    folder, one, other, ids = two
    judged = [
        Judged(id_, note=note, unsure=note.startswith("="))
        for id_, note in zip(ids, NASTY.values(), strict=True)
    ]
    facts = PageFacts(3.0, 0, "abcdef012345")
    review.commit(one, "photos", judged, "ann", facts=facts)
    file = folder / "verdicts.csv"
    run(folder / "here", "export", str(file))
    assert b",=HYPER" not in file.read_bytes()
    assert b'"=HYPER' not in file.read_bytes()
    assert "5 added" in run(folder / "there", "import", str(file))
    assert "0 added" in run(folder / "there", "import", str(file))
    assert [row.note for row in reversed(verdicts.log(other, rounds=("photos",)))] == [
        note.strip() for note in NASTY.values()
    ]
    assert [row.photo for row in verdicts.log(other, rounds=("photos",)) if row.unsure] == ids[:1]
    assert set(review_pages.guidelines_of(other, "photos").values()) == {"abcdef012345"}
    assert review.export_verdicts(other) == review.export_verdicts(one)


def test_a_bad_row_below_a_note_of_several_lines_is_named_by_its_line(
    two: tuple[Path, Catalogue, Catalogue, list[str]],
) -> None:
    folder, _, other, ids = two
    file = folder / "labels.csv"
    file.write_text(
        f'sha256;label;note;unsure\n{ids[0]};keep;"one\ntwo\nthree";yes\n{ids[1]};glad;;\n'
    )
    result = CliRunner().invoke(
        command_line,
        ["review", "import", str(file)],
        env={"BTFER_DATA_DIR": str(folder / "there")},
    )
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith(f"{file}: line 5: ")
    file.write_text(f'sha256;label;note;unsure\n{ids[0]};keep;"one\ntwo";yes\n{ids[1]};sad;;\n')
    run(folder / "there", "import", str(file))
    newest = verdicts.log(other, rounds=("photos",))
    assert [(row.note, row.unsure) for row in newest] == [("", False), ("one\ntwo", True)]


def test_an_export_of_an_older_version_is_read(
    two: tuple[Path, Catalogue, Catalogue, list[str]],
) -> None:
    _, one, other, ids = two
    review.commit(one, "photos", [Judged(ids[0])], "ann")
    rows = [one_.to_csv() for one_ in review.export_verdicts(one)]
    for name in ("guidelines", "unsure", "note"):
        del rows[0][name]
    assert review.import_verdicts(other, rows, "x").added == 1


def test_forgetting_takes_the_notes_on_a_picture_and_those_that_name_it(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 3)
    notes = ["this is my aunt Petronella", f"the same as {ids[0][:16]}", "nothing special"]
    review.commit(
        cat, "photos", [Judged(id_, note=n) for id_, n in zip(ids, notes, strict=True)], "ann"
    )
    erasure.erase(cat, ids[:1])
    assert [row.note for row in reversed(verdicts.log(cat, rounds=("photos",)))] == ["", notes[2]]
    cat.close()
    cat = open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}")
    with cat.alone() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    cat.close()
    left = b"".join(path.read_bytes() for path in tmp_path.glob("catalogue.db*"))
    assert b"Petronella" not in left
    assert ids[0][:16].encode() not in left


def test_the_loupe_of_a_face_says_what_was_written_about_its_photo(tmp_path: Path) -> None:
    cat, _ = make(tmp_path, 1, with_faces=True)
    [face] = review.queue(cat, "faces", DIGEST)
    review.commit(cat, "photos", [Judged(face.photo, note="twins", unsure=True)], "ann")
    assert review.votes_before(cat, face) == ["photo, ann: keep, unsure \u2014 twins"]
