"""Files that are no tables, as strangers send them: settings, plans, cards, records of runs and releases.

Whatever they hold, a command that reads them ends with its result or with one line, and leaves them as they are.
"""

import json
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from btfer.bench.systems.networks import _exported_card
from btfer.bench.systems.prompts import read_prompts
from btfer.catalogue import Catalogue
from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.paths import bundled
from btfer.review.guidelines import read_guidelines
from btfer.settings import Settings
from btfer.sources.blocklist import read_block_list
from tests.bench.conftest import draw_release
from tests.bench.systems.test_model_file import onnx_file
from tests.test_cli import run

SEED = 20
OF_EACH = 40
"""Changed values of a record that are tried."""

FORMS = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "zero bytes": b"\0" * 600,
    "a page of a website": b"<!DOCTYPE html><html><body>not found</body></html>\n",
    "a megabyte": b"x" * 1_000_000,
    "lists in lists": b"[" * 100_000,
    "a value of lists in lists": b"a = " + b"[" * 100_000,
    "objects in objects": b'{"a":' * 100_000,
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number of 5,000 digits": b"1" * 5000,
    "another record": b'{"a": {"b": [1, 2]}}',
    "another table": b'[a]\nb = ["c"]\n',
    "Latin-1": b'a = "\xe9"\n',
    "an open quote": b'a = "b\n',
}
VALUES: list[Any] = [
    None, True, -1, 0, 3.7, 1e308, 10**400, float("nan"), float("inf"), "", "x", "a" * 10_000, "../../etc/passwd",
    "\x1b[2J", "\ud800", "=HYPERLINK(0)", "0001-01-01T00:00:00+14:00", [], [None], {}, {"a": 1},
]  # fmt: skip
SETTINGS = [
    "data_dir", "catalogue", "workers", "max_hamming_bits", "licences", "engine", "queries_dir", "seed", "user_agent",
    "contact", "address", "no_such_setting",
]  # fmt: skip
CARD = f'classes = {json.dumps(EXPRESSIONS)}\nchannels = "BGR"\n'


