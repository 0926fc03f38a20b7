"""Releases, runs, cards and bundles of strangers: damaged, or with values of another kind in their places."""

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.runs.listing import run_rows
from btfer.bench.runs.record import RunRecord
from btfer.bench.runs.store import RunStore
from btfer.bench.submit.bundle import (
    CARD,
    PREDICTIONS,
    as_bytes,
    parsed,
    predictions_csv,
    read_bundle,
)
from btfer.bench.submit.checks import check_bundle
from btfer.bench.systems.input_card import read_input_card
from btfer.bench.systems.networks import _exported_card
from btfer.expressions import EXPRESSIONS
from btfer.leaks.subjects import released_images
from btfer.pipeline.diff import diff
from btfer.pipeline.release_metadata import read_credits, read_metadata, read_origins
from btfer.pipeline.verify import verify
from btfer.release_record import read_crop_settings, read_record
from tests.bench.drawn_bundles import draw_scored_run, drawn_answers, drawn_card, speck_release
from tests.fuzz import cases
from tests.fuzz.driver import fuzz
from tests.fuzz.test_tables import unchanged
from tests.pipeline.test_release import sign
from tests.small_release import small_release


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of one picture a class, with sources, credits and packed forms."""
    return small_release(tmp_path_factory.mktemp("released"))


FILES = (
    "metadata.csv", "attribution.csv", "sources.csv", "faces.jsonl", "release.json", "croissant.json", "README.md",
    "SHA256SUMS", "images/test/happy/happy-001.png", "parquet", "webdataset",
)  # fmt: skip


def file_of(folder: Path, name: str) -> Path:
    """The file of that name, or the first in a folder of that name."""
    found = folder / name
    return sorted(one for one in found.rglob("*") if one.is_file())[0] if found.is_dir() else found


CHANGED = (
    "nan", "inf", "-1", "1e999", "9" * 5000, "../x", "\x1b[2J", "=1+1", "<![x[", '"', ",", "",
    "0001-01-01T00:00:00+14:00",
)  # fmt: skip


@st.composite
def other_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """A file after some changes: of bytes, of words, or of values where it is JSON."""
    how = draw(st.sampled_from(["bytes", "words", "values"]))
    if how == "values" and data[:1] == b"{" and b"\n{" not in data:
        return cases.as_json(draw(cases.odd_records(json.loads(data))))
    if how == "bytes" or not data.isascii():
        return cases.mutated(data, draw(cases.mutations(4)))
    words = data.decode().split(",")
    for _ in range(draw(st.integers(1, 3))):
        words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(CHANGED))
    return ",".join(words).encode()


@fuzz(8, name=st.sampled_from(FILES), signed=st.booleans(), data=st.data())
def test_a_changed_release(
    released: Path, place: Path, name: str, signed: bool, data: st.DataObject
) -> None:
    copy = place / "changed"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    folder = copy / released.name
    shutil.copytree(released, folder)
    file = file_of(folder, name)
    file.write_bytes(data.draw(other_bytes(file.read_bytes())))
    folder = sign(folder) if signed and name != "SHA256SUMS" else folder
    before = {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    try:
        for check in verify(folder):
            assert all(line.isprintable() for line in (*check.problems, *check.notes))
        read_all(folder)
    finally:
        assert before == {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def read_all(folder: Path) -> None:
    """By every other reader of a release; the first that refuses it ends the case."""
    read_crop_settings(folder)
    read_record(folder)
    read_metadata(folder)
    read_credits(folder)
    read_origins(folder)
    released_images(folder)
    load_release(folder)
    diff(folder, folder)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return speck_release(tmp_path_factory.mktemp("specks") / "release", 2)


@pytest.fixture(scope="module")
def run_json(images: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("drawn")
    made = draw_scored_run(folder, images, drawn_answers(images, 0.6, 1))
    return (made.folder / "run.json").read_bytes()


@fuzz(20, data=st.data())
def test_the_record_of_a_run(run_json: bytes, place: Path, data: st.DataObject) -> None:
    file = place / "runs" / "one" / "run.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    changed = data.draw(other_bytes(run_json))
    store = RunStore(place / "runs")
    found = unchanged(file, changed, lambda: store.read(file.parent))
    if found is None:
        return
    assert isinstance(found, RunRecord)
    json.dumps(found.to_json())
    assert isinstance(found.title, str)
    assert isinstance(found.when, str)
    store.with_network()
    run_rows(store)
    assert store.record("one").id == found.id


@fuzz(
    20,
    text=cases.odd_texts(
        (
            "classes",
            "size",
            "mean",
            "std",
            "range",
            "claimed",
            "template",
            "=",
            "[",
            "]",
            '"',
            ",",
            "{",
            "}",
            "1",
            "0.5",
            "nan",
            "-1",
            "1e999",
            "\n",
            *EXPRESSIONS,
        )
    ),
    data=st.data(),
)
def test_the_card_of_a_network(place: Path, text: str, data: st.DataObject) -> None:
    file, good = place / "card.toml", f"classes = {json.dumps(EXPRESSIONS)}\n"
    start = data.draw(st.sampled_from(["", good]))
    written = f"{start}{text}".encode("utf-8", "surrogatepass")
    written = cases.mutated(written, data.draw(cases.mutations(3) | st.just([])))
    assert set(EXPRESSIONS) <= set(unchanged(file, written, lambda: read_input_card(file)).classes)


@fuzz(20, data=st.data())
def test_the_card_inside_a_network(place: Path, data: st.DataObject) -> None:
    card = {"classes": list(EXPRESSIONS), "input": {"size": 48}}
    packed = io.BytesIO(b"a network")
    with zipfile.ZipFile(packed, "a") as archive:
        said = data.draw(cases.odd_records(card).map(cases.as_json) | st.binary(max_size=40))
        archive.writestr("btfer.json", said)
    written = cases.mutated(packed.getvalue(), data.draw(cases.mutations(3) | st.just([])))
    file = place / "net.tflite"
    unchanged(file, written, lambda: _exported_card(file))


@st.composite
def bundles(draw: st.DrawFn, images: ImageSet) -> bytes:
    """A bundle with another card, other predictions, more in it, or other bytes."""
    table = predictions_csv(images.files, drawn_answers(images, 0.6, 1, silent=1))
    if draw(st.booleans()):
        table = draw(other_bytes(table))
    card = drawn_card(images, drawn_answers(images, 0.6, 1), "net")
    card = replace(card, predictions_sha256=hashlib.sha256(table).hexdigest())
    whole = as_bytes(card, table)
    if draw(st.booleans()):
        whole = with_card(whole, draw)
    return cases.mutated(whole, draw(cases.mutations(4) | st.just([])))


def with_card(whole: bytes, draw: st.DrawFn) -> bytes:
    """A bundle with odd values on its card, packed by another program."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        card, table = json.loads(archive.read(CARD)), archive.read(PREDICTIONS)
    packed = io.BytesIO()
    way = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]))
    with zipfile.ZipFile(packed, "w", way) as archive:
        archive.writestr(CARD, cases.as_json(draw(cases.odd_records(card))))
        archive.writestr(PREDICTIONS, table)
        if draw(st.booleans()):
            archive.writestr(
                draw(st.sampled_from(["../x", "a/", "/x", "C:\\x", ".DS_Store", "x"])), b"x"
            )
    return packed.getvalue()


@fuzz(20, data=st.data())
def test_a_bundle(images: ImageSet, place: Path, data: st.DataObject) -> None:
    file, written = place / "bundle.zip", data.draw(bundles(images))
    found = unchanged(file, written, lambda: read_bundle(file))
    assert found.probabilities.shape == (len(found.files), len(EXPRESSIONS))
    answered = found.probabilities[~np.isnan(found.probabilities)]
    assert ((answered >= 0) & (answered <= 1)).all()
    check_bundle(found, images)


@fuzz(20, data=st.data())
def test_the_predictions_of_a_bundle(images: ImageSet, data: st.DataObject) -> None:
    table = predictions_csv(images.files, drawn_answers(images, 0.6, 1, silent=1))
    files, found = parsed(Path("bundle.zip"), data.draw(other_bytes(table)))
    assert found.shape == (len(files), len(EXPRESSIONS))
