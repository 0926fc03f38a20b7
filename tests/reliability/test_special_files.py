"""What is no file where one is named: pipes, sockets, devices, loops of links, folders, and files for folders.

Every option that takes a path is tried with each, listed from the command line itself: one line, exit code 2 within
a minute, and nothing is changed.
"""

import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer

from btfer import cli
from btfer.paths import bundled
from tests.bench.systems.test_model_file import onnx_file
from tests.reliability.house import FACES, PHOTOS, House, btfer
from tests.reliability.test_faults import bytes_in
from tests.reliability.zygote import Job
from tests.test_hostile_tables import _parameters

HANGS_S = 60
AT = "odd"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.reliability("pipes, sockets, devices and links as files"),
]


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


ODD: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": _socket,
    "a device that never ends": lambda path: path.symlink_to("/dev/zero"),
    "a loop of links": lambda path: path.symlink_to(path.name),
}
A_FOLDER = {"a folder": Path.mkdir}
A_FILE = {"a file": lambda path: path.write_text("no such thing\n")}
NO_FILE: dict[str, Callable[[Path], object]] = ODD | A_FOLDER
NO_FOLDER: dict[str, Callable[[Path], object]] = ODD | A_FILE
NO_LOG = {kind: make for kind, make in NO_FILE.items() if not kind.startswith("a device")}
"""A log may go to a device, such as a terminal."""

NEITHER: dict[str, Callable[[Path], object]] = ODD | A_FOLDER | A_FILE
"""Of an option that takes a file or a folder: an empty one, and one of another kind."""


@dataclass(frozen=True)
class Option:
    """A command line in which the option is given, and what it cannot be. RUN and RELEASE: those of the folder."""

    words: tuple[str, ...]
    odd: dict[str, Callable[[Path], object]]


def _option(line: str, odd: dict[str, Callable[[Path], object]]) -> Option:
    return Option(tuple(line.split()), odd)