def _places(record: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inside: list[Any] = []
    if isinstance(record, dict):
        inside = list(record)
    elif isinstance(record, list):
        inside = list(range(min(len(record), 2)))
    for key in inside:
        yield from _places(record[key], (*above, key))


def _with(record: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = json.loads(json.dumps(record))
    *above, last = place
    at = changed
    for key in above:
        at = at[key]
    at[last] = value
    return changed


def changed_records(text: bytes) -> Iterator[tuple[str, bytes]]:
    """A record with one value of another kind, in seeded places."""
    record, chance = json.loads(text), random.Random(SEED)
    places = list(_places(record))
    for _ in range(OF_EACH):
        place, value = chance.choice(places), chance.choice(VALUES)
        name = f"{'/'.join(map(str, place))} = {value!r:.30}"
        yield name, json.dumps(_with(record, place, value)).encode()


@pytest.fixture
def work(
    cat: Catalogue, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with a plan, a release, a scored run and a network; the catalogue is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BTFER_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("BTFER_QUERIES_DIR", str(tmp_path / "queries"))
    monkeypatch.setenv("BTFER_ENGINE", "serial")
    shutil.copytree(bundled("queries"), tmp_path / "queries")
    draw_release(tmp_path / "r", 2)
    rows = (tmp_path / "r" / "metadata.csv").read_text().replace("file_name,label", "image,guess")
    (tmp_path / "answers.csv").write_text(rows)
    told = ("--release", "r", "--predictions", "answers.csv", "--column", "guess", "--name", "one")
    assert run(monkeypatch, "bench", "external", *told) == 0
    onnx_file(tmp_path / "net.onnx")
    return tmp_path


Try = Callable[[Path, Iterator[tuple[str, bytes]], list[str]], None]


@pytest.fixture
def try_all(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> Try:
    """Gives a file each of some contents, and runs each of some commands on it."""

    def trying(file: Path, cases: Iterator[tuple[str, bytes]], commands: list[str]) -> None:
        every = list(cases)
        record_property("tries", (len(every), 0))
        for name, data in every:
            file.write_bytes(data)
            for command in commands:
                capsys.readouterr()
                code, said = run(monkeypatch, *command.split()), capsys.readouterr()
                _check(file, data, code, said, f"{command}, {file.name} with {name}")

    return trying


def _check(file: Path, data: bytes, code: int, said: Any, where: str) -> None:
    assert code in (0, 1, 2, 3), where
    errors = [line for line in said.err.splitlines() if not line.startswith("skipped ")]
    assert code != 2 or len(errors) == 1, where
    assert code == 0 or said.err.strip() or said.out.strip(), where
    assert not any(one in said.out + said.err for one in "\x1b\0"), where
    assert len(said.err) < 1500, where
    assert file.read_bytes() == data, where


def _both(file: Path) -> Iterator[tuple[str, bytes]]:
    """The forms, and where it is a record, changes of it."""
    good = file.read_bytes()
    yield from FORMS.items()
    yield "the first half", good[: len(good) // 2]
    yield "itself twice", good + good
    if file.suffix == ".json":
        yield from changed_records(good)


PLAN = ["expressions.toml", "people.toml", "sources.toml", "languages/de.toml"]


@pytest.mark.reliability("hostile settings, plans and records")
@pytest.mark.parametrize("name", PLAN)
def test_a_file_of_the_plan(work: Path, name: str, try_all: Try) -> None:
    file = work / "queries" / name
    assert file.is_file()
    try_all(file, _both(file), ["queries"])


@pytest.mark.reliability("hostile settings, plans and records")
def test_the_record_of_a_run(work: Path, settings: Settings, try_all: Try) -> None:
    [file] = settings.data_dir.glob("runs/*/run.json")
    commands = ["bench runs", f"bench submit {file.parent.name} --out {work / 'out'}"]
    try_all(file, _both(file), commands)


@pytest.mark.reliability("hostile settings, plans and records")
def test_the_record_of_a_release(work: Path, try_all: Try) -> None:
    file = work / "r" / "release.json"
    file.write_text(json.dumps(RELEASE))
    (work / "r" / "SHA256SUMS").write_text("")  # without one, nobody reads further
    try_all(file, _both(file), ["verify r", "diff r r"])


RELEASE = {
    "name": "btfer-1",
    "version": "0.2.0",
    "counts": dict.fromkeys(EXPRESSIONS, 2),
    "settings": {"seed": 1, "per_class": 2, "crop": {"mode": "paper", "margin_px": 20}},
    "files": [{"name": "metadata.csv", "sha256": "0" * 64}],
}


@pytest.mark.reliability("hostile settings, plans and records")
def test_the_card_of_a_network(work: Path, try_all: Try) -> None:
    file = work / "card.toml"
    file.write_text(CARD)
    command = "bench external --release r --model-file net.onnx --card card.toml"

    def cases() -> Iterator[tuple[str, bytes]]:
        yield from _both(file)
        for key in ("size", "channels", "range", "mean", "std", "resize", "crop", "claimed"):
            for value in (
                "-1",
                "nan",
                "1e308",
                '""',
                '"x"',
                "[]",
                "[[1]]",
                "{}",
                "true",
                "1979-05-27",
            ):
                yield f"{key} = {value}", f"{CARD}{key} = {value}\n".encode()

    try_all(file, cases(), [command])


@pytest.mark.reliability("hostile settings, plans and records")
def test_the_settings(work: Path, monkeypatch: pytest.MonkeyPatch, try_all: Try) -> None:
    file = work / "btfer.toml"
    file.write_text("")
    for name in ("BTFER_DATA_DIR", "BTFER_QUERIES_DIR", "BTFER_ENGINE"):
        monkeypatch.delenv(name)

    def cases() -> Iterator[tuple[str, bytes]]:
        yield from _both(file)
        for name in SETTINGS:
            for value in random.Random(name).sample(VALUES[1:], 6):
                text = json.dumps(value) if isinstance(value, str) else str(value)
                yield f"{name} = {text[:40]}", f"{name} = {text}\n".encode(errors="replace")

    try_all(file, cases(), ["status"])


READ_ALONE: dict[str, Callable[[Path], Any]] = {  # of the plan's folder, by those who need them
    "blocked.txt": lambda folder: read_block_list(folder / "blocked.txt"),
    "prompts.toml": lambda folder: read_prompts(folder, "en"),
    "guidelines.md": read_guidelines,
}


@pytest.mark.reliability("hostile settings, plans and records")
@pytest.mark.parametrize("name", READ_ALONE)
def test_a_file_beside_the_plan(
    tmp_path: Path, name: str, record_property: Callable[[str, object], None]
) -> None:
    file = tmp_path / name
    shutil.copy(bundled("queries") / name, file)
    cases = list(_both(file))
    record_property("tries", (len(cases), 0))
    for form, data in cases:
        file.write_bytes(data)
        refusal = _refusal(lambda: READ_ALONE[name](tmp_path))
        assert not refusal or (name in refusal and "\n" not in refusal), form
        assert file.read_bytes() == data, form


def _refusal(read: Callable[[], Any]) -> str:
    """What a reader says against its file; '' where it takes it."""
    try:
        read()
    except BtferError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("card", [b"", b"[", b"[]", b"null", b'{"classes": 3}', b"[" * 100_000])
def test_the_card_inside_an_exported_network(tmp_path: Path, card: bytes) -> None:
    file = tmp_path / "net.tflite"
    file.write_bytes(b"a network")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("btfer.json", card)
    with pytest.raises(UsageError, match=r"net\.tflite") as refused:
        _exported_card(file)
    assert "\n" not in str(refused.value)
