"""Labelled pairs from a CSV: a, b, same[, kind]; each photo by its sha256 or by where it was found."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from btfer.catalogue import Catalogue, pairs
from btfer.csv_reader import read_csv
from btfer.errors import UsageError

SAME = {"yes": True, "1": True, "true": True, "no": False, "0": False, "false": False}
_DIGITS = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True)
class Labelled:
    """Two photos, by sha256 (the smaller first), whether they are the same picture, and a word for the kind."""

    one: str
    other: str
    same: bool
    kind: str = ""
    weight: float = 1.0


def read_pairs(cat: Catalogue, file: Path) -> list[Labelled]:
    """The pairs of a file, each once.

    a and b: a sha256 or its first digits (6 or more), the URL a photo was found at, or the end of
    that URL from a slash on, such as `folder/name.jpg`. same: yes, no, 1, 0, true, false. Raises
    UsageError with the file's line.
    """
    find = PhotoFinder(cat)
    found: dict[tuple[str, str], tuple[Labelled, int]] = {}
    for line, row in _rows(file):
        one = _labelled(row, find, f"{file}:{line}")
        before, its_line = found.setdefault((one.one, one.other), (one, line))
        if before.same != one.same:
            raise UsageError(f"{file}:{line}: this pair is labelled otherwise in line {its_line}")
    if not found:
        raise UsageError(f"{file} contains no pairs: write a, b, same under the first line")
    return [one for one, _ in found.values()]


class PhotoFinder:
    """Photos by the start of their sha256, or by the end of a URL that they were found at."""

    def __init__(self, cat: Catalogue) -> None:
        self._ids = [row.sha256 for row in pairs.hashes(cat)]
        self._by_name: dict[str, set[tuple[str, str]]] = {}
        for row in pairs.urls(cat):
            for url in {row.url, row.final_url} - {""}:
                for text in {url, unquote(url)}:
                    known = self._by_name.setdefault(text.rpartition("/")[2], set())
                    known.add((text, row.photo))

    def __call__(self, text: str) -> set[str]:
        """The sha256 of every photo that the text can mean."""
        return set(self._starting(text)) or self._ending(text)

    def _starting(self, digits: str) -> Iterator[str]:
        if _DIGITS.fullmatch(digits):
            for at in range(bisect_left(self._ids, digits), len(self._ids)):
                if not self._ids[at].startswith(digits):
                    return
                yield self._ids[at]

    def _ending(self, text: str) -> set[str]:
        end = text.replace("\\", "/").removeprefix("./")
        known = self._by_name.get(end.rpartition("/")[2], set())
        tail = "/" + end.lstrip("/")
        return {photo for url, photo in known if url == end or url.endswith(tail)}


def _labelled(row: dict[str, str], find: PhotoFinder, where: str) -> Labelled:
    one, other = sorted(_only(find(row[name]), name, row[name], where) for name in ("a", "b"))
    same = SAME.get(row["same"].lower())
    if same is None:
        raise UsageError(f"{where}: 'same' must be one of {', '.join(SAME)}, got '{row['same']}'")
    if one == other and not same:
        raise UsageError(f"{where}: a and b have the same bytes, and 'same' says no")
    return Labelled(one, other, same, row["kind"])


def _only(found: set[str], column: str, text: str, where: str) -> str:
    if len(found) == 1:
        return found.pop()
    if found:
        raise UsageError(
            f"{where}: {column} '{text}' means {len(found)} photos: write more of its sha256 or path"
        )
    raise UsageError(
        f"{where}: {column} '{text}' is not a photo of the catalogue: write a sha256, or the URL or "
        "path that it was taken in from (btfer import)"
    )


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line; every column is there, without spaces around it."""
    table = read_csv(file, required=("a", "b", "same"), known=("kind",), may_be_empty=True)
    for row in table:
        yield row.line, {name: row.get(name) for name in ("a", "b", "same", "kind")}
