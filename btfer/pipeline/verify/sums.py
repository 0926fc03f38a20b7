"""SHA256SUMS: the digest of every file of a release, as `sha256sum` writes it."""

import re
from collections.abc import Mapping
from pathlib import Path

from btfer.errors import UsageError
from btfer.files import check_size, sha256_file
from btfer.safe_paths import FilesInside, is_digest, relative_name

FILE = "SHA256SUMS"
_LINE = re.compile(r"([0-9A-Fa-f]{64})  (.+)", re.DOTALL)


def read_sums(folder: Path) -> dict[str, str]:
    """The digest of each file by its name. Raises UsageError with the line of one that cannot be right."""
    path = folder / FILE
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} cannot be read: it is not a file")
    try:
        check_size(path)
        sums, problems = parse_sums(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if problems:
        raise UsageError(f"{folder}: {problems[0]}")
    return sums


def check_files(folder: Path, sums: Mapping[str, str]) -> None:
    """Raise UsageError where a file is missing, or is not what its digest says."""
    inside = FilesInside(folder)
    for name, digest in sums.items():
        path = inside.path(name, where=f"{folder}/{FILE}")
        if not path.is_file() or sha256_file(path) != digest:
            raise UsageError(
                f"{folder} is damaged ({name} is not what {FILE} says): see btfer verify, or get it again"
            )


def parse_sums(data: bytes) -> tuple[dict[str, str], list[str]]:
    """Digests by name, and what is wrong with the file's lines; a line that is wrong names no file."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {}, [f"{FILE} is not UTF-8 text"]
    sums: dict[str, str] = {}
    problems = [] if text.endswith("\n") or not text else [f"{FILE} ends within a line"]
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        where = f"{FILE}, line {number}"
        found = _LINE.fullmatch(line.removesuffix("\r"))
        if line.endswith("\r"):
            problems.append(f"{where} ends as on Windows: it was changed by an editor or by git")
        if not found:
            problems.append(f"{where} is not a digest, two spaces and a name: {line[:80]!r}")
            continue
        digest, name = found.groups()
        try:
            relative_name(name, where=where)
        except UsageError as error:
            problems.append(str(error))
            continue
        if not is_digest(digest):
            problems.append(f"{where}: the digest is written in capitals")
        if name in sums:
            problems.append(f"{where} names {name} a second time")
            continue
        sums[name] = digest.lower()
    return sums, problems
