"""A release's folder as it lies there, read once. Nothing in it is trusted: no link is followed, no pipe opened."""

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from btfer.errors import UsageError
from btfer.files import check_size
from btfer.images import bare_size
from btfer.pipeline.release_metadata import CsvRow, read_rows
from btfer.pipeline.verify.sums import FILE as SUMS
from btfer.pipeline.verify.sums import parse_sums
from btfer.release_record import FILE as RECORD
from btfer.release_record import ONLY, ReleaseRecord, read_record

TABLES = ("metadata.csv", "attribution.csv", "sources.csv")
_READ_WHOLE = {SUMS, *TABLES, RECORD, "faces.jsonl", "croissant.json", "README.md"}
MOST_OF_AN_IMAGE = 64 << 20  # bytes; a PNG of 256x256 has at most 200 kB
_READERS = 4
_KINDS = {
    stat.S_IFLNK: "a symbolic link, which was not followed",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
LEFT_BY_DESKTOPS = (".ds_store", "thumbs.db", "desktop.ini", "._*")


@dataclass(frozen=True)
class ReadFile:
    """A file as it is. size: of a PNG that holds pixels and nothing else, read to its end; None = no such PNG."""

    sha256: str
    size: tuple[int, int] | None
    n_names: int = 1


@dataclass(frozen=True)
class OpenedRelease:
    """A release's folder, read once. sums: what SHA256SUMS says; found: the files that are there.

    odd: what is there and is not a file of a release, with what it is. damage: why a file cannot be read, by its
    name. tables: rows of each CSV that can be read. record: None where release.json cannot be read.
    """

    folder: Path
    digest: str
    sums: dict[str, str]
    found: dict[str, ReadFile]
    odd: dict[str, str] = field(default_factory=dict)
    damage: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, list[CsvRow]] = field(default_factory=dict)
    record: ReleaseRecord | None = None

    @property
    def rows(self) -> list[CsvRow]:
        """Those of metadata.csv."""
        return self.tables.get("metadata.csv", [])

    @property
    def images(self) -> list[str]:
        """The images that SHA256SUMS names."""
        return sorted(name for name in self.sums if name.startswith("images/"))

    @property
    def has_images(self) -> bool:
        """False for a release that only names the addresses of its photos."""
        return self.record.sources != ONLY if self.record else bool(self.images)


def open_release(folder: Path) -> OpenedRelease:
    """Read all of a folder. Raises UsageError where it is not a release."""
    needed = (SUMS, "metadata.csv")
    if not folder.is_dir() or not all(os.path.lexists(folder / name) for name in needed):
        raise UsageError(f"{folder} is not a release: it has no SHA256SUMS and metadata.csv")
    odd: dict[str, str] = {}
    paths = dict(_walk(folder, "", odd))
    for name in _READ_WHOLE & paths.keys():
        check_size(paths[name])
    damage: dict[str, list[str]] = {}
    found: dict[str, ReadFile] = {}
    with ThreadPoolExecutor(_READERS) as pool:  # hashing and inflating leave the interpreter free
        for name, one in zip(paths, pool.map(_read, paths.values()), strict=True):
            if isinstance(one, ReadFile):
                found[name] = one
            else:
                damage[name] = [f"{name} cannot be read: {one}"]
    digest, sums = "", dict[str, str]()
    if SUMS in found:
        digest = found.pop(SUMS).sha256
        sums, wrong = parse_sums(paths[SUMS].read_bytes())
        damage |= {SUMS: wrong} if wrong else {}
    tables, record = {}, None
    for name in TABLES:
        try:
            tables[name] = read_rows(folder / name) if name in found else []
        except UsageError as error:
            damage[name] = [_without(folder, error)]
    try:
        if RECORD not in found:
            raise UsageError(f"{RECORD} cannot be read: there is no such file")
        record = read_record(folder)
    except UsageError as error:
        damage.setdefault(RECORD, [_without(folder, error)])
    return OpenedRelease(folder, digest, sums, found, odd, damage, tables, record)


def _walk(folder: Path, within: str, odd: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """Every plain file below a folder; what is none goes to `odd`, and so does a folder without files."""
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError as error:
        odd[within or "."] = f"a folder that cannot be read ({error.strerror})"
        return
    if within and not entries:
        odd[within] = "an empty folder"
    for entry in entries:
        name = f"{within}/{entry.name}" if within else entry.name
        kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
        if kind == stat.S_IFDIR:
            yield from _walk(Path(entry.path), name, odd)
        elif kind == stat.S_IFREG:
            yield name, Path(entry.path)
        else:
            odd[name] = _KINDS.get(kind, "no file")


def _read(path: Path) -> ReadFile | str:
    """A file's digest; why it cannot be read."""
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if path.suffix == ".png" and about.st_size <= MOST_OF_AN_IMAGE:
                data = file.read()
                return ReadFile(hashlib.sha256(data).hexdigest(), bare_size(data), about.st_nlink)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return ReadFile(sha256, None, about.st_nlink)
    except OSError as error:
        return error.strerror or str(error)


def _without(folder: Path, error: UsageError) -> str:
    """A message that names a file by its place in the release."""
    return str(error).replace(f"{folder}{os.sep}", "")
