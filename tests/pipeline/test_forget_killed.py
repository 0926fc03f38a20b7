"""Forgetting that is killed, again and again, ends with what one ends with that never was: nobody else goes.

Each process kills itself at a chosen event: a file that is opened, renamed or removed, or a statement or commit of
the database. The events are counted once without a kill; where to kill is drawn with a fixed seed.
"""

import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from btfer.catalogue import (
    Catalogue,
    faces,
    open_catalogue,
    photos,
    releases,
    text_search,
    verdicts,
)
from btfer.catalogue.journal import Query
from btfer.catalogue.tables import release as release_table
from btfer.catalogue.tables import release_face
from btfer.catalogue.verdicts import Verdict
from btfer.expressions import EXPRESSIONS
from btfer.paths import face_path, photo_path, thumbnail_path
from btfer.pipeline import build, verify
from btfer.pipeline.forget import forget, open_entries
from btfer.release_record import ONLY, WITH
from btfer.settings import Settings
from tests.conftest import _run_sql, as_bytes, draw_photo, take_in
from tests.forked import CONTEXT
from tests.pipeline.test_forget import photo_of, places
from tests.pipeline.test_release import add_face

KILLS = 40
IN_A_ROW = 5  # then it is let through
PLACE = "test/sad/sad-001.png"
COPY = "https://mine.example/of-a-release.png"
FILE_EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}


def forget_here(folder: Path, url: str, asked: list[str], die_at: int, counted: Path) -> None:
    """What each process does. die_at: the event at which it kills itself, 0 = never; it counts them in a file."""
    cat = open_catalogue(url)
    n_events = 0

    def tick(*_: object) -> None:
        nonlocal n_events
        n_events += 1
        if n_events == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: str, given: tuple[object, ...]) -> None:  # modules are opened too: not those
        if event in FILE_EVENTS and str(given[0]).startswith(str(folder)):
            tick()

    sys.addaudithook(hear)
    for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(sa.Engine, event, tick)
    done = forget(cat, settings_in(folder, url), asked, wait_s=30)
    counted.write_text(str(n_events))
    cat.close()
    sys.exit(3 if done.left else 0)


def settings_in(folder: Path, url: str) -> Settings:
    return Settings(data_dir=folder, catalogue=url, engine="serial")


@dataclass(frozen=True)
class House:
    """A data folder and its catalogue, in which somebody is to be forgotten, and what is known of it before."""

    folder: Path
    url: str
    asked: tuple[str, ...]
    victim: str
    needles: tuple[bytes, ...]
    others: tuple[str, ...]
    verdicts: int


def furnish(cat: Catalogue, settings: Settings) -> None:
    """Three judged photos a class."""
    for number in range(3 * len(EXPRESSIONS)):
        label = EXPRESSIONS[number % len(EXPRESSIONS)]
        query = Query(f"{label} person", label, "en", "Asian", "female", "adult", "v1")
        url = f"https://secret.example/{number}-of-many.jpg"
        data = as_bytes(draw_photo(number, (300, 200)), quality=95)
        title = f"portrait number {number:03d}"
        sha256 = take_in(cat, settings.data_dir, data, query, url, title=title)
        id_ = add_face(cat, settings, sha256, number)
        judged = [
            Verdict("dedup", sha256, "keep", "dedup"),
            Verdict("photos", sha256, "keep", "ann"),
            Verdict("faces", sha256, "keep", "ann", face=id_),
        ]
        verdicts.add(cat, judged)


def add_neighbours(cat: Catalogue, settings: Settings) -> None:
    """Beside the release one of addresses, a damaged one, and one that the catalogue does not know."""
    build.run(cat, settings, build.Plan(per_class=2, name="listed", sources=ONLY))
    damaged = build.run(cat, settings, build.Plan(per_class=2, name="damaged")).path
    (damaged / "release.json").write_text("{")
    orphan = build.run(cat, settings, build.Plan(per_class=2, name="orphan", sources=WITH)).path
    with cat.write() as connection:
        connection.execute(sa.delete(release_face).where(release_face.c.release == orphan.name))
        connection.execute(sa.delete(release_table).where(release_table.c.name == orphan.name))


