"""Tables of strangers, settings, plans and words of licences: each reader with what nobody meant for it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from btfer.bench.datasets import ImageSet, affectnet, ferplus, load_release, read_source
from btfer.bench.datasets.ferplus import read_ferplus
from btfer.bench.systems.prediction_files import read_predictions
from btfer.catalogue import Catalogue, open_catalogue
from btfer.csv_reader import first_row_of, read_csv
from btfer.errors import BtferError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.leaks.training import read_training
from btfer.licences import (
    RULES,
    Stated,
    agree,
    author_key,
    conflict,
    licence_shown,
    parse_licence,
    resolve,
    strictest,
    terms,
)
from btfer.paths import bundled
from btfer.pipeline.calibrate_file import read_pairs
from btfer.queries import Query, load_plan
from btfer.review import import_verdicts
from btfer.review.exchange import check_columns
from btfer.review.exchange_rows import COLUMNS
from btfer.review.gold import read_gold
from btfer.safe_paths import relative_name
from btfer.settings import load_settings
from btfer.sources.blocklist import read_block_list
from btfer.sources.folder import list_folder
from tests.bench.drawn_bundles import speck_release
from tests.conftest import as_bytes, draw_photo, take_in
from tests.fuzz import cases
from tests.fuzz.driver import fuzz

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")
CELLS = (
    "", "happy", "sad", "a.jpg", "b/c.png", "yes", "no", "drop", "drop:blurred", "keep", "relabel", "NaN", "inf",
    "1e999", "-1",
    "0.5", "0,5", "50 %", "3", "0 9 9 0", "ann", "photos", "faces", '"', '""', "'", ",", ";", "\t", "\n", "\r",
    " ", "\0", "\ufeff", "\x1b[2J", "=HYPERLINK(0)", "../x", "/etc/passwd", "/dev/zero", "https://a.org/", "CC BY 4.0",
    "<![x[", "é", "ı", "²", "\u2028", "\U0001f600", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "2026-05-17T12:00:00Z", "x" * 10_000, "1" * 5_000,
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn, columns: list[str], rows: list[list[str]]) -> bytes:
    """A table of some columns, right rows among odd ones, in some encoding, with bytes changed here and there."""
    header = draw(st.permutations(columns) if draw(st.booleans()) else st.just(columns))
    if draw(st.integers(0, 4)) == 0:
        header = [*header, draw(st.sampled_from(["", "x", *columns]))]
    lines = [header]
    for _ in range(draw(st.integers(0, 4))):
        row = list(draw(st.sampled_from(rows)))
        for _ in range(draw(st.integers(0, 2))):
            row[draw(st.integers(0, len(row) - 1))] = draw(
                st.sampled_from(CELLS) | st.text(max_size=6)
            )
        named = dict(zip(columns, row, strict=True))
        lines.append([named.get(name, "") for name in header])
    comma = draw(st.sampled_from([",", ",", ",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoted = draw(st.booleans())
    cells = [[f'"{one}"' if quoted else one for one in line] for line in lines]
    text = end.join(map(comma.join, cells)) + draw(st.sampled_from(["", end, end * 2]))
    data = text.encode(draw(st.sampled_from(ENCODINGS)), "replace")
    return cases.mutated(data, draw(cases.mutations(3))) if draw(st.integers(0, 2)) == 0 else data


def unchanged(file: Path, data: bytes, read: Callable[[], Any]) -> Any:
    """Read a file, and look that it lies there as before, with nothing beside it that was not there."""
    file.write_bytes(data)
    before = sorted(file.parent.rglob("*"))
    try:
        return read()
    finally:
        assert file.read_bytes() == data
        assert sorted(file.parent.rglob("*")) == before


@fuzz(30, data=tables(["a", "b", "c"], [["1", "2", "3"]]), own=st.booleans())
def test_any_table(place: Path, data: bytes, own: bool) -> None:
    file = place / "any.csv"
    found = unchanged(file, data, lambda: read_csv(file, own=own, required=("a",), known=("b",)))
    for row in found:
        assert set(row.values) == set(found.columns)
        assert not any("\0" in cell for cell in row.values.values())


@fuzz(15, data=st.binary(max_size=300), n_columns=st.integers(0, 12))
def test_a_table_of_any_bytes(place: Path, data: bytes, n_columns: int) -> None:
    file = place / "bytes.csv"
    file.write_bytes(data)
    assert all(isinstance(cell, str) for cell in first_row_of(file, n_columns=n_columns))
    unchanged(file, data, lambda: read_csv(file))


@pytest.fixture(scope="module")
def photos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "b").mkdir()
    for name in ("a.jpg", "b/c.png"):
        (folder / name).write_bytes(b"x")
    return folder


RIGHTS = ["file", "expression", "licence", "licence_url", "author", "gender"]
LABELS = [["a.jpg", "happy", "CC BY 4.0", "", "Ann", ""], ["b/c.png", "", "", "", "", "female"]]


@fuzz(20, data=tables(RIGHTS, LABELS))
def test_labels(place: Path, photos_folder: Path, data: bytes) -> None:
    file = place / "labels.csv"
    found = unchanged(file, data, lambda: list_folder(photos_folder, file))
    assert all(one.path.is_relative_to(photos_folder.resolve()) for one in found)
    assert all(one.query.expression in ("", *EXPRESSIONS) for one in found)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Catalogue, str]]:
    """A catalogue with one photo, and its sha256."""
    folder = tmp_path_factory.mktemp("catalogue")
    cat = open_catalogue(f"sqlite:///{folder / 'catalogue.db'}")
    data = as_bytes(draw_photo(3))
    yield cat, take_in(cat, folder, data, Query("happy person", "happy"), "https://a.example/3.jpg")
    cat.close()


PHOTO = "{photo}"
VERDICTS = [
    [
        "photos",
        PHOTO,
        "",
        "",
        "",
        "",
        "keep",
        "",
        "",
        "ann",
        "2026-05-17T12:00:00+00:00",
        *[""] * 7,
    ],
    ["photos", PHOTO, "", "", "", "", "relabel", "", "sad", "bob", "", *[""] * 7],
    [
        "faces",
        PHOTO,
        "1",
        "2",
        "3",
        "4",
        "drop",
        "blurred",
        "",
        "ann",
        "2026-05-17T12:00:00Z",
        *[""] * 7,
    ],
]


def import_all(cat: Catalogue, file: Path) -> Any:
    """As `btfer review import` does."""
    rows = read_csv(file, may_be_empty=True)
    check_columns(rows.columns)
    lines = [one.line for one in rows]
    return import_verdicts(cat, [one.values for one in rows], "me", lines=lines)


@fuzz(20, data=tables(list(COLUMNS), VERDICTS))
def test_verdicts(place: Path, kept: tuple[Catalogue, str], data: bytes) -> None:
    cat, photo = kept
    file = place / "verdicts.csv"
    data = data.replace(PHOTO.encode(), photo.encode())
    found = unchanged(file, data, lambda: import_all(cat, file))
    assert found.added + found.known + found.unknown >= 0


SIMPLE = ["sha256", "label", "note", "unsure"]


@fuzz(20, data=tables(SIMPLE, [[PHOTO, "happy", "", ""], [PHOTO, "drop:blurred", "x", "yes"]]))
def test_labels_as_verdicts_and_right_answers(
    place: Path, kept: tuple[Catalogue, str], data: bytes
) -> None:
    cat, photo = kept
    file = place / "simple.csv"
    data = data.replace(PHOTO.encode(), photo.encode())
    unchanged(file, data, lambda: import_all(cat, file))
    unchanged(file, data, lambda: read_gold(file))


@fuzz(20, data=tables(["a", "b", "same", "kind"], [[PHOTO, "https://a.example/3.jpg", "yes", "x"]]))
def test_pairs(place: Path, kept: tuple[Catalogue, str], data: bytes) -> None:
    cat, photo = kept
    file = place / "pairs.csv"
    data = data.replace(PHOTO.encode(), photo[:12].encode())
    unchanged(file, data, lambda: read_pairs(cat, file))


@pytest.fixture(scope="module")
def specks(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return speck_release(tmp_path_factory.mktemp("specks") / "release", 1)


ANSWERS = [
    [f"{name}-000.png", name, *(str(int(one == name)) for one in EXPRESSIONS)]
    for name in EXPRESSIONS
]


@pytest.mark.parametrize("columns", [2, 9])
@fuzz(20, data=st.data())
def test_predictions(place: Path, specks: ImageSet, columns: int, data: st.DataObject) -> None:
    names = ["image", "predicted", *(f"p_{name}" for name in EXPRESSIONS)][:columns]
    drawn = data.draw(tables(names, [row[:columns] for row in ANSWERS]))
    file = place / "answers.csv"
    found = unchanged(file, drawn, lambda: read_predictions(file, specks))
    assert found.shape == (len(specks), len(EXPRESSIONS))
    assert np.isnan(found).any() or (found >= 0).all()


FER = [["3", "0 9 9 0", "Training"], ["0", " ".join(["7"] * 2304), "PublicTest"]]


@fuzz(20, data=tables(["emotion", "pixels", "Usage"], FER))
def test_a_training_set_as_a_table(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("fer")
    try:
        (folder / "fer2013.csv").write_bytes(data)
        for read in (
            lambda: read_training(folder / "fer2013.csv", "mine", folder / "cache"),
            lambda: read_source(folder, "mine", folder / "cache"),
        ):
            read_or_refused(read)
    finally:
        shutil.rmtree(folder)


def read_or_refused(read: Callable[[], Any]) -> None:
    """Another reader of the same file follows."""
    with suppress(BtferError):
        read()


AFFECT = [["a.jpg", "1", "1", "9", "9", "1.5;2", "1", "0.1", "0.1"], ["b/c.png", *["0"] * 8]]


@fuzz(
    15, data=tables(list(affectnet.COLUMNS), AFFECT), name=st.sampled_from(sorted(affectnet.LISTS))
)
def test_a_list_of_affectnet(photos_folder: Path, place: Path, data: bytes, name: str) -> None:
    folder = place / "affectnet"
    if not folder.is_dir():
        shutil.copytree(photos_folder, folder)
    file = folder / name
    try:
        unchanged(file, data, lambda: affectnet.read_lists(folder, "mine"))
    finally:
        file.unlink()


@fuzz(15, data=st.data())
def test_an_annotation_of_affectnet(place: Path, data: st.DataObject) -> None:
    folder = place / "annotated"
    for part in ("images", "annotations"):
        (folder / "train_set" / part).mkdir(parents=True, exist_ok=True)
    (folder / "train_set" / "images" / "1.jpg").write_bytes(b"x")
    file = folder / "train_set" / "annotations" / "1_exp.npy"
    np.save(file, np.array(data.draw(st.sampled_from(["1", 3.0, 1e300, [1, 2], b"x"]))))
    changed = cases.mutated(file.read_bytes(), data.draw(cases.mutations(3)))
    unchanged(file, changed, lambda: affectnet.read_annotations(folder, "mine"))


VOTES = [["a.jpg", "(0, 0, 48, 48)", *["0", "5", "5", "0", "0", "0", "0", "0", "0", "0"]]]


@fuzz(15, data=st.data())
def test_the_votes_of_ferplus(place: Path, data: st.DataObject) -> None:
    names = list(ferplus.COLUMNS)
    row = (VOTES[0] + ["0"] * len(names))[: len(names)]
    for part in ferplus.PARTS:
        (place / "plus" / part).mkdir(parents=True, exist_ok=True)
        (place / "plus" / part / "a.jpg").write_bytes(b"x")
        (place / "plus" / part / ferplus.LIST).write_text(",".join(row) + "\n")
    file = place / "plus" / next(iter(ferplus.PARTS)) / ferplus.LIST
    unchanged(file, data.draw(tables(names, [row])), lambda: read_ferplus(place / "plus", "mine"))


BLOCKED = (
    "example.org", "*.example.org", "https://a.org/x", "http://[", "https://", "*", "#", " ", "\n", "\r", "\t", "\0",
    ":", "@", "é", "xn--", ".", "\ufeff", "\ud800", "%41", ":99999",
)  # fmt: skip


@fuzz(20, text=cases.odd_texts(BLOCKED), mark=st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe"]))
def test_a_block_list(place: Path, text: str, mark: bytes) -> None:
    file, data = place / "blocked.txt", mark + text.encode("utf-8", "surrogatepass")
    found = unchanged(file, data, lambda: read_block_list(file))
    assert isinstance(found.blocks("https://a.org/x/y.jpg", "a.org"), bool)


TOML = (
    "happy", "data_dir", "workers", "seed", "licences", "[", "]", "{", "}", "=", '"', "'", '"""', ",", ".", "\n", "1",
    "-1", "nan", "inf", "1e400", "9" * 400, "true", "1979-05-27T00:00:00Z", "#", "\\", "\\u0000", "\0", "s3://b/x",
    "\x1b", "reviewed", "default", "en", "noun", "ethnicity", '["a"]', '{a = "b"}',
)  # fmt: skip


