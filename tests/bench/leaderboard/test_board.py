"""Places, ties and intervals of a leaderboard, by another way; and what a folder of strangers' files does to it."""

import csv
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score

from btfer.bench.datasets import ImageSet
from btfer.bench.leaderboard import make_board, write_leaderboard
from btfer.bench.report.questions import holm
from btfer.bench.submit import check_bundle, read_bundle
from btfer.errors import Incomplete, UsageError
from tests.bench.conftest import KeptLines
from tests.bench.drawn_bundles import draw_bundle, speck_release


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return speck_release(tmp_path_factory.mktemp("release") / "specks-1", 40)


def test_places_and_ties_are_those_of_mcnemar_and_holm(tmp_path: Path, images: ImageSet) -> None:
    chances = {"first": 0.75, "second": 0.65, "third": 0.4, "last": 0.15}
    found = [
        check_bundle(read_bundle(draw_bundle(tmp_path, images, name, chance, seed)), images)
        for seed, (name, chance) in enumerate(chances.items())
    ]
    board = make_board("cross_domain", found[::-1])
    assert [one.checked.card.name for one in board.entries] == list(chances)
    assert [one.places for one in board.entries] == ["1-2", "1-2", "3", "4"]
    assert [one.ties for one in board.entries] == [(2,), (1,), (), ()]
    p = []
    for pair in board.pairs:
        one, two = (board.entries[number - 1].checked.right for number in (pair.first, pair.second))
        gained, lost = int((one & ~two).sum()), int((two & ~one).sum())
        p.append(binomtest(gained, gained + lost).pvalue)
    assert [one.p for one in board.pairs] == pytest.approx(p)
    assert [one.p_holm for one in board.pairs] == pytest.approx(holm(p))
    for entry in board.entries:
        truth, codes = images.labels, entry.checked.codes
        again = balanced_accuracy_score(truth, codes)
        assert entry.macro_recall.value == pytest.approx(again)
        assert entry.macro_recall.low < again < entry.macro_recall.high
        recalls = [one.value for one in entry.recalls if one]
        assert np.mean(recalls) == pytest.approx(again)
        assert {one.group: one.images for one in entry.groups} == {
            "adult": 280,
            "man": 140,
            "woman": 140,
        }
        women = np.array(images.strata["gender"]) == "woman"
        served = next(one for one in entry.groups if one.group == "woman")
        assert served.accuracy.value == pytest.approx((codes == truth)[women].mean())


def test_whoever_hands_in_the_answers_of_another_is_seen(tmp_path: Path, images: ImageSet) -> None:
    for name in ("original", "rebranded"):
        draw_bundle(tmp_path, images, name, 0.6, 1)
    found = [check_bundle(read_bundle(one), images) for one in sorted(tmp_path.glob("*.zip"))]
    board = make_board("cross_domain", found)
    assert [one.same_as for one in board.entries] == [0, 1]


def test_submissions_of_one_name_say_in_what_they_differ(tmp_path: Path, images: ImageSet) -> None:
    stated = {"training": "rafdb", "protocol": "paper", "resolution": 48}
    draw_bundle(tmp_path, images, "dan", 0.9, 1, stated=stated)
    draw_bundle(tmp_path, images, "dan", 0.6, 2, stated=stated | {"resolution": 224})
    draw_bundle(tmp_path, images, "lenet5", 0.3, 3, stated=stated)
    found = [check_bundle(read_bundle(one), images) for one in sorted(tmp_path.glob("*.zip"))]
    board = make_board("cross_domain", found)
    assert [one.variant for one in board.entries] == ["48 px", "224 px", ""]
    page = write_leaderboard(tmp_path, images, tmp_path / "board").page.read_text()
    assert page.count("<small>224 px</small>") >= 2  # in the ranking and by class


def test_the_same_answers_under_other_names_change_no_place(
    tmp_path: Path, images: ImageSet
) -> None:
    chances = {"first": 0.75, "second": 0.62, "third": 0.4}
    drawn = [
        draw_bundle(tmp_path, images, name, chance, seed)
        for seed, (name, chance) in enumerate(chances.items())
    ]
    alone = make_board("cross_domain", [check_bundle(read_bundle(one), images) for one in drawn])
    drawn += [draw_bundle(tmp_path, images, f"zz {n}", 0.75, 0) for n in range(6)]
    board = make_board("cross_domain", [check_bundle(read_bundle(one), images) for one in drawn])
    assert [one.same_as for one in board.entries] == [0, *6 * [1], 0, 0]
    assert [one.places for one in board.entries[:7]] == 7 * [alone.entries[0].places]
    for before, now in zip(alone.entries[1:], board.entries[7:], strict=True):
        assert (before.places, before.accuracy) == (now.places, now.accuracy)
    assert [one.p_holm for one in board.pairs] == [one.p_holm for one in alone.pairs]


def test_the_labels_themselves_are_no_submission(tmp_path: Path, images: ImageSet) -> None:
    draw_bundle(tmp_path, images, "honest", 0.9, 1)
    draw_bundle(tmp_path, images, "labels", 1.0, 2)
    draw_bundle(tmp_path, images, "labels in words", 0.997, 3, hard=True)
    written = write_leaderboard(tmp_path, images, tmp_path / "site")
    assert written.ranked == 1
    assert all("these are its labels" in why for _, why in written.left_out)
    few = speck_release(tmp_path / "few-1", 3)
    assert check_bundle(read_bundle(draw_bundle(tmp_path / "few", few, "lucky", 1.0)), few)


