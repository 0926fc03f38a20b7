"""Which votes count as what, the parts of the table, soft labels, and the command."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from btfer import cli, review
from btfer.catalogue import Catalogue, verdicts
from btfer.catalogue.rows import LabelledPhoto
from btfer.catalogue.verdicts import StoredVerdict
from btfer.errors import UsageError
from btfer.review import Judged, agreement, agreement_table
from btfer.review.agreement_table import AgreementRow, ballots, measure, soft_labels
from tests.drawn_catalogue import add_face, label_of, make


def vote(
    photo: str, who: str, decision: str = "keep", expression: str = "", face: str = ""
) -> StoredVerdict:
    return StoredVerdict(
        id=1,
        round="faces" if face else "photos",
        photo=photo,
        face=face,
        settings="",
        decision=decision,
        reason="",
        expression=expression,
        reviewer=who,
        keeper="",
        distance_bits=None,
        undoes=None,
        at="",
        uid="",
        final=False,
    )


def photo_row(**more: str) -> LabelledPhoto:
    blank = {one.name: "" for one in fields(LabelledPhoto)}
    return LabelledPhoto(**blank | {"rank": 0} | more)


def judge(cat: Catalogue, round_: str, who: str, ids: list[str], **said: str) -> None:
    review.commit(cat, round_, [Judged(id_, **said) for id_ in ids], who)


def chosen(rows: list[AgreementRow], **wanted: str) -> list[AgreementRow]:
    return [
        row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())
    ]


def names_of(given: agreement_table.Ballots) -> list[list[str]]:
    return [[given.categories[n] if n >= 0 else "" for n in row] for row in given.ratings.tolist()]


def test_a_vote_is_a_drop_or_the_class_that_the_picture_has_after_it() -> None:
    known = {"p": photo_row(intended="sad", expression="sad"), "q": photo_row()}
    given = ballots(
        [
            vote("p", "ann"),
            vote("p", "ben", "relabel", "happy"),
            vote("q", "ann", "drop"),
            vote("q", "ben"),
        ],
        known,
        "photos",
    )
    assert given.reviewers == ("ann", "ben")
    assert names_of(given) == [["sad", "happy"], ["drop", "unlabelled"]]


def test_only_pictures_with_two_votes_count() -> None:
    known = {"p": photo_row(intended="sad"), "q": photo_row(intended="sad")}
    votes = [vote("p", "ann"), vote("p", "ben"), vote("q", "cleo"), vote("gone", "ann")]
    given = ballots([*votes, vote("gone", "ben")], known, "photos")
    assert given.ratings.shape == (1, 2)
    assert given.reviewers == ("ann", "ben")


def test_who_kept_a_photo_meant_its_query_also_after_others_agreed_on_another_class(
    tmp_path: Path,
) -> None:
    cat, ids = make(tmp_path, 1)
    review.plan(cat, 2)
    judge(cat, "photos", "ann", ids)
    judge(cat, "photos", "ben", ids, decision="relabel", expression="sad")
    review.settle(cat, "photos", [Judged(ids[0], "relabel", expression="sad")], "cleo")
    [row] = verdicts.current_in(cat, "photos")
    assert row.expression == "sad"
    found = measure(cat, "photos")
    assert found.reviewers == ("ann", "ben")  # the last word is no vote
    place = found.categories.index
    assert found.confusion[place(label_of(0))][place("sad")] == 1
    assert sum(map(sum, found.confusion)) == 2


def test_who_kept_a_face_meant_the_label_that_its_photo_has() -> None:
    known = {"p": photo_row(intended="sad", expression="fear")}
    votes = [vote("p", "ann", face="f"), vote("p", "ben", "relabel", "fear", face="f")]
    assert names_of(ballots(votes, known, "faces")) == [["fear", "fear"]]


def test_two_faces_of_one_photo_are_two_items() -> None:
    known = {"p": photo_row(expression="fear")}
    votes = [vote("p", who, face=face) for face in "fg" for who in ("ann", "ben")]
    assert len(ballots(votes, known, "faces").ratings) == 2


@pytest.fixture
def votes_and_photos() -> tuple[list[StoredVerdict], dict[str, LabelledPhoto]]:
    """40 photos of two languages; ann and ben differ on the French sad ones, cleo judges a few."""
    known, votes = {}, []
    for n in range(40):
        label, language = ("sad", "happy")[n % 2], ("en", "fr")[n // 20]
        known[str(n)] = photo_row(intended=label, language=language, gender="female")
        votes.append(vote(str(n), "ann"))
        differ = label == "sad" and language == "fr"
        votes.append(vote(str(n), "ben", *(("relabel", "fear") if differ else ())))
        votes += [vote(str(n), "cleo")] if n < 12 else []
    return votes, known


def test_every_part_has_every_statistic_with_its_number_of_items(votes_and_photos) -> None:
    rows = agreement_table.table(ballots(*votes_and_photos, "photos"))
    alphas = {
        (row.by, row.group): row.n_items for row in chosen(rows, statistic=agreement.KRIPPENDORFF)
    }
    assert alphas[agreement_table.ALL, agreement_table.ALL] == 40
    assert alphas[agreement_table.AGAINST_REST, "drop"] == 40
    assert alphas["searched class", "sad"] == alphas["language", "fr"] == 20
    assert alphas["gender", "female"] == 40
    assert not chosen(rows, by="age") + chosen(rows, by="ethnicity")  # no query says any
    fleiss = chosen(rows, by="all", statistic=agreement.FLEISS)
    assert [(row.n_items, row.of) for row in fleiss] == [(28, "items with exactly 2 votes")]
    pairs = chosen(rows, statistic=agreement.COHEN)
    assert [(row.of, row.n_items) for row in pairs] == [
        ("ann and ben", 40),
        ("ann and cleo", 12),
        ("ben and cleo", 12),
    ]


def test_a_part_has_the_statistics_of_its_own_votes(votes_and_photos) -> None:
    votes, known = votes_and_photos
    two = [row for row in votes if row.reviewer != "cleo"]
    rows = agreement_table.table(ballots(two, known, "photos"))
    french = [row for row in two if known[row.photo].language == "fr"]
    alone = agreement_table.table(ballots(french, known, "photos"))
    part = chosen(rows, by="language", group="fr")
    assert len(part) == 4  # two people: Cohen's kappa as well
    for row in part:
        [same] = chosen(alone, by="all", statistic=row.statistic)
        assert replace(row, by="", group="") == replace(same, by="", group="")
    [english] = chosen(rows, by="language", group="en", statistic=agreement.FLEISS)
    assert english.value == 1


def test_a_class_against_the_rest_has_what_two_categories_alone_have(votes_and_photos) -> None:
    votes, known = votes_and_photos
    rows = agreement_table.table(ballots(votes, known, "photos"))
    against = chosen(rows, by=agreement_table.AGAINST_REST, statistic=agreement.KRIPPENDORFF)
    by_class = {row.group: row for row in against}
    assert by_class["happy"].value == 1
    assert by_class["fear"].value < by_class["sad"].value < 1
    assert (by_class["angry"].value, by_class["angry"].why) == (None, agreement.ONE_CATEGORY)


def test_soft_labels_count_the_votes_of_each_face() -> None:
    votes = [
        vote("p", "ann", face="f"),
        vote("p", "ben", "relabel", "happy", face="f"),
        vote("p", "cleo", "relabel", "sad", face="f"),
        vote("p", "ann", "drop", face="g"),
        vote("q", "ann", "relabel", "fear", face="h"),
    ]
    assert soft_labels(votes, {"p": "sad", "q": "unlabelled"}) == {
        "f": {"happy": 1, "sad": 2},
        "g": {"drop": 1},
        "h": {"fear": 1},
    }


def test_soft_labels_of_a_catalogue_have_every_vote_and_no_last_word(tmp_path: Path) -> None:
    cat, photos = make(tmp_path, 2)
    faces = [add_face(cat, tmp_path, photo) for photo in photos]
    review.plan(cat, 2)
    judge(cat, "faces", "ann", faces)
    judge(cat, "faces", "ben", faces[:1], decision="relabel", expression="happy")
    review.settle(cat, "faces", [Judged(faces[0], "drop", "unclear")], "cleo")
    labels = {photo: label_of(n) for n, photo in enumerate(photos)}
    told = soft_labels(verdicts.votes(cat, "faces"), labels)
    assert told == {faces[0]: {label_of(0): 1, "happy": 1}, faces[1]: {label_of(1): 1}}


def test_an_unknown_round_is_an_error(tmp_path: Path) -> None:
    cat, _ = make(tmp_path, 1)
    with pytest.raises(UsageError, match="unknown review round 'crop'"):
        measure(cat, "crop")


def run(data_dir: Path, *arguments: str) -> Any:
    done = CliRunner().invoke(cli.app, ["--data-dir", str(data_dir), "review", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_says_what_to_do_when_nothing_was_judged_twice(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 2)
    judge(cat, "photos", "ann", ids)
    said = run(tmp_path, "agreement")
    assert "Nothing in round photos was judged by two reviewers yet." in said
    assert "btfer review plan --reviewers-per-image 2" in said


def test_the_command_prints_the_numbers_and_all_of_them_as_json(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 14)
    review.plan(cat, 2, "photos")
    judge(cat, "photos", "ann", ids)
    judge(cat, "photos", "ben", ids[:7])
    judge(cat, "photos", "ben", ids[7:], decision="drop", reason="text")
    said = run(tmp_path, "agreement")
    assert "ann and ben" in said
    assert "0.500" in said
    assert "Nothing in round faces" in said
    assert not any(id_[:8] in said for id_ in ids)
    photos, faces = json.loads(run(tmp_path, "agreement", "--json"))
    assert (photos["n_items"], faces["n_items"]) == (14, 0)
    [share] = chosen(
        [AgreementRow(**row) for row in photos["rows"]], by="all", statistic=agreement.PERCENT
    )
    assert share.value == 0.5
    assert share.low < 0.5 < share.high
    assert sum(map(sum, photos["confusion"])) == 7 + 2 * 7