@fuzz(20, text=cases.odd_texts(TOML), data=st.data())
def test_the_settings(place: Path, text: str, data: st.DataObject) -> None:
    folder = place / "settings"
    folder.mkdir(exist_ok=True)
    written = text.encode("utf-8", "surrogatepass")
    if data.draw(st.booleans()):
        said = [b'data_dir = "d"\nworkers = 2\nseed = 7\nlicences = "any"\nmax_hamming_bits = 6\n']
        written = data.draw(cases.damaged(said))
    before = os.getcwd()
    os.chdir(folder)
    try:
        unchanged(folder / "btfer.toml", written, load_settings)
    finally:
        os.chdir(before)


PLAN = ("expressions.toml", "people.toml", "sources.toml", "languages/en.toml")


@fuzz(15, name=st.sampled_from(PLAN), data=st.data())
def test_a_plan(place: Path, name: str, data: st.DataObject) -> None:
    folder = place / "plan"
    shutil.rmtree(folder, ignore_errors=True)
    for one in PLAN:
        (folder / one).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(bundled("queries") / one, folder / one)
    said = (folder / name).read_bytes()
    odd = cases.odd_texts(TOML).map(lambda text: text.encode("utf-8", "surrogatepass"))
    written = data.draw(cases.damaged([said]) | odd)
    assert unchanged(folder / name, written, lambda: load_plan(folder, ["en"])).queries