def test_a_copy_with_false_claims_does_not_stand_for_the_honest_one(
    tmp_path: Path, images: ImageSet
) -> None:
    folder = tmp_path / "bundles"
    honest = draw_bundle(folder, images, "net", 0.6, 1)
    boast = draw_bundle(folder, images, "net", 0.6, 1, claimed={"accuracy": 0.99})
    draw_bundle(folder, images, "net", 0.6, 1, by="somebody else")
    boast.rename(folder / "0-first.zip")
    written = write_leaderboard(folder, images, tmp_path / "site")
    assert written.left_out == [("0-first.zip", f"the same as {honest.name}")]
    assert written.ranked == 2


def test_the_order_of_rows_does_not_hide_the_answers_of_another(
    tmp_path: Path, images: ImageSet
) -> None:
    first = check_bundle(read_bundle(draw_bundle(tmp_path, images, "net", 0.6, 1)), images)
    turned = replace(
        first.bundle,
        files=first.bundle.files[::-1],
        probabilities=first.bundle.probabilities[::-1],
    )
    assert check_bundle(turned, images).answers_sha256 == first.answers_sha256


def test_odd_files_are_left_out_and_named_and_the_rest_is_ranked(
    tmp_path: Path, images: ImageSet
) -> None:
    folder = tmp_path / "bundles"
    honest = draw_bundle(folder, images, "=cmd|' /C calc'!A0", 0.6, 1, silent=7)
    draw_bundle(folder, images, "labels", 0.4, 2, hard=True)
    draw_bundle(folder, images, "boaster", 0.3, 3, claimed={"accuracy": 0.92})
    draw_bundle(folder, images, "own", 0.5, 4, part="in_domain")
    draw_bundle(folder, speck_release(tmp_path / "other-1", 3), "elsewhere")
    (folder / "copy.zip").write_bytes(honest.read_bytes())
    (folder / "zz.zip").write_bytes(b"PK")
    (folder / "notes.txt").write_text("no bundle")
    told = KeptLines()
    written = write_leaderboard(folder, images, tmp_path / "site", told)
    assert written.ranked == 4
    assert len(written.left_out) == 3
    assert any("the same as" in why for _, why in written.left_out)
    assert any("was scored on the release other-1" in why for _, why in written.left_out)
    assert any("boaster" not in line and "claims accuracy 0.92" in line for line in told.lines)
    html = written.page.read_text()
    assert str(tmp_path) not in html
    assert "Left out" in html
    with (tmp_path / "site" / "leaderboard.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["part"], row["number"]) for row in rows] == [
        *(("cross_domain", str(n)) for n in (1, 2, 3)),
        ("in_domain", "1"),
    ]
    assert rows[0]["name"].startswith("'=cmd")
    table = pd.read_csv(tmp_path / "site" / "leaderboard.csv")
    assert table["coverage"].tolist() == [pytest.approx(0.975), 1, 1, 1]
    assert table["ece"].isna().tolist() == [False, True, False, False]
    assert (table["accuracy_low"] < table["accuracy"]).all()
    before = {file.name: file.read_bytes() for file in (tmp_path / "site").iterdir()}
    write_leaderboard(folder, images, tmp_path / "site")
    assert {file.name: file.read_bytes() for file in (tmp_path / "site").iterdir()} == before


def test_a_folder_without_a_bundle_and_no_folder_are_one_line(
    tmp_path: Path, images: ImageSet
) -> None:
    with pytest.raises(UsageError, match="is not a folder of bundles"):
        write_leaderboard(tmp_path / "none", images, tmp_path / "site")
    (tmp_path / "zz.zip").write_bytes(b"PK")
    with pytest.raises(Incomplete, match=r"no bundle in .* can be ranked on specks-1, 1 left out"):
        write_leaderboard(tmp_path, images, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_what_browsers_make_of_bundles_is_read_or_named(tmp_path: Path, images: ImageSet) -> None:
    folder = tmp_path / "bundles"
    path = draw_bundle(folder, images, "unpacked", 0.6, 1)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "theirs")
    path.unlink()
    draw_bundle(folder, images, "twice", 0.5, 2).rename(folder / "twice.zip.1")
    (folder / "notes.docx").write_bytes(b"PK\x03\x04")
    with zipfile.ZipFile(folder / "table.xlsx", "w") as archive:
        archive.writestr("sheet.xml", "x")
    written = write_leaderboard(folder, images, tmp_path / "site")
    assert written.ranked == 1
    assert written.left_out == [("theirs", "it was unpacked: pack its two files as a zip again")]


def test_what_is_called_a_bundle_and_cannot_be_read_is_named(
    tmp_path: Path, images: ImageSet
) -> None:
    folder = tmp_path / "bundles"
    draw_bundle(folder, images, "whole", 0.6, 1)
    draw_bundle(folder / "lab", images, "deeper", 0.5, 2)
    (folder / "gone.zip").symlink_to("nowhere.zip")
    (folder / "loop.zip").symlink_to("loop.zip")
    os.mkfifo(folder / "pipe.zip")
    (folder / "notes").mkdir()
    written = write_leaderboard(folder, images, folder / "leaderboard")
    assert written.ranked == 1
    assert written.left_out == [
        ("gone.zip", "gone.zip is not a bundle: there is no such file"),
        ("lab", "it is a folder with 1 of its own: put them beside the others"),
        ("loop.zip", "loop.zip is not a bundle: there is no such file"),
        ("pipe.zip", "pipe.zip is not a bundle: it is no file"),
    ]
