"""A bundle is a stranger's file: what is odd in it is refused in one line, and nothing of it touches the disk."""

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btfer.bench.datasets import ImageSet
from btfer.bench.submit import as_bytes, check_bundle, read_bundle
from btfer.bench.submit.bundle import CARD, PREDICTIONS, predictions_csv
from btfer.errors import UsageError
from tests.bench.drawn_bundles import draw_bundle, drawn_answers, drawn_card, speck_release


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return speck_release(tmp_path_factory.mktemp("release") / "specks-1")


Members = dict[str, bytes]


def members(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: Members, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data, **options)
    return buffer.getvalue()


def with_card(change: Callable[[dict[str, Any]], Any]) -> Callable[[Members], bytes]:
    def apply(content: Members) -> bytes:
        card = json.loads(content[CARD])
        change(card)
        return packed({**content, CARD: json.dumps(card).encode()})

    return apply


def with_rows(change: Callable[[list[str]], Any]) -> Callable[[Members], bytes]:
    """Other predictions, of which the card knows the hash."""

    def apply(content: Members) -> bytes:
        lines = content[PREDICTIONS].decode().splitlines()
        change(lines)
        data = "\n".join(lines).encode()
        card = json.loads(content[CARD]) | {"predictions_sha256": hashlib.sha256(data).hexdigest()}
        return packed({CARD: json.dumps(card).encode(), PREDICTIONS: data})

    return apply


