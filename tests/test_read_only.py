"""Commands that only read, as a user who may only read; and a database server that is gone and comes back."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import typer.main
from typer.testing import CliRunner

from btfer.catalogue import Catalogue, open_catalogue, photos, sqlite, verdicts
from btfer.catalogue.copy import contents, copy_catalogue
from btfer.catalogue.verdicts import Verdict
from btfer.cli import app
from btfer.errors import CatalogueError
from btfer.pipeline.import_photos import import_folder
from btfer.settings import Settings
from tests import drawn_catalogue, own_postgres

DOCUMENT = Path(__file__).parents[1] / "docs" / "catalogue.md"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A data folder with faces that were judged, and the sha256 of its photos."""
    data_dir = tmp_path_factory.mktemp("read") / "data"
    cat, faces = drawn_catalogue.make(data_dir, 4, with_faces=True)
    names = [id_.partition("-")[0] for id_ in faces]
    verdicts.add(cat, [Verdict("photos", one, "keep", "ann") for one in names])
    cat.close()
    return data_dir, names


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def as_reader(
    request: pytest.FixtureRequest,
    drawn: tuple[Path, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """Options of a command that works on this catalogue as somebody who may only read it."""
    data_dir, _ = drawn
    monkeypatch.chdir(tmp_path)
    if request.param == "sqlite":
        # Tests may run as root, who may write to anything: SQLite itself refuses then.
        monkeypatch.setattr(sqlite, "is_read_only", lambda url: url.database != "back.db")
        return ["--data-dir", str(data_dir)]
    server = request.getfixturevalue("postgres_url")
    name = f"r{abs(hash(str(tmp_path))):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.replace("/postgres?", f"/{name}?")
    copy_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}", url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    return ["--data-dir", str(data_dir), "--catalogue", url.replace("//btfer@", f"//{name}@")]


@pytest.mark.reliability("a user who may only read")
def test_what_only_reads_runs_for_a_user_who_may_only_read(
    as_reader: list[str], drawn: tuple[Path, list[str]], tmp_path: Path
) -> None:
    _, names = drawn
    Path("pairs.csv").write_text(
        "a,b,same\n" + "".join(f"{a},{b},no\n" for a, b in itertools.combinations(names, 2))
    )
    for command in (
        ["status"],
        ["explain", names[0]],
        ["catalogue", "verify"],
        ["catalogue", "upgrade"],
        ["review", "export", "verdicts.csv", "--gold", "gold.csv"],
        ["review", "agreement"],
        ["forget", "--dry-run"],
        ["forget", "--dry-run", names[1]],
        ["forget", "--dry-run", "https://nowhere.example/1.jpg"],
        ["dedup", "calibrate", "--pairs", "pairs.csv"],
    ):
        done = CliRunner().invoke(app, [*as_reader, *command])
        assert done.exit_code == 0, (command, done.output, done.exception)


@pytest.mark.reliability("a user who may only read")
def test_what_writes_says_that_this_user_may_only_read(
    as_reader: list[str], drawn: tuple[Path, list[str]]
) -> None:
    _, names = drawn
    for command in (
        ["withdraw", "https://nowhere.example/1.jpg"],
        ["review", "plan", "--reviewers-per-image", "2"],
        ["forget", "--yes", names[0]],
    ):
        done = CliRunner().invoke(app, [*as_reader, *command])
        assert isinstance(done.exception, CatalogueError), (command, done.output)
        assert "this command writes, and " in str(done.exception)
        assert "may only be read" in str(done.exception) or "may only read" in str(done.exception)


@pytest.mark.postgres
def test_an_older_catalogue_names_who_can_upgrade_it(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.catalogue.full_catalogue import fill

    fill(empty_url, revision="0009")
    url = empty_url
    if empty_url.startswith("sqlite"):
        monkeypatch.setattr(sqlite, "is_read_only", lambda url: True)
    else:
        name = empty_url.rpartition("/")[0]
        with psycopg.connect(empty_url, autocommit=True) as connection:
            name = f"o{abs(hash(empty_url)):x}"
            connection.execute(f"CREATE ROLE {name} LOGIN")
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
        url = empty_url.replace("//btfer@", f"//{name}@")
    with pytest.raises(CatalogueError, match=r"version 0009.*whoever may write.*catalogue upgrade"):
        open_catalogue(url, must_exist=True)


def test_every_command_is_in_the_document_once() -> None:
    def names(command: object, before: str = "") -> Iterator[str]:
        for name, one in getattr(command, "commands", {}).items():
            if not one.hidden:
                yield f"{before}{name}"
                yield from names(one, f"{before}{name} ")

    table = DOCUMENT.read_text().split("| command |")[1].split("\n\n")[0]
    listed = [
        one for line in table.splitlines() for one in re.findall(r"`([^`]+)`", line.split("|")[1])
    ]
    told = {re.sub(r" (--.*|[A-Z]+.*)", "", one) for one in listed}
    groups = {"review", "catalogue", "sample"}  # which only list their commands
    assert set(names(typer.main.get_command(app))) - groups == told
    assert len(listed) == len(set(listed))


class _Crash:
    """The database server ends at the first step of a stage."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.up = True

    def update(self, stage: str, done: int, total: int) -> None:
        """A step was done."""
        if self.up:
            own_postgres.crash(self.url)
            self.up = False

    def say(self, text: str) -> None:
        """Nothing."""


@pytest.fixture
def own_server() -> Iterator[str]:
    """A PostgreSQL server of this test alone."""
    if own_postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
    with own_postgres.running() as url:
        yield url


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.reliability("PostgreSQL gone and back")
def test_a_server_that_is_gone_is_a_sentence_and_the_same_command_goes_on_when_it_is_back(
    own_server: str, drawn: tuple[Path, list[str]], settings: Settings
) -> None:
    data_dir, names = drawn
    source = f"sqlite:///{data_dir / 'catalogue.db'}"
    with pytest.raises(CatalogueError, match="run again when the server is back"):
        copy_catalogue(source, own_server, _Crash(own_server))
    with pytest.raises(CatalogueError, match="check --catalogue"):
        open_catalogue(own_server)
    own_postgres.start(own_server)
    done = copy_catalogue(source, own_server)
    cat = open_catalogue(own_server)
    assert contents(cat) == done
    _import_again(cat, own_server, settings, data_dir / "photos", len(names))
    cat.close()


def _import_again(
    cat: Catalogue, url: str, settings: Settings, folder: Path, n_photos: int
) -> None:
    """The photos are known by their bytes: each is one more sighting, and none is a new photo."""
    with pytest.raises(CatalogueError, match="run again when the server is back"):
        import_folder(cat, settings, folder, progress=_Crash(url))
    own_postgres.start(url)
    for _ in range(2):
        import_folder(cat, settings, folder)
    assert photos.count(cat) == n_photos
    assert contents(cat).rows["sighting"] == 2 * n_photos
