"""Taking a photo's images out of a release folder, in place: files, rows, and whatever shows them among others.

Nothing else of the folder changes. What is left is not a release any more (its checksums do not fit): the next
version is made from it, or, where that cannot be, it stays and is named in the report.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue import Catalogue, releases
from btfer.files import sha256_file, write_atomic
from btfer.parsing import parse_json
from btfer.pipeline.forget.entry import Entry, LostImage
from btfer.pipeline.forget.folders import TABLES, Table, files_in, read_table, seed_in, write_table
from btfer.pipeline.formats import FORMATS
from btfer.pipeline.release_images import photo_pseudonyms, pseudonym
from btfer.pipeline.release_versions import image_tokens

SHOWS_MANY = ("contact_sheet.png", "optout.html", *("contact_sheets", *FORMATS))
"""Files and folders in which several images of a release stand together."""

_IMAGE = re.compile(r"images/[^\0]+\.png")
_STRATA = ("ethnicity", "gender", "age")


@dataclass(frozen=True)
class Held:
    """What a folder holds of the photos. images: its images of them. digests: of their files.

    files: every file with their bytes. unreadable: tables that are no CSV and name one of them. as_photos: names of
    images that are photos of the entry themselves, byte for byte.
    """

    folder: Path
    images: tuple[LostImage, ...] = ()
    digests: frozenset[str] = frozenset()
    files: tuple[Path, ...] = ()
    unreadable: tuple[Path, ...] = ()
    as_photos: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.images or self.files or self.unreadable)

    @property
    def is_release(self) -> bool:
        """Whether it lies among the releases; a training set otherwise."""
        return self.folder.parent.name == "releases"

    def shown(self) -> list[str]:
        """Its images of the photos by name; its files, where it has no folder of images."""
        named = [one.file for one in self.images]
        return named or [path.relative_to(self.folder).as_posix() for path in self.files]


def look(cat: Catalogue, folder: Path, entry: Entry, seed: int) -> Held:
    """Find the photos' images in a folder, by every trace: rows of the catalogue, sources, pseudonyms, bytes.

    seed: of the settings, for a release whose own cannot be read.
    """
    tables = {name: read_table(folder / name) for name in TABLES}
    sums = {path: sha256_file(path) for path in files_in(folder)}
    names = {path: path.relative_to(folder).as_posix() for path in sums}
    known = entry.releases.get(folder.name)
    meant = set(known.files()) if known else set()
    meant |= {
        f"images/{one.file}"
        for one in releases.faces_in(cat, folder.name)
        if entry.is_face(one.face)
    }
    hidden = set(photo_pseudonyms(cat, entry.photos).values())
    meant |= _named_in(tables, entry, {seed_in(folder), seed} - {None}, hidden)
    digests = {*entry.images, *entry.photos}
    same = {path for path, digest in sums.items() if digest in digests}
    meant |= {names[path] for path in same if names[path].startswith("images/")}
    files = same | {path for path in sums if names[path] in meant}
    sourced = _records(tables["sources.csv"])
    texts = [
        folder / name for name, table in tables.items() if table is None and folder / name in sums
    ]
    stated = {row.get("file_name", ""): row.get("image_sha256", "") for row in sourced}
    stated |= {names[path]: digest for path, digest in sums.items()}
    tokens = image_tokens(cat, {name: stated[name] for name in meant if stated.get(name)})
    return Held(
        folder,
        tuple(sorted(_described(meant, tables["metadata.csv"], tokens), key=lambda one: one.place)),
        frozenset(sums[path] for path in files),
        tuple(sorted(files)),
        tuple(path for path in texts if _holds_word(path, entry)),
        frozenset(names[path] for path in same if sums[path] in entry.photos),
    )


def _named_in(
    tables: Mapping[str, Table | None], entry: Entry, seeds: Iterable[int | None], hidden: set[str]
) -> set[str]:
    """The names of images that the folder's own tables say are of the photos."""
    proof = {pseudonym(one, seed) for one in entry.photos for seed in seeds if seed is not None}
    proof |= hidden | {*entry.photos, *entry.images, *entry.faces}
    found = set()
    for table in tables.values():
        for row in table.rows if table else ():
            if not proof.isdisjoint(row) or any(map(entry.is_face, row)):
                found |= {cell for cell in row if _IMAGE.fullmatch(cell)}
    return found


def _records(table: Table | None) -> Iterable[dict[str, str]]:
    return table.records() if table else ()


def _described(
    names: set[str], metadata: Table | None, tokens: Mapping[str, str]
) -> list[LostImage]:
    """What the metadata state of some images; of one that is not in them, what its name does."""
    found = {}
    for place, row in enumerate(_records(metadata)):
        name = row.get("file_name", "")
        if name in names:
            strata = {key: row.get(key, "") for key in _STRATA}
            file = name.removeprefix("images/")
            found[name] = LostImage(
                file, row.get("label", ""), **strata, place=place, token=tokens.get(name, "")
            )
    for name in names - found.keys():
        file = name.removeprefix("images/")
        found[name] = LostImage(file, file.split("/")[0], token=tokens.get(name, ""))
    return list(found.values())


def _holds_word(path: Path, entry: Entry) -> bool:
    data = path.read_bytes()
    return any(word.encode() in data for word in (*entry.words, *entry.images))


def strip(held: Held) -> None:
    """Delete them; doing it again, or going on after a kill, ends the same. Raises OSError where it cannot."""
    folder, gone = held.folder, {f"images/{one.file}" for one in held.images}
    for name in SHOWS_MANY:
        _remove(folder / name)
    for path in (*held.files, *held.unreadable):
        path.unlink(missing_ok=True)
    for name in TABLES:
        table = read_table(folder / name)
        less = table.without(gone) if table else None
        if table and less and len(less.rows) < len(table.rows):
            write_table(folder / name, less)
    _strip_lines(folder / "faces.jsonl", gone)
    _strip_sums(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _strip_lines(path: Path, gone: set[str]) -> None:
    """Out of faces.jsonl: lines of these images, and lines that are no JSON but name one."""
    if not path.is_file():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not _is_about(line, gone)]
    if len(kept) < len(lines):
        write_atomic(path, b"".join(kept))


def _is_about(line: bytes, gone: set[str]) -> bool:
    try:
        return parse_json(line)["file_name"] in gone
    except (ValueError, KeyError, TypeError):
        return any(name.encode() in line for name in gone)


def _strip_sums(folder: Path) -> None:
    """Out of SHA256SUMS: the lines of files that are no more."""
    path = folder / "SHA256SUMS"
    if not path.is_file():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    here = {one.relative_to(folder).as_posix().encode() for one in files_in(folder)}
    kept = [line for line in lines if line.partition(b"  ")[2].strip() in here]
    if len(kept) < len(lines):
        write_atomic(path, b"".join(kept))
