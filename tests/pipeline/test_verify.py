"""A release that somebody changed on purpose, and signed anew: whatever it is, verify names it and never fails."""

import json
import os
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from btfer.bench.datasets import load_release
from btfer.catalogue import open_catalogue
from btfer.errors import BtferError, UsageError
from btfer.leaks.subjects import subjects_of_release
from btfer.pipeline import build
from btfer.pipeline.diff import diff
from btfer.pipeline.rebuild import rebuild
from btfer.pipeline.release_metadata import OLDEST_COLUMNS, ImageMetadata, read_rows
from btfer.pipeline.verify import verify
from btfer.settings import Settings
from btfer.store import store_of
from tests.pipeline.test_release import filled, sign

HAPPY = "images/test/happy/happy-001.png"


@pytest.fixture
def made(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    release = built(tmp_path_factory.getbasetemp() / "built")
    copy: Path = shutil.copytree(release, settings.data_dir / "releases" / release.name)
    return copy


@cache
def built(home: Path) -> Path:
    """A release in most forms, made once."""
    settings = Settings(data_dir=filled(home), engine="serial")
    plan = build.Plan(per_class=3, formats=["parquet", "webdataset"], sources="with")
    cat = open_catalogue(settings.catalogue_url)
    made = build.run(cat, settings, plan).path
    cat.close()
    return made


def problems(folder: Path) -> list[str]:
    return [problem for check in verify(folder) for problem in check.problems]


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, text[:500]
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def overwrite(file: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / file).write_bytes(data) and None


def cell(file: str, column: str, value: str) -> Callable[[Path], None]:
    """Another value in the first row of a table."""
    import csv

    def change(folder: Path) -> None:
        with (folder / file).open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        rows[0][column] = value
        with (folder / file).open("w", encoding="utf-8", newline="") as text:
            table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(rows)

    return change


def record(**changed: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / "release.json").read_text())
        (folder / "release.json").write_text(json.dumps(content | changed))

    return change


def repack(folder: Path) -> None:
    """Another column in the packed form of one image."""
    [path] = (folder / "webdataset").glob("*.tar")
    path.write_bytes(path.read_bytes().replace(b'"ethnicity": "Asian"', b'"ethnicity": "Black"', 1))


def another_line(folder: Path) -> None:
    replace("faces.jsonl", '"Asian"', '"White"')(folder)


