"""The one check of paths that come from outside: releases, CSV files, lists of training sets, archives."""

from pathlib import Path, PurePosixPath

from btfer.errors import UsageError

MOST_CHARACTERS = 1_024


def relative_name(name: str, *, where: str) -> PurePosixPath:
    """A name such as `images/sad/sad-001.png`, checked. where: what names it, for the message.

    Raises UsageError for an absolute path, `..`, a drive, a backslash, a control character, or an empty name:
    none of these is written by an honest tool, and each may point outside the folder on some system.
    """
    parts = name.split("/")
    wrong = (
        not name
        or len(name) > MOST_CHARACTERS
        or "\\" in name
        or ":" in parts[0]
        or any(ord(character) < 32 for character in name)
        or any(part in ("", ".", "..") for part in parts)
    )
    if wrong:
        raise UsageError(f"{where}: {name[:80]!r} is not a path inside the folder")
    return PurePosixPath(name)


def path_inside(folder: Path, name: str, *, where: str) -> Path:
    """The file that `name` means below `folder`, which it never leaves, not by a symbolic link either.

    It need not exist. Raises UsageError as `relative_name` does, and for a link that leads out of the folder.
    """
    path = folder / relative_name(name, where=where)
    root = folder.resolve()
    if not path.resolve().is_relative_to(root):
        raise UsageError(f"{where}: {name[:80]!r} leads out of {folder} by a symbolic link")
    return path