GRID = "--train tiny=faces --model small_3conv --epochs 1"
OPTIONS = {
    "btfer --log-file": _option(f"--log-file {AT} status", NO_LOG),
    "queries --csv": _option(f"queries --csv {AT}", NO_FILE),
    "import FOLDER": _option(f"import {AT}", NO_FOLDER),
    "import --labels": _option(f"import photos --labels {AT}", NO_FILE),
    "dedup calibrate --pairs": _option(f"dedup calibrate --pairs {AT}", NO_FILE),
    "review export FILE": _option(f"review export {AT}", NO_FILE),
    "review export --gold": _option(f"review export mine.csv --gold {AT}", NO_FILE),
    "review import FILE": _option(f"review import {AT} --reviewer ann", NO_FILE),
    "build --against": _option(f"build --per-class 1 --against x={AT}", NEITHER),
    "leaks --against": _option(f"leaks --against x={AT}", NEITHER),
    "report --with": _option(f"report --with {AT}", NEITHER),
    "bench --train": _option(f"bench --train x={AT} --model small_3conv", NEITHER),
    "bench plan --train": _option(f"bench plan --train x={AT} --model small_3conv", NEITHER),
    "bench --weights-file": _option(
        f"bench --train tiny=faces --model resnet50 --weights vggface2 --weights-file {AT}", NEITHER
    ),
    "bench plan --weights-file": _option(
        f"bench plan --train tiny=faces --model resnet50 --weights vggface2 --weights-file {AT}",
        NEITHER,
    ),
    "bench external --predictions": _option(f"bench external --predictions {AT}", NO_FILE),
    "bench external --model-file": _option(f"bench external --model-file {AT}", NEITHER),
    "bench external --card": _option(f"bench external --model-file net.onnx --card {AT}", NO_FILE),
    "bench external --weights": _option(
        f"bench external --model-file timm:resnet18 --weights {AT}", NO_FILE
    ),
    "bench edge --calibration": _option(f"bench edge RUN --calibration {AT}", NO_FOLDER),
    "export --calibration": _option(
        f"export RUN --quantize int8 --out new --calibration {AT}", NO_FOLDER
    ),
    "bench submit --out": _option(f"bench submit RUN --out {AT}", NO_FOLDER),
    "bench merge DIR...": _option(f"bench merge {AT}", NO_FOLDER),
    "export --out": _option(f"export RUN --out {AT}", NO_FOLDER),
    "predict IMAGE": _option(f"predict RUN {AT}", NEITHER),
    "predict --out": _option(f"predict RUN face.jpg --out {AT}", NO_FOLDER),
    "publish --token-file": _option(
        f"publish RELEASE --to zenodo-sandbox --creator Me --yes --token-file {AT}", NEITHER
    ),
    "init FOLDER": _option(f"init {AT}", NO_FOLDER),
    "app --gold": _option(f"app --gold {AT}", NO_FILE),
    "demo --folder": _option(f"demo --folder {AT}", NO_FOLDER),
    "sample render OUT": _option(f"sample render {AT} --assets photos", NO_FOLDER),
    "sample render --assets": _option(f"sample render new --assets {AT}", NO_FOLDER),
    "leaderboard FOLDER": _option(f"leaderboard {AT}", NO_FOLDER),
    "leaderboard --out": _option(f"leaderboard bundles --out {AT}", NO_FOLDER),
}
TEXTS = {  # options and arguments that are texts, and may be a path
    "--data-dir": _option(f"--data-dir {AT} status", NO_FOLDER),
    "--data-dir, to be written": _option(f"--data-dir {AT} import photos", NO_FOLDER),
    "--catalogue": _option(f"--catalogue sqlite:///{AT} status", NO_FILE),
    "--catalogue, to be written": _option(f"--catalogue sqlite:///{AT} import photos", NO_FILE),
    "--set queries_dir": _option(f"--set queries_dir={AT} queries", NO_FOLDER),
    "verify RELEASE": _option(f"verify ./{AT}", NO_FOLDER),
    "rebuild RELEASE": _option(f"rebuild ./{AT}", NEITHER),
    "leaks RELEASE": _option(f"leaks ./{AT} --against x=faces", NEITHER),
    "diff RELEASE": _option(f"diff ./{AT} RELEASE", NEITHER),
    "publish RELEASE": _option(f"publish ./{AT} --to zenodo-sandbox --creator Me --yes", NEITHER),
    "bench --release": _option(f"bench {GRID} --release ./{AT}", NEITHER),
    "export RUN": _option(f"export ./{AT} --out new", NEITHER),
    "explain ID": _option(f"explain ./{AT}", NEITHER),
    "catalogue copy, from": _option(
        f"catalogue copy sqlite:///{AT} sqlite:///copied/catalogue.db", NO_FILE
    ),
    "catalogue copy, to": _option(
        f"catalogue copy sqlite:///data/catalogue.db sqlite:///{AT}", NO_FILE
    ),
}
FILES = {  # files that are read where they lie
    "btfer.toml": _option("status", NO_FILE),
    ".streamlit/config.toml": _option("app --port 1", NO_FILE),
    "queries/expressions.toml": _option("queries", NO_FILE),
    "queries/people.toml": _option("queries", NO_FILE),
    "queries/sources.toml": _option("queries", NO_FILE),
    "queries/languages/en.toml": _option("queries", NO_FILE),
    "queries/blocked.txt": _option(
        "crawl --source commons --class sad --language en --limit 1", NO_FILE
    ),
    "net.toml": _option("bench external --model-file net.onnx", NO_FILE),
    "clip/config.json": _option("bench external --model-file clip", NO_FILE),
    "data/catalogue.db": _option("status", NO_FILE),
}


def test_every_option_that_takes_a_path_is_tried() -> None:
    assert set(OPTIONS) == set(_parameters(typer.main.get_command(cli.app)))