def line_of_sums(change: Callable[[str], str]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        lines = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
        (folder / "SHA256SUMS").write_bytes("".join([change(lines[0]), *lines[1:]]).encode())

    return changed


SIGNED = {
    "licence of croissant": (
        replace("croissant.json", "https://creativecommons.org/", "https://licences.example/"),
        "croissant.json has the licences",
    ),
    "no licence in croissant": (
        replace("croissant.json", '"license"', '"licence"'),
        "croissant.json has the licences None",
    ),
    "access in croissant": (
        replace("croissant.json", '"Redistribution: none"', '"Redistribution: commercial"'),
        "croissant.json says 'Redistribution: commercial'",
    ),
    "redistribution": (
        record(redistribution="commercial"),
        "release.json says redistribution: commercial, the licences of the images allow: none",
    ),
    "redistribution is odd": (record(redistribution="all"), "says redistribution: 'all'"),
    "licence of the card": (
        replace("README.md", "license: other", "license: cc0-1.0"),
        "README.md says license: cc0-1.0",
    ),
    "redistribution in the README": (
        replace("README.md", "**Redistribution: none.**", "**Redistribution: commercial.**"),
        "README.md says redistribution: commercial, release.json none",
    ),
    "spdx": (cell("metadata.csv", "spdx", "CC0-1.0"), "spdx is CC0-1.0, the licence is"),
    "blank author": (cell("attribution.csv", "author", " "), "has a blank author"),
    "another author": (cell("attribution.csv", "author", "Zoe"), "does not name"),
    "address of a licence": (
        cell("attribution.csv", "licence_url", "https://licences.example/by/4.0/"),
        "has another address of CC BY 4.0: https://licences.example/by/4.0/",
    ),
    "half a character": (record(btfer="\ud800"), "half of a character, '\\ud800'"),
    "file_name leads out": (
        cell("metadata.csv", "file_name", "../../x.png"),
        "'../../x.png' is not a path inside the folder",
    ),
    "file_name is absolute": (
        cell("metadata.csv", "file_name", "/etc/passwd"),
        "'/etc/passwd' is not a path inside the folder",
    ),
    "face leads out": (cell("sources.csv", "face", "../../x"), "face is not a face of this photo"),
    "face of another photo": (
        cell("sources.csv", "face", f"{'0' * 24}-{'0' * 8}-00"),
        "face is not a face of this photo",
    ),
    "photo is not a sha256": (
        cell("sources.csv", "photo_sha256", "../x"),
        "photo_sha256 is not a sha",
    ),
    "address of a file": (cell("sources.csv", "url", "file:///etc/passwd"), "is not a web address"),
    "huge cut": (cell("sources.csv", "right", "999999999"), "no photo has a part such as"),
    "cut is not a number": (cell("sources.csv", "left", "x"), "the cut is not four numbers"),
    "empty photo_id": (cell("metadata.csv", "photo_id", ""), "has no photo_id"),
    "photo_id is not a digest": (cell("metadata.csv", "photo_id", "Ann"), "photo_id is 'Ann'"),
    "probability is NaN": (cell("metadata.csv", "face_probability", "nan"), "is nan"),
    "width is not a number": (cell("metadata.csv", "face_width_px", "wide"), "invalid literal"),
    "reviewed is odd": (cell("metadata.csv", "reviewed", "maybe"), "reviewed is 'maybe'"),
    "group in metadata": (cell("metadata.csv", "ethnicity", "White"), "has another ethnicity"),
    "group in a tar": (repack, "webdataset: images/"),
    "group in a line": (another_line, "faces.jsonl, line 1: "),
    "lines cut off": (overwrite("faces.jsonl", b"{}\n[1]\n"), "faces.jsonl has 2 lines"),
    "lines are no JSON": (overwrite("faces.jsonl", b"{"), "faces.jsonl cannot be read"),
    "blank credit": (
        lambda folder: (
            cell("attribution.csv", "author", "")(folder),
            cell("attribution.csv", "page_url", "")(folder),
            None,
        )[-1],
        "attribution.csv names no author and no page",
    ),
    "licence of credit": (cell("attribution.csv", "licence", ""), "has the licence ''"),
    "credit for nothing": (
        cell("attribution.csv", "file_name", "images/test/sad/x.png"),
        "attribution.csv names images/test/sad/x.png, which is not an image",
    ),
    "metadata are UTF-16": (
        lambda folder: overwrite(
            "metadata.csv", (folder / "metadata.csv").read_text().encode("utf-16")
        )(folder),
        "metadata.csv is not text in UTF-8",
    ),
    "metadata are Latin-1": (overwrite("metadata.csv", b"file_name\n\xe4\n"), "is not text in UTF"),
    "metadata with an open quote": (overwrite("metadata.csv", b'a,b\n"x,y\n'), "line 2: "),
    "metadata with a short row": (overwrite("metadata.csv", b"a,b\nx\n"), "1 fields"),
    "metadata are empty": (overwrite("metadata.csv", b""), "metadata.csv is empty"),
    "attribution is binary": (overwrite("attribution.csv", b"\0\1\2"), "a zero byte"),
    "sources are binary": (overwrite("sources.csv", b"\xff\xff"), "sources.csv is not text"),
    "release.json is a list": (overwrite("release.json", b"[1]"), "expected an object"),
    "release.json is cut off": (overwrite("release.json", b'{"a'), "is damaged, it is not JSON"),
    "release.json is Latin-1": (overwrite("release.json", b'{"\xe4": 1}'), "it is not UTF-8"),
    "release.json is deep": (overwrite("release.json", b"[" * 100_000), "is damaged"),
    "NaN": (record(per_class=float("nan")), "NaN is not a number"),
    "a huge number": (record(per_class=10**30), "no whole number from 0"),
    "true for a number": (record(per_class=True), "no whole number from 0"),
    "formats are a word": (record(formats="parquet"), "'formats' is 'parquet', no list"),
    "a form is not named": (record(formats=["parquet"]), "there is a folder webdataset"),
    "counts of no class": (record(counts={"joy": 3}), "counts 'joy', which is not a class"),
    "croissant is no JSON": (overwrite("croissant.json", b"{"), "croissant.json: "),
    "croissant is a list": (overwrite("croissant.json", b"[]"), "croissant.json: "),
    "counts in croissant": (replace("croissant.json", "happy 3", "happy 4"), "4 images of happy"),
    "counts in README": (
        replace("README.md", "| happy | 3 |", "| happy | 5 |"),
        "README.md says 5 images of happy",
    ),
    "a name of Windows": (
        overwrite("images/test/happy/aux.png", b""),
        "not a valid file name on Windows",
    ),
    "names alike": (overwrite("README.MD", b"x"), "differ in capitals only"),
}
AS_IT_IS = {
    "link": (
        lambda folder: (folder / "images/test/happy/x.png").symlink_to("/etc/passwd"),
        "added: images/test/happy/x.png is a symbolic link",
    ),
    "linked folder": (
        lambda folder: (folder / "images/more").symlink_to("/etc"),
        "added: images/more is a symbolic link",
    ),
    "pipe": (lambda folder: os.mkfifo(folder / "images/pipe"), "images/pipe is a pipe"),
    "empty folder": (
        lambda folder: (folder / "images/test/joy").mkdir(),
        "added: images/test/joy is an empty folder",
    ),
    "hidden": (overwrite(".hidden", b"x"), "added: .hidden"),
    "left by a Mac": (overwrite(".DS_Store", b"x"), "added: .DS_Store (a file manager left it"),
    "metadata is a pipe": (
        lambda folder: ((folder / "metadata.csv").unlink(), os.mkfifo(folder / "metadata.csv"))[1],
        "metadata.csv is a pipe",
    ),
    "one space": (line_of_sums(lambda line: line.replace("  ", " ")), "SHA256SUMS, line 1 is no"),
    "escaped": (line_of_sums(lambda line: "\\" + line), "SHA256SUMS, line 1 is not a digest"),
    "absolute": (line_of_sums(lambda line: line[:66] + "/etc/passwd\n"), "'/etc/passwd' is not a"),
    "twice": (line_of_sums(lambda line: line * 2), "SHA256SUMS, line 2 names"),
    "capitals": (line_of_sums(lambda line: line[:64].upper() + line[64:]), "in capitals"),
    "Windows": (line_of_sums(lambda line: line[:-1] + "\r\n"), "line 1 ends as on Windows"),
    "sums in UTF-16": (overwrite("SHA256SUMS", b"\xff\xfea"), "SHA256SUMS is not UTF-8 text"),
    "digest in the name": (
        lambda folder: folder.rename(folder.with_name("btfer-0123456789ab")) and None,
        "the name says 0123456789ab",
    ),
}


@pytest.mark.parametrize("kind", [*SIGNED, *AS_IT_IS])
def test_what_was_changed_is_named_and_nothing_fails(
    made: Path, settings: Settings, tmp_path: Path, kind: str
) -> None:
    change, words = (SIGNED | AS_IT_IS)[kind]
    original = shutil.copytree(made, tmp_path / "original")
    change(made)
    if kind in SIGNED:
        made = sign(made)
    elif not made.exists():
        [made] = made.parent.iterdir()
    found = problems(made)
    assert any(words in one for one in found), found
    assert all("\n" not in one for one in found)
    other = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    cat = open_catalogue(other.catalogue_url)
    with pytest.raises(UsageError, match=r"is damaged|is not a release"):
        rebuild(cat, other, made)
    assert _one_line(lambda: diff(original, made))
    assert _one_line(lambda: load_release(made))
    assert _one_line(lambda: subjects_of_release(cat, store_of(other), made))
    cat.close()
    assert not list(tmp_path.rglob("x.png")) or kind in ("link", "credit for nothing")


def test_a_changed_copy_is_refused_by_diff(made: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(made, tmp_path / "copy")
    assert diff(made, copy).empty
    image = next((copy / "images").rglob("*.png"))
    image.write_bytes(b"another picture")
    with pytest.raises(UsageError, match=rf"copy is damaged \(images/\S+{image.name} is not what"):
        diff(made, copy)
    image.unlink()
    with pytest.raises(UsageError, match="copy is damaged"):
        diff(made, copy)


def _one_line(read: Callable[[], object]) -> bool:
    """Whether a reader takes a release, or refuses it in one line."""
    try:
        read()
    except BtferError as error:
        return "\n" not in str(error)
    return True


def test_a_renamed_folder_is_a_note(made: Path) -> None:
    digest = made.name.rpartition("-")[2]
    renamed = made.rename(made.with_name("faces of May"))
    assert problems(renamed) == []
    assert any(digest in note for check in verify(renamed) for note in check.notes)


def test_hard_links_are_a_note(made: Path, tmp_path: Path) -> None:
    os.link(made / HAPPY, tmp_path / "second.png")
    assert problems(made) == []
    assert any("1 files are hard links" in n for check in verify(made) for n in check.notes)


@pytest.mark.slow
def test_any_flipped_byte_is_named(made: Path) -> None:
    draw = random.Random(5)
    files = sorted(path for path in made.rglob("*") if path.is_file())
    for path in [draw.choice(files) for _ in range(40)] + [
        one for one in files if one.suffix != ".png"
    ]:
        data = bytearray(before := path.read_bytes())
        data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
        path.write_bytes(data)
        found = problems(made)
        assert found, path
        if path.name != "SHA256SUMS":
            named = path.relative_to(made).as_posix()
            assert any(named in one for one in found), (named, found)
        path.write_bytes(before)
    assert problems(made) == []


@pytest.mark.slow
def test_flipped_bytes_that_were_signed_anew_never_end_in_a_traceback(made: Path) -> None:
    draw = random.Random(6)
    files = [p for p in sorted(made.rglob("*")) if p.is_file() and p.suffix != ".png"]
    files = [path.relative_to(made) for path in files if path.name != "SHA256SUMS"]
    for name in files * 3:
        data = bytearray(before := (made / name).read_bytes())
        for _ in range(3):
            data[draw.randrange(len(data))] = draw.randrange(256)
        (made / name).write_bytes(data)
        made = sign(made)
        for one in problems(made):
            assert one.isprintable()
        (made / name).write_bytes(before)
    assert problems(sign(made)) == []


def test_a_row_of_the_first_columns_only_is_read(made: Path) -> None:
    """What a later version adds to metadata.csv is no damage where it is absent."""
    row = read_rows(made / "metadata.csv")[0]
    oldest = {name: row[name] for name in OLDEST_COLUMNS}
    assert ImageMetadata.from_csv_row(oldest).file_name == row["file_name"]
