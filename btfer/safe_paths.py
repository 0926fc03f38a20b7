"""The one check of paths that come from outside: releases, CSV files, lists of training sets, archives."""

from pathlib import Path, PurePosixPath

from btfer.errors import UsageError

MOST_CHARACTERS = 1_024
MOST_BYTES = 255  # of the name of one file or folder, on every system
_HEX = frozenset("0123456789abcdef")
_MOST_OF_A_FACE = 40


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
        or any(part in ("", ".", "..") or len(part.encode()) > MOST_BYTES for part in parts)
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
    try:
        leads_to = path.resolve()
    except (OSError, RuntimeError):  # Python 3.11 raises RuntimeError for links in a circle
        raise UsageError(f"{where}: {name[:80]!r} is a symbolic link that leads nowhere") from None
    if not leads_to.is_relative_to(root):
        raise UsageError(f"{where}: {name[:80]!r} leads out of {folder} by a symbolic link")
    return path


class FilesInside:
    """`path_inside` for many names of one folder: its links are followed once for each of its folders."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._root = folder, folder.resolve()
        self._inside: dict[Path, bool] = {}

    def path(self, name: str, *, where: str) -> Path:
        """The file that `name` means below the folder. Raises UsageError as `path_inside`."""
        path = self._folder / relative_name(name, where=where)
        if path.parent not in self._inside:
            self._inside[path.parent] = path.parent.resolve().is_relative_to(self._root)
        if not self._inside[path.parent] or path.is_symlink():
            return path_inside(self._folder, name, where=where)
        return path


def is_digest(text: str, digits: int = 64) -> bool:
    """Whether a text is that many hexadecimal digits, in lower case, as btfer writes a sha256 and what begins one."""
    return len(text) == digits and _HEX.issuperset(text)


def is_face_id(text: str, *, photo: str = "") -> bool:
    """Whether a text has the form of a face's id, `<24 digits of the photo>-<8 of the settings>-<number>`.

    It then is a file name and no path. photo: the sha256 of the photo that the face must be of.
    """
    parts = text.split("-")
    if len(parts) != 3 or len(text) > _MOST_OF_A_FACE:
        return False
    of_photo, settings, number = parts
    return (
        is_digest(of_photo, 24)
        and is_digest(settings, 8)
        and number.isascii()
        and number.isdigit()
        and (not photo or photo.startswith(of_photo))
    )
