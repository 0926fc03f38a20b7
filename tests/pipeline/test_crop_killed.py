"""The crop stage is killed at any moment of its work and run again: it ends as one that was left alone."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btfer.catalogue import faces, open_catalogue
from btfer.pipeline import crop
from btfer.settings import Settings
from tests.forked import CONTEXT
from tests.pipeline.crop_photos import all_of, detect_drawn, keep_many

PHOTOS = 40
MOMENTS = ("before a file", "within a file", "before the rows", "after the rows")


def run_until_killed(settings: Settings, moment: str, calls: int) -> None:
    """In a process of its own: the stage, until SIGKILL at the given call of a moment; 0 = to the end."""
    import btfer.faces.find
    from btfer import files, store

    left = calls

    def die() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying(function: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
        def wrapped(*args: Any, **options: Any) -> Any:
            if not after:
                die()
            result = function(*args, **options)
            if after:
                die()
            return result

        return wrapped

    btfer.faces.find.detect = detect_drawn
    if moment == "before a file":
        store.write_atomic = dying(store.write_atomic)
    elif moment == "within a file":
        files.os.replace = dying(os.replace)
    elif moment:
        faces.add = dying(faces.add, after=moment == "after the rows")
    cat = open_catalogue(settings.catalogue_url)
    crop.run(cat, settings, unreviewed="keep")
    cat.close()


def in_process(settings: Settings, moment: str = "", calls: int = 0) -> int | None:
    process = CONTEXT.Process(target=run_until_killed, args=(settings, moment, calls))
    process.start()
    process.join(60)
    return process.exitcode


def fill(data_dir: Path) -> Settings:
    settings = Settings(data_dir=data_dir, engine="serial", crop="square")
    cat = open_catalogue(settings.catalogue_url)
    keep_many(cat, settings, PHOTOS)
    cat.close()
    return settings


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_every_kind_of_moment_it_ends_as_one_that_was_left_alone(tmp_path: Path) -> None:
    whole, killed = fill(tmp_path / "whole"), fill(tmp_path / "killed")
    assert in_process(whole) == 0
    rng, rows = random.Random(6), []
    for moment in MOMENTS:
        calls = 1 if "rows" in moment else rng.randrange(1, 30)
        assert in_process(killed, moment, calls) == -signal.SIGKILL
        cat = open_catalogue(killed.catalogue_url)
        rows.append(len(all_of(cat, killed.data_dir)[1]))
        cat.close()
    assert in_process(killed) == 0
    left = []
    for one in (whole, killed):
        cat = open_catalogue(one.catalogue_url)
        left.append(all_of(cat, one.data_dir))
        cat.close()
    assert left[0] == left[1]
    assert len(left[0][2]) == 50  # faces; none of the parts that were being written
    assert 0 < rows[-1] < len(left[0][1])  # it was killed at work, and not at its end
