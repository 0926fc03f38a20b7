"""Photos that are on disk already: every file below a folder, labelled by a CSV or by its sub-folder."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue.journal import Fetched, Sighting
from btfer.errors import ImageError, UsageError
from btfer.expressions import parse_expression
from btfer.images import Intake, read_photo
from btfer.queries import Query

NAME = "folder"
PEOPLE = ("ethnicity", "gender", "age")
RIGHTS = ("licence", "author", "title")
COLUMNS = ("file", "expression", *PEOPLE, *RIGHTS)
MAX_FILE_BYTES = 200_000_000
NO_LABEL = ("", "unlabelled")


@dataclass(frozen=True)
class FolderPhoto:
    """One file, its label as a query, and its sighting. The path may not exist, where only the CSV names it."""

    path: Path
    query: Query
    sighting: Sighting


def list_folder(folder: Path, labels_csv: Path | None = None) -> list[FolderPhoto]:
    """All files below a folder that are not hidden, and those that only the CSV names.

    A row of the CSV (`file,expression[,ethnicity,gender,age,licence,author,title]`, `file` relative
    to the folder) takes precedence over the name of a sub-folder. No photo is opened. Raises
    UsageError: no folder, nothing in it, an unknown class (with the CSV's line).
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: pass the folder that contains the photos")
    root = folder.resolve()
    rows = _read_labels(labels_csv) if labels_csv else {}
    skip = labels_csv.resolve() if labels_csv else None
    files = [path for path in sorted(_files(root)) if path.resolve() != skip]
    if not files:
        raise UsageError(f"{folder} contains no files: pass the folder that contains the photos")
    names = {path.relative_to(root).as_posix(): path for path in files}
    if rows and not set(rows) & set(names):
        raise UsageError(
            f"{labels_csv} names no file in {folder}: its column 'file' must be relative to the folder"
        )
    names |= {name: root / name for name in rows if name not in names}
    return [_listed(root, name, path, rows.get(name, {})) for name, path in names.items()]


def by_label(listed: Iterable[FolderPhoto]) -> dict[Query, list[Sighting]]:
    """Files by what they are labelled as; the unlabelled come last.

    A photo's label is what its first sighting says, so a copy without a label must not be first.
    """
    groups: dict[Query, list[Sighting]] = {}
    for one in sorted(listed, key=lambda one: not one.query.expression):
        groups.setdefault(one.query, []).append(one.sighting)
    return groups


def read_file(path: Path) -> tuple[Path, bytes, Intake | Fetched]:
    """A file's bytes and what they are, or why it cannot be taken; runs in worker processes."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return path, b"", Fetched("refused", "too large")
        data = path.read_bytes()
        return path, data, read_photo(data)
    except FileNotFoundError:
        return path, b"", Fetched("failed", "no such file")
    except OSError:
        return path, b"", Fetched("failed", "unreadable")
    except ImageError as error:
        return path, b"", Fetched("refused", error.reason)


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and not path.is_dir():
            yield path


def _listed(root: Path, name: str, path: Path, row: dict[str, str]) -> FolderPhoto:
    label = row.get("expression") or _label_of_folders(name)
    people = {key: row.get(key, "") for key in PEOPLE}
    phrase = f"folder {root.name}".encode("utf-8", "replace").decode()  # any bytes may be a name
    query = Query(phrase, label, **people)
    title, licence, author = (row.get(key, "") for key in ("title", "licence", "author"))
    sighting = Sighting(path.as_uri(), NAME, title=title, licence=licence, author=author)
    return FolderPhoto(path, query, sighting)


def _label_of_folders(name: str) -> str:
    """The class that the nearest folder above a file is named after, '' if none is."""
    for part in reversed(name.split("/")[:-1]):
        try:
            return parse_expression(part)
        except UsageError:
            continue
    return ""


def _read_labels(path: Path) -> dict[str, dict[str, str]]:
    """The CSV's rows by file name, expression as a class name or ''."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = ["expression" if name == "label" else name for name in names]
            _check_columns(path, reader.fieldnames)
            return _rows(path, reader)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not a CSV file in UTF-8: {error}") from None


def _check_columns(path: Path, names: list[str]) -> None:
    if "file" not in names or "expression" not in names:
        raise UsageError(
            f"{path}:1: the first line must name the columns 'file' and 'expression' "
            f"(got {', '.join(names) or 'an empty file'})"
        )
    if any(names.count(name) > 1 for name in COLUMNS):
        raise UsageError(f"{path}:1: a column is named twice (got {', '.join(names)})")


def _rows(path: Path, reader: "csv.DictReader[str]") -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for raw in reader:
        row = {key: (raw.get(key) or "").strip() for key in COLUMNS}
        name = row["file"].replace("\\", "/").removeprefix("./")
        where = f"{path}:{reader.line_num}"
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise UsageError(f"{where}: 'file' must be a path inside the folder, got '{name}'")
        row["expression"] = _label(row["expression"], where)
        if rows.setdefault(name, row) != row:
            raise UsageError(f"{where}: '{name}' has another label in a line above")
    return rows


def _label(text: str, where: str) -> str:
    if text.lower() in NO_LABEL:
        return ""
    try:
        return parse_expression(text)
    except UsageError as error:
        raise UsageError(
            f"{where}: {error}; leave it empty or write 'unlabelled' for no label"
        ) from None
