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
    from btfer.layout import releases_dir

    found = settings()
    with catalogue(found) as cat:
        newest = releases.newest(cat)
    if not newest:
        raise Incomplete("there is no release yet: run btfer build --per-class 300")
    return releases_dir(found.data_dir) / newest["name"]


def training_sets(pairs: list[str] | None, flag: str) -> dict[str, Path]:
    """Paths by name out of NAME=PATH; all of data/training where none is given. Raises UsageError for others."""
    from btfer.layout import training_dir

    sets = {}
    for pair in pairs or []:
        name, found, path = pair.partition("=")
        if not found or not name or "/" in name:
            raise UsageError(f"{flag} '{pair}': write NAME=PATH, such as rafdb=data/RAFDB")
        sets[name] = Path(path)
    folder = training_dir(settings().data_dir)
    here = sorted(folder.iterdir()) if not pairs and folder.is_dir() else []
    return sets | {one.name: one for one in here if one.is_dir() and one.name[0] != "."}
