"""What else may go wrong around a command: each time a sentence and an exit code, and nothing is lost or changed."""

import hashlib
import os
import random
import re
import resource
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from btfer.catalogue import Catalogue, open_catalogue, photos, releases, sqlite, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.pipeline import build, verify
from btfer.settings import Settings
from tests import drawn_catalogue
from tests.pipeline.test_release import full
from tests.reliability.house import btfer
from tests.reliability.zygote import Job, Zygote
from tests.test_cli import run

__all__ = ["full"]  # the fixture

ROOT = Path(__file__).parents[2]
NOBODY = 65534
GB = 1 << 30
LOOKING = (
    ["status"],
    ["catalogue", "verify"],
    ["review", "export", "v.csv"],
    ["review", "agreement"],
)
WRITING = (["withdraw", "https://a.example/1.jpg"], ["dedup"], ["import", "more"])

reliability = pytest.mark.reliability


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder: a data folder with judged faces, and a photo to import."""
    folder = tmp_path_factory.mktemp("drawn")
    cat, faces = drawn_catalogue.make(folder / "data", 4, with_faces=True)
    verdicts.add(cat, [Verdict("photos", one.partition("-")[0], "keep", "ann") for one in faces])
    cat.close()
    (folder / "more").mkdir()
    (folder / "more" / "new.png").write_bytes(drawn_catalogue.draw_face(99))
    return folder


@pytest.fixture
def work(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which commands run."""
    folder = shutil.copytree(drawn, tmp_path / "work")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BTFER_ENGINE", "serial")
    return folder


def bytes_in(folder: Path) -> dict[str, str]:
    """Every file by its name."""
    files = (one for one in folder.rglob("*") if one.is_file() and not one.name.endswith(".lock"))
    return {
        str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files
    }


class Asked:
    """Commands in processes that are like this one but for what is done to them first."""

    def __init__(self, zygote: Zygote, folder: Path) -> None:
        self.zygote, self.folder, self.n_asked = zygote, folder, 0

    def ask(self, before: Callable[[], object], *words: str) -> tuple[int, str]:
        """The exit code and what it printed."""
        self.n_asked += 1
        out = self.folder.parent / f"{self.n_asked}.out"
        done = self.zygote.run(Job(partial(_after, before, words), self.folder, out))
        assert done.orphans == []
        said = out.read_text()
        assert "Traceback" not in said, said
        return done.code, said


def _after(before: Callable[[], object], words: tuple[str, ...]) -> None:
    before()
    btfer(*words)()


@pytest.fixture
def asked(zygote: Zygote, work: Path) -> Asked:
    return Asked(zygote, work)


# ----- the catalogue


@pytest.mark.parametrize("n_bytes", [0, 100, 20_000])
@reliability("catalogue cut off")
def test_a_catalogue_that_was_cut_off_is_refused_and_stays_as_it_is(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], n_bytes: int
) -> None:
    file = work / "data/catalogue.db"
    file.write_bytes(file.read_bytes()[:n_bytes])
    before = bytes_in(work)
    for command in (*LOOKING, *WRITING):
        assert run(monkeypatch, *command) in (1, 2)
        (said,) = capsys.readouterr().err.splitlines()
        assert "damaged" in said or "is empty" in said
        assert bytes_in(work) == before


