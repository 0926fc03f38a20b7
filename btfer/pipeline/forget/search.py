"""The proof: is anything left, anywhere in the catalogue's files or the data folder?

Looked for are the hashes of the photo and of everything that was cut from it, its addresses, file name and title,
and bytes out of the middle of each file. A name that photos which stay have too proves nothing and is left out.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.catalogue import Catalogue, text_search
from btfer.files import sha256_file
from btfer.packed.arrow_tables import open_table
from btfer.paths import erasures_dir
from btfer.pipeline.forget.archives import CannotLookInto, is_archive, members
from btfer.pipeline.forget.entry import Entry
from btfer.pipeline.forget.folders import (
    ANY_BYTES,
    TABLES,
    UTF_16_MARKS,
    everything_in,
    read_table,
    release_folders,
    training_sets,
)

BY_NAME = ("photos", "thumbnails", "faces")
"""Folders whose files carry the sha256 of a photo in their names: the names are looked at, not the bytes."""

LEAST_CHARACTERS = 8
_WEIGHTS = (".keras", ".h5", ".npz", ".tflite", ".onnx")
"""Networks: megabytes of numbers that hold no text of ours."""


@dataclass(frozen=True)
class Needles:
    """words: hashes and addresses, and names that nobody else has. pieces: bytes of files. digests: of files."""

    words: tuple[str, ...]
    pieces: tuple[bytes, ...]
    digests: frozenset[str]

    def in_bytes(self, data: bytes) -> bool:
        """Whether any stands in the bytes, which may be a table that a spreadsheet saved as UTF-16."""
        if data.startswith(UTF_16_MARKS):
            data = data.decode("utf-16", "replace").encode()
        return any(one.encode() in data for one in self.words) or any(
            p in data for p in self.pieces
        )


@dataclass(frozen=True)
class Searched:
    """left: a line for each place where something is left. unsearched: for each that could not be looked into."""

    left: list[str]
    unsearched: list[str]


def search(cat: Catalogue, data_dir: Path, entry: Entry) -> Searched:
    """Look everywhere in the catalogue and below the data folder, through links and into archives too."""
    left, shared = _in_catalogue(cat, entry)
    shared |= _in_other_rows(data_dir, entry)
    words = [one for one in (*_hard(entry), *_soft(entry)) if one not in shared]
    digests = frozenset((*entry.images, *entry.photos))
    needles = Needles(tuple(words), tuple(map(bytes.fromhex, entry.pieces)), digests)
    for path in cat.files():
        if path.is_file() and needles.in_bytes(path.read_bytes()):
            left.append(f"{path}: bytes of a deleted row")
    unsearched: list[str] = []
    left += _in_folders(
        data_dir, entry, needles, {one.resolve() for one in cat.files()}, unsearched
    )
    return Searched(left, unsearched)


def _hard(entry: Entry) -> Sequence[str]:
    """What belongs to these photos alone."""
    return [*entry.photos, *sorted(entry.prefixes), *entry.images, *entry.words]


def _soft(entry: Entry) -> Sequence[str]:
    return [one for one in entry.names if len(one) >= LEAST_CHARACTERS]


def _in_catalogue(cat: Catalogue, entry: Entry) -> tuple[list[str], set[str]]:
    """What the catalogue still says of the photos; and the needles that rows of other photos hold as well."""
    found = text_search.holding(cat, [*_hard(entry), *_soft(entry)])
    left, shared = [], set()
    alone = {*entry.photos, *entry.prefixes, *entry.images}
    for needle, places in found.items():
        for column, text in places:
            of_statistics = column.startswith("statistics")
            if needle in alone or (needle in entry.words and (needle == text or of_statistics)):
                left.append(f"catalogue, {column}")
            else:
                shared.add(
                    needle
                )  # a longer address that begins with it, a title that two photos have
    return sorted(set(left)), shared


def _in_other_rows(data_dir: Path, entry: Entry) -> set[str]:
    """Names that other images of a release have too. Where a release was made elsewhere, no catalogue knows them."""
    folders = (*release_folders(data_dir), *training_sets(data_dir))
    tables = [read_table(folder / name) for folder in folders for name in TABLES]
    cells = {cell for table in tables if table for row in table.rows for cell in row}
    names = [(one, one.encode().decode(ANY_BYTES)) for one in _soft(entry)]
    urls = [(one, one.encode().decode(ANY_BYTES)) for one in entry.words]
    shared = {one for one, text in names if any(text in cell for cell in cells)}
    return shared | {one for one, text in urls if any(text in c and text != c for c in cells)}


def _in_folders(
    data_dir: Path, entry: Entry, needles: Needles, catalogue: set[Path], unsearched: list[str]
) -> Iterator[str]:
    entries = {path.resolve() for path in erasures_dir(data_dir).glob("open-*.json")}
    for path in everything_in(data_dir, unsearched):
        if path.resolve() in entries | catalogue:
            continue
        try:
            yield from _in_file(data_dir, path, entry, needles, unsearched)
        except FileNotFoundError:  # gone since: another process's temporary file
            continue
        except OSError as error:
            unsearched.append(f"{path}: {error.strerror}")


def _in_file(
    data_dir: Path, path: Path, entry: Entry, needles: Needles, unsearched: list[str]
) -> Iterator[str]:
    if entry.is_face(path.stem):
        yield f"{path}: a file of the photo"
    elif is_archive(path):
        try:
            yield from _in_archive(path, entry, needles)
        except CannotLookInto as error:
            unsearched.append(
                f"{path}: {error}; look into it, and delete it where it shows the photo"
            )
    elif path.relative_to(data_dir).parts[0] not in BY_NAME and _holds(path, needles):
        yield f"{path}: names or shows it"


def _in_archive(path: Path, entry: Entry, needles: Needles) -> Iterator[str]:
    for name, data in members(path):
        shown = hashlib.sha256(data).hexdigest() in needles.digests
        if shown or entry.is_face(Path(name).stem) or needles.in_bytes(_bytes(name) + data):
            yield f"{path}, {name!r} in it: names or shows it; pack it anew without, or delete it"
        elif is_archive(Path(name)):
            raise CannotLookInto(f"{name!r} in it is an archive itself")


def _bytes(name: str) -> bytes:
    return name.encode(errors="surrogateescape") + b"\0"


def _holds(path: Path, needles: Needles) -> bool:
    if path.suffix in _WEIGHTS:
        return False
    if path.suffix in (".parquet", ".arrow") and _in_table(path, needles):
        return True
    if path.stat().st_size > 64 << 20:
        return _in_large(path, needles)
    return sha256_file(path) in needles.digests or needles.in_bytes(path.read_bytes())


def _in_large(path: Path, needles: Needles) -> bool:
    """Read in overlapping parts."""
    step = 16 << 20
    longest = max((len(one.encode()) for one in needles.words), default=64)
    with path.open("rb") as file:
        before = b""
        while part := file.read(step):
            if needles.in_bytes(before + part):
                return True
            before = part[-max(longest, 64) :]
    return False


def _in_table(path: Path, needles: Needles) -> bool:
    """Text, and images byte for byte: both may be compressed."""
    import pyarrow as pa

    try:
        with open_table(path) as (schema, batches):
            return any(
                _in_column(name, column, needles)
                for part in batches(schema.names)
                for name, column in zip(part.schema.names, part.columns, strict=True)
            )
    except (OSError, ValueError, pa.ArrowException):
        return False


def _in_column(name: str, column: Any, needles: Needles) -> bool:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        column = column.field("bytes")
        kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        every = (one for one in column.to_pylist() if one)
        return any(hashlib.sha256(one).hexdigest() in needles.digests for one in every)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or name == "file":
        return needles.in_bytes("\n".join(map(str, column.to_pylist())).encode())
    return False
