"""The tutorials, followed to the letter on the synthetic sample; people's part is played from its manifest."""

import csv
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sybil import Example
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue, photos
from btfer.expressions import EXPRESSIONS
from btfer.faces.modes import crop_settings
from btfer.review import Judged, PhotoBox, TrueFace
from btfer.sample import SamplePicture, load_manifest, picture_path
from btfer.settings import load_settings

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"
REVIEWER = "reader"
OF_EACH = 7
"""Photos of a class in the reader's folder; five of each are wanted."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Reader:
    """Somebody who types each command of a page, in a shell that stays in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""

    def follow(self, name: str) -> None:
        """Do what a tutorial says, from its first block to its last."""
        parsers = (
            CodeBlockParser("sh", self.type),
            PythonCodeBlockParser(),
            SkipParser(),
        )
        document = Document.parse(str(TUTORIALS / name), *parsers)
        helpers = (
            self.play_round,
            self.two_people_judge,
            self.write_predictions,
            self.name_one_image,
        )
        document.namespace.update({one.__name__: one for one in helpers})
        examples = list(document.examples())
        assert examples
        for example in examples:
            example.evaluate()

    def type(self, example: Example) -> None:
        """One block of commands, which must end well."""
        told = self.folder / ".where"
        command = f"set -e\n{example.parsed}\npwd > '{told}'"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=os.environ | {"PATH": path, "COLUMNS": "200"},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (
            f"{example.path}, line {example.line}: {done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        self.said = done.stdout
        self.folder = Path(told.read_text().rstrip("\n"))
        told.unlink()

    def catalogue(self) -> Catalogue:
        """That of the folder the reader is in."""
        return open_catalogue(
            load_settings(data_dir=self.folder / "data").catalogue_url, must_exist=True
        )

    def play_round(self, round_: str) -> None:
        """Judge everything as the sample's manifest has it."""
        known = {one.sha256: one for one in load_manifest()}
        with closing(self.catalogue()) as cat:
            if round_ == "photos":
                waiting = [known[one.sha256] for one in photos.awaiting_review(cat)]
                judged = [Judged(one.sha256, one.decision, one.reason) for one in waiting]
                assert review.commit(cat, "photos", judged, REVIEWER).written == len(waiting) > 0
                return
            digest = crop_settings(load_settings(data_dir=self.folder / "data")).digest
            truth = [_true(one, face) for one in known.values() for face in one.faces]
            assert review.apply_labels_to_faces(cat, digest, truth, REVIEWER).written > 0

    def two_people_judge(self) -> None:
        """Ann and ben look at the same faces."""
        with closing(self.catalogue()) as cat:
            digest = crop_settings(load_settings(data_dir=self.folder / "data")).digest
            for who in ("ann", "ben"):
                page = review.Queue(cat, "faces", who, digest).page(20)
                judged = [
                    Judged(one.id, "relabel", "", "sad")
                    if one.label == "unlabelled"
                    else Judged(one.id)
                    for one in page.items
                ]
                assert review.commit(cat, "faces", judged, who).written == len(page.items)

    def write_predictions(self, name: str) -> None:
        """A system that is right about every second image."""
        [release] = (self.folder / "data/releases").glob("btfer-*")
        with (release / "metadata.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["filename", *EXPRESSIONS])
            for number, row in enumerate(rows):
                place = (EXPRESSIONS.index(row["label"]) + number % 2) % len(EXPRESSIONS)
                writer.writerow(
                    [Path(row["file_name"]).name, *(0.7 if i == place else 0.05 for i in range(7))]
                )

    def name_one_image(self, name: str) -> None:
        """The page's example must be one."""
        assert list((self.folder / "data/releases").glob(f"btfer-*/images/test/*/{name}"))


def _true(picture: SamplePicture, face: Any) -> TrueFace:
    return TrueFace(picture.sha256, PhotoBox(face.x, face.y, face.width, face.height), face.label)


def bring_photos(folder: Path) -> None:
    """A folder of photos and a table of their labels, as a reader may have them."""
    folder.mkdir()
    good = [one for one in load_manifest() if one.kind == "single" and one.decision == "keep"]
    chosen = [
        one for name in EXPRESSIONS for one in [x for x in good if x.expression == name][:OF_EACH]
    ]
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        for one in chosen:
            shutil.copy(picture_path(one.file), folder / Path(one.file).name)
            writer.writerow([Path(one.file).name, one.expression])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of somebody who has followed the first tutorial."""
    folder = tmp_path_factory.mktemp("reader")
    bring_photos(folder / "photos")
    reader = Reader(folder)
    reader.follow("own-photos.md")
    assert list(reader.folder.glob("data/reports/*/index.html"))
    assert list(reader.folder.glob("data/releases/btfer-*/contact_sheet.png"))
    return reader.folder


def test_own_photos_become_a_release_and_a_ranking(finished: Path) -> None:
    assert "lenet5" in next(finished.glob("data/reports/*/results.csv")).read_text()


@pytest.mark.parametrize("name", ["team.md", "your-network.md", "publish.md"])
def test_a_tutorial_works_after_the_first(name: str, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "faces")
    Reader(tmp_path / "faces").follow(name)


def test_a_first_crawl_is_planned(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.follow("first-crawl.md")
    assert (reader.folder / "plan.csv").is_file()


def test_every_tutorial_is_followed() -> None:
    followed = {"own-photos.md", "team.md", "your-network.md", "publish.md", "first-crawl.md"}
    assert {one.name for one in TUTORIALS.glob("*.md")} == followed
