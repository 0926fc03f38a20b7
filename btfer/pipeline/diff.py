"""What differs between two releases: images by their bytes, labels, and what release.json records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer.errors import UsageError
from btfer.pipeline.release_metadata import folder_of_classes, place_of, read_metadata
from btfer.pipeline.verify import check_files, read_sums
from btfer.release_record import ONLY, read_record

_COMPARED = ("settings", "per_class", "version", "btfer")


@dataclass(frozen=True)
class Difference:
    """Files of images only in the first, only in the second, with other pixels, with another label; settings."""

    only_first: list[str]
    only_second: list[str]
    other_pixels: list[str]
    other_label: list[str]
    settings: list[str]

    @property
    def empty(self) -> bool:
        """Whether the two are the same."""
        return not any(vars(self).values())


def diff(first: Path, second: Path) -> Difference:
    """Compare two release folders. Raises UsageError where one is none, or its images are not those of SHA256SUMS."""
    sums, labels, records = zip(*(_read(folder) for folder in (first, second)), strict=True)
    if len({_layout(one) for one in sums}) > 1:  # btfer 0.1 had no folder of the split
        sums, labels = ([_by_place(one) for one in both] for both in (sums, labels))
    shared = sorted(set(sums[0]) & set(sums[1]))
    return Difference(
        sorted(set(sums[0]) - set(sums[1])),
        sorted(set(sums[1]) - set(sums[0])),
        [name for name in shared if sums[0][name] != sums[1][name]],
        [
            f"{name}: {labels[0].get(name, 'no row')} -> {labels[1].get(name, 'no row')}"
            for name in shared
            if labels[0].get(name) != labels[1].get(name)
        ],
        changed_settings(records[0], records[1]),
    )


def _read(folder: Path) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
    needed = ("SHA256SUMS", "metadata.csv", "release.json")
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} is not a release: it has no {', '.join(missing)}")
    sums = {
        name: digest for name, digest in read_sums(folder).items() if name.startswith("images/")
    }
    labels = {one.file_name: one.label for one in read_metadata(folder)}
    record = read_record(folder)
    if record.sources != ONLY:
        # Digests are compared in place of images: those of a changed copy would say that nothing differs.
        check_files(folder, sums)
    content = record.as_json()
    return sums, labels, {name: content[name] for name in _COMPARED}


def _layout(names: Iterable[str]) -> bool:
    return any(folder_of_classes(name) != "images" for name in names)


def _by_place(named: Mapping[str, str]) -> dict[str, str]:
    return {place_of(name): value for name, value in named.items()}


def changed_settings(one: dict[str, Any], other: dict[str, Any], path: str = "") -> list[str]:
    """`settings.seed: 2024 -> 7` for each value that differs between two records; path: of what these are part of."""
    found = []
    for name in sorted(set(one) | set(other)):
        before, after = one.get(name), other.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            found += changed_settings(before, after, f"{path}{name}.")
        elif before != after:
            found.append(f"{path}{name}: {before} -> {after}")
    return found