@pytest.mark.parametrize("seed", range(4))
@reliability("catalogue with flipped bits")
@pytest.mark.slow
def test_flipped_bits_of_a_catalogue_are_a_sentence(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    file, rng = work / "data/catalogue.db", random.Random(seed)
    spoilt = bytearray(file.read_bytes())
    for _ in range(100):
        spoilt[rng.randrange(100, len(spoilt))] ^= 1 << rng.randrange(8)
    file.write_bytes(spoilt)
    for command in (["catalogue", "verify"], *LOOKING, *WRITING):
        code, said = run(monkeypatch, *command), capsys.readouterr().err
        assert code in (0, 1, 2)
        assert len(said.splitlines()) == 1 or code == 0, said
    photos = {name for name in bytes_in(work) if name.startswith("data/photos")}
    assert len(photos) >= 4


@reliability("another program's database")
def test_another_programs_database_stays_as_it_is(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = work / "data/catalogue.db"
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE moz_cookies (x)")
    before = bytes_in(work)
    for command in (["catalogue", "upgrade"], *LOOKING, *WRITING):
        assert run(monkeypatch, *command) == 1
        assert "not a btfer catalogue (it has tables moz_cookies)" in capsys.readouterr().err
        assert bytes_in(work) == before


@reliability("catalogue locked")
def test_while_another_program_writes_for_long_others_read_and_a_writer_says_so(
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    patience_s = 0.2
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", patience_s)
    file, before = work / "data/catalogue.db", bytes_in(work)
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        for command in LOOKING:
            assert run(monkeypatch, *command) == 0
        (work / "v.csv").unlink()
        for command in WRITING:
            capsys.readouterr()
            assert run(monkeypatch, *command) == 1
            assert "run again when that has ended" in capsys.readouterr().err
        now = bytes_in(work)
        assert {name: now[name] for name in before} == before
        soon = threading.Timer(patience_s / 2, other.execute, ["ROLLBACK"])
        soon.start()
        assert run(monkeypatch, "withdraw", "https://a.example/1.jpg") == 0  # it waits
        soon.join()


@reliability("another writer during build")
def test_a_release_is_whole_though_others_write_meanwhile(
    full: Catalogue, settings: Settings
) -> None:
    other = open_catalogue(settings.catalogue_url)
    names = [one.sha256 for one in photos.find(other, "")]
    done, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        while not done.wait(0.005):
            verdicts.add(other, [Verdict("photos", names[written % 7], "keep", "bob")])
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = build.run(full, settings, build.Plan(per_class=2))
    finally:
        done.set()
        writer.join()
    assert written
    assert [one.problems for one in verify.verify(made.path) if one.problems] == []
    assert len(releases.faces_in(full, made.path.name)) == made.images == 14
    given = [one for name in names for one in verdicts.of_photo(full, name)]
    assert sum(one.reviewer == "bob" for one in given) == written
    other.close()


def _faces(work: Path) -> list[str]:
    return [one.stem for one in sorted((work / "data/faces").rglob("*.png"))]


# ----- the data folder and who may use it


NAMES = (
    "p?1",
    "p?2",
    "a%20b",
    "x#y",
    " two  blanks ",
    "new\nline",
    "-dash",
    "a'b\"c",
    "%(s)s{x}",
    "ü 😀",
)


@pytest.mark.parametrize("name", NAMES)
@reliability("odd names of the data folder")
def test_a_folder_of_any_name_holds_its_own_catalogue(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    home = work / name / "data"
    assert run(monkeypatch, "--data-dir", str(home), "import", "more") == 0
    assert run(monkeypatch, "--data-dir", str(home), "catalogue", "verify") == 0
    assert sorted(one.name for one in home.iterdir() if one.name[0] != ".") == [
        "catalogue.db",
        "photos",
        "thumbnails",
    ]
    assert sorted(one.name for one in work.iterdir()) == sorted({name, "data", "more"})


@reliability("data folder by a link, from elsewhere, relative")
def test_however_the_data_folder_is_reached_it_is_one(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(work / "data")
    for words in (["import", "more"], ["catalogue", "verify"]):
        assert run(monkeypatch, *words) == 0
    before = bytes_in(work)
    monkeypatch.chdir(tmp_path)
    for place in ("link", "work/data", "work/../link/", "./work/more/../data", str(work / "data")):
        for words in (["import", "work/more"], ["status"], ["catalogue", "verify"]):
            assert run(monkeypatch, "--data-dir", place, *words) == 0
        assert bytes_in(work) == before, place
    assert (tmp_path / "link").is_symlink()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@reliability("a user who may only read")
@pytest.mark.slow
def test_a_user_who_may_only_read_looks_and_changes_nothing(asked: Asked, work: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="btfer-read-") as name:  # pytest's are private to root
        asked.folder = shutil.copytree(work, Path(name) / "work")
        Path(name).chmod(0o755)
        subprocess.run(["chmod", "-R", "a+rX,a-w", str(asked.folder)], check=True)
        before = bytes_in(asked.folder)
        for command in LOOKING:
            words = [one.replace("v.csv", "/dev/shm/v.csv") for one in command]
            code, said = asked.ask(partial(_become_nobody, words), *words)
            assert code == 0, said
        forget = ["forget", "https://a.example/1.jpg", "--yes"]
        for command in (*WRITING, forget, ["review", "export", "v.csv"]):
            code, said = asked.ask(partial(_become_nobody, ["status"]), *command)
            assert code == 1, (command, said)
            assert "Permission denied" in said or "may only be read" in said
        Path("/dev/shm/v.csv").unlink(missing_ok=True)
        assert bytes_in(asked.folder) == before


def _become_nobody(words: list[str]) -> None:
    """After a run as root, by which all modules are loaded: nobody may not read the interpreter's folder."""
    try:
        btfer("--quiet", *words)()
    except SystemExit:
        Path("/dev/shm/v.csv").unlink(missing_ok=True)
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@reliability("umask 077")
@pytest.mark.slow
def test_with_a_private_umask_everything_works_and_stays_private(
    asked: Asked, work: Path, record_property: Any
) -> None:
    umask = partial(os.umask, 0o077)
    at = ("--data-dir", "private")
    commands = (["import", "more"], ["dedup"], ["status"], ["review", "export", "mine.csv"])
    for command in commands:
        assert asked.ask(umask, *at, *command)[0] == 0
    private = [work / "mine.csv", *(work / "private").rglob("*")]
    assert [str(one) for one in private if one.stat().st_mode & 0o077] == []
    record_property("tries", (len(commands), 0))


# ----- what a process may use


@pytest.mark.parametrize("n_files", [10, 14, 18, 22, 30])
@reliability("few file handles")
@pytest.mark.slow
def test_few_file_handles_are_a_sentence_and_lose_nothing(
    asked: Asked, work: Path, n_files: int
) -> None:
    few = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (n_files, n_files))
    for command in (["import", "more"], ["dedup"]):
        code, said = asked.ask(few, *command)
        assert code == 0 or (code == 1 and len(said.splitlines()) == 1), said
        again, said = asked.ask(int, *command)
        assert again == 0, said
    assert asked.ask(int, "catalogue", "verify")[0] == 0
    assert len(list((work / "data/photos").rglob("*.png"))) == 5


# ----- what is around it: terminal, environment, clock


def shell(line: str, work: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command line of a shell in which `btfer` is this one."""
    python = f"{shlex.quote(sys.executable)} -c 'from btfer.cli import main; main()'"
    variables = {name: value for name, value in (os.environ | environment).items() if value}
    return subprocess.run(
        ["sh", "-c", re.sub(r"(?<![\w/])btfer(?= )", lambda _: python, line)],
        cwd=work,
        env=variables | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=600,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["ascii", "LC_ALL=C"],
)
@reliability("a terminal of ASCII only")
@pytest.mark.slow
def test_what_is_printed_can_be_read_on_a_terminal_of_ascii(
    work: Path, environment: dict[str, str]
) -> None:
    done = shell("btfer status", work, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "\\x" not in done.stdout
    assert len({len(line.rstrip()) for line in done.stdout.splitlines()[:3]}) == 1  # columns stand


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("btfer status >&-", (0, 1)),
        ("btfer status >/dev/full", (1,)),
        ("btfer status --json | head -c 1", (0,)),
        ("btfer status 2>&-", (0,)),
        ("btfer status <&-", (0,)),
    ],
)
@reliability("closed output")
@pytest.mark.slow
def test_output_that_nobody_reads_is_no_traceback(
    work: Path, line: str, codes: tuple[int, ...]
) -> None:
    done = shell(line, work)
    assert done.returncode in codes
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@reliability("no home")
@pytest.mark.slow
def test_a_user_without_a_home_works(work: Path) -> None:
    for home in ("", "/nonexistent"):
        done = shell("btfer import more && btfer status", work, HOME=home)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
@reliability("2 GB of memory and 50 megapixels")
def test_two_gigabytes_are_enough_for_fifty_megapixels(work: Path) -> None:
    noise = Image.effect_noise((2000, 1250), 50).resize((8000, 6250)).convert("RGB")
    noise.save(work / "more" / "large.jpg", quality=80)
    noise.save(work / "more" / "large.png", compress_level=1)
    for command in ("import more", "dedup", "crop --unreviewed keep", "status"):
        done = shell(f"ulimit -v {2 * GB // 1024}; btfer {command}", work)
        assert done.returncode == 0, done.stderr
    assert len(list((work / "data/photos").rglob("*.*"))) == 4 + 3


def _run_out(*_: object) -> None:
    raise MemoryError


@reliability("memory runs out")
def test_a_photo_for_which_memory_runs_out_is_tried_again(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("btfer.sources.folder.read_photo", _run_out)
        assert run(monkeypatch, "import", "more") == 0
        assert "out of memory" in capsys.readouterr().out
    assert run(monkeypatch, "import", "more") == 0
    assert len(list((work / "data/photos").rglob("*.png"))) == 5
    monkeypatch.setattr("btfer.pipeline.dedup.run", _run_out)
    assert run(monkeypatch, "dedup") == 1
    assert "memory has run out; what was done is kept" in capsys.readouterr().err


JUDGE = """
import sys
from btfer.catalogue import open_catalogue, verdicts
from btfer.catalogue.verdicts import Verdict
cat = open_catalogue("sqlite:///data/catalogue.db")
verdicts.add(cat, [Verdict("photos", sys.argv[1], sys.argv[2], "ann", reason=sys.argv[3], final=True)])
[now] = [one for one in verdicts.current_in(cat, "photos") if one.photo == sys.argv[1]]
print(now.decision)
"""


@pytest.mark.skipif(
    not shutil.which("faketime"), reason="faketime is not installed (Debian package)"
)
@reliability("a clock that jumps")
@pytest.mark.slow
def test_the_last_word_holds_though_the_clock_was_put_back(work: Path) -> None:
    photo = sorted((work / "data/faces").rglob("*.png"))[0].stem.partition("-")[0]
    name = next((work / "data/photos").rglob(f"{photo}*.png")).stem
    (work / "judge.py").write_text(JUDGE)
    for year, said in (
        (2040, "drop text"),
        (2001, "keep ''"),
        (2026, "drop age"),
        (1999, "keep ''"),
    ):
        line = f"faketime '{year}-01-01' {shlex.quote(sys.executable)} judge.py {name} {said}"
        done = shell(line, work)
        assert done.stdout.strip() == said.split()[0], done.stderr
    for year, command in ((2001, "import more"), (1999, "dedup"), (2040, "status")):
        done = shell(f"faketime '{year}-01-01' btfer {command}", work)
        assert done.returncode == 0, done.stderr
