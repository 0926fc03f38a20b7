"""Files that are whole or not there, and locks that die with their process."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from btfer.errors import BtferError, Busy, UsageError

MOST_OF_A_TEXT = 64 << 20
"""Bytes of a table or text of a release; that of 2,100 images has less than one."""

_PART = ".part-"
_LONGEST_NAME = 20  # of a command


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` so that `path` is either as before or complete, also after a crash.

    Raises BtferError when the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f"{_PART}{secrets.token_hex(8)}")
    try:
        handle = _create(temporary)
    except OSError as error:
        raise BtferError(f"cannot write {path}: {error.strerror}") from error
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise BtferError(
            f"cannot write {path}: {error.strerror}. What was finished is kept: "
            "make room on the disk and run the command again"
        ) from error


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:  # a new folder: rare, so not looked for beforehand
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o644)


def remove_parts(folder: Path) -> None:
    """Delete what writers that were killed have left below a folder; nobody may be writing there now."""
    for part in folder.glob(f"**/{_PART}*"):
        part.unlink(missing_ok=True)


def check_size(path: Path, most_bytes: int = MOST_OF_A_TEXT) -> None:
    """Raise UsageError for a file from elsewhere that is too large to be what it should be, before it is read."""
    n_bytes = path.stat().st_size
    if n_bytes > most_bytes:
        raise UsageError(
            f"{path} has {n_bytes:,} bytes, more than the {most_bytes:,} that it may have: it was not read"
        )


def sha256_file(path: Path) -> str:
    """The sha256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def only_one(data_dir: Path, stage: str, *, by: str = "") -> Iterator[None]:
    """Hold the lock of `stage` under `data_dir`; the system frees it when the process ends.

    by: the command that holds it where that is another one; who is kept out is told of it. Raises Busy when
    another process holds it.
    """
    path = data_dir / f".{stage}.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise BtferError(f"cannot write to the folder {data_dir}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            other = file.read(_LONGEST_NAME).strip()
            named = f"'btfer {other}'" if other.isalpha() else f"another 'btfer {stage}'"
            raise Busy(
                f"{named} is working in {data_dir}: wait until it ends, or stop it"
            ) from None
        with suppress(OSError):  # of a full disk: who is kept out hears the name of the stage then
            file.truncate(0)
            os.write(file.fileno(), by.encode())
        yield


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Wait for the folder's own lock and hold it; the system frees it when the process ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
