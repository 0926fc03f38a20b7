"""Photos that are on disk already: every file below a folder, labelled by a CSV or by its sub-folder."""

import errno
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from btfer.bucket_url import as_written
from btfer.catalogue.journal import Fetched, Sighting
from btfer.csv_reader import CsvRow, CsvTable, read_csv
from btfer.errors import ImageError, UsageError
from btfer.expressions import is_expression, parse_expression
from btfer.images import CRASHED, OUT_OF_MEMORY, Intake, read_photo
from btfer.licences import Kind, parse_licence
from btfer.queries import Query
from btfer.sources.folder_files import FileNames, is_ours, is_plain, walk

NAME = "folder"
FILE = ("file", "filename", "file_name", "path", "image")
LABEL = ("expression", "label", "emotion", "class")
"""Names that other tools give the columns `file` and `expression`; a CSV may have one of each."""
PEOPLE = ("ethnicity", "gender", "age")
RIGHTS = ("licence", "licence_url", "author", "title", "page_url")
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "licence": ("license", "rights"),
    "licence_url": ("license_url",),
    "author": ("creator", "photographer", "artist"),
    "page_url": ("source_url", "landing_url", "foreign_landing_url"),
}
"""Names that other tools give the columns of rights: one that is not read lets a reserved work into a release."""
MAX_FILE_BYTES = 200_000_000
NO_LABEL = ("", "unlabelled")


class FileRead(NamedTuple):
    """A file's bytes and what they are, or why it cannot be taken (and no bytes)."""

    path: Path
    data: bytes
    result: Intake | Fetched


@dataclass(frozen=True)
class FolderPhoto:
    """One file, its label as a query, and its sighting. The path may not exist, where only the CSV names it."""

    path: Path
    query: Query
    sighting: Sighting

    @property
    def states_rights(self) -> bool:
        """Whether the CSV states a licence, an author or a page."""
        return any(getattr(self.sighting, key) for key in RIGHTS)


@dataclass(frozen=True)
class FolderListing:
    """The files of a folder. notes: lines about the CSV, such as columns that are not used."""

    photos: list[FolderPhoto]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[FolderPhoto]:
        return iter(self.photos)


@dataclass(frozen=True)
class _Labels:
    """The CSV's rows by file name, expression as a class name or ''; and lines about it."""

    rows: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...] = ()


def list_folder(
    folder: Path, labels_csv: Path | None = None, data_dir: Path | None = None
) -> FolderListing:
    """All files below a folder that are not hidden, and those that only the CSV names.

    A row of the CSV (`file,expression` and any of PEOPLE and RIGHTS, `file` relative to the
    folder) takes precedence over the name of a sub-folder. No photo is opened. data_dir: btfer's own, which
    is left out. Raises UsageError: no folder, nothing in it, the data folder itself, an unknown class (with
    the CSV's line).
    """
    if not folder.is_dir():
        raise UsageError(
            f"{as_written(folder)} is not a folder: pass the folder that contains the photos"
        )
    if labels_csv and not labels_csv.exists() and (folder / labels_csv).is_file():
        there = shlex.quote(str(folder / labels_csv))
        raise UsageError(f"there is no {labels_csv} here: pass --labels {there}")
    root, ours = folder.resolve(), data_dir.resolve() if data_dir else None
    if ours and is_ours(root, ours):
        raise UsageError(
            f"{folder} is btfer's own: its photos were taken in already; pass the folder they came from"
        )
    skip = os.path.realpath(labels_csv) if labels_csv else ""
    found = walk(root, ours)
    files = [path for path in found.files if not skip or os.path.realpath(path) != skip]
    if not files:
        raise UsageError(f"{folder} contains no files: pass the folder that contains the photos")
    names = {path.relative_to(root).as_posix(): path for path in files}
    known = FileNames(root, names, typed=folder)
    labels = _read_labels(labels_csv, known) if labels_csv else _Labels({})
    rows = labels.rows
    if rows and not set(rows) & set(names):
        raise UsageError(
            f"{labels_csv} names no file in {folder}: its column 'file' must be relative to the folder, "
            f"such as {next(iter(names))}"
        )
    names |= {name: root / name for name in rows if name not in names}
    listed = [_listed(root, name, path, rows.get(name, {})) for name, path in names.items()]
    return FolderListing(listed, (*found.notes(), *labels.notes))


def by_label(listed: Iterable[FolderPhoto]) -> dict[Query, list[Sighting]]:
    """Files by what they are labelled as; the unlabelled come last.

    A photo's label is what its first sighting says, so a copy without a label must not be first.
    """
    groups: dict[Query, list[Sighting]] = {}
    for one in sorted(listed, key=lambda one: not one.query.expression):
        groups.setdefault(one.query, []).append(one.sighting)
    return groups


def read_file(path: Path) -> FileRead:
    """A file's bytes and what they are, or why it cannot be taken; runs in worker processes."""
    try:
        if not is_plain(path):
            return FileRead(path, b"", Fetched("refused", "not a file"))
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            return FileRead(path, b"", Fetched("refused", "too large"))
        return FileRead(path, data, read_photo(data))
    except FileNotFoundError:
        return FileRead(path, b"", Fetched("failed", "no such file"))
    except OSError as error:
        reason = "a loop of links" if error.errno == errno.ELOOP else "unreadable"
        return FileRead(path, b"", Fetched("failed", reason))
    except MemoryError:
        return FileRead(path, b"", Fetched("failed", OUT_OF_MEMORY))
    except ImageError as error:
        return FileRead(path, b"", Fetched("refused", error.reason))


def crashed(path: Path) -> FileRead:
    """As `read_file`, for a file of which worker processes died."""
    return FileRead(path, b"", Fetched("refused", CRASHED))


