"""Files that are whole or not there, and locks that die with their process."""

import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from btfer.errors import BtferError, Busy, UsageError

MOST_OF_A_TEXT = 64 << 20
"""Bytes of a table or text of a release; that of 2,100 images has less than one."""

_PART = ".part-"
_NO_FOLDER = (errno.ENOTDIR, errno.EEXIST, errno.ELOOP)
_OPENED = "/proc/self/fd"
_LONGEST_NAME = 20  # of a command


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` so that `path` is either as before or complete, also after a crash.

    A link is written through. On Linux the file has no name until it is whole, so that a writer who is killed leaves
    nothing behind; only while it takes the place of another one has it a second name, which the next writer of the
    file removes. Raises BtferError when the disk is full or the folder cannot be written, UsageError where `path`
    is a device, a pipe, a socket or a folder, or lies in what is no folder.
    """
    try:
        path = file_to_write(path)
        temporary = path.with_name(f"{_PART}{secrets.token_hex(8)}")
        handle, is_named = _create(temporary)
    except OSError as error:
        kind = UsageError if error.errno in _NO_FOLDER else BtferError
        raise kind(f"cannot write {path}: {error.strerror}") from error
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
            if not is_named:
                _name(handle, path, temporary)
        if is_named:
            os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise BtferError(
            f"cannot write {path}: {error.strerror}. What was finished is kept: "
            "make room on the disk and run the command again"
        ) from error


def file_to_write(path: Path) -> Path:
    """The file that a path leads to, which need not be there. Raises UsageError for what no file may replace."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise UsageError(f"{path} is a link that leads nowhere: name a file to write to") from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
        raise UsageError(f"{path} is {kind}: name a file to write to")
    return path.resolve() if path.is_symlink() else path


def _create(path: Path) -> tuple[int, bool]:
    """A new file in the folder of a path, open for writing; and whether it has that name, or none yet."""
    try:
        return _open(path)
    except FileNotFoundError:  # a new folder: rare, so not looked for beforehand
        path.parent.mkdir(parents=True, exist_ok=True)
        return _open(path)


def _open(path: Path) -> tuple[int, bool]:
    flags = os.O_WRONLY | os.O_CLOEXEC
    if hasattr(os, "O_TMPFILE") and os.path.isdir(_OPENED):
        try:
            return os.open(path.parent, flags | os.O_TMPFILE, 0o644), False
        except FileNotFoundError:
            raise
        except OSError:  # not on every file system
            pass
    return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644), True


def _name(handle: int, path: Path, temporary: Path) -> None:
    """Give an open file without a name this one. Where another file has it, it has a second name for a moment.

    That one is the same each time, so that what a killed writer has left is found; `temporary` where others write
    the same file now.
    """
    with suppress(FileExistsError):
        return _link(handle, path)
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()
    part = path.with_name(f"{_PART}{digest[:16]}")
    fcntl.flock(handle, fcntl.LOCK_EX)  # which says, while it has that name, that its writer lives
    with suppress(FileExistsError):
        _link(handle, part)
        return _replace(part, path)
    _remove_left(part)
    _link(handle, temporary)
    os.replace(temporary, path)


def _replace(part: Path, path: Path) -> None:
    try:
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _remove_left(part: Path) -> None:
    """Delete a part whose writer was killed; that of a living one stays."""
    with suppress(FileNotFoundError, BlockingIOError), part.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(
            os.fstat(file.fileno()), part.stat()
        ):  # else it has got its place meanwhile
            part.unlink()


def _link(handle: int, path: Path) -> None:
    # Python follows the link only where it is told a folder for it, which an absolute path then ignores.
    os.link(f"{_OPENED}/{handle}", path, src_dir_fd=handle, follow_symlinks=True)


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
    """The sha256 of a file's bytes, as 64 hex digits.

    Raises OSError, also for a pipe or a device, which may never end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a file", str(path))
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
