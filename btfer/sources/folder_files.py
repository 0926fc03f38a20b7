"""The files of a folder: which are offered, and which of them a name in somebody's list means."""

import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from btfer.errors import UsageError

OURS = ("photos", "thumbnails", "faces", "releases", "erasures", "runs", "reports", "leaks")
"""Folders of the data folder that btfer writes itself."""
_SHOWN = 3


@dataclass
class Walk:
    """The files below a folder that are not hidden, sorted, and folders that were left out, by reason."""

    files: list[Path]
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def notes(self) -> Iterator[str]:
        """A line for each reason."""
        for reason, names in self.left_out.items():
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield f"{reason}: {', '.join(sorted(names)[:_SHOWN])}{more}"


def walk(root: Path, data_dir: Path | None = None) -> Walk:
    """What lies below a folder. Links to files are files; links to folders are not followed, so no loop is."""
    left_out: defaultdict[str, list[str]] = defaultdict(list)
    files: list[Path] = []

    def unread(error: OSError) -> None:
        name = os.path.relpath(os.fsdecode(error.filename or root), root)
        left_out["folders that cannot be read"].append(name)

    def leave(path: Path) -> str:
        if path.is_symlink():
            return "links to folders, which are not followed: pass these folders by themselves"
        return "btfer's data folder, which is left out" if path == data_dir else ""

    for here, folders, names in os.walk(root, onerror=unread):
        below = [Path(here) / name for name in folders if not name.startswith(".")]
        for path in below:
            if why := leave(path):
                left_out[why].append(path.relative_to(root).as_posix())
        folders[:] = [path.name for path in below if not leave(path)]
        files += [Path(here) / name for name in names if not name.startswith(".")]
    return Walk(sorted(files), dict(left_out))


def is_ours(root: Path, data_dir: Path) -> bool:
    """Whether a folder is the data folder, or one in it that btfer writes itself."""
    if root == data_dir:
        return True
    return data_dir in root.parents and root.relative_to(data_dir).parts[0] in OURS


def is_plain(path: Path) -> bool:
    """Whether a path is a file or a link to one: no pipe, device, socket or folder. Raises OSError."""
    return stat.S_ISREG(path.stat().st_mode)


class FileNames:
    """Finds the file that a list means, however its name was typed.

    A name may have backslashes, `./`, the folder's own name or its whole path in front, other capitals, accents in
    pieces (as macOS writes them) or in one, and the escapes of a URL. A name that is there exactly is taken first.
    """

    def __init__(self, root: Path, names: Iterable[str], *, typed: Path) -> None:
        self._names = set(names)
        self._fronts = {_key(one.as_posix()) for one in (root, typed.absolute())}
        self._fronts |= {_key(root.name), _key(typed.as_posix())}
        self._by_key: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self._names):
            self._by_key[_key(name)].append(name)

    def find(self, written: str) -> str:
        """The file's name, relative to the folder; the plainest form of `written` where there is none.

        Raises UsageError where two files could be meant.
        """
        plainest = ""
        for name in self._forms(written):
            plainest = plainest or name
            if name in self._names:
                return name
            meant = self._by_key.get(_key(name), [])
            if len(meant) > 1:
                raise UsageError(
                    f"'{written}' could be any of {', '.join(meant)}: write it as it is"
                )
            if meant:
                return meant[0]
        return plainest

    def has(self, written: str) -> bool:
        """Whether a file is meant."""
        return bool(written) and any(
            name in self._names or _key(name) in self._by_key for name in self._forms(written)
        )

    def _forms(self, written: str) -> Iterator[str]:
        yield from [written] * (written in self._names)  # a backslash can be a part of a name
        for text in dict.fromkeys((written, unquote(written))):
            plain = _plain(text)
            inside = self._without_front(plain)
            yield from dict.fromkeys((inside, plain) if plain.startswith("/") else (plain, inside))

    def _without_front(self, name: str) -> str:
        for front in sorted(self._fronts, key=len, reverse=True):
            parts = name.split("/")
            n = front.count("/") + 1
            if len(parts) > n and front and _key("/".join(parts[:n])) == front:
                return "/".join(parts[n:])
        return name


def _plain(written: str) -> str:
    name = written.removeprefix("file://").replace("\\", "/")
    kept = [part for part in name.split("/") if part not in ("", ".")]
    return "/" * name.startswith("/") + "/".join(kept)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
