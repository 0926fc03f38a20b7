"""Versions of a release: which one a new folder follows, what changed since, and which images were withdrawn.

Releases of one name in one catalogue are its versions; those that only name addresses are a line of their own. A
folder with the content of an earlier version is that version: nothing new is made of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from btfer.catalogue import Catalogue, faces, releases, withdrawals
from btfer.catalogue.secret_keys import RELEASES, secret_key
from btfer.errors import UsageError
from btfer.paths import releases_dir
from btfer.pipeline.optout_page import image_token
from btfer.pipeline.release_metadata import SPLIT, CsvRow, folder_of_classes, place_of, read_rows
from btfer.pipeline.verify import read_sums
from btfer.release_record import ONLY, ReleaseRecord, next_version, read_record, version_key

TOMBSTONES = "tombstones.csv"
OF_VERSION = frozenset(
    {"README.md", "LICENSE.md", "croissant.json", "release.json", TOMBSTONES, "SHA256SUMS"}
)
"""Files that name the version or follow from the others; two releases are the same if all other files are."""

_OF_VERSION_KEYS = ("version", "predecessor", "changes", "date")
_BIG_KEYS = ("settings", "per_class", "counts", "formats", "sources", "btfer")
_LISTED = 20  # images by name in a list of changes; of more, the number
Sums = Mapping[str, str]


@dataclass(frozen=True)
class EarlierRelease:
    """A release that is there. sums: the sha256 of each of its files, as it states them."""

    folder: Path
    digest: str
    record: ReleaseRecord
    sums: Sums

    def has_content(self, record: ReleaseRecord, sums: Sums) -> bool:
        """Whether files and record are those of this release, its version apart."""
        return _content(self.record, self.sums) == _content(record, sums)


def earlier_releases(
    cat: Catalogue, data_dir: Path, name: str, sources: str
) -> list[EarlierRelease]:
    """The versions of a release that can be read, the newest first."""
    found = []
    for one in releases.every(cat):
        folder = releases_dir(data_dir) / one.name
        if one.name != f"{name}-{one.digest[:12]}":
            continue
        try:
            record, sums = read_record(folder), read_sums(folder)
        except (UsageError, OSError, ValueError):
            continue  # deleted, or damaged: nothing can be said about what changed since
        if (record.sources == ONLY) == (sources == ONLY):
            found.append(EarlierRelease(folder, one.digest, record, sums))
    return sorted(found, key=lambda one: version_key(one.record.version), reverse=True)


def following(earlier: EarlierRelease, record: ReleaseRecord, sums: Sums) -> ReleaseRecord:
    """The record as that of the version after an earlier one, with what changed since."""
    before, after = earlier.record.as_json(), record.as_json()
    minor = any(before[key] != after[key] for key in _BIG_KEYS)
    stated = next_version(earlier.record, earlier.folder.name, earlier.digest, minor=minor)
    lines = list(_changes(before, after)) + list(_image_changes(earlier.sums, sums))
    lines = lines or [_other_changes(before, after, earlier.sums, sums)]
    new = tuple(f"version {stated.version}: {line}" for line in lines)
    return replace(
        record,
        version=stated.version,
        predecessor=stated.predecessor,
        changes=(*earlier.record.changes, *new),
    )


def tombstones_after(
    cat: Catalogue, earlier: EarlierRelease, sums: Sums, date: str
) -> list[CsvRow]:
    """The tombstones of an earlier version, and of its images that are gone because their photo was withdrawn."""
    kept = set(sums.values())
    gone = {name for name, sha256 in earlier.sums.items() if _is_image(name) and sha256 not in kept}
    face_of = {
        f"images/{one.file}": one.face for one in releases.faces_in(cat, earlier.folder.name)
    }
    known = faces.by_id(cat, [face_of[name] for name in gone if name in face_of])
    withdrawn = withdrawals.among(cat, {face.photo for face in known.values()})
    still_here = {id_ for id_, face in known.items() if face.photo not in withdrawn}
    files = {name for name in gone if name in face_of and face_of[name] not in still_here}
    tokens = image_tokens(cat, {name: earlier.sums[name] for name in files})
    return tombstones_of(earlier.folder, tokens, date)


def image_tokens(cat: Catalogue, digests: Mapping[str, str]) -> dict[str, str]:
    """The tokens of images by file name. digests: the sha256 of each."""
    key = secret_key(cat, RELEASES)
    return {name: image_token(key, sha256) for name, sha256 in digests.items()}


def tombstones_of(folder: Path, tokens: Mapping[str, str], date: str) -> list[CsvRow]:
    """The tombstones of a release, and one for each image of it (`images/sad/sad-001.png`) that has gone."""
    version = read_record(folder).version
    new = [
        {
            "release": folder.name,
            "version": version,
            "file_name": name,
            "token": token,
            "date": date,
        }
        for name, token in sorted(tokens.items())
    ]
    return read_rows(folder / TOMBSTONES) + new


def _content(record: ReleaseRecord, sums: Sums) -> tuple[object, object]:
    stated = record.as_json()
    kept = {key: value for key, value in stated.items() if key not in _OF_VERSION_KEYS}
    return kept, {name: sha256 for name, sha256 in sums.items() if name not in OF_VERSION}


def _is_image(name: str) -> bool:
    return name.startswith("images/")


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> Sequence[str]:
    from btfer.pipeline.diff import changed_settings

    keys = (*_BIG_KEYS, "no_derivatives")
    return changed_settings(
        {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}
    )


def _image_changes(before: Sums, after: Sums) -> list[str]:
    old = {name: sha256 for name, sha256 in before.items() if _is_image(name)}
    new = {name: sha256 for name, sha256 in after.items() if _is_image(name)}
    lines = []
    if _without_split(old) and not _without_split(new):
        old = {f"images/{SPLIT}/{place_of(name)}": sha256 for name, sha256 in old.items()}
        lines = [f"all images: moved to images/{SPLIT}/, with the names that they had"]
    groups = {
        "was replaced": [name for name in old if name in new and old[name] != new[name]],
        "was removed": [name for name in old if name not in new],
        "was added": [name for name in new if name not in old],
    }
    for what, names in groups.items():
        if len(names) > _LISTED:
            lines.append(f"{len(names)} images: each {what}")
        else:
            lines += [f"{place_of(name)} {what}" for name in sorted(names)]
    return lines


def _without_split(images: Sums) -> bool:
    return any(folder_of_classes(name) == "images" for name in images)


def _other_changes(
    before: Mapping[str, object], after: Mapping[str, object], old: Sums, new: Sums
) -> str:
    """Where images and settings are the same: what is stated about them."""
    files = sorted(
        name
        for name in {*old, *new}
        if old.get(name) != new.get(name) and name not in OF_VERSION and "/" not in name
    )
    keys = sorted(
        key for key in after if key not in _OF_VERSION_KEYS and before.get(key) != after[key]
    )
    named = [*files, *(f"release.json ({key})" for key in keys)]
    return f"the same images; changed: {', '.join(named) or 'packed forms'}"
