"""The short line in a bucket: import, dedup, crop, build, verify give the release that they give on disk."""

import csv
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from btfer.catalogue import Catalogue, faces, journal, open_catalogue, photos, releases
from btfer.engine import on_ray
from btfer.errors import BtferError, Incomplete
from btfer.paths import photo_path
from btfer.pipeline import build, crop, dedup, face_dedup
from btfer.pipeline.forget import forget
from btfer.pipeline.import_photos import import_folder
from btfer.pipeline.release import Release
from btfer.pipeline.verify import verify
from btfer.pipeline.verify_catalogue import verify_catalogue
from btfer.sample import load_manifest, picture_path
from btfer.settings import Settings
from btfer.store import StoreError, store_of
from btfer.store.mirror import SUMS, pull
from tests import own_postgres
from tests.bucket_server import ENVIRONMENT, Pail
from tests.forked import CONTEXT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PLAN = build.Plan(per_class=1, unreviewed="keep", allow_short=True, max_per_site=0)
PHOTOS = 11


@dataclass
class Line:
    """A catalogue and the folder of photos that go into it."""

    cat: Catalogue
    settings: Settings
    source: Path

    def run(self, between: Callable[[], object] = lambda: None) -> Release:
        """All stages; `between` is called before each."""
        for stage in (
            lambda: import_folder(self.cat, self.settings, self.source, self.source / "labels.csv"),
            lambda: dedup.run(self.cat, self.settings),
            lambda: crop.run(self.cat, self.settings, unreviewed="keep"),
            lambda: face_dedup.run(self.cat, self.settings),
        ):
            between()
            stage()
        between()
        return build.run(self.cat, self.settings, PLAN)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of the sample, with two copies among them, and their labels."""
    folder = tmp_path_factory.mktemp("faces ? 1")
    every = load_manifest()
    copies = [one for one in every if one.kind == "duplicate"][:2]
    wanted = {one.original for one in copies}
    singles = [one for one in every if one.kind == "single"]
    singles.sort(key=lambda one: (one.file not in wanted, one.file[-6:], one.file))
    with (folder / "labels.csv").open("w", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "expression", "licence"])
        for one in [*copies, *singles[: PHOTOS - 2]]:
            shutil.copy(picture_path(one.file), folder)
            rows.writerow([one.file, one.expression, "CC0-1.0"])
    return folder


@contextmanager
def same_key() -> Iterator[None]:
    """All catalogues have the same secret key, which the names of a release are keyed with."""
    same = SimpleNamespace(token_hex=lambda n: "5a" * n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("btfer.catalogue.secret_keys.secrets", same)
        yield


@pytest.fixture(scope="module", autouse=True)
def same_key_everywhere() -> Iterator[None]:
    with same_key():
        yield


@pytest.fixture(scope="module")
def digest_on_disk(source: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    settings = Settings(data_dir=tmp_path_factory.mktemp("on disk"), engine="serial")
    with closing(open_catalogue(settings.catalogue_url)) as cat:
        return Line(cat, settings, source).run().digest


@pytest.fixture
def line(kept: Settings, source: Path) -> Iterator[Line]:
    with closing(open_catalogue(kept.catalogue_url)) as cat:
        yield Line(cat, kept, source)


@pytest.fixture
def new_cluster(pail: Pail) -> Iterator[None]:
    """One whose workers begin with the bucket's credentials, which those of an earlier test's lack."""

    def end() -> None:
        on_ray._idle.clear()  # they end with their cluster
        if "ray" in sys.modules:
            sys.modules["ray"].shutdown()

    end()
    yield
    end()


def without_cache(line: Line) -> Release:
    """All stages, each on a machine that has fetched nothing yet."""
    return line.run(lambda: shutil.rmtree(line.settings.data_dir, ignore_errors=True))


def test_it_gives_the_release_that_it_gives_on_disk(
    line: Line, pail: Pail, digest_on_disk: str
) -> None:
    there = line.run()
    assert there.digest == digest_on_disk
    assert there.images >= 5
    assert not any(one.problems for one in verify(there.path))
    assert not any(one.problems for one in verify_catalogue(line.cat, line.settings))
    assert requests_for(pail, "photos") == {"PUT": PHOTOS, "GET": PHOTOS}  # GET: of verify

    pail.log.clear()
    assert line.run().path == there.path
    assert not pail.count()["PUT"]  # what is there is not sent again
    assert without_cache(line).path == there.path
    assert not any(one.problems for one in verify(there.path))


@pytest.mark.postgres
@pytest.mark.usefixtures("new_cluster")
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
def test_ray_postgresql_and_a_bucket_give_what_one_process_a_file_and_a_disk_give(
    kept: Settings, source: Path, empty_url: str, digest_on_disk: str
) -> None:
    settings = kept.model_copy(update={"engine": "ray", "workers": 2, "catalogue": empty_url})
    with closing(open_catalogue(settings.catalogue_url)) as cat:
        there = without_cache(Line(cat, settings, source))
        assert there.digest == digest_on_disk
        assert not any(one.problems for one in verify_catalogue(cat, settings))
    assert not any(one.problems for one in verify(there.path))


FOLDERS = ("photos", "faces", "releases")
"""What import, crop and build send."""


@pytest.mark.postgres
@pytest.mark.usefixtures("new_cluster")
@pytest.mark.parametrize(
    ("engine", "order"),
    [
        ("ray", ("driver", "database", "bucket")),
        ("processes", ("database", "bucket", "driver")),
        ("processes", ("bucket", "driver", "database")),
    ],
)
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
def test_whatever_dies_in_mid_run_it_ends_in_the_same_release(
    kept: Settings,
    source: Path,
    pail: Pail,
    empty_url: str,
    engine: str,
    order: tuple[str, ...],
    digest_on_disk: str,
) -> None:
    settings = kept.model_copy(update={"engine": engine, "workers": 2, "catalogue": empty_url})
    for folder, dies in zip(FOLDERS, order, strict=True):
        with dying_at(pail, folder, dies, settings.catalogue):
            if dies == "driver":
                assert run_apart(pail, folder, settings, source) == -signal.SIGKILL
            else:
                with pytest.raises(BtferError), open_again(settings) as cat:
                    Line(cat, settings, source).run()
        assert any(f"/{folder}/" in key for key in pail.names()), folder
    with open_again(settings) as cat:
        there = Line(cat, settings, source).run()
        assert there.digest == digest_on_disk
        assert not rows_without_file(Line(cat, settings, source), pail)
        assert not any(one.problems for one in verify_catalogue(cat, settings))
    assert not any(one.problems for one in verify(there.path))


@contextmanager
def open_again(settings: Settings) -> Iterator[Catalogue]:
    """The catalogue, as another command finds it."""
    with closing(open_catalogue(settings.catalogue_url)) as cat:
        yield cat


@contextmanager
def dying_at(pail: Pail, folder: str, dies: str, url: str) -> Iterator[None]:
    """The database or the bucket dies at the third object of a folder; it is back when the block is left."""
    sent = count()

    def of(method: str, key: str) -> str:
        third = method == "PUT" and f"/{folder}/" in key and next(sent) == 2
        if third and dies == "database":
            own_postgres.crash(url)
        if third and dies == "bucket":
            pail.fault = lambda method, key: "reset"
            return "reset"
        return ""

    pail.fault = of
    yield
    pail.fault = lambda method, key: ""
    if dies == "database":
        own_postgres.start(url)


def run_apart(pail: Pail, folder: str, settings: Settings, source: Path) -> int | None:
    """The line in a process of its own, which is killed at the third object of a folder; its exit code."""
    sent = count()
    # Not forked: Ray does not start in a process that was.
    given = pickle.dumps((settings, source))
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, given.hex()], start_new_session=True)

    def of(method: str, key: str) -> str:
        if method == "PUT" and f"/{folder}/" in key and next(sent) == 2:
            os.kill(driver.pid, signal.SIGKILL)
        return ""

    pail.fault = of
    return driver.wait(300)


DRIVER = (
    "import pickle, sys; from tests.store.test_line_on_a_bucket import Line, open_again, same_key\n"
    "settings, source = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
    "with same_key(), open_again(settings) as cat: Line(cat, settings, source).run()"
)


def requests_for(pail: Pail, folder: str) -> Counter[str]:
    """How often an object in a folder was asked for, by method."""
    return Counter(method for method, key in pail.log if key.startswith(f"lab/one/{folder}/"))


def test_from_an_empty_cache_every_stage_fetches_what_it_needs(
    line: Line, pail: Pail, digest_on_disk: str
) -> None:
    several = line.settings.model_copy(update={"engine": "processes", "workers": 2})
    there = without_cache(replace(line, settings=several))
    assert there.digest == digest_on_disk
    assert requests_for(pail, "photos")["GET"] <= 2 * PHOTOS  # dedup: candidates; crop: all


def test_a_bad_network_costs_time_and_nothing_else(
    line: Line, pail: Pail, digest_on_disk: str
) -> None:
    faults = ("503", "reset", "cut", "", "", "unsized", "", "500", "", "")
    asked: Counter[tuple[str, str]] = Counter()

    def of(method: str, key: str) -> str:
        asked[method, key] += 1
        if asked[method, key] % 4 == 0:  # requests overlap: none may be the unlucky one each time
            return ""
        fault = faults[len(pail.log) % len(faults)]
        return "" if fault in ("cut", "unsized") and method != "GET" else fault

    pail.fault = of
    there = without_cache(line)
    assert there.digest == digest_on_disk


def test_a_bucket_that_fails_leaves_no_row_without_its_file(line: Line, pail: Pail) -> None:
    n = [0]

    def after(most: int) -> Callable[[str, str], str]:
        def of(method: str, key: str) -> str:
            n[0] += method == "PUT"
            return "403" if method == "PUT" and n[0] > most else ""

        return of

    for most in (5, 30, 35, 50):
        pail.fault = after(most)
        with pytest.raises(StoreError):
            without_cache(line)
        missing = rows_without_file(line, pail)
        assert not missing, missing
    pail.fault = lambda method, key: ""
    there = line.run()
    assert not any(one.problems for one in verify(there.path))


def rows_without_file(line: Line, pail: Pail) -> list[str]:
    """Photos, faces and releases that the catalogue has and the bucket has not."""
    have = {key.removeprefix("lab/one/") for key in pail.names()}
    store, cat = store_of(line.settings), line.cat
    wanted = [
        store.key(photo_path(store.folder, one.sha256, one.format)) for one in photos.find(cat, "")
    ]
    wanted += [f"thumbnails/{one.sha256[:2]}/{one.sha256}.jpg" for one in photos.find(cat, "")]
    for digest in faces.all_settings(cat):
        wanted += [f"faces/{one.id[:2]}/{one.id}.png" for one in faces.accepted(cat, digest)]
    return [one for one in wanted if one not in have]


def test_an_object_that_vanished_is_named(line: Line, pail: Pail) -> None:
    there = line.run()
    lost = sorted(key for key in pail.names() if "/faces/" in key)
    for key in lost:
        pail.delete(key)
    assert crop.rebuild(line.cat, line.settings) == len(lost)
    assert set(lost) <= pail.names()
    photo = min(key for key in pail.names() if "/photos/" in key)
    pail.delete(photo)
    [problem] = [
        one for check in verify_catalogue(line.cat, line.settings) for one in check.problems
    ]
    assert photo in problem
    shutil.rmtree(line.settings.data_dir)
    for key in pail.names():
        if "/photos/" in key or "/faces/" in key:
            pail.delete(key)
    with pytest.raises(BtferError, match="file missing"):
        crop.rebuild(line.cat, line.settings)
    pull(store_of(line.settings), "releases")
    assert (there.path / SUMS).is_file()


def test_what_is_forgotten_is_gone_from_the_bucket_and_the_cache(line: Line, pail: Pail) -> None:
    old = line.run()
    [victim, *_] = releases.faces_in(line.cat, old.path.name)
    photo = faces.by_id(line.cat, [victim.face])[victim.face].photo
    shutil.rmtree(line.settings.data_dir)  # a machine that has fetched nothing
    pail.fault = lambda method, key: "403" if method == "DELETE" and "/releases/" in key else ""
    thing = f"{old.path.name}/{victim.file}"
    with pytest.raises(StoreError):
        forget(line.cat, line.settings, [thing])
    pail.fault = lambda method, key: ""
    shutil.rmtree(line.settings.data_dir)  # and another one goes on
    with pytest.raises(Incomplete, match="an erasure was begun and is not finished"):
        build.run(line.cat, line.settings, PLAN)
    done = forget(line.cat, line.settings)
    assert not done.left, done.left
    new = done.releases[old.path.name]
    assert new
    there = pail.names()
    assert not [key for key in there if photo in key or photo[:24] in key or old.path.name in key]
    assert f"lab/one/releases/{new}/{SUMS}" in there
    assert not [key for key in there if "/erasures/open-" in key]
    shutil.rmtree(line.settings.data_dir)
    pull(store_of(line.settings), "releases")
    assert not any(one.problems for one in verify(line.settings.data_dir / "releases" / new))
    assert "versions of what is deleted" in " ".join(done.notes)


def test_killed_between_the_bucket_and_the_row_it_goes_on(line: Line, pail: Pail) -> None:
    for moment in ("photos", "faces", "releases"):
        started = CONTEXT.Process(
            target=run_until_killed, args=(line.settings, line.source, moment)
        )
        started.start()
        started.join(300)
        assert started.exitcode == -signal.SIGKILL, moment
        assert not rows_without_file(line, pail)
        assert any(f"/{moment}/" in key for key in pail.names())
    there = line.run()
    assert not any(one.problems for one in verify(there.path))
    whole = [key for key in pail.names() if key.endswith(SUMS)]
    assert whole == [f"lab/one/releases/{there.path.name}/{SUMS}"]


def run_until_killed(settings: Settings, source: Path, moment: str) -> None:
    """In a process of its own: the line, until SIGKILL between what is sent and the row of it."""

    os.environ.update(ENVIRONMENT)  # a fork server has that of its first test
    of = {"photos": (journal, "finish"), "faces": (faces, "add"), "releases": (releases, "add")}
    write = getattr(*of[moment])

    def dying(cat: Catalogue, rows: object, *more: object) -> object:
        if rows:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(cat, rows, *more)

    setattr(*of[moment], dying)
    with closing(open_catalogue(settings.catalogue_url)) as cat:
        without_cache(Line(cat, settings, source))
