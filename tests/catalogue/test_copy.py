"""Catalogues that move from one database to another, and those that may only be read."""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from btfer.catalogue import Catalogue, journal, open_catalogue, photos, verdicts
from btfer.catalogue.copy import contents, copy_catalogue
from btfer.catalogue.store import current_revision
from btfer.catalogue.tables import SCHEMA
from btfer.catalogue.upgrade import upgrade_catalogue
from btfer.catalogue.verdicts import Verdict
from btfer.errors import CatalogueError, NoCatalogue, UsageError
from tests.catalogue.full_catalogue import fill
from tests.catalogue.test_store import HAPPY, add_photo, keep


@pytest.fixture
def full(tmp_path: Path) -> str:
    """The URL of a catalogue with photos and verdicts."""
    url = f"sqlite:///{tmp_path / 'source.db'}"
    with closing(open_catalogue(url)) as cat:
        for name in "abc":
            verdicts.add(cat, [keep("photos", add_photo(cat, name))])
    return url


def url_of(cat: Catalogue) -> str:
    return cat._engine.url.render_as_string(hide_password=False)


def test_all_rows_arrive_in_either_database(full: str, any_cat: Catalogue, tmp_path: Path) -> None:
    done = copy_catalogue(full, url_of(any_cat))
    assert done.rows["photo"] == done.rows["verdict"] == 3
    assert contents(any_cat) == done
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert copy_catalogue(url_of(any_cat), back) == done  # and back again
    with closing(open_catalogue(back)) as cat, closing(open_catalogue(full)) as first:
        assert photos.labels(cat) == photos.labels(first)


@pytest.mark.parametrize("revision", [SCHEMA, "0009"])
def test_rows_of_every_table_go_either_way(revision: str, empty_url: str, tmp_path: Path) -> None:
    first = f"sqlite:///{tmp_path / 'first.db'}"
    fill(first, revision=revision)  # an older one is upgraded when it is opened
    done = copy_catalogue(first, empty_url)
    assert revision != SCHEMA or set(done.rows.values()) == {3}
    assert copy_catalogue(empty_url, f"sqlite:///{tmp_path / 'back.db'}") == done
    with closing(open_catalogue(first)) as cat:
        assert contents(cat) == done


KILLED = """
import os, sys, signal
from btfer.catalogue.copy import copy_catalogue
class Kill:
    def update(self, stage, done, total):
        if done > total // 2:
            os.kill(os.getpid(), signal.SIGKILL)
copy_catalogue(*sys.argv[1:], progress=Kill())
"""


def test_a_copy_that_is_killed_leaves_nothing_and_is_made_by_the_next_run(
    empty_url: str, tmp_path: Path
) -> None:
    full = f"sqlite:///{tmp_path / 'source.db'}"
    fill(full, revision=SCHEMA, rows=50)
    command = [sys.executable, "-c", KILLED, full, empty_url]
    assert subprocess.run(command, check=False).returncode == -9
    with closing(open_catalogue(empty_url)) as cat:
        assert contents(cat).total == 0
    done = copy_catalogue(full, empty_url)
    assert done.rows["gold_answer"] == 50


class _Writes:
    """Somebody who writes to the source as soon as the copy has begun."""

    def __init__(self, url: str) -> None:
        self.url = url

    def update(self, stage: str, done: int, total: int) -> None:
        """Add one more."""
        with closing(open_catalogue(self.url)) as cat:
            journal.add_found(cat, HAPPY, [journal.Sighting(f"https://new.example/{done}", "bing")])

    def say(self, text: str) -> None:
        """Nothing."""


def test_what_others_write_meanwhile_is_left_out_as_a_whole(empty_url: str, tmp_path: Path) -> None:
    full = f"sqlite:///{tmp_path / 'first.db'}"
    fill(full, revision=SCHEMA)
    before = copy_catalogue(full, empty_url)
    done = copy_catalogue(empty_url, f"sqlite:///{tmp_path / 'copy.db'}", _Writes(empty_url))
    assert done == before
    with closing(open_catalogue(empty_url)) as cat:
        assert contents(cat).rows["fetch"] > before.rows["fetch"]


