"""Dedup is killed at any moment of its work and run again: the groups are those of a run that was left alone."""

import os
import shutil
import signal
from collections.abc import Iterable
from multiprocessing import get_context
from pathlib import Path

import pytest
from PIL import ImageOps

from btfer.catalogue import Catalogue, open_catalogue, photos, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.pipeline import dedup
from btfer.progress import Silent
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in

MOMENTS = ("first pair", "tenth pair", "half written", "written")


def fill(settings: Settings, name: str) -> Settings:
    own = settings.model_copy(update={"data_dir": settings.data_dir / name})
    cat = open_catalogue(own.catalogue_url)
    for n in range(5):
        photo = draw_photo(n, (640, 480))
        copies = [photo, photo.resize((320, 240)), ImageOps.mirror(photo)]
        for i, copy in enumerate(copies):
            take_in(cat, own.data_dir, as_bytes(copy), Query("happy", "happy"), f"{n}-{i}")
    cat.close()
    return own


def run_and_die(settings: Settings, moment: str) -> None:
    """In a process of its own: dedup, until SIGKILL."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    class Watch(Silent):
        def update(self, stage: str, done: int, total: int) -> None:
            if stage == "pairs" and moment == {1: "first pair", 10: "tenth pair"}.get(done):
                die()

    add_within, add_all = verdicts.add_within, verdicts.add_all

    def add(cat: Catalogue, new: Iterable[Verdict]) -> None:
        rows = list(new)
        if moment == "half written":
            with cat.write() as connection:
                for one in rows[: len(rows) // 2]:
                    add_within(connection, one, "2026-05-17")
                die()
        add_all(cat, rows)
        die()

    verdicts.add_all = add  # type: ignore[assignment]
    dedup.run(open_catalogue(settings.catalogue_url), settings, Watch())


def groups(settings: Settings) -> tuple[set[tuple[str, str]], set[str]]:
    cat = open_catalogue(settings.catalogue_url)
    dropped = {(row.photo, row.keeper) for row in photos.duplicates(cat)}
    kept = {row.sha256 for row in photos.awaiting_review(cat)}
    assert len(verdicts.log(cat)) == len(dropped) + len(kept)  # no verdict twice
    cat.close()
    return dropped, kept


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_after_a_kill_ends_as_one_that_was_left_alone(
    settings: Settings, tmp_path: Path, moment: str
) -> None:
    settings = settings.model_copy(update={"data_dir": tmp_path})
    killed = fill(settings, "killed")
    # A copy: filled again, photos may come in other seconds, and the earlier one would stay.
    whole = settings.model_copy(
        update={"data_dir": shutil.copytree(killed.data_dir, tmp_path / "whole")}
    )
    process = get_context("spawn").Process(target=run_and_die, args=(killed, moment))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    for one in (killed, whole):
        dedup.run(open_catalogue(one.catalogue_url), one)
    found = groups(killed)
    assert found == groups(whole)
    assert (len(found[0]), len(found[1])) == (10, 5)
