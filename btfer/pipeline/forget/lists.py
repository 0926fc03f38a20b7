"""CSV files in the data folder that name a photo: exports of verdicts, pairs for `btfer dedup calibrate`, notes.

The rows that name it go out, whatever the file is; others stay byte for byte what they say.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue import Catalogue, pairs
from btfer.files import write_atomic
from btfer.paths import derived_dirs, erasures_dir, releases_dir, training_dir
from btfer.pipeline.calibrate_file import PhotoFinder
from btfer.pipeline.forget.entry import Entry
from btfer.pipeline.forget.folders import ANY_BYTES, UTF_16_MARKS, files_in

PAIRS = {"a", "b", "same"}
CALIBRATION_PLOT = "calibration.png"
_DELIMITERS = (",", ";", "\t")
Cells = list[str]


@dataclass(frozen=True)
class List:
    """A CSV file that loses rows. gone: their numbers, the header being 0. pairs: whether it is one of pairs."""

    path: Path
    gone: frozenset[int]
    pairs: bool


def lists_with(cat: Catalogue, data_dir: Path, entry: Entry) -> list[List]:
    """The files with rows that name one of the photos: by sha256, face, address, or as a pair names it."""
    finder: PhotoFinder | None = None
    names, found = _namer(entry), []
    for path in _csv_files(data_dir):
        read = _read(path)
        if read is None:
            continue
        header = [cell.strip().lower() for cell in read.rows[0]]
        of_pairs = set(header) >= PAIRS
        gone = {at for at, row in enumerate(read.rows) if at and any(map(names, row))}
        if of_pairs:
            finder = finder or PhotoFinder(cat)
            columns = [header.index(name) for name in ("a", "b")]
            gone |= {
                at
                for at, row in enumerate(read.rows)
                if at and any(_means(finder, row, column, entry) for column in columns)
            }
        if gone:
            found.append(List(path, frozenset(gone), of_pairs))
    return found


def prune_list(one: List) -> None:
    """Take the rows out; the file stays in its folder, also where only its header is left."""
    read = _read(one.path)
    if read is None:
        return
    text = io.StringIO()
    ending = "\r\n" if read.text.partition("\n")[0].endswith("\r") else "\n"
    writer = csv.writer(text, delimiter=read.delimiter, lineterminator=ending)
    writer.writerows(row for at, row in enumerate(read.rows) if at not in one.gone)
    write_atomic(one.path, _as_it_was(read.encoding, text.getvalue()))


def plots_with(cat: Catalogue, data_dir: Path, entry: Entry, lists: list[List]) -> list[Path]:
    """The plot of a calibration that was measured on one of the photos; the next calibration draws it anew."""
    plot = data_dir / CALIBRATION_PLOT
    photos = set(entry.photos)
    measured = any(one.pairs for one in lists) or any(
        {one.one, one.other} & photos for one in pairs.drawn(cat)
    )
    return [plot] if measured and plot.is_file() else []


@dataclass(frozen=True)
class _Csv:
    text: str
    encoding: str
    delimiter: str
    rows: list[Cells]


def _csv_files(data_dir: Path) -> Iterator[Path]:
    """Not of releases and training sets, which have their own reader, nor of what goes as a whole."""
    others = (
        releases_dir(data_dir),
        training_dir(data_dir),
        erasures_dir(data_dir),
        *derived_dirs(data_dir),
    )
    for path in files_in(data_dir):
        if path.suffix.lower() == ".csv" and not any(path.is_relative_to(one) for one in others):
            yield path


def _read(path: Path) -> _Csv | None:
    try:
        data = path.read_bytes()
        encoding = "utf-16" if data.startswith(UTF_16_MARKS) else ANY_BYTES
        # Cells are compared as bytes of UTF-8, whatever the file is written in.
        if encoding != ANY_BYTES:
            data = data.decode(encoding).encode()
        text = data.decode(ANY_BYTES)
        header = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=header.count)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (OSError, csv.Error, UnicodeDecodeError):
        return None
    if not rows:
        return None
    rows[0] = [cell.removeprefix("\xef\xbb\xbf") for cell in rows[0]]
    return _Csv(text, encoding, delimiter, rows)


def _as_it_was(encoding: str, text: str) -> bytes:
    data = text.encode(ANY_BYTES)
    return data if encoding == ANY_BYTES else data.decode().encode(encoding)


def _namer(entry: Entry) -> Callable[[str], bool]:
    words = {one.encode().decode(ANY_BYTES) for one in (*entry.words, *entry.images)}

    def names(cell: str) -> bool:
        cell = cell.strip()
        return cell in words or any(prefix in cell for prefix in entry.prefixes)

    return names


def _means(finder: PhotoFinder, row: Cells, column: int, entry: Entry) -> bool:
    """Whether one side of a pair means a photo of the entry, and no other."""
    if column >= len(row) or not row[column].strip():
        return False
    found = finder(row[column].strip())
    return len(found) == 1 and found <= set(entry.photos)
