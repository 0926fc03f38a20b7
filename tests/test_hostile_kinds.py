"""Twelve kinds of hostile tables and records for every reader: one line or a result, and nothing changed.

What a reader takes although it is odd (a note that looks like a formula) is no fault; what it refuses, it refuses
with one sentence that a terminal can show, and neither the file nor the catalogue is another one afterwards.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from btfer.bench.datasets import affectnet, ferplus, read_source
from btfer.bench.datasets.fer2013 import USAGES
from btfer.bench.submit.bundle import CARD, PREDICTIONS, read_bundle
from btfer.bench.systems.networks import _exported_card
from btfer.bench.systems.prompts import read_prompts
from btfer.catalogue import Catalogue, photos, verdicts
from btfer.cli import _shortened, _visible
from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import write_atomic
from btfer.leaks.training import read_training
from btfer.paths import bundled
from btfer.review.exchange_rows import COLUMNS
from btfer.settings import Settings
from btfer.sources.blocklist import read_block_list
from tests import hostile_kinds as kinds
from tests.bench.drawn_bundles import draw_bundle, draw_scored_run, drawn_answers, speck_release
from tests.bench.systems.test_model_file import onnx_file
from tests.conftest import as_bytes, draw_photo
from tests.small_release import small_release
from tests.test_cli import run
from tests.test_hostile_tables import photo

__all__ = ["photo"]  # the fixture

pytestmark = pytest.mark.slow
LONGEST_MESSAGE = 4_000


@dataclass
class House:
    """What the readers need, in one folder."""

    folder: Path
    photo: str
    release: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def command(self, *words: object) -> tuple[int, str, str]:
        """Run one; its exit code, what it wrote as an error, and all that it wrote."""
        self.capsys.readouterr()
        code = run(self.monkeypatch, *map(str, words))
        said = self.capsys.readouterr()
        return code, said.err, said.out + said.err


@dataclass
class Reader:
    """What reads a file: its exit code, its error and all its output. good: the file as it must be.

    files: the hostile ones of a kind.
    """

    file: Path
    good: bytes
    files: Callable[[str], Iterator[bytes]]
    read: Callable[[], tuple[int, str, str]]


def called(read: Callable[[], Any]) -> Callable[[], tuple[int, str, str]]:
    """A function as a command: what it refuses is its error, as the command line shows it."""

    def reading() -> tuple[int, str, str]:
        try:
            read()
        except UsageError as error:
            return 2, _visible(_shortened(str(error))), ""
        except BtferError as error:
            return error.exit_code, _visible(_shortened(str(error))), ""
        return 0, "", ""

    return reading


def a_table(house: House, name: str, header: str, rows: str, *words: object) -> Reader:
    return table_reader(house.folder / name, header, rows, lambda: house.command(*words))


def table_reader(
    file: Path, header: str, rows: str, read: Callable[[], tuple[int, str, str]]
) -> Reader:
    good = f"{header}\n{rows}\n".lstrip().encode()
    return Reader(file, good, lambda kind: kinds.table(kind, header, rows), read)


def toml_reader(file: Path, good: str, read: Callable[[], tuple[int, str, str]]) -> Reader:
    return Reader(file, good.encode(), lambda kind: kinds.toml(kind, good), read)


def labels(house: House) -> Reader:
    write_atomic(house.folder / "photos" / "a.jpg", as_bytes(draw_photo(4)))
    header, row = "file,expression,licence,author,gender", "a.jpg,happy,CC BY 4.0,Ann,"
    table = house.folder / "labels.csv"
    return a_table(
        house, "labels.csv", header, row, "import", house.folder / "photos", "--labels", table
    )


def pairs(house: House) -> Reader:
    row = f"{house.photo},https://a.example/3.jpg,yes,x"
    table = house.folder / "pairs.csv"
    return a_table(house, "pairs.csv", "a,b,same,kind", row, "dedup", "calibrate", "--pairs", table)


def plain_verdicts(house: House) -> Reader:
    row = f"{house.photo},happy,a note,yes"
    table = house.folder / "simple.csv"
    return a_table(house, "simple.csv", "sha256,label,note,unsure", row, "review", "import", table)


def exchanged_verdicts(house: House) -> Reader:
    known = {
        "round": "photos", "photo": house.photo, "decision": "relabel", "expression": "sad", "reviewer": "ann",
        "at": "2026-05-17T12:00:00+00:00", "uid": "u1", "undone": "", "undone_by": "ann",
    }  # fmt: skip
    return an_exchange(house, "verdicts.csv", known)


def boxes(house: House) -> Reader:
    known = {
        "round": "faces", "photo": house.photo, "decision": "drop", "reason": "unclear", "reviewer": "ann",
        "x": "1", "y": "2", "width": "30", "height": "40",
    }  # fmt: skip
    return an_exchange(house, "boxes.csv", known)


def an_exchange(house: House, name: str, known: dict[str, str]) -> Reader:
    """A table as `review export` writes it, of one row."""
    row = ",".join(known.get(one, "") for one in COLUMNS)
    return a_table(house, name, ",".join(COLUMNS), row, "review", "import", house.folder / name)


def gold(house: House) -> Reader:
    row = f"{house.photo},happy"
    table = house.folder / "gold.csv"
    return a_table(house, "gold.csv", "sha256,label", row, "app", "--gold", table)


def predictions(house: House) -> Reader:
    table = house.folder / "answers.csv"
    names = [f"{one}-001" for one in EXPRESSIONS]
    rows = "\n".join(f"{file},{one}" for file, one in zip(names, EXPRESSIONS, strict=True))
    words = (
        "bench",
        "external",
        "--release",
        house.release,
        "--predictions",
        table,
        "--column",
        "guess",
    )
    return a_table(house, "answers.csv", "image,guess", rows, *words)


def probabilities(house: House) -> Reader:
    table = house.folder / "numbers.csv"
    header = "image," + ",".join(f"p_{one}" for one in EXPRESSIONS)
    rows = "\n".join(f"{one}-001,0.4,{','.join(['0.1'] * 6)}" for one in EXPRESSIONS)
    words = ("bench", "external", "--release", house.release, "--predictions", table)
    return a_table(house, "numbers.csv", header, rows, *words)


def training_table(house: House) -> Reader:
    file = house.folder / "fer" / "fer2013.csv"
    cache = house.folder / "cache"

    def read() -> None:
        read_training(file, "mine", cache)
        read_source(file.parent, "mine", cache)

    rows = "\n".join(f"{n},{' '.join(['7'] * 2304)},{usage}" for n, usage in enumerate(USAGES))
    return table_reader(file, FER[0], rows, called(read))


FER = ("emotion,pixels,Usage", "3,0 9 9 0,Training")


def against(house: House) -> Reader:
    file = house.folder / "against" / "fer2013.csv"
    words = ("leaks", house.release, "--against", f"fer={file}")
    return table_reader(file, *FER, lambda: house.command(*words))


def affectnet_list(house: House) -> Reader:
    file = house.folder / "affectnet" / "training.csv"
    write_atomic(file.parent / "a.jpg", as_bytes(draw_photo(4)))
    row = "a.jpg,1,1,9,9,1.5;2,1,0.1,0.1"
    header = ",".join(affectnet.COLUMNS)
    read = called(lambda: affectnet.read_lists(file.parent, "mine"))
    return table_reader(file, header, row, read)


def ferplus_votes(house: House) -> Reader:
    row = ",".join(["a.png", "b", "0", "6", "4", *["0"] * (len(ferplus.COLUMNS) - 5)])
    for part in ferplus.PARTS:
        write_atomic(house.folder / "plus" / part / "a.png", as_bytes(draw_photo(4), "PNG"))
        write_atomic(house.folder / "plus" / part / ferplus.LIST, f"{row}\n".encode())
    file = house.folder / "plus" / next(iter(ferplus.PARTS)) / ferplus.LIST
    read = called(lambda: ferplus.read_ferplus(house.folder / "plus", "mine"))
    return table_reader(file, "", row, read)


def of_a_release(name: str) -> Callable[[House], Reader]:
    def reader(house: House) -> Reader:
        file = house.release / name
        good = file.read_text(encoding="utf-8")
        header, _, rows = good.partition("\n")

        def read() -> tuple[int, str, str]:
            found = house.command("diff", house.release, house.release)
            code, error, said = house.command("verify", house.release)
            return found if found[0] == 2 and code == 1 else (code, error, said)

        if name.endswith(".json"):
            record = json.loads(good)
            return Reader(file, good.encode(), lambda kind: kinds.record(kind, record), read)
        return table_reader(file, header, rows.rstrip("\n"), read)

    return reader


def settings_file(house: House) -> Reader:
    good = (
        'data_dir = "../data"\nworkers = 2\nseed = 7\nmin_face_px = 40\nmin_probability = 0.9\nlicences = "any"\n'
        'contact = "a@b.example"\nqueries_dir = "queries"\n'
    )
    file = house.folder / "work" / "btfer.toml"

    def read() -> tuple[int, str, str]:
        with house.monkeypatch.context() as patch:
            for name in ("BTFER_DATA_DIR", "BTFER_QUERIES_DIR", "BTFER_ENGINE"):
                patch.delenv(name, raising=False)
            patch.chdir(file.parent)
            return house.command("status")

    return toml_reader(file, good, read)


def of_the_plan(name: str) -> Callable[[House], Reader]:
    def reader(house: House) -> Reader:
        folder = house.folder / "queries"
        if not folder.is_dir():
            shutil.copytree(bundled("queries"), folder)
        house.monkeypatch.setenv("BTFER_QUERIES_DIR", str(folder))
        good = (bundled("queries") / name).read_text(encoding="utf-8")
        return toml_reader(folder / name, good, lambda: house.command("queries"))

    return reader


def prompts(house: House) -> Reader:
    good = (bundled("queries") / "prompts.toml").read_text(encoding="utf-8")
    file = house.folder / "prompts" / "prompts.toml"
    return toml_reader(file, good, called(lambda: read_prompts(file.parent, "en")))


def block_list(house: House) -> Reader:
    file = house.folder / "blocked.txt"
    good = "example.org\nhttps://a.example/people/\n"

    def read() -> None:
        found = read_block_list(file)
        assert not found.blocks("https://b.example/x.jpg", "b.example")

    return Reader(file, good.encode(), lambda kind: kinds.lines(kind, good), called(read))


def input_card(house: House) -> Reader:
    onnx_file(house.folder / "net.onnx")
    file = house.folder / "card.toml"
    good = f'classes = {json.dumps(EXPRESSIONS)}\nsize = 24\nchannels = "BGR"\nmean = [0.5]\nstd = [0.2]\n'
    words = (
        "bench",
        "external",
        "--release",
        house.release,
        "--model-file",
        house.folder / "net.onnx",
    )
    return toml_reader(file, good, lambda: house.command(*words, "--card", file))


def card_inside(house: House) -> Reader:
    card = {"classes": list(EXPRESSIONS), "name": "net", "input": {"size": 32, "range": [0, 255]}}
    file = house.folder / "net.tflite"

    def files(kind: str) -> Iterator[bytes]:
        return (zipped({"btfer.json": one}) for one in kinds.record(kind, card))

    good = zipped({"btfer.json": json.dumps(card).encode()})
    return Reader(file, good, files, called(lambda: _exported_card(file)))


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO(b"a network")
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def run_record(house: House) -> Reader:
    images = speck_release(house.folder / "specks", 1)
    made = draw_scored_run(house.folder / "data" / "runs", images, drawn_answers(images, 0.6, 1))
    file = made.folder / "run.json"
    good = json.loads(file.read_text())
    return Reader(
        file,
        file.read_bytes(),
        lambda kind: kinds.record(kind, good),
        lambda: house.command("bench", "runs"),
    )


def bundle(member: str) -> Callable[[House], Reader]:
    def reader(house: House) -> Reader:
        images = speck_release(house.folder / "specks", 1)
        file = draw_bundle(house.folder / "bundles", images)
        with zipfile.ZipFile(file) as archive:
            good = {name: archive.read(name) for name in archive.namelist()}
        text = good[member].decode()
        header, _, rows = text.partition("\n")

        def files(kind: str) -> Iterator[bytes]:
            inside = (
                kinds.record(kind, json.loads(text))
                if member == CARD
                else kinds.table(kind, header, rows.rstrip("\n"))
            )
            return (zipped(good | {member: one}) for one in inside)

        return Reader(file, zipped(good), files, called(lambda: read_bundle(file)))

    return reader


READERS: dict[str, Callable[[House], Reader]] = {
    "labels": labels,
    "pairs": pairs,
    "verdicts, plain": plain_verdicts,
    "verdicts, exported": exchanged_verdicts,
    "verdicts on boxes": boxes,
    "gold": gold,
    "predictions": predictions,
    "predictions as numbers": probabilities,
    "FER2013": training_table,
    "leaks --against": against,
    "AffectNet": affectnet_list,
    "FER+": ferplus_votes,
    "metadata.csv": of_a_release("metadata.csv"),
    "attribution.csv": of_a_release("attribution.csv"),
    "sources.csv": of_a_release("sources.csv"),
    "release.json": of_a_release("release.json"),
    "btfer.toml": settings_file,
    "expressions.toml": of_the_plan("expressions.toml"),
    "people.toml": of_the_plan("people.toml"),
    "sources.toml": of_the_plan("sources.toml"),
    "languages/en.toml": of_the_plan("languages/en.toml"),
    "prompts.toml": prompts,
    "blocked.txt": block_list,
    "card of a network": input_card,
    "card inside a network": card_inside,
    "run.json": run_record,
    "card of a bundle": bundle(CARD),
    "predictions of a bundle": bundle(PREDICTIONS),
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_release(tmp_path_factory.mktemp("released"))


@pytest.fixture
def house(
    photo: str,
    released: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> House:
    copy = tmp_path / "releases" / released.name
    shutil.copytree(released, copy)
    return House(tmp_path, photo, copy, monkeypatch, capsys)


def fault_of(reader: Reader, data: bytes, state: Callable[[], object]) -> str:
    """What is wrong with how a file was read; '' where nothing is."""
    write_atomic(reader.file, data)
    before = state()
    try:
        code, error, said = reader.read()
    except Exception as crash:  # any that is no refusal
        return f"{type(crash).__name__}: {crash}"[:300]
    lines = [one for one in error.splitlines() if not one.startswith("skipped ")]
    if reader.file.read_bytes() != data:
        return "the file was changed"
    if code == 2 and (len(lines) != 1 or state() != before):
        return f"{len(lines)} lines, or something was changed: {error[:200]}"
    if code not in (0, 1, 2, 3) or len(error) > LONGEST_MESSAGE:
        return f"exit code {code}, {len(error):,} letters: {error[:200]}"
    return (
        "a terminal obeys what it says" if any(one in error + said for one in "\x1b\0\x07") else ""
    )


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(one, marks=pytest.mark.reliability(f"hostile tables and records: {one}"))
        for one in kinds.KINDS
    ],
)
@pytest.mark.parametrize("name", READERS)
def test_a_hostile_file_is_read_or_refused_in_one_line_and_changes_nothing(
    cat: Catalogue,
    settings: Settings,
    house: House,
    name: str,
    kind: str,
    record_property: Callable[[str, object], None],
) -> None:
    reader = READERS[name](house)

    def state() -> object:
        return (
            photos.count(cat),
            verdicts.of_photo(cat, house.photo),
            sorted(str(one) for one in settings.data_dir.glob("*/*")),
        )

    faults = [fault_of(reader, data, state) for data in reader.files(kind)]
    found = [one for one in faults if one]
    record_property("tries", (len(faults), len(found)))
    assert len(faults) >= 1
    assert not found


@pytest.mark.parametrize("name", READERS)
def test_every_reader_takes_its_file_as_it_must_be(house: House, name: str) -> None:
    """Else what is refused above would be refused for another reason."""
    reader = READERS[name](house)
    write_atomic(reader.file, reader.good)
    code, error, said = reader.read()
    assert code in (0, 1), error  # 1: too few pairs to measure, or no face to search for
    assert code == 0 or name in ("pairs", "leaks --against"), said