def _twice(content: Members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (*content.items(), (f"b/{CARD}", b"{}")):
            archive.writestr(name, data)
    return buffer.getvalue()


@cache
def _much() -> bytes:
    """70 MB of nothing in a member of 70 kB."""
    return packed({PREDICTIONS: b"0" * (70 << 20), CARD: b"{}"})


def _bomb(_: Members) -> bytes:
    return _much()


def _bomb_that_lies(content: Members) -> bytes:
    """The directory says that 70 MB are 10 bytes."""
    data = bytearray(_bomb(content))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.rfind(mark)
        data[at + place : at + place + 4] = struct.pack("<I", 10)
    return bytes(data)


def _flipped(content: Members) -> bytes:
    data = bytearray(as_plain(content))
    data[len(content[CARD]) // 2] ^= 1
    return bytes(data)


def _crushed(way: int) -> Callable[[Members], bytes]:
    """A bundle whose packed bytes are others: what unpacks them fails before any checksum."""

    def apply(content: Members) -> bytes:
        data = bytearray(packed(content, compress_type=way))
        start = 30 + len(CARD) + 20
        data[start : start + 60] = bytes(range(255, 195, -1))
        return bytes(data)

    return apply


def as_plain(content: Members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _encrypted(content: Members) -> bytes:
    data = bytearray(packed(content))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def _set(name: str, value: Any) -> Callable[[Members], bytes]:
    return with_card(lambda card: card.__setitem__(name, value))


def _stated(name: str, value: Any) -> Callable[[Members], bytes]:
    return with_card(lambda card: card["stated"].__setitem__(name, value))


def _row(number: int, text: str) -> Callable[[Members], bytes]:
    def change(lines: list[str]) -> None:
        lines[number] = f"{lines[number].split(',')[0]},{text}"

    return with_rows(change)


ODD: dict[str, tuple[Callable[[Members], bytes], str]] = {
    "no zip": (lambda _: b"PK nonsense", "not a whole zip"),
    "an empty file": (lambda _: b"", "not a whole zip"),
    "half of one": (lambda c: packed(c)[:-300], "not a whole zip"),
    "a flipped bit": (_flipped, "not a whole zip"),
    "damaged bytes, packed": (_crushed(zipfile.ZIP_DEFLATED), "not a whole zip"),
    "damaged bytes, packed by LZMA": (_crushed(zipfile.ZIP_LZMA), "not a whole zip"),
    "damaged bytes, packed by bzip2": (_crushed(zipfile.ZIP_BZIP2), "not a whole zip"),
    "no card": (lambda c: packed({PREDICTIONS: c[PREDICTIONS]}), "it has no card.json"),
    "no predictions": (lambda c: packed({CARD: c[CARD]}), "it has no predictions.csv"),
    "a third file": (lambda c: packed({**c, "face.png": b"x"}), "holds more than card.json"),
    "another name": (lambda c: packed({CARD: c[CARD], "p.csv": b"x"}), "it holds 'p.csv'"),
    "a way out": (
        lambda c: packed({"../card.json": c[CARD], PREDICTIONS: b""}),
        "not a path inside",
    ),
    "an absolute path": (lambda c: packed({"/etc/card.json": c[CARD]}), "not a path inside"),
    "a drive": (lambda c: packed({"C:\\card.json": c[CARD]}), "not a path inside"),
    "a card twice": (_twice, "holds more than"),
    "a bomb": (_bomb, "unpacks to more than"),
    "a bomb that lies": (_bomb_that_lies, ""),
    "an encrypted one": (_encrypted, "encrypted"),
    "many empty folders": (lambda c: packed({f"d{n}/": b"" for n in range(99)} | c), "more than"),
    "a card of another format": (_set("format", "btfer-bundle-9"), "'btfer-bundle-9'"),
    "a card that is a list": (lambda c: packed({**c, CARD: b"[]"}), "is of format None"),
    "a card that nests": (lambda c: packed({**c, CARD: b"[" * 99_999}), "is not JSON"),
    "NaN in the card": (
        lambda c: packed({**c, CARD: c[CARD].replace(b"1.0", b"NaN", 1)}),
        "NaN is not a number",
    ),
    "a card in UTF-16": (lambda c: packed({**c, CARD: c[CARD].decode().encode("utf-16")}), "UTF-8"),
    "half of a character": (_set("name", "\ud800"), "half of a character"),
    "no name": (_set("name", " "), "'name' is not a text"),
    "a name that turns the line": (_set("name", "net\u202egnp"), "one printable line"),
    "a name that towers over others": (_set("by", "Z" + "\u0301" * 60), "over one letter"),
    "a name of a page": (_set("name", "x" * 500), "longer than 120"),
    "a folder": (_set("by", "ann, /data/nets"), "a path of a machine"),
    "a script as link": (_set("link", "javascript:alert(1)"), "begins with https"),
    "a space in a link": (_set("link", "https://a.org/ x"), "begins with https"),
    "an accuracy of 7": (with_card(lambda c: c["claimed"].update(accuracy=7)), "from 0 to 1"),
    "parameters in words": (_stated("parameters", "many"), "no whole number"),
    "negative leaks": (_stated("leaks", -1), "out of range"),
    "a huge number": (_stated("parameters", 10**40), "out of range"),
    "true parameters": (_stated("parameters", True), "no whole number"),
    "another part": (_set("part", "validation"), "'part' is"),
    "a short digest": (_set("run", "3f2a"), "12 hexadecimal digits"),
    "other predictions": (
        lambda c: packed({**c, PREDICTIONS: c[PREDICTIONS] + b"\n"}),
        "not the one that card.json was written for",
    ),
    "NaN": (_row(1, "nan,0,0,0,0,0,1"), "line 2: ['nan'"),
    "infinity": (_row(2, "inf,0,0,0,0,0,0"), "line 3: ['inf'"),
    "a sum of 2": (_row(1, "1,1,0,0,0,0,0"), "sum to 2.0000"),
    "a negative one": (_row(1, "-0.5,1.5,0,0,0,0,0"), "not probabilities"),
    "an underscore": (_row(1, "1_0e-1,0,0,0,0,0,0"), "'1_0e-1' is no number"),
    "a word": (_row(1, "yes,0,0,0,0,0,1"), "'yes' is no number"),
    "a hole": (_row(1, "0.5,,0.5,0,0,0,0"), "'' is no number"),
    "a row twice": (with_rows(lambda lines: lines.append(lines[1])), "stands in line 2 already"),
    "no rows": (with_rows(lambda lines: lines.__delitem__(slice(1, None))), "no rows"),
    "a path in a row": (
        with_rows(lambda lines: lines.__setitem__(1, f"../{lines[1]}")),
        "not a path inside",
    ),
    "no column of a class": (
        with_rows(lambda lines: lines.__setitem__(0, "file,p_sad")),
        "has no column",
    ),
    "an open quote": (with_rows(lambda lines: lines.__setitem__(1, f'"{lines[1]}')), "quote"),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_is_refused_in_one_line(what: str, tmp_path: Path, images: ImageSet) -> None:
    change, words = ODD[what]
    path = draw_bundle(tmp_path / "b", images)
    path.write_bytes(change(members(path)))
    with pytest.raises(UsageError) as refused:
        read_bundle(path)
    said = str(refused.value)
    assert words in said
    assert str(path) in said
    assert len(said.splitlines()) == 1
    assert len(said) < 700
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [path]


def test_a_bundle_that_somebody_unpacked_and_packed_again_is_still_one(
    tmp_path: Path, images: ImageSet
) -> None:
    path = draw_bundle(tmp_path / "b", images)
    content = {f"my net/{name}": data for name, data in members(path).items()}
    path.write_bytes(packed({"my net/": b"", **content, "__MACOSX/my net/._card.json": b"x"}))
    assert check_bundle(read_bundle(path), images).differences == ()


def test_the_same_bundle_is_the_same_bytes_and_comes_back_as_it_was(
    tmp_path: Path, images: ImageSet
) -> None:
    answers = drawn_answers(images, 0.5, 3, silent=4).astype("float32").astype(float)
    answers[5] = 0
    card = drawn_card(images, answers, "net")
    table = predictions_csv(images.files, answers)
    assert as_bytes(card, table) == as_bytes(card, table)
    path = tmp_path / "one.zip"
    path.write_bytes(as_bytes(card, table))
    back = read_bundle(path)
    assert back.card == card
    assert np.array_equal(
        back.probabilities.astype("float32"), answers.astype("float32"), equal_nan=True
    )


def test_another_release_other_images_and_false_claims_are_named(
    tmp_path: Path, images: ImageSet
) -> None:
    other = speck_release(tmp_path / "other-1", 12, first=1)
    bundle = read_bundle(draw_bundle(tmp_path / "b", images))
    with pytest.raises(UsageError, match=r"was scored on the release specks-1 .* other-1 is"):
        check_bundle(bundle, other)
    answers = drawn_answers(images, 0.5, 3)
    honest = drawn_card(images, answers, "net")
    for files, words in (
        (images.files[1:], r"83 of the 84 images of specks-1; images/test/angry/angry-000.png is"),
        ((*images.files[1:], "images/x.png"), "1 images that are not in specks-1: 'images/x.png'"),
    ):
        path = tmp_path / "partial.zip"
        table = predictions_csv(files, answers[: len(files)])
        card = replace(honest, predictions_sha256=hashlib.sha256(table).hexdigest())
        path.write_bytes(as_bytes(card, table))
        with pytest.raises(UsageError, match=words):
            check_bundle(read_bundle(path), images)
    boast = draw_bundle(tmp_path / "b", images, claimed={"accuracy": 0.92, "ece": None})
    found = check_bundle(read_bundle(boast), images)
    said = [str(one) for one in found.differences]
    right = float(found.right.mean())
    assert said[0] == f"claims accuracy 0.92, and its predictions give {right:.6f}"
    assert [one.score for one in found.differences] == [
        *("accuracy", "macro_recall", "macro_f1", "coverage", "accuracy_answered", "ece"),
    ]
    assert found.scores["accuracy"] == pytest.approx(right, abs=1e-6)


PACKED_AGAIN: dict[str, Callable[[Members], Members]] = {
    "by a tool of Windows": lambda c: {f"my net\\{name}": data for name, data in c.items()},
    "by its explorer": lambda c: {**c, "Thumbs.db": b"x", "desktop.ini": b"x"},
    "after a look with an editor": lambda c: {**c, CARD: b"\xef\xbb\xbf" + c[CARD]},
}


@pytest.mark.parametrize("change", PACKED_AGAIN.values(), ids=PACKED_AGAIN)
def test_a_bundle_that_was_packed_again_on_windows_is_still_one(
    change: Callable[[Members], Members], tmp_path: Path, images: ImageSet
) -> None:
    path = draw_bundle(tmp_path / "b", images)
    path.write_bytes(packed(change(members(path))))
    assert check_bundle(read_bundle(path), images).differences == ()


def test_predictions_that_a_spreadsheet_saved_again_are_said_to_be(
    tmp_path: Path, images: ImageSet
) -> None:
    path = draw_bundle(tmp_path / "b", images)
    content = members(path)
    path.write_bytes(packed({**content, PREDICTIONS: content[PREDICTIONS].replace(b"\n", b"\r\n")}))
    with pytest.raises(UsageError, match="saved again by another program"):
        read_bundle(path)
