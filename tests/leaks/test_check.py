"""Leaks of a release and of faces that may become one; from catalogue to what is on disk."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from btfer import leaks
from btfer.catalogue import Catalogue, faces, releases, verdicts
from btfer.catalogue import leaks as held
from btfer.errors import Incomplete, UsageError
from btfer.files import write_atomic
from btfer.paths import photo_path
from btfer.pipeline import build, crop, forget, overview
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo
from tests.pipeline.test_release import full
from tests.test_cli import run

__all__ = ["full"]  # the fixture

PHOTOS = 21  # of `full`: three a class, of which photo n is drawn with seed n


def plant(folder: Path, seeds: list[int]) -> Path:
    """A training set with some of the photos of `full`, smaller, and one that is of nobody."""
    for seed in [*seeds, 1000]:
        small = draw_photo(seed, (300, 200)).convert("L").resize((100, 100))
        write_atomic(folder / "happy" / f"{seed}.jpg", as_bytes(small))
    return folder


def photo_of(cat: Catalogue, settings: Settings, face: str) -> Path:
    photo = faces.by_id(cat, [face])[face].photo
    return photo_path(settings.data_dir, photo, "jpg")


def test_a_release_is_looked_up_once_and_the_pairs_are_written(
    full: Catalogue, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = build.run(full, settings, build.Plan(per_class=3))
    sets = {"mine": plant(tmp_path / "mine", [2, 9])}
    [found] = leaks.check_release(full, settings, made.path, sets)
    assert (found.pictures, found.images, found.faces, found.unread) == (3, PHOTOS, 2, ())
    assert {one.file for one in found.pairs} == {"happy/2.jpg", "happy/9.jpg"}
    of_image = {f"images/{row.file}": row for row in releases.faces_in(full, made.path.name)}
    for one in found.pairs:
        data = photo_of(full, settings, of_image[one.ours].face).read_bytes()
        assert data == as_bytes(draw_photo(int(Path(one.file).stem), (300, 200)), quality=95)
    folder = settings.data_dir / "leaks" / made.path.name
    rows = list(csv.DictReader((folder / "leaks.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["ours"], row["file"]) for row in rows] == [
        (one.ours, one.file) for one in found.pairs
    ]
    assert (folder / "leaks.png").stat().st_size > 1000
    monkeypatch.setattr("btfer.leaks.check.search", None)  # a second search would fail
    assert leaks.check_release(full, settings, made.path, sets) == [found]


def test_the_count_beside_a_score_is_the_same_with_and_without_the_catalogue(
    full: Catalogue, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = build.run(full, settings, build.Plan(per_class=3))
    sets = {"mine": plant(tmp_path / "mine", [2, 9])}
    here = leaks.leaks_in(settings, made.path, "mine", sets["mine"])
    leaks.check_release(full, settings, made.path, sets)  # by the photos, kept beside
    elsewhere = Settings(data_dir=tmp_path / "elsewhere", engine="serial")
    assert leaks.leaks_in(elsewhere, made.path, "mine", sets["mine"]) == here
    assert here.images == PHOTOS
    monkeypatch.setattr("btfer.leaks.check.search", None)  # a second search would fail
    assert leaks.leaks_in(settings, made.path, "mine", sets["mine"]) == here


def test_a_release_without_its_photos_is_looked_up_by_its_images(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    made = build.run(full, settings, build.Plan(per_class=1))
    image = sorted((made.path / "images").rglob("*.png"))[0]
    write_atomic(tmp_path / "mine" / "sad" / "a.png", image.read_bytes())
    moved = made.path.rename(tmp_path / "received")
    [found] = leaks.check_release(full, settings, moved, {"mine": tmp_path / "mine"})
    assert [(one.ours, one.file) for one in found.pairs] == [
        (image.relative_to(made.path).as_posix(), "sad/a.png")
    ]


def test_build_draws_no_face_that_stands_in_a_training_set_and_says_so(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    sets = {"mine": plant(tmp_path / "mine", [2, 9])}  # class 2 has photos 2, 9 and 16
    plan = build.Plan(per_class=2, training=sets)
    with pytest.raises(Incomplete, match="too few faces"):
        build.run(full, settings, plan)
    made = build.run(full, settings, replace(plan, allow_short=True))
    record = json.loads((made.path / "release.json").read_text())
    excluded = record["settings"]["excluded_leaks"]["mine"]
    assert (excluded["pictures"], excluded["excluded"], len(excluded["digest"])) == (3, 2, 64)
    assert "stands in the training set mine" in (made.path / "README.md").read_text()
    [found] = leaks.check_release(full, settings, made.path, sets)
    assert found.faces == 0


def test_only_faces_that_are_new_are_looked_for_again(
    full: Catalogue, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = {"mine": plant(tmp_path / "mine", [2])}
    rows = overview.read(full, crop.crop_settings(settings).digest).kept_faces()
    some, _ = leaks.exclude(full, settings, rows[:8], sets)
    asked: list[int] = []
    search = leaks.check.search
    monkeypatch.setattr(
        "btfer.leaks.check.search",
        lambda ours, *rest, **more: asked.append(len(ours)) or search(ours, *rest, **more),
    )
    every, excluded = leaks.exclude(full, settings, rows, sets)
    assert asked == [len(rows) - 8]
    assert len(every) == len(rows) - 1
    assert {row.id for row in some} <= {row.id for row in every}
    [dropped] = [
        one for one, is_there in held.judged(full, excluded["mine"].digest).items() if is_there
    ]
    [row] = [
        row
        for row in verdicts.of_photo(full, faces.by_id(full, [dropped])[dropped].photo)
        if row.round == "leaks"
    ]
    assert (row.reason, row.distance_bits) == ("in training set mine", 0)


def test_a_forgotten_face_is_not_replaced_by_one_that_leaks(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    sets = {"mine": plant(tmp_path / "mine", [9, 16])}  # of class 2 only photo 2 is left
    plan = build.Plan(per_class=1, training=sets)
    made = build.run(full, settings, plan)
    [held_face] = [
        row.face
        for row in releases.faces_in(full, made.path.name)
        if row.file.startswith("test/fear/")
    ]
    done = forget.forget(full, settings, [held_face])
    new = str(done.releases[made.path.name])
    assert not [row for row in releases.faces_in(full, new) if row.file.startswith("test/fear/")]
    assert not (settings.data_dir / "leaks").exists()


def test_no_training_set_and_no_release_are_said(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="--against NAME=PATH"):
        leaks.check_release(full, settings, tmp_path, {})
    with pytest.raises(UsageError, match="--against NAME=PATH"):
        leaks.exclude(full, settings, [], {})
    with pytest.raises(UsageError, match=r"is not a release: expected images"):
        leaks.check_release(full, settings, tmp_path, {"a": plant(tmp_path / "a", [1])})


def test_the_command_prints_the_pairs_and_ends_with_1_where_there_are_any(
    full: Catalogue,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BTFER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("BTFER_ENGINE", "serial")
    build.run(full, settings, build.Plan(per_class=3))
    assert run(monkeypatch, "leaks", "--against", "nothing") == 2
    assert run(monkeypatch, "leaks", "--against", f"a={tmp_path}/nowhere") == 2
    assert "NAME/<class>/*.jpg" in capsys.readouterr().err
    plant(settings.data_dir / "training" / "mine", [4])
    assert run(monkeypatch, "leaks") == 1
    assert "happy/4.jpg" in capsys.readouterr().out
    assert run(monkeypatch, "leaks", "--json") == 1
    [printed] = json.loads(capsys.readouterr().out)
    assert (printed["training"], printed["faces"]) == ("mine", 1)
    assert run(monkeypatch, "leaks", "--against", f"b={plant(tmp_path / 'b', [])}") == 0
