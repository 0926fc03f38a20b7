"""Looking into zip and tar files, without unpacking them: an export that somebody zipped still shows a face."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ZIP = (".zip",)
TAR = (".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
OTHER = (".7z", ".rar", ".zst", ".gz", ".bz2", ".xz", ".lz4", ".dmg", ".iso")
"""Packed in a way that is not read here; a single `.gz` too."""

MOST_OF_A_MEMBER = 256 << 20
MOST_OF_AN_ARCHIVE = 64 << 30
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    KeyError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)


class CannotLookInto(Exception):
    """An archive, or a member of it, that cannot be searched; the text says why."""


def is_archive(path: Path) -> bool:
    """Whether a file is packed, by its name."""
    return path.name.lower().endswith((*ZIP, *TAR, *OTHER))


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file in an archive. Raises CannotLookInto where one cannot be read."""
    name = path.name.lower()
    try:
        if name.endswith(ZIP):
            yield from _in_zip(path)
        elif name.endswith(TAR):
            yield from _in_tar(path)
        else:
            raise CannotLookInto("it is packed in a way that is not read here")
    except _DAMAGE as error:
        raise CannotLookInto(f"it cannot be read ({error})") from None


def _in_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise CannotLookInto("it needs a password")
            with archive.open(info) as file:
                data = _bounded(file, info.filename)
            total = _counted(total + len(data))
            yield info.filename, data


def _in_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    with tarfile.open(path) as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isfile() else None
            if file:
                data = _bounded(file, info.name)
                total = _counted(total + len(data))
                yield info.name, data


def _bounded(file: IO[bytes], name: str) -> bytes:
    data = file.read(MOST_OF_A_MEMBER + 1)
    if len(data) > MOST_OF_A_MEMBER:
        raise CannotLookInto(f"{name} in it has more than {MOST_OF_A_MEMBER >> 20} MB")
    return data


def _counted(total: int) -> int:
    if total > MOST_OF_AN_ARCHIVE:
        raise CannotLookInto(f"it unpacks to more than {MOST_OF_AN_ARCHIVE >> 30} GB")
    return total
