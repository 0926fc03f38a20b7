"""What a command works on: its settings, its catalogue, the newest release."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btfer.errors import Incomplete, UsageError

if TYPE_CHECKING:
    from btfer.catalogue import Catalogue
    from btfer.settings import Settings

flags: dict[str, Any] = {}  # the options before the command's name; btfer.cli.options fills it


def settings(**more: Any) -> "Settings":
    """The settings, with the options before the command's name and `more` of its own."""
    from btfer.settings import load_settings

    return load_settings(**flags, **more)


@contextmanager
def catalogue(found: "Settings") -> Iterator["Catalogue"]:
    """The catalogue that the settings name, closed at the end."""
    from btfer.catalogue import open_catalogue

    cat = open_catalogue(found.catalogue_url)
    try:
        yield cat
    finally:
        cat.close()


def newest_release() -> Path:
    """The folder of the newest release; `Incomplete` where there is none yet."""
    from btfer.catalogue import releases
    from btfer.paths import releases_dir

    found = settings()
    with catalogue(found) as cat:
        newest = releases.newest(cat)
    if not newest:
        raise Incomplete("there is no release yet: run btfer build --per-class 300")
    return releases_dir(found.data_dir) / newest.name


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
