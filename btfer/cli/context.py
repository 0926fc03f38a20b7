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
    found = load_settings(**flags | own)
    if "address" in flags and found.engine != "ray":
        raise UsageError(
            f"--address has no effect with the engine '{found.engine}': pass --engine ray as well"
        )
    return found


def with_releases() -> "Settings":
    """The settings, with the releases here as they are in the bucket, where the data folder is one."""
    from btfer.store import store_of
    from btfer.store.mirror import pull

    found = settings()
    pull(store_of(found), "releases")
    return found


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


def _newest_release(found: "Settings", *, any_kind: bool) -> Path:
    """The folder of the newest release that has images; `Incomplete` where there is none yet.

    Without a catalogue, as where somebody only scores networks, it is the one release in data/releases.
    any_kind: one that only names addresses will do. Raises UsageError where several lie there.
    """
    from btfer.catalogue import releases
    from btfer.paths import releases_dir

    if alone := _without_catalogue(found, releases_dir(found.data_dir)):
        return alone
    with catalogue(found, must_exist=True) as cat:
        known = [releases_dir(found.data_dir) / one.name for one in releases.every(cat)]
    if not known:
        raise Incomplete("there is no release yet: run btfer build --per-class 300")
    with_images = (folder for folder in known if any_kind or _has_images(folder))
    newest = next(with_images, None)
    if newest is None:
        raise Incomplete(
            f"no release has images here (the newest, {known[0].name}, only names the addresses of its "
            f"photos): run btfer rebuild {known[0].name}, or btfer build --per-class 300"
        )
    return newest


def _without_catalogue(found: "Settings", home: Path) -> Path | None:
    """The only release in a data folder without a catalogue; None where there is a catalogue, or no release."""
    if _names_catalogue(found) or not home.is_dir():
        return None
    lying = [one for one in sorted(home.iterdir()) if (one / "metadata.csv").is_file()]
    if len(lying) > 1:
        names = ", ".join(one.name for one in lying)
        raise UsageError(
            f"{home} has several releases, and no catalogue says which is the newest: choose one with "
            f"--release: {names}"
        )
    return lying[0] if lying else None


def _names_catalogue(found: "Settings") -> bool:
    from btfer.catalogue.address import sqlite_file

    if found.bucket_url and not found.catalogue:
        return False
    file = sqlite_file(found.catalogue_url)
    return file is None or file.exists()


def _has_images(folder: Path) -> bool:
    """Damaged ones count: the command that is asked to read one says what is wrong with it."""
    from btfer.release_record import ONLY, read_record

    try:
        return read_record(folder).sources != ONLY
    except UsageError:
        return folder.is_dir()


def release_folder(asked: str | None, *, any_kind: bool = False) -> Path:
    """The folder of a release: a path, a name in data/releases or the beginning of one.

    None = the newest that has images, or of any kind. Raises UsageError where that names none, or several, and,
    unless any_kind, where what came from a bucket is damaged.
    """
    from btfer.paths import releases_dir

    if asked and "/" in asked and Path(asked).is_dir():
        return Path(asked)
    found = with_releases()
    home = releases_dir(found.data_dir)
    folder = _newest_release(found, any_kind=any_kind) if asked is None else _named(asked, home)
    if found.bucket_url and folder.parent == home and not any_kind:
        _check_copy(folder)
    return folder


def _named(asked: str, home: Path) -> Path:
    """A folder in `home` by its name or the beginning of it, else a path. Raises UsageError."""
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


def _check_copy(folder: Path) -> None:
    """Raise UsageError where a file of a release is not what its SHA256SUMS says, as `btfer verify` tells in full."""
    from btfer.pipeline.verify import check_files, read_sums
    from btfer.release_record import ONLY, read_record

    sums = read_sums(folder)
    if read_record(folder).sources == ONLY:
        sums = {name: one for name, one in sums.items() if not name.startswith("images/")}
    check_files(folder, sums)


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
