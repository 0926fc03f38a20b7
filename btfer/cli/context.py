"""What a command works on: its settings, its catalogue, releases and training sets by name."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.errors import Incomplete, UsageError

if TYPE_CHECKING:
    from btfer.catalogue import Catalogue
    from btfer.settings import Settings

flags: dict[str, Any] = {}  # the settings before the command's name; btfer.cli.options fills it


def settings(**more: Any) -> "Settings":
    """The settings, with the options before the command's name and `more` of its own."""
    from btfer.settings import load_settings

    _warn_of_variables()
    own = {name: value for name, value in more.items() if value is not None}
    return load_settings(**flags | own)


@cache
def _warn_of_variables() -> None:
    """Once: a typing error in a variable's name would otherwise go unseen."""
    from btfer.settings import unknown_variables

    for sentence in unknown_variables():
        logging.getLogger("btfer").warning(sentence)


def read_assignments(given: list[str]) -> dict[str, str]:
    """Values by setting, of `--set NAME=VALUE`. Raises UsageError for what has no `=`."""
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise UsageError(f"--set '{one}': write NAME=VALUE, such as min_face_px=60")
        found[name.strip().lower().replace("-", "_")] = value
    return found


@contextmanager
def catalogue(found: "Settings", *, must_exist: bool = False) -> Iterator["Catalogue"]:
    """The catalogue that the settings name, closed at the end.

    must_exist: for a command that only looks, or deletes. It begins no catalogue in a folder that was mistyped.
    """
    from btfer.catalogue import open_catalogue

    cat = open_catalogue(found.catalogue_url, must_exist=must_exist)
    try:
        yield cat
    finally:
        cat.close()


def newest_release(*, any_kind: bool = False) -> Path:
    """The folder of the newest release that has images; `Incomplete` where there is none yet.

    any_kind: one that only names addresses will do.
    """
    from btfer.catalogue import releases
    from btfer.paths import releases_dir

    found = settings()
    with catalogue(found, must_exist=True) as cat:
        known = [releases_dir(found.data_dir) / one.name for one in releases.every(cat)]
    if not known:
        raise Incomplete("there is not a release yet: run btfer build --per-class 300")
    with_images = (folder for folder in known if any_kind or _has_images(folder))
    newest = next(with_images, None)
    if newest is None:
        raise Incomplete(
            f"no release has images here (the newest, {known[0].name}, only names the addresses of its "
            f"photos): run btfer rebuild {known[0].name}, or btfer build --per-class 300"
        )
    return newest


def _has_images(folder: Path) -> bool:
    """Damaged ones count: the command that is asked to read one says what is wrong with it."""
    from btfer.release_record import ONLY, read_record

    try:
        return read_record(folder).sources != ONLY
    except UsageError:
        return folder.is_dir()


def release_folder(asked: str | None, *, any_kind: bool = False) -> Path:
    """The folder of a release: a path, a name in data/releases or the beginning of one.

    None = the newest that has images, or of any kind. Raises UsageError where that names none, or several.
    """
    from btfer.paths import releases_dir

    if asked is None:
        return newest_release(any_kind=any_kind)
    home = releases_dir(settings().data_dir)
    if "/" not in asked and asked not in ("", ".", "..") and (home / asked).is_dir():
        return home / asked
    if Path(asked).is_dir():
        return Path(asked)
    known = sorted(one.name for one in home.iterdir() if one.is_dir()) if home.is_dir() else []
    meant = [name for name in known if asked and name.startswith(asked)]
    if len(meant) == 1:
        return home / meant[0]
    if meant:
        raise UsageError(f"'{asked}' names several releases: choose one of {', '.join(meant)}")
    listed = f"choose one of {', '.join(known)}" if known else f"{home} has none yet"
    raise UsageError(f"unknown release '{asked}': no such folder or name; {listed}")


def training_sets(wanted: list[str] | None, flag: str) -> dict[str, Path]:
    """Paths by name: NAME=PATH, or the NAME of a set in data/training; all of these where none is wanted.

    Raises UsageError for others.
    """
    from btfer.paths import training_dir

    folder = training_dir(settings().data_dir)
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    here = {one.name: one for one in inside if one.is_dir() and one.name[0] != "."}
    sets = {}
    for one in wanted or []:
        name, found, path = one.partition("=")
        if not name or "/" in name or not (found or name in here):
            known = f", or one of {', '.join(here)}" if here else ""
            raise UsageError(f"{flag} '{one}': write NAME=PATH, such as rafdb=data/RAFDB{known}")
        sets[name] = Path(path) if found else here[name]
    return sets or here
