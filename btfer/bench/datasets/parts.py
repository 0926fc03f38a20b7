"""The part that a file of a re-upload belongs to, by its name or by the folder that it lies in."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from btfer.errors import UsageError

ALL = "all"  # of a set that was never parted
PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "publictest": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "privatetest": "test",
}
_OF = re.compile(r"(.*?)[-_.]?(\d+)[-_]of[-_](\d+)([-_][0-9a-f]{16})?")
_NUMBERED = re.compile(r"(.*?)[-_.]?\d*")


def part_of(name: str) -> str:
    """The part that a path within a set names, the file first, then the folders from the inner one out; '' for none.

    Raises UsageError where a name speaks of two parts.
    """
    for step in reversed(PurePosixPath(name).with_suffix("").parts):
        words = re.split(r"[^a-z]+", step.lower())
        found = {PARTS[word] for word in words if word in PARTS}
        if len(found) > 1:
            raise UsageError(
                f"{name} is called after the parts {' and '.join(sorted(found))}: rename it"
            )
        if found:
            return found.pop()
    return ""


def parts_of_files(root: Path, files: Collection[Path]) -> dict[Path, str]:
    """The part of each packed file of a set. Raises UsageError where a file is missing or there twice, and where two
    parts would become one.
    """
    names = {file: file.relative_to(root).as_posix() for file in files}
    _check_whole(names)
    groups = defaultdict[str, set[str]](set)
    found = {}
    for file, name in names.items():
        stem, folder = PurePosixPath(name).stem, str(PurePosixPath(name).parent)
        called = _OF.fullmatch(stem) or _NUMBERED.fullmatch(stem)
        found[file] = part_of(name) or ALL
        groups[found[file]].add(f"{folder}/{called[1] if called else stem}")
    doubled = next((part for part, one in groups.items() if len(one) > 1), None)
    if doubled or (ALL in groups and len(groups) > 1):
        there = ", ".join(
            one.removeprefix("./") for each in groups.values() for one in sorted(each)
        )
        what = (
            f"more than one {doubled}"
            if doubled and doubled != ALL
            else "parts that are no train, val or test"
        )
        raise UsageError(
            f"{root} has {what} ({there}): give the folder or file of the one that is meant"
        )
    return found


def is_called_train(root: Path, files: Collection[Path]) -> bool:
    """Whether all files are called `train-00000-of-00002`, as Hugging Face calls a set that was never parted."""
    stems = [file.stem for file in files]
    return all(_OF.fullmatch(one) and part_of(f"{one}.x") == "train" for one in stems)


def _check_whole(names: Mapping[Path, str]) -> None:
    """Raise UsageError for a set that lacks some of its numbered files, or has some twice."""
    numbers = defaultdict[tuple[str, str, int], list[int]](list)
    for name in names.values():
        path = PurePosixPath(name)
        if called := _OF.fullmatch(path.stem):
            numbers[str(path.parent), called[1], int(called[3])].append(int(called[2]))
    for (folder, called_, total), found in numbers.items():
        if sorted(found) != list(range(total)):
            where = f"{folder}/{called_}".removeprefix("./")
            raise UsageError(
                f"{where} has {len(found)} files, numbered {', '.join(map(str, sorted(found)[:8]))}, and should have "
                f"{total} from 0: fetch the others, or move those of another upload away"
            )
    counted = {file.parent / "nshards.txt" for file in names}
    for table in sorted(one for one in counted if one.is_file()):
        text = table.read_text(encoding="utf-8", errors="replace").strip()
        here = sum(file.parent == table.parent for file in names)
        if text.isascii() and text.isdigit() and int(text) != here:
            raise UsageError(
                f"{table.parent} has {here} of {text} files, by {table.name}: fetch the others"
            )