LICENCES = (
    "CC", "BY", "-", "NC", "SA", "ND", "0", "4.0", " ", "/", ",", ";", "and", "or", "public domain", "GFDL", "MIT", "©",
    "(c)", "all rights reserved", "not for sale", "Foto: Ann Smith", "<a href='",
    "https://creativecommons.org/licenses/by/4.0/",
    "'>", "</a>", "<![x[", "<![", "<!--", "&#60;![x[", "&amp;", "creativecommons.org/", "//", "http://[",
    "版权", "自由",
    "\0", "\ud800", "İ", "ß", "\u0301", "v", "1.2+", ".", "!", "u.s.", "rightsstatements.org/vocab/", "%",
)  # fmt: skip


@fuzz(
    50,
    name=cases.odd_texts(LICENCES, 8),
    url=cases.odd_texts(LICENCES, 4),
    more=st.text(max_size=8),
)
def test_any_words_as_a_licence(name: str, url: str, more: str) -> None:
    one, other = parse_licence(name, url), parse_licence(more, url)
    assert one.name is not None
    assert strictest([one, other]) in (one, other)
    assert isinstance(agree(one, other), bool)
    assert isinstance(conflict([one, other]), str)
    assert all(isinstance(rule(terms(name, url)), bool) for rule in RULES.values())
    assert isinstance(licence_shown(name, url), str)
    held = resolve([Stated(name, url, more), Stated(more, url, name)])
    assert isinstance(held.needs_credit, bool)
    assert isinstance(author_key(name), str)


@fuzz(30, text=st.text(max_size=20) | st.sampled_from(CELLS))
def test_any_text_as_a_class_or_a_path(text: str) -> None:
    read_or_refused(lambda: parse_expression(text))
    found = relative_name(text, where="x")
    assert ".." not in found.parts
    assert not found.is_absolute()
    load_release(Path("/nonexistent") / found)
