"""`--max-per-person`: the rule, what a release says of it, and what takes a free place later."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from btfer.catalogue import Catalogue, faces, releases
from btfer.catalogue.tables import face as face_table
from btfer.errors import Incomplete
from btfer.faces import LANDMARKS
from btfer.faces.align import FaceToEmbed, Floats
from btfer.faces.modes import crop_settings
from btfer.files import write_atomic
from btfer.images import encode_png
from btfer.paths import face_path
from btfer.pipeline import build, person_cap, verify
from btfer.pipeline.forget import forget
from btfer.release_record import PersonCap, read_record
from btfer.settings import Settings
from tests.pipeline.test_release import full
from tests.test_cli import run

__all__ = ["full"]  # the fixture


@dataclass(frozen=True)
class ByColour:
    """Stands for a face network: people are told apart by the mean colour of their crops."""

    name: str = "colours 1"
    max_distance: float = 0.01

    def __call__(self, faces: Sequence[FaceToEmbed]) -> Floats:
        return np.array([face.pixels.mean(axis=(0, 1)) / 255 for face in faces], np.float32)


class People(person_cap.People):
    """Faces whose places on a line are given."""

    def __init__(self, places: dict[str, float | None], most: int) -> None:
        self._cap = PersonCap(most, "line", 1.0)
        self._vectors = {
            face: None if at is None else np.array([at], np.float32) for face, at in places.items()
        }
        self.asked: list[str] = []

    def _measure(self, ids: Sequence[str]) -> None:
        self.asked += ids


def test_the_first_of_a_person_stay() -> None:
    places = {"a": 0.0, "b": 0.4, "c": 5.0, "d": 0.8, "e": 0.2}
    assert People(places, 1).too_many("abcde") == set("bde")
    assert People(places, 2).too_many("abcde") == set("de")
    assert People(places, 4).too_many("abcde") == set()
    assert People(places, 1).too_many("edcba") == set("dba")


def test_a_chain_of_look_alikes_is_no_person() -> None:
    """c is like b, but b is not in."""
    assert People({"a": 0.0, "b": 0.9, "c": 1.8}, 1).too_many("abc") == {"b"}


def test_a_face_that_cannot_be_measured_is_like_no_other() -> None:
    people = People({"a": 0.0, "b": None, "c": None}, 1)
    assert people.too_many("abc") == set()
    assert people.has_room("b", ["a", "c"])


@pytest.fixture
def people(full: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Seven people of three faces each, by the colours of their crops; who each face shows."""
    monkeypatch.setattr(person_cap, "choose_embedder", lambda file: ByColour())
    marks = {name: [30.0 + 5 * n, 40.0 + 7 * n] for n, name in enumerate(LANDMARKS)}
    with full.write() as connection:
        connection.execute(sa.update(face_table).values(landmarks=marks))
    found = sorted(one.id for one in faces.under(full, crop_settings(settings).digest))
    shown = {id_: n // 3 for n, id_ in enumerate(found)}
    for id_, person in shown.items():
        crop = np.full((256, 256, 3), 30 * person + 20, np.uint8)
        crop[0, 0] = found.index(id_)  # no two images of a release may be equal
        write_atomic(face_path(settings.data_dir, id_), encode_png(crop))
    return shown


def in_release(cat: Catalogue, made: Path) -> list[str]:
    return [one.face for one in releases.faces_in(cat, made.name)]


def problems(made: Path) -> list[str]:
    return [problem for check in verify.verify(made) for problem in check.problems]


def test_a_release_has_few_of_each_person_and_says_so(
    full: Catalogue, settings: Settings, people: dict[str, int]
) -> None:
    plan = build.Plan(per_class=2, max_per_person=2, allow_short=True)
    made = build.run(full, settings, plan)
    shown = Counter(people[face] for face in in_release(full, made.path))
    assert max(shown.values()) == 2
    assert problems(made.path) == []
    content = json.loads((made.path / "release.json").read_text())
    stated = {"most": 2, "embedder": "colours 1", "max_distance": 0.01}
    assert content["settings"]["per_person"] == stated
    assert content["same_person"] > 0
    text = (made.path / "README.md").read_text()
    assert f"faces left out for that: {content['same_person']}" in text
    assert f"| sample | - enough of the same person | {content['same_person']} |" in text
    line = content["funnel"][-1]
    assert (line["stage"], line["total"]) == ("sample", content["same_person"])
    assert sum(line["per_class"]) == made.same_person == content["same_person"]
    assert build.run(full, settings, plan).path == made.path
    assert read_record(made.path).settings.per_person == PersonCap(2, "colours 1", 0.01)


def test_build_says_in_a_line_of_its_own_how_many_were_left_out(
    full: Catalogue,
    settings: Settings,
    people: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BTFER_DATA_DIR", str(settings.data_dir))
    asked = ("build", "--per-class", "2", "--allow-short", "--max-per-person", "2")
    for _ in range(2):  # the second finds the release that is there
        assert run(monkeypatch, *asked) == 0
        _, said, _ = capsys.readouterr().out.strip().splitlines()
        [made] = (settings.data_dir / "releases").glob("btfer-*")
        n = read_record(made).same_person
        assert said == f"{n} faces left out: enough of the same people (--max-per-person 2)"
    assert run(monkeypatch, *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["same_person"] == n > 0


def test_without_the_cap_nothing_is_said_or_measured(
    full: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person_cap, "choose_embedder", pytest.fail)
    content = json.loads(
        (build.run(full, settings, build.Plan(per_class=2)).path / "release.json").read_text()
    )
    assert "same_person" not in content
    assert "per_person" not in content["settings"]


def test_too_few_people_are_named_as_the_reason(
    full: Catalogue, settings: Settings, people: dict[str, int]
) -> None:
    with pytest.raises(Incomplete, match="faces were left out: the release has enough of the same"):
        build.run(full, settings, build.Plan(per_class=3, max_per_person=1))
    assert list((settings.data_dir / "releases").glob("*")) == []


def test_nothing_that_was_measured_is_stored(
    full: Catalogue, settings: Settings, people: dict[str, int]
) -> None:
    before = {path for path in settings.data_dir.rglob("*") if "releases" not in path.parts}
    build.run(full, settings, build.Plan(per_class=1, max_per_person=1, allow_short=True))
    after = {path for path in settings.data_dir.rglob("*") if "releases" not in path.parts}
    assert {path.name for path in after - before if path.suffix != ".lock"} <= {"catalogue.db-wal"}


def test_who_takes_a_free_place_is_no_one_who_is_in_too_often(
    full: Catalogue, settings: Settings, people: dict[str, int]
) -> None:
    made = build.run(
        full, settings, build.Plan(per_class=1, max_per_person=1, allow_short=True)
    ).path
    for victim in in_release(full, made)[:2]:
        done = forget(full, settings, [victim])
        made = made.parent / str(done.releases[made.name])
        shown = [people[face] for face in in_release(full, made)]
        assert len(shown) == len(set(shown))
        assert read_record(made).funnel[-1].stage == "sample"
        assert problems(made) == []


def test_a_place_stays_free_where_the_network_is_not_here(
    full: Catalogue, settings: Settings, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forgetting does not wait for an extra."""
    plan = build.Plan(per_class=1, max_per_person=1, allow_short=True)
    made = build.run(full, settings, plan).path
    images = in_release(full, made)
    monkeypatch.setattr(person_cap, "choose_embedder", lambda file: ByColour("colours 2"))
    done = forget(full, settings, [images[0]])
    new = made.parent / str(done.releases[made.name])
    assert set(in_release(full, new)) == set(images[1:])
    assert "for lack of the face network colours 1" in (new / "README.md").read_text()
    assert problems(new) == []