def test_a_copy_that_differs_is_not_kept(full: str, tmp_path: Path) -> None:
    target = tmp_path / "to.db"
    open_catalogue(f"sqlite:///{target}").close()
    with closing(sqlite3.connect(target)) as damaged, damaged:
        damaged.execute(
            "CREATE TRIGGER lose AFTER INSERT ON verdict WHEN NEW.id = 2 BEGIN "
            "DELETE FROM verdict WHERE id = 2; END"
        )
    with pytest.raises(CatalogueError, match="differs from what was copied, and was not kept"):
        copy_catalogue(full, f"sqlite:///{target}")
    with closing(open_catalogue(f"sqlite:///{target}")) as cat:
        assert contents(cat).total == 0


def test_a_target_of_a_newer_btfer_is_left_as_it_is(full: str, any_cat: Catalogue) -> None:
    with any_cat.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CatalogueError, match="version 9999"):
        copy_catalogue(full, url_of(any_cat))


def test_numbers_go_on_where_the_copy_ends(full: str, any_cat: Catalogue) -> None:
    copy_catalogue(full, url_of(any_cat))
    verdicts.add(any_cat, [Verdict("photos", "a" * 64, "drop", "ben")])
    assert contents(any_cat).rows["verdict"] == 4


def test_a_second_copy_does_nothing_and_another_catalogue_is_not_overwritten(
    full: str, any_cat: Catalogue
) -> None:
    done = copy_catalogue(full, url_of(any_cat))
    assert copy_catalogue(full, url_of(any_cat)) == done
    journal.add_found(any_cat, HAPPY, [journal.Sighting("https://example.org/new", "bing")])
    with pytest.raises(UsageError, match="holds another catalogue already"):
        copy_catalogue(full, url_of(any_cat))


def test_nothing_is_made_of_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NoCatalogue):
        copy_catalogue(f"sqlite:///{tmp_path / 'no.db'}", f"sqlite:///{tmp_path / 'to.db'}")
    assert list(tmp_path.iterdir()) == []


def test_the_digest_sees_one_changed_cell(full: str) -> None:
    with closing(open_catalogue(full)) as cat:
        before = contents(cat)
    with closing(sqlite3.connect(full.removeprefix("sqlite:///"))) as other, other:
        other.execute("UPDATE verdict SET reviewer = 'eve' WHERE id = 2")
    with closing(open_catalogue(full)) as cat:
        assert contents(cat).rows == before.rows
        assert contents(cat).digest != before.digest


