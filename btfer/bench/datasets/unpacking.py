"""Images that lie inside another file are unpacked once, into a folder that is whole or not there."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from btfer.errors import BtferError
from btfer.files import only_writer


def unpack_once(source: Path, root: Path, unpack: Callable[[Path], None]) -> None:
    """Have `unpack` fill the folder `root` where it is missing, or wait for the process that is just doing so.

    source: what is unpacked, for messages. Raises what `unpack` raises, and BtferError where the disk is full.
    """
    if root.is_dir():
        return
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with only_writer(root.parent):
            if not root.is_dir():
                _unpack(root, unpack)
    except OSError as error:
        raise BtferError(
            f"cannot unpack {source} into {root}: {error.strerror or error}"
        ) from error


def _unpack(root: Path, unpack: Callable[[Path], None]) -> None:
    part = Path(tempfile.mkdtemp(dir=root.parent, prefix=".part-"))
    try:
        unpack(part)
        part.chmod(0o755)
        os.replace(part, root)
    finally:
        shutil.rmtree(part, ignore_errors=True)
