"""Files that are kept only to save time: one that is missing is made, one that is damaged is made again."""

import errno
import struct
import zlib
from collections.abc import Callable
from lzma import LZMAError
from pathlib import Path
from tokenize import TokenError
from typing import TypeVar
from zipfile import BadZipFile

Kept = TypeVar("Kept")
DAMAGED = (
    *(ValueError, LookupError, TypeError, AttributeError, EOFError),
    *(BadZipFile, zlib.error, LZMAError),
    # Numpy reads the head of an array as Python.
    *(SyntaxError, TokenError, SystemError, OverflowError, NotImplementedError, struct.error),
)
"""What readers of JSON and of numpy's files raise for what is cut off, empty, or something else."""


def is_unreadable(error: Exception) -> bool:
    """Whether the disk refused a file, which is then not damaged. A damaged zip can name a place before its begin."""
    return isinstance(error, OSError) and error.errno != errno.EINVAL


def cached(path: Path, make: Callable[[], object], read: Callable[[Path], Kept]) -> Kept:
    """What `read` finds in a file that `make` writes.

    Raises what they raise; of `read` none of DAMAGED, but for a file that `make` has just written.
    """
    if path.is_file():
        try:
            return read(path)
        except (*DAMAGED, OSError) as error:
            if is_unreadable(error):
                raise
            path.unlink(missing_ok=True)
    make()
    return read(path)