@pytest.fixture(scope="module")
def furnished(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, faces, a release, a run, a network, a bundle and a query plan."""
    folder = shutil.copytree(house.stage("trained"), tmp_path_factory.mktemp("odd") / "work")
    (folder / PHOTOS).rename(folder / "photos")
    (folder / FACES).rename(folder / "faces")
    shutil.copy(next((folder / "photos").glob("*.jpg")), folder / "face.jpg")
    shutil.copytree(bundled("queries"), folder / "queries")
    onnx_file(folder / "net.onnx")
    (folder / "clip").mkdir()
    (folder / "clip" / "config.json").write_text('{"model_type": "clip", "text_config": {}}')
    job = Job(btfer("bench", "submit", run_of(folder), "--out", "bundles"), folder, folder / "out")
    assert house.zygote.run(job).code == 0, (folder / "out").read_text()
    (folder / "out").unlink()
    return folder


def run_of(folder: Path) -> str:
    (run,) = [one.parent.name for one in (folder / "data/runs").glob("*/run.json")]
    return run


def lying_in(folder: Path) -> dict[str, object]:
    """Every file with its bytes, and what else there is with its kind."""
    kinds: dict[str, object] = {
        str(one.relative_to(folder)): stat.S_IFMT(one.lstat().st_mode)
        for one in folder.rglob("*")
        if one.suffix != ".lock" and not one.name.endswith(("-wal", "-shm"))
    }
    return kinds | bytes_in(folder)


def try_each(house: House, furnished: Path, tmp_path: Path, option: Option, at: str) -> list[str]:
    """What is not as it must be, a line for each kind of thing that was put there."""
    wrong = []
    for kind, make in option.odd.items():
        folder = tmp_path / "work"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(furnished, folder)
        path = folder / at
        path.parent.mkdir(exist_ok=True)
        if path.is_file():
            path.unlink()
        make(path)
        before, out = lying_in(folder), tmp_path / "out"
        out.unlink(missing_ok=True)
        release = next((folder / "data/releases").iterdir()).name
        named = {"RUN": run_of(folder), "RELEASE": release}
        words = [named.get(one, one) for one in option.words]
        work = partial(_here, btfer("--set", "queries_dir=queries", *words))
        done = house.zygote.run(Job(work, folder, out), kill_after_s=HANGS_S)
        wrong += [f"{kind}: {one}" for one in _not_as_it_must(done, out, before, lying_in(folder))]
    return wrong


def _here(work: Callable[[], object]) -> None:
    """Without what a user's own folder holds."""
    for name in ("HF_TOKEN", "ZENODO_TOKEN"):
        os.environ.pop(name, None)
    work()


def _not_as_it_must(
    done: Any, out: Path, before: dict[str, object], after: dict[str, object]
) -> Iterator[str]:
    said = out.read_text()
    told = [one for one in said.splitlines() if not one.startswith(("Usage: ", "Try '"))]
    if done.killed:
        yield f"it hung: {said[-300:]}"
    elif done.code != 2 or len([one for one in told if one]) != 1:
        yield f"exit code {done.code}: {said[-1500:]}"
    changed = {one for one in before | after if before.get(one) != after.get(one)}
    if changed:
        yield f"changed: {sorted(changed)[:5]}"


@pytest.mark.parametrize("name", [*OPTIONS, *TEXTS])
def test_an_option_with_what_it_cannot_be_is_one_line_and_changes_nothing(
    house: House, furnished: Path, tmp_path: Path, record_property: Any, name: str
) -> None:
    option = (OPTIONS | TEXTS)[name]
    wrong = try_each(house, furnished, tmp_path, option, AT)
    record_property("tries", (len(option.odd), len(wrong)))
    assert wrong == []


def test_a_folder_of_photos_with_all_of_them_is_imported_without(
    house: House, tmp_path: Path
) -> None:
    folder, out = tmp_path / "work", tmp_path / "out"
    shutil.copytree(house.stage("empty"), folder)
    for number, make in enumerate((ODD | A_FOLDER).values()):
        make(folder / PHOTOS / f"odd {number}.jpg")
    (folder / PHOTOS / "above").symlink_to("..")
    (folder / PHOTOS / "nowhere.jpg").symlink_to("gone.jpg")
    whole = tmp_path / "whole"
    shutil.copytree(house.stage("empty"), whole)
    work = btfer("import", PHOTOS)
    for one in (folder, whole):
        done = house.zygote.run(Job(work, one, out), kill_after_s=HANGS_S)
        assert (done.code, done.killed) == (0, False), out.read_text()
    found = [
        {photo.name for photo in (one / "data/photos").rglob("*.jpg")} for one in (folder, whole)
    ]
    assert found[0] == found[1] != set()


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_is_one_line_and_changes_nothing(
    house: House, furnished: Path, tmp_path: Path, record_property: Any, name: str
) -> None:
    wrong = try_each(house, furnished, tmp_path, FILES[name], name)
    record_property("tries", (len(FILES[name].odd), len(wrong)))
    assert wrong == []
