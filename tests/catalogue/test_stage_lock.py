"""Two machines that share a catalogue on PostgreSQL cannot run one stage at once, whichever data folders they have."""

import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from btfer.catalogue import Catalogue, open_catalogue
from btfer.catalogue.stage_lock import only_one
from btfer.errors import Busy, CatalogueError
from btfer.pipeline import crop, dedup
from btfer.settings import Settings
from tests import own_postgres

_HOLD = """
import pathlib, sys
from btfer.catalogue import open_catalogue
from btfer.catalogue.stage_lock import only_one
with only_one(open_catalogue(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], by=sys.argv[4]):
    print('in', flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_machine(
    url: str, folder: Path, stage: str, by: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """A process with a data folder of its own that holds the lock of a stage."""
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLD, url, str(folder), stage, by],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    try:
        yield other
    finally:
        other.kill()
        other.communicate()


@pytest.mark.postgres
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
def test_a_second_machine_is_told_who_runs_the_stage(
    empty_url: str, any_cat: Catalogue, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path / "here", catalogue=empty_url, engine="serial")
    with other_machine(empty_url, tmp_path / "there", "crop") as other:
        who = f"btfer crop on {platform.node()}"[:40]
        with pytest.raises(
            Busy, match=rf"^{re.escape(who)}.* is working on this catalogue: wait"
        ) as told:
            crop.run(any_cat, settings)
        assert f"process {other.pid}" in str(told.value)
        dedup.run(any_cat, settings)  # another stage
        other.kill()  # a lock dies with its process
        other.wait()
    crop.run(any_cat, settings)
    crop.run(any_cat, settings)  # it was given back


@pytest.mark.postgres
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
def test_the_command_that_holds_a_lock_is_named(
    empty_url: str, any_cat: Catalogue, tmp_path: Path
) -> None:
    with (
        other_machine(empty_url, tmp_path / "there", "dedup", "forget"),
        pytest.raises(Busy, match=r"^btfer forget on "),
        only_one(any_cat, tmp_path / "here", "dedup"),
    ):
        pass


@pytest.mark.postgres
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
def test_a_lock_keeps_no_old_rows_alive_and_outlasts_a_lost_connection_quietly(
    any_cat: Catalogue, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    held = sa.text(
        "SELECT backend_xmin, pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'btfer crop%' AND datname = current_database()"
    )
    with only_one(any_cat, tmp_path, "crop"), any_cat.alone() as connection:
        assert connection.execute(held).all() == [(None, True)]
    with only_one(any_cat, tmp_path, "crop"):
        pass
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_a_catalogue_in_a_file_is_locked_in_its_folder_alone(
    empty_url: str, any_cat: Catalogue, tmp_path: Path
) -> None:
    with other_machine(empty_url, tmp_path / "there", "crop"):
        with only_one(any_cat, tmp_path / "here", "crop"):
            pass
        with pytest.raises(Busy, match="there"), only_one(any_cat, tmp_path / "there", "crop"):
            pass


@pytest.mark.postgres
def test_a_server_that_was_started_anew_has_lost_the_lock_and_nothing_more_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if own_postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")

    def write_after_a_restart() -> None:
        with only_one(cat, tmp_path / "one", "crop"):
            with cat.write():
                pass
            own_postgres.crash(url)
            own_postgres.start(url)
            with cat.write():
                pytest.fail("another machine may have the lock now")

    with own_postgres.running() as url, closing(open_catalogue(url)) as cat:
        with pytest.raises(CatalogueError, match=r"keeps other machines out is lost.*run again"):
            write_after_a_restart()
        with only_one(cat, tmp_path / "one", "crop"), cat.write():
            pass
    assert "Traceback" not in capfd.readouterr().err
