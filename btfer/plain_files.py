"""Reading what somebody names: files, never a pipe that nobody writes into or a device that does not end.

A list or a token may come through a pipe, as from a shell's `<(...)`: its writer is waited for, not for ever.
"""

import errno
import os
import stat
import time
from pathlib import Path

MOST_BYTES = 64 << 20
"""Of a text or a table; the settings, a query plan and a release have less than one of these."""

PATIENCE_S = 5
"""How long a pipe without a writer is watched. One of a shell has its writer from the start."""

_CHUNK = 1 << 20


def refuse_odd(path: Path) -> None:
    """Raise OSError where a path leads to no file: to a folder, a pipe, a socket, a device, a loop, or nowhere."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a file", str(path))


def read_plain(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a file. Raises OSError as `refuse_odd`, and for one that is larger."""
    refuse_odd(path)
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes:,} bytes", str(path))
    return data


def read_plain_text(path: Path, encoding: str = "utf-8", most_bytes: int = MOST_BYTES) -> str:
    """The text of a file, with line ends as Python has them. Raises OSError as `read_plain`, UnicodeDecodeError."""
    text = read_plain(path, most_bytes).decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_piped(path: Path, most_bytes: int) -> bytes:
    """All that a pipe gives, or a device or a file, and one byte more than `most_bytes` at most.

    Raises OSError, also for a pipe into which nobody writes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(handle, "rb", buffering=0) as source:
        parts = [_first(handle, path)]
        os.set_blocking(handle, True)
        while parts[-1] and (wanted := most_bytes + 1 - sum(map(len, parts))) > 0:
            parts.append(source.read(min(wanted, _CHUNK)))
        return b"".join(parts)


def _first(handle: int, path: Path) -> bytes:
    """The first bytes of what is open, some of it only; waits until somebody writes."""
    is_pipe, end = stat.S_ISFIFO(os.fstat(handle).st_mode), time.monotonic() + PATIENCE_S
    while True:
        try:
            data = os.read(handle, _CHUNK)
        except BlockingIOError:  # somebody has it open, and has not written yet
            os.set_blocking(handle, True)
            return os.read(handle, _CHUNK)
        if data or not is_pipe:
            return data
        if time.monotonic() > end:
            raise OSError(errno.EINVAL, "it is a pipe into which nobody writes", str(path))
        time.sleep(0.02)
