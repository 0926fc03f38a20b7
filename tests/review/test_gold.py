"""Hidden gold pictures: a quality for each reviewer, and no votes."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from btfer import review
from btfer.catalogue import Catalogue, erasure, verdicts
from btfer.cli import app as command_line
from btfer.csv_reader import read_csv
from btfer.errors import UsageError
from btfer.review import Judged, gold
from btfer.review.gold import Quality, read_gold
from tests.drawn_catalogue import make


def answer(cat: Catalogue, page: list[Judged], known: gold.Gold, sent: str) -> None:
    """Ann sends a page on which all gold pictures are hidden ones."""
    gold.commit(cat, "photos", page, "ann", known, hidden=set(known), sent=sent)


def answers(folder: Path, text: str) -> Path:
    """A CSV of gold pictures."""
    file = folder / "right.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("right", "given", "correct"),
    [
        ("angry", Judged(""), True),  # the picture is labelled angry
        ("angry", Judged("", "relabel", expression="sad"), False),
        ("sad", Judged("", "relabel", expression="sad"), True),
        ("sad", Judged(""), False),
        ("drop", Judged("", "drop", "text"), True),
        ("drop:text", Judged("", "drop", "unclear"), False),
        ("keep", Judged("", "drop", "unclear"), False),
    ],
)
def test_an_answer_is_right_by_what_it_says_of_the_picture(
    tmp_path: Path, right: str, given: Judged, correct: bool
) -> None:
    cat, [photo] = make(tmp_path, 1)
    known = read_gold(answers(tmp_path, f"sha256,label\n{photo},{right}"))
    one = Judged(photo, given.decision, given.reason, given.expression)
    for _ in range(2):  # the page may be sent twice
        answer(cat, [one], known, "page")
    assert gold.quality(cat, "ann") == Quality(int(correct), 1)
    assert verdicts.log(cat, rounds=("photos",)) == []


def test_each_is_asked_once_and_never_instead_of_a_vote(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 6)
    known = read_gold(
        answers(tmp_path, "\n".join(["sha256,label", *(f"{id_},keep" for id_ in ids[:3])]))
    )
    page = review.queue(cat, "photos")
    assert gold.hidden_among(cat, "photos", page, "ann", known) == (page, set())
    review.commit(cat, "photos", [Judged(id_) for id_ in ids[:3]], "ben")
    page = review.queue(cat, "photos")
    asked = set()
    for number in range(3):
        mixed, hidden = gold.hidden_among(cat, "photos", page, "ann", known)
        assert gold.hidden_among(cat, "photos", page, "ann", known) == (mixed, hidden)
        assert len(mixed) == 4
        answer(cat, [Judged(one) for one in hidden], known, str(number))
        asked |= hidden
    assert asked == set(ids[:3])
    assert gold.hidden_among(cat, "photos", page, "ann", known) == (page, set())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sha256,label\n\nab,furious", "line 3: unknown expression class 'furious'"),
        ("sha256,label\nab,drop:boring", "line 2: unknown drop reason 'boring'"),
        ("name,label\na,sad", "line 2: no picture"),
        ("sha256\nab", "has no column label"),
        ("sha256,label", "has a header and no rows"),
    ],
)
def test_a_wrong_row_is_named_by_its_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=rf"right\.csv.* {said}"):
        read_gold(answers(tmp_path, text))


def test_notes_on_hidden_pictures_are_exported_by_themselves(tmp_path: Path) -> None:
    cat, [photo] = make(tmp_path, 1)
    known = read_gold(answers(tmp_path, f"sha256,label\n{photo},drop:text"))
    said = Judged(photo, "drop", "text", note=" =1+1\r\na sign ", unsure=True)
    answer(cat, [said], known, "page")
    files = tmp_path / "verdicts.csv", tmp_path / "gold.csv"

    def export(gold_file: Path) -> Any:
        words = ["review", "export", str(files[0]), "--gold", str(gold_file)]
        return CliRunner().invoke(command_line, words, env={"BTFER_DATA_DIR": str(tmp_path)})

    assert export(files[1]).exit_code == 0
    [row] = read_csv(files[1])
    assert row.values["at"]
    told = {name: value for name, value in row.values.items() if name != "at"}
    assert told == {
        "reviewer": "ann",
        "round": "photos",
        "photo": photo,
        "face": "",
        "decision": "drop",
        "reason": "text",
        "expression": "",
        "correct": "yes",
        "note": "=1+1\na sign",
        "unsure": "yes",
    }
    assert b"'=1+1" in files[1].read_bytes()  # no formula for a spreadsheet
    assert len(files[0].read_text().splitlines()) == 1  # they are no verdicts
    assert isinstance(export(files[0]).exception, UsageError)


def test_an_answer_that_is_no_judgement_is_refused(tmp_path: Path) -> None:
    cat, [photo] = make(tmp_path, 1)
    known = read_gold(answers(tmp_path, f"sha256,label\n{photo},keep"))
    with pytest.raises(UsageError, match="a note has"):
        answer(cat, [Judged(photo, note="x" * 20_000)], known, "page")
    assert gold.quality(cat, "ann").n == 0


def test_forgetting_takes_the_answers_on_a_picture_and_the_notes_that_name_it(
    tmp_path: Path,
) -> None:
    cat, ids = make(tmp_path, 3)
    known = read_gold(
        answers(tmp_path, "\n".join(["sha256,label", *(f"{id_},keep" for id_ in ids)]))
    )
    notes = ["my aunt", f"the same as {ids[0][:16]}", "nothing special"]
    page = [Judged(id_, note=note) for id_, note in zip(ids, notes, strict=True)]
    answer(cat, page, known, "page")
    erasure.erase(cat, ids[:1])
    left = [(one["photo"], one["note"]) for one in gold.exported(cat)]
    assert left == [(ids[1], ""), (ids[2], "nothing special")]


def test_few_answers_are_not_shown_because_they_would_give_the_pictures_away() -> None:
    assert Quality(3, 4).in_words() == ""
    assert Quality(9, 10).in_words() == "90 % of 10 hidden pictures right"


def test_undo_of_a_page_takes_back_its_answers_on_hidden_pictures_and_no_others(
    tmp_path: Path,
) -> None:
    cat, ids = make(tmp_path, 4)
    known = read_gold(
        answers(tmp_path, "\n".join(["sha256,label", *(f"{id_},keep" for id_ in ids[:2])]))
    )
    review.commit(cat, "photos", [Judged(one) for one in ids[:2]], "ben")
    said = [Judged(ids[0]), Judged(ids[1], "drop", "text", note="a sign", unsure=True)]
    for number, one in enumerate(said):
        vote = Judged(ids[2 + number])
        review.commit(cat, "photos", [vote], "ann", page=str(number))
        answer(cat, [vote, one], known, str(number))
    assert gold.quality(cat, "ann") == Quality(1, 2)
    assert gold.undo_last(cat, "ann", "photos") == [Judged(ids[3]), said[1]]
    assert gold.quality(cat, "ann") == Quality(1, 1)
    page = review.queue(cat, "photos")
    assert gold.hidden_among(cat, "photos", page, "ann", known)[1] == {ids[1]}  # asked again
    assert gold.undo_last(cat, "ann", "photos") == [Judged(ids[2]), said[0]]
    assert gold.undo_last(cat, "ann", "photos") == []
    assert gold.quality(cat, "ann").n == 0