def test_an_upgrade_keeps_the_old_file_beside_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.db"
    with closing(sqlite3.connect(file)) as old, old:
        old.executescript((Path(__file__).parent / "catalogue_0001.sql").read_text())
    done = upgrade_catalogue(f"sqlite:///{file}", tmp_path)
    assert done.before == "0001"
    assert done.backup == tmp_path / "catalogue.db.before-0001"
    with closing(sqlite3.connect(done.backup)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    again = upgrade_catalogue(f"sqlite:///{file}", tmp_path)
    assert (again.before, again.backup) == (again.after, None)


def test_an_upgrade_copies_the_old_catalogue_first_wherever_it_is(
    empty_url: str, tmp_path: Path
) -> None:
    fill(empty_url, revision="0009")
    done = upgrade_catalogue(empty_url, tmp_path / "data")
    assert (done.before, done.after) == ("0009", SCHEMA)
    assert done.backup is not None
    assert done.backup.name.endswith(".before-0009")
    with closing(sqlite3.connect(done.backup)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0009",)
        assert kept.execute("SELECT count(*) FROM gold_answer").fetchone() == (3,)
    with closing(open_catalogue(empty_url)) as cat:
        assert cat.copies_of_older(tmp_path / "data") == [done.backup]  # which forget deletes
        assert contents(cat).rows["comparison"] == 3
        upgraded = contents(cat)
    upgrade_catalogue(f"sqlite:///{done.backup}", tmp_path)
    with closing(open_catalogue(f"sqlite:///{done.backup}")) as cat:
        assert contents(cat) == upgraded


def test_a_newer_catalogue_is_neither_copied_nor_changed(
    any_cat: Catalogue, tmp_path: Path
) -> None:
    with any_cat.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = sorted(tmp_path.rglob("*before*"))
    with pytest.raises(CatalogueError, match=r"version 9999.*upgrade btfer"):
        upgrade_catalogue(url_of(any_cat), tmp_path)
    assert sorted(tmp_path.rglob("*before*")) == before == []


def test_what_cannot_be_copied_is_not_upgraded(empty_url: str, tmp_path: Path) -> None:
    fill(empty_url, revision="0009")
    (tmp_path / "data").write_text("in the way")
    if empty_url.startswith("sqlite"):
        Path(f"{empty_url.removeprefix('sqlite:///')}.before-0009").mkdir()
    with pytest.raises(CatalogueError, match="was not upgraded, since it cannot be copied"):
        upgrade_catalogue(empty_url, tmp_path / "data")
    assert current_revision(empty_url) == "0009"


def test_a_database_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE notes (text)")
    before = file.read_bytes()
    with pytest.raises(CatalogueError, match="not a btfer catalogue"):
        open_catalogue(f"sqlite:///{file}")
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["theirs.db"]


def test_an_emptied_catalogue_beside_photos_is_not_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "photos" / "ab").mkdir(parents=True)
    file = tmp_path / "catalogue.db"
    file.touch()
    with pytest.raises(CatalogueError, match="is empty, but there are photos"):
        open_catalogue(f"sqlite:///{file}")
    assert file.read_bytes() == b""


@pytest.mark.parametrize("version", ["", "abc", "12", "None", "0007\n0008"])
@pytest.mark.reliability("malformed revision")
def test_a_version_that_is_none_is_called_damage(full: str, version: str) -> None:
    with closing(sqlite3.connect(full.removeprefix("sqlite:///"))) as other, other:
        other.execute("UPDATE alembic_version SET version_num = ?", (version,))
    with pytest.raises(CatalogueError, match="damaged: its version"):
        open_catalogue(full)


READ_ONLY = """
import os, sys
from btfer.catalogue import open_catalogue
from btfer.catalogue.copy import contents
from btfer.errors import CatalogueError
open_catalogue("sqlite:///:memory:")  # all modules are loaded while the interpreter's folder can be read
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
cat = open_catalogue(sys.argv[1], must_exist=True)
print(contents(cat).rows["photo"])
try:
    with cat.write() as connection:
        connection.exec_driver_sql("DELETE FROM verdict")
except CatalogueError as error:
    print(error)
"""


def test_a_folder_that_may_only_be_read_is_read(full: str) -> None:
    with tempfile.TemporaryDirectory(prefix="btfer-read-") as name:  # pytest's are private to root
        folder = Path(name)
        file = shutil.copy(full.removeprefix("sqlite:///"), folder / "catalogue.db")
        Path(file).chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY, f"sqlite:///{file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        folder.chmod(0o755)
    assert done.stdout.splitlines() == [
        "3",
        "the catalogue failed: attempt to write a readonly database "
        "(this command writes, and the file, its folder or its disk may only be read)",
    ], done.stderr


@pytest.mark.parametrize(
    ("cell", "bytes_"), [("hints", "x'7b22ff'"), ("hints", "x'7b22'"), ("format", "x'a3ff'")]
)
def test_letters_that_are_none_are_called_damage(full: str, cell: str, bytes_: str) -> None:
    with closing(sqlite3.connect(full.removeprefix("sqlite:///"))) as other, other:
        other.execute(f"UPDATE photo SET {cell} = CAST({bytes_} AS TEXT)")
    with closing(open_catalogue(full)) as cat, pytest.raises(CatalogueError, match="is damaged"):
        contents(cat)
