"""What would be sent: the files that SHA256SUMS names, after every check that could forbid it."""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from btfer.errors import UsageError
from btfer.pipeline.publish import rights
from btfer.pipeline.release_metadata import read_rows
from btfer.pipeline.verify import read_sums, verify
from btfer.release_record import read_record

BESIDE = ("SHA256SUMS", "tombstones.csv", "optout.html")
"""Files that go along though SHA256SUMS need not name them."""

_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,2}")
_TEXTS = frozenset({".csv", ".json", ".jsonl", ".md", ".html", ""})
_SHOWN = 5


@dataclass(frozen=True)
class ParcelFile:
    """A file to send; `name` is its path in the release, with slashes."""

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Parcel:
    """A release that may be sent. digest: sha256 of SHA256SUMS; predecessor: that of the version before, or ""."""

    name: str
    version: str
    digest: str
    files: tuple[ParcelFile, ...]
    images: int
    redistribution: str
    predecessor: str = ""
    licences: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)

    @property
    def base(self) -> str:
        """The name without its digest."""
        return self.name.removesuffix(f"-{self.digest[:12]}")

    @property
    def title(self) -> str:
        """The title that a record of the release carries."""
        return f"{self.base}: class-balanced facial-expression test set"

    def lines(self) -> list[str]:
        """What a person should know before it leaves."""
        stated = ", ".join(f"{name} {n}" for name, n in self.licences.most_common()) or "none"
        use = {
            rights.NON_COMMERCIAL: "may be used for non-commercial purposes only",
            rights.COMMERCIAL: "may be used commercially too",
        }
        return [
            f"release     {self.name}, version {self.version}",
            f"digest      {self.digest} (sha256 of SHA256SUMS)",
            f"files       {len(self.files)} files, {self.size:,} bytes, {self.images} images",
            f"licences    {stated}",
            f"images      {use.get(self.redistribution, '')}"
            if self.images
            else "images      none are sent: this release has addresses and hashes only",
        ]


def read_parcel(folder: Path) -> Parcel:
    """Check a release and list what would be sent of it.

    Raises UsageError where `verify` finds a problem, a file is not what it may be, or an image may not be
    redistributed.
    """
    files = _files(folder)
    _check_whole(folder)
    record, rows = read_record(folder).as_json(), read_rows(folder / "metadata.csv")
    only_addresses = _only_addresses(record, files)
    allowed = rights.redistribution(record, rows)
    stated = rights.licences(rows)
    if allowed == rights.NONE and not only_addresses:
        raise UsageError(_refusal(folder.resolve().name, stated))
    digest = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    return Parcel(
        name=folder.resolve().name,
        version=_version(record),
        digest=digest,
        files=files,
        images=0 if only_addresses else sum(one.name.startswith("images/") for one in files),
        redistribution=allowed,
        predecessor=_predecessor(record),
        licences=stated,
    )


def _files(folder: Path) -> tuple[ParcelFile, ...]:
    if not (folder / "SHA256SUMS").is_file():
        raise UsageError(f"{folder} is not a release: it has no SHA256SUMS")
    try:
        sums = read_sums(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}/SHA256SUMS cannot be read: {error}") from None
    odd = [name for name in (*sums, *BESIDE) if not _is_own(folder, name, name in sums)]
    if odd:
        raise UsageError(
            f"nothing was sent: {_some(odd)} in {folder} is not a plain file of this release "
            "(a link, a hidden file, or a path outside the folder)"
        )
    found = [ParcelFile(n, folder / n, (folder / n).stat().st_size, sha) for n, sha in sums.items()]
    for name in BESIDE:
        path = folder / name
        if name not in sums and path.is_file():
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            found.append(ParcelFile(name, path, path.stat().st_size, sha256))
    return tuple(sorted(found, key=lambda one: one.name))


def _is_own(folder: Path, name: str, must_be_there: bool) -> bool:
    """Whether a name stays in the folder, is not hidden, and leads to a plain file by no link."""
    place = PurePosixPath(name)
    plain = name == place.as_posix() and name.isprintable() and "\\" not in name
    if not plain or place.is_absolute() or any(part.startswith(".") for part in place.parts):
        return False
    path = folder / place
    steps = [path, *path.parents][: len(place.parts)]
    if any(step.is_symlink() for step in steps):
        return False
    return path.is_file() or not (must_be_there or path.exists())


def _check_whole(folder: Path) -> None:
    try:
        problems = [text for check in verify(folder) for text in check.problems]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        problems = [f"it cannot be read ({error})"]
    if problems:
        raise UsageError(
            f"nothing was sent: {folder} has problems: {_some(problems)}. See all with: btfer verify {folder}"
        )


def _only_addresses(record: Mapping[str, Any], files: tuple[ParcelFile, ...]) -> bool:
    """True for a release of addresses that holds no images, in no form."""
    texts = all(PurePosixPath(one.name).suffix in _TEXTS for one in files)
    return record.get("sources") == "only" and texts


def _refusal(name: str, stated: Counter[str]) -> str:
    why = rights.held_back(stated) or stated
    counts = ", ".join(f"{licence} {n}" for licence, n in why.most_common())
    return (
        f"nothing was sent: {name} has images that may not be redistributed (images by licence: {counts}), "
        "and a private upload hands them on too. Build one of images that may be: btfer build --redistributable; "
        "or publish where the photos are: btfer build --sources-only"
    )


def _version(record: Mapping[str, Any]) -> str:
    version = str(record.get("version", ""))
    if not _VERSION.fullmatch(version):
        raise UsageError(
            f"nothing was sent: release.json has the version '{version[:40]}'; 1.0.0 is meant"
        )
    return version


def _predecessor(record: Mapping[str, Any]) -> str:
    told = record.get("predecessor")
    if isinstance(told, dict):
        told = told.get("digest")
    return told if isinstance(told, str) and re.fullmatch(r"[0-9a-f]{12,64}", told) else ""


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more