def add_copies(cat: Catalogue, settings: Settings, made: Path, victim: str) -> None:
    """The released image imported as a photo and copied into a training folder, and a list that names the photo."""
    image = made / "images" / PLACE
    take_in(cat, settings.data_dir, image.read_bytes(), Query("sad"), COPY)
    training = settings.data_dir / "training" / "mine"
    training.mkdir(parents=True)
    shutil.copy(image, training / "a.png")
    (training / "b.png").write_bytes(b"of others")
    (settings.data_dir / "list.csv").write_text(f"photo\nother\n{victim}\n")


def build_house(folder: Path, url: str, *, neighbours: bool) -> House:
    """The house as it is before anybody asks."""
    cat, settings = open_catalogue(url), settings_in(folder, url)
    furnish(cat, settings)
    made = build.run(cat, settings, build.Plan(per_class=2, formats=["parquet"])).path
    face = next(one.face for one in releases.faces_in(cat, made.name) if one.file == PLACE)
    if neighbours:
        add_neighbours(cat, settings)
        add_copies(cat, settings, made, photo_of(cat, face))
    run = folder / "runs" / "0123456789ab"
    run.mkdir(parents=True)
    files = [f"images/{one.file}" for one in releases.faces_in(cat, made.name)]
    pd.DataFrame({"file": files}).to_parquet(run / "predictions_btfer.parquet", index=False)
    record = {"id": run.name, "release": {"name": made.name}}
    (run / "run.json").write_text(json.dumps(record))
    victim = photo_of(cat, face)
    [seen] = photos.sightings(cat, victim)
    copies = photos.shown_at(cat, [COPY])
    words = (victim, victim[:24], seen.url, seen.title, COPY, *copies)
    gone = {victim, *copies}
    others = tuple(one.sha256 for one in photos.find(cat, "") if one.sha256 not in gone)
    n_verdicts = sum(len(verdicts.of_photo(cat, one)) for one in others)
    cat.close()
    asked = (f"{made.name}/sad-001.png",) if neighbours else ("sad-001.png",)
    needles = tuple(word.encode() for word in words)
    return House(folder, url, asked, victim, needles, others, n_verdicts)


def run(house: House, die_at: int = 0) -> int:
    """Run it in a process of its own; its exit code."""
    counted = house.folder.parent / f"{house.folder.name}-events"
    arguments = (house.folder, house.url, list(house.asked), die_at, counted)
    process = CONTEXT.Process(target=forget_here, args=arguments)
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def release_names(house: House) -> list[str]:
    return sorted(one.name for one in (house.folder / "releases").iterdir())


def assert_forgotten(house: House, *, neighbours: bool) -> None:
    """The victim is nowhere, everybody else is where they were, and the report says so."""
    cat, settings = open_catalogue(house.url), settings_in(house.folder, house.url)
    for needle in house.needles:
        assert places(house.folder, needle) == []
    assert text_search.holding(cat, [one.decode() for one in house.needles]) == {}
    rows = photos.find(cat, "")
    assert sorted(one.sha256 for one in rows) == sorted(house.others)
    assert sum(len(verdicts.of_photo(cat, one)) for one in house.others) == house.verdicts
    for row in rows:
        assert photo_path(house.folder, row.sha256, row.format).is_file()
        assert thumbnail_path(house.folder, row.sha256).is_file()
        assert all(face_path(house.folder, f.id).is_file() for f in faces.of_photo(cat, row.sha256))
    assert list(house.folder.rglob(".part-*")) == []
    assert open_entries(house.folder) == []
    assert_releases(cat, house, neighbours=neighbours)
    table = pd.read_parquet(house.folder / "runs/0123456789ab/predictions_btfer.parquet")
    assert (len(table), f"images/{PLACE}" in set(table["file"])) == (13, False)
    [report] = [
        json.loads(path.read_text()) for path in (house.folder / "erasures").glob("erasure-*.json")
    ]
    assert (report["finished"], report["left"]) == (True, [])
    n_photos, n_listed = (2, 1) if neighbours else (1, 0)
    assert (report["photos"], report["faces"]) == (n_photos, 1)
    assert (report["predictions"], report["listed"]) == (1, n_listed)
    if neighbours:
        training = house.folder / "training" / "mine"
        assert [one.name for one in training.iterdir()] == ["b.png"]
        assert (house.folder / "list.csv").read_text() == "photo\nother\n"
    record = json.loads((house.folder / "runs/0123456789ab/run.json").read_text())
    assert record["forgotten"] == 1
    assert len(report["releases"]) == (4 if neighbours else 1)
    again = forget(cat, settings, house.asked)
    assert again.done_before
    assert len(photos.find(cat, "")) == len(house.others)
    cat.close()


