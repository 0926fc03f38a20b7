"""A folder of bundles, each checked by itself: one that is no bundle is named, and keeps no other one away."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from btfer.bench.datasets import ImageSet
from btfer.bench.submit.bundle import Bundle, bundle_files, is_unpacked, read_bundle
from btfer.bench.submit.checks import Checked, check_bundle
from btfer.bucket_url import as_written
from btfer.errors import Incomplete, UsageError
from btfer.progress import SILENT, Progress

MOST_BUNDLES = 500


@dataclass(frozen=True)
class CheckedFolder:
    """What came of a folder. checked: submissions. left_out: file names, and why each is not among them."""

    checked: list[Checked]
    left_out: list[tuple[str, str]]


def check_folder(
    folder: Path,
    images_of: Callable[[Bundle], ImageSet],
    progress: Progress = SILENT,
    *,
    what: str = "be used",
) -> CheckedFolder:
    """Every bundle in a folder, checked against its release; what cannot be is left out with a line.

    images_of: the release of a bundle; raises UsageError where it is not here. what: what is done with bundles, for the
    message. Raises UsageError where there is no such folder, Incomplete where nothing in it can be used.
    """
    read, left_out = list[Checked](), _unpacked(folder) + _in_folders(folder)
    for path in _files(folder):
        try:
            bundle = read_bundle(path)
            read.append(check_bundle(bundle, images_of(bundle)))
        except UsageError as error:
            left_out.append((path.name, str(error).replace(f"{folder}/", "")))
    found: dict[tuple[str, ...], Checked] = {}
    # Of equal ones, a copy with false claims must not stand for the one that it was made of.
    for one in sorted(read, key=lambda one: len(one.differences)):
        first = found.setdefault(_key(one), one)
        if first is not one:
            left_out.append((one.bundle.path.name, f"the same as {first.bundle.path.name}"))
    left_out.sort()
    for name, why in left_out:
        progress.say(f"left out {name}: {why}")
    if not found:
        raise Incomplete(
            f"no bundle in {folder} can {what}, {len(left_out)} left out: make one with btfer bench submit RUN"
        )
    return CheckedFolder(list(found.values()), left_out)


def _unpacked(folder: Path) -> list[tuple[str, str]]:
    """Folders that were bundles, and what to do about them. Raises UsageError where there is no such folder."""
    if not folder.is_dir():
        raise UsageError(f"{as_written(folder)} is not a folder of bundles")
    found = [one for one in folder.iterdir() if one.is_dir() and is_unpacked(one)]
    found += [folder] if is_unpacked(folder) else []
    return [(one.name, "it was unpacked: pack its two files as a zip again") for one in found]


def _in_folders(folder: Path) -> list[tuple[str, str]]:
    """Folders that hold bundles, as where each lab has its own; `folder` alone is read."""
    inside = sorted(one for one in folder.iterdir() if one.is_dir() and not is_unpacked(one))
    return [
        (one.name, f"it is a folder with {n} of its own: put them beside the others")
        for one in inside
        if (n := len(bundle_files(one)))
    ]


def _key(one: Checked) -> tuple[str, ...]:
    """What makes a submission: the same network of somebody else is another one."""
    return one.card.run, one.card.name, one.card.by, one.answers_sha256, one.images.digest


def _files(folder: Path) -> list[Path]:
    files = bundle_files(folder)
    if len(files) > MOST_BUNDLES:
        raise UsageError(f"{folder} has {len(files)} bundles, more than {MOST_BUNDLES}")
    return files