def _listed(root: Path, name: str, path: Path, row: Mapping[str, str]) -> FolderPhoto:
    label = row.get("expression") or _label_of_folders(name)
    people = {key: row.get(key, "") for key in PEOPLE}
    phrase = f"folder {root.name}".encode("utf-8", "replace").decode()  # any bytes may be a name
    query = Query(phrase, label, **people)
    stated: dict[str, Any] = {key: row.get(key, "") for key in RIGHTS}
    sighting = Sighting(path.as_uri(), NAME, **stated)
    return FolderPhoto(path, query, sighting)


def _label_of_folders(name: str) -> str:
    """The class that the nearest folder above a file is named after, '' if none is."""
    for part in reversed(name.split("/")[:-1]):
        try:
            return parse_expression(part)
        except UsageError:
            continue
    return ""


def _read_labels(path: Path, known: FileNames) -> _Labels:
    others = [name for names in OTHER_NAMES.values() for name in names]
    table = read_csv(path, known=(*FILE, *LABEL, *PEOPLE, *RIGHTS, *others))
    file = _one_of(table, FILE, "the file")
    label = _one_of(table, LABEL, "the expression (empty cells: the sub-folder's name counts)")
    rights = _rights_columns(table)
    rows: dict[str, dict[str, str]] = {}
    for one in table:
        where = f"{path}, line {one.line}"
        try:
            name = known.find(one[file])
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
        if "\n" in name:
            raise UsageError(f"{where}: '{file}' goes over several lines (is a quote left open?)")
        _check_cells(one, known, where)
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise UsageError(f"{where}: '{file}' must be a path inside the folder, got '{name}'")
        row = _row(one, _label(one[label], where, table, label), rights)
        if rows.setdefault(name, row) != row:
            raise UsageError(f"{where}: '{name}' has other values in a line above")
    read_as = {file: "file", label: "expression"} | {name: key for key, name in rights.items()}
    return _Labels(rows, tuple(_notes(table, read_as)))


def _check_cells(one: CsvRow, known: FileNames, where: str) -> None:
    """Raise UsageError where a cell of several lines holds a row: a quote was opened there and closed in another."""
    for column, text in one.values.items():
        for line in text.splitlines()[1:]:
            if known.has(re.split(r"[,;\t]", line)[0].strip(' "')):
                raise UsageError(
                    f"{where}: '{column}' holds a row of its own, '{line[:60]}' (is a quote left open?)"
                )


def _row(one: CsvRow, expression: str, rights: Mapping[str, str]) -> dict[str, str]:
    people = {key: one.get(key) for key in PEOPLE}
    return {"expression": expression, **people, **{key: one[name] for key, name in rights.items()}}


def _rights_columns(table: CsvTable) -> dict[str, str]:
    """The column of each of RIGHTS that the file has, by whichever of its names."""
    found = {}
    for key in RIGHTS:
        names = (key, *OTHER_NAMES.get(key, ()))
        if any(name in table.columns for name in names):
            found[key] = _one_of(table, names, f"the {key}")
    return found


def _one_of(table: CsvTable, names: Sequence[str], what: str) -> str:
    """The column that goes by one of the names. Raises UsageError where none or several do."""
    found = [name for name in names if name in table.columns]
    if len(found) == 1:
        return found[0]
    where = f"{table.path}, line {_header_line(table)}"
    if found:
        raise UsageError(
            f"{where}: the columns {', '.join(found)} may all name {what}: keep one, rename the others"
        )
    raise UsageError(
        f"{where}: no column names {what}: call one of {', '.join(table.columns)} '{names[0]}' "
        f"(known too: {', '.join(names[1:])})"
    )


def _header_line(table: CsvTable) -> int:
    """1, or 2 below a spreadsheet's `sep=;`: blank lines between header and first row are not looked for."""
    return max(1, min((one.line for one in table), default=2) - 1)


def _notes(table: CsvTable, read_as: Mapping[str, str]) -> Iterator[str]:
    name = table.path.name
    for one, meaning in read_as.items():
        if one != meaning:
            yield f"{name}: the column '{one}' was read as '{meaning}'"
    if table.unknown:
        yield f"{name}: unknown columns, which are not used: {', '.join(table.unknown)}"
    column = {meaning: name for name, meaning in read_as.items()}
    licence, url = column.get("licence", ""), column.get("licence_url", "")
    stated = Counter((one.get(licence), one.get(url)) for one in table)
    unclear: Counter[str] = Counter()
    for pair, n in stated.items():
        read = parse_licence(*pair)
        if read.kind is Kind.UNKNOWN:
            unclear[read.name] += n
    if unclear:
        shown = ", ".join(f"'{one}' {n}" for one, n in unclear.most_common(5))
        more = f", and {len(unclear) - 5} others" if len(unclear) > 5 else ""
        yield f"{name}: licences that are not understood, which count as not free: {shown}{more}"


def _label(text: str, where: str, table: CsvTable, column: str) -> str:
    if text.lower() in NO_LABEL:
        return ""
    try:
        return parse_expression(text)
    except UsageError as error:
        raise UsageError(
            f"{where}: {error}; leave it empty or write 'unlabelled' for no label"
            f"{_others_unknown(table, column, text)}"
        ) from None


def _others_unknown(table: CsvTable, column: str, first: str) -> str:
    """The other words that are no class, so that all are mended in one go."""
    lines: dict[str, int] = {}
    for one in table:
        lines.setdefault(one[column], one.line)
    known = {*NO_LABEL, first.lower()}
    others = [
        f"'{word[:40]}' in line {line}"
        for word, line in lines.items()
        if word.lower() not in known and not is_expression(word)
    ]
    if not others:
        return ""
    return f" (also {', '.join(others[:5])}{', ...' if len(others) > 5 else ''})"