def assert_releases(cat: Catalogue, house: House, *, neighbours: bool) -> None:
    names = release_names(house)
    assert [one.rpartition("-")[0] for one in names] == (
        ["btfer", "damaged", "listed", "orphan"] if neighbours else ["btfer"]
    )
    for name in names:
        folder = house.folder / "releases" / name
        if name.startswith("damaged"):
            assert len(list((folder / "images").rglob("*.png"))) == 13
            continue
        assert [problem for one in verify.verify(folder) for problem in one.problems] == []
        assert len(releases.faces_in(cat, name)) == 14
        assert house.victim[:24] not in {one.face[:24] for one in releases.faces_in(cat, name)}


def killed_again_and_again(
    template: House, copies: Iterator[House], seed: int, *, neighbours: bool
) -> int:
    """How many kills there were."""
    whole = next(copies)
    assert run(whole) == 0
    n_events = int((whole.folder.parent / f"{whole.folder.name}-events").read_text())
    assert_forgotten(whole, neighbours=neighbours)
    rng, n_kills = random.Random(seed), 0
    while n_kills < KILLS // 2:
        house = next(copies)
        for _ in range(IN_A_ROW):
            code = run(house, die_at=rng.randrange(1, n_events))
            assert code in (0, -signal.SIGKILL)
            n_kills += code != 0
            if code == 0:
                break
        assert run(house) == 0
        assert_forgotten(house, neighbours=neighbours)
        assert release_names(house) == release_names(whole), "the same next versions"
        shutil.rmtree(house.folder)
    return n_kills


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("neighbours", [False, True], ids=["alone", "neighbours"])
@pytest.mark.reliability("killed: forget")
def test_forty_kills_at_random_points_delete_nobody_else_and_leave_nothing(
    tmp_path: Path, record_property: Any, *, neighbours: bool
) -> None:
    """Twenty with one release and a bare name, twenty with a damaged, an unknown and an imageless one beside it."""
    folder = tmp_path / "template"
    template = build_house(folder, f"sqlite:///{folder / 'catalogue.db'}", neighbours=neighbours)

    def copies() -> Iterator[House]:
        for number in range(1_000):
            new = tmp_path / f"house-{number}"
            shutil.copytree(folder, new)
            url = f"sqlite:///{new / 'catalogue.db'}"
            yield House(new, url, *list(vars(template).values())[2:])

    n_kills = killed_again_and_again(template, copies(), seed=16, neighbours=neighbours)
    record_property("tries", (n_kills, 0))


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(900)
@pytest.mark.parametrize("neighbours", [False, True], ids=["alone", "neighbours"])
@pytest.mark.reliability("killed: forget")
def test_forty_kills_on_postgresql_end_the_same(
    tmp_path: Path, postgres_url: str, record_property: Any, *, neighbours: bool
) -> None:
    folder, name = tmp_path / "template", f"house_{neighbours}".lower()
    _run_sql(postgres_url, f"CREATE DATABASE {name}")
    url = postgres_url.replace("/postgres?", f"/{name}?")
    template = build_house(folder, url, neighbours=neighbours)

    def copies() -> Iterator[House]:
        for number in range(1_000):
            new, database = tmp_path / f"house-{number}", f"{name}_{number}"
            shutil.copytree(folder, new)
            _run_sql(postgres_url, f"CREATE DATABASE {database} TEMPLATE {name}")
            url = postgres_url.replace("/postgres?", f"/{database}?")
            yield House(new, url, *list(vars(template).values())[2:])

    n_kills = killed_again_and_again(template, copies(), seed=17, neighbours=neighbours)
    record_property("tries", (n_kills, 0))
