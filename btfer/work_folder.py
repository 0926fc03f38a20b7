"""A folder to work in: btfer.toml with every setting commented out, a query plan to edit, and data/."""

import json
import shutil
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from btfer.errors import BtferError, UsageError
from btfer.files import write_atomic
from btfer.paths import bundled
from btfer.settings import FILE, Settings

HEAD = """\
# Settings of btfer, each with its default. Remove the '#' before one to change it.
# A variable beats this file (min_face_px is BTFER_MIN_FACE_PX), and a flag beats both
# (btfer --set min_face_px=60 crop).
"""


def make_work_folder(folder: Path) -> list[tuple[Path, bool]]:
    """Each part of the folder, and whether it was made now; what is there is left as it is.

    Raises BtferError where it cannot be written.
    """
    try:
        (folder / "data").parent.mkdir(parents=True, exist_ok=True)
        return [
            (folder / FILE, _new_file(folder / FILE)),
            (folder / "queries", _new_plan(folder / "queries")),
            (folder / "data", _new_folder(folder / "data")),
        ]
    except OSError as error:
        raise BtferError(f"cannot make {error.filename or folder}: {error.strerror}") from None


def settings_as_toml() -> str:
    """The text of a btfer.toml that changes nothing: every setting with its default, commented out."""
    return HEAD + "".join(
        f"\n{_about(field)}# {name} = {_literal(_default(name, field))}\n"
        for name, field in Settings.model_fields.items()
    )


def _about(field: FieldInfo) -> str:
    """Comment lines: what it is for, and what may be chosen."""
    lines = [str(field.description)]
    choices = [one for one in get_args(field.annotation) if isinstance(one, str)]
    if choices:
        lines.append(f"one of {', '.join(choices)}")
    return "".join(f"# {line[0].upper()}{line[1:]}.\n" for line in lines)


def _default(name: str, field: FieldInfo) -> Any:
    return "queries" if name == "queries_dir" else field.get_default()


def _literal(value: Any) -> str:
    """A value as TOML writes it; JSON's strings, numbers and truth values are TOML's too."""
    return json.dumps(value.as_posix() if isinstance(value, Path) else value)


def _new_file(file: Path) -> bool:
    if file.is_file():
        return False
    if file.exists():
        raise UsageError(f"{file} is a folder: move it away, a file of settings goes there")
    write_atomic(file, settings_as_toml().encode())
    return True


def _new_plan(folder: Path) -> bool:
    """Copy the bundled plan, whole or not at all."""
    if folder.is_dir():
        return False
    if folder.exists():
        raise UsageError(f"{folder} is a file: move it away, the query plan goes there")
    part = folder.with_name(".part-queries")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(bundled("queries"), part)
    part.rename(folder)
    return True


def _new_folder(folder: Path) -> bool:
    existed = folder.is_dir()
    folder.mkdir(exist_ok=True)
    return not existed
