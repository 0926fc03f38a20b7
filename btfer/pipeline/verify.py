"""Is a release whole and what it says it is? Every check is a line; nothing but the folder is needed."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from btfer.errors import ImageError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.images import bare_size, decode_rgb, metadata_in
from btfer.licences import forbids_derivatives, may_be_released, parse_licence
from btfer.pipeline import formats
from btfer.pipeline.release_metadata import COLUMNS, NEW_COLUMNS, SOURCES, CsvRow, read_rows
from btfer.release_record import ONLY, WITHOUT, ReleaseRecord, read_record

_READERS = 4


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `problems` is empty when it holds."""

    name: str
    problems: list[str]


@dataclass(frozen=True)
class _File:
    """A file as it is. size: of a PNG that holds pixels and nothing else, read to its end; None = no such PNG."""

    sha256: str
    size: tuple[int, int] | None


@dataclass(frozen=True)
class _Opened:
    """A release's folder, read once. sums: what SHA256SUMS says; found: the files that are there.

    record: None where release.json cannot be read; damage says why.
    """

    folder: Path
    sums: dict[str, str]
    found: dict[str, _File]
    rows: list[CsvRow]
    record: ReleaseRecord | None
    damage: str = ""

    @property
    def images(self) -> list[str]:
        """The images that SHA256SUMS names."""
        return sorted(name for name in self.sums if name.startswith("images/"))

    @property
    def has_images(self) -> bool:
        """False for a release that only names the addresses of its photos."""
        return self.record is None or self.record.sources != ONLY


def verify(folder: Path, *, size_px: int = 256) -> list[Check]:
    """All checks of a release folder. Raises UsageError where the folder is no release."""
    if not (folder / "SHA256SUMS").is_file() or not (folder / "metadata.csv").is_file():
        raise UsageError(f"{folder} is not a release: it has no SHA256SUMS and metadata.csv")
    one = _open(folder)
    return [
        Check("name carries the digest of SHA256SUMS", _check_name(folder)),
        Check("no file is missing, changed or added", list(_check_sums(one))),
        Check("metadata have the columns of a release", list(_check_columns(one))),
        Check("metadata and images are the same set", list(_check_rows(one))),
        Check("labels are classes and match the folders", list(_check_labels(one))),
        Check("every class has as many images as release.json says", list(_check_counts(one))),
        Check(f"images are {size_px}x{size_px} RGB", list(_check_pixels(one, size_px))),
        Check("images carry no metadata", list(_check_bare(one))),
        Check("no image and no photo is there twice", list(_check_twice(one))),
        Check("licences allow crops, and credit is given", list(_check_licences(one))),
        Check("packed forms hold the same images", list(_check_packed(one))),
        Check("croissant.json is valid and of these files", list(_check_croissant(one))),
    ]


def read_sums(folder: Path) -> dict[str, str]:
    """What SHA256SUMS says: the digest of each file."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _open(folder: Path) -> _Opened:
    paths = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    paths.pop("SHA256SUMS")
    with ThreadPoolExecutor(_READERS) as pool:  # hashing and inflating leave the interpreter free
        found = dict(zip(paths, pool.map(_read, paths.values()), strict=True))
    rows = read_rows(folder / "metadata.csv")
    sums = read_sums(folder)
    try:
        return _Opened(folder, sums, found, rows, read_record(folder))
    except UsageError as error:
        return _Opened(folder, sums, found, rows, None, str(error))


def _read(path: Path) -> _File:
    data = path.read_bytes()
    size = bare_size(data) if path.suffix == ".png" else None
    return _File(hashlib.sha256(data).hexdigest(), size)


def _check_name(folder: Path) -> list[str]:
    digest = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    named = folder.resolve().name.rpartition("-")[2]
    return [] if digest[:12] == named else [f"the name says {named}, SHA256SUMS is {digest[:12]}"]


def _check_sums(one: _Opened) -> Iterator[str]:
    yield from (f"missing: {name}" for name in sorted(set(one.sums) - set(one.found)))
    yield from (f"added: {name}" for name in sorted(set(one.found) - set(one.sums)))
    for name in sorted(set(one.found) & set(one.sums)):
        if one.found[name].sha256 != one.sums[name]:
            yield f"changed: {name}"


def _check_columns(one: _Opened) -> Iterator[str]:
    if not one.rows:
        yield "metadata.csv has no rows"
        return
    needed = (name for name in COLUMNS if name not in NEW_COLUMNS)
    yield from (f"no column {name}" for name in needed if name not in one.rows[0])
    if one.record and one.record.sources != WITHOUT:
        origin = read_rows(one.folder / "sources.csv")
        if [row.get("file_name") for row in origin] != [row.get("file_name") for row in one.rows]:
            yield "sources.csv has other rows than metadata.csv"
        yield from (f"sources.csv: no column {n}" for n in SOURCES if origin and n not in origin[0])
        for row in origin:
            stated = row.get("image_sha256")
            if one.has_images and stated != one.sums.get(row.get("file_name", "")):
                yield f"{row.get('file_name')}: sources.csv has another sha256"


def _check_rows(one: _Opened) -> Iterator[str]:
    named = Counter(row.get("file_name", "") for row in one.rows)
    images = set(one.images)
    yield from (f"twice in metadata: {name}" for name, n in named.items() if n > 1)
    yield from (f"not in metadata: {name}" for name in one.images if name not in named)
    if one.has_images:
        yield from (f"no such image: {name}" for name in named if name not in images)


def _check_labels(one: _Opened) -> Iterator[str]:
    for row in one.rows:
        label, name = row.get("label", ""), row.get("file_name", "")
        if label not in EXPRESSIONS:
            yield f"{name}: '{label}' is no class"
        elif not name.startswith(f"images/{label}/"):
            yield f"{name} is labelled {label}"


def _check_counts(one: _Opened) -> Iterator[str]:
    if one.record is None:
        yield one.damage
        return
    counts, asked = one.record.counts, one.record.per_class
    per_class = Counter(row.get("label", "") for row in one.rows)
    for label in EXPRESSIONS:
        if per_class[label] != counts.get(label):
            yield f"{label}: {per_class[label]} images, release.json says {counts.get(label)}"
        if per_class[label] > asked:
            yield f"{label}: more than the {asked} that were asked"


def _check_pixels(one: _Opened, size_px: int) -> Iterator[str]:
    for name in one.images:
        seen = one.found.get(name)
        size = seen.size if seen else None
        try:  # a PNG that carries more than pixels, or pixels of another kind
            if size is None:
                high, wide, _ = decode_rgb((one.folder / name).read_bytes()).shape
                size = wide, high
        except (ImageError, OSError) as error:
            yield f"{name}: {error}"
            continue
        if size != (size_px, size_px):
            yield f"{name} is {size[0]}x{size[1]}"


def _check_bare(one: _Opened) -> Iterator[str]:
    for name in one.images:
        if name not in one.found or one.found[name].size:
            continue
        try:
            names = metadata_in(one.folder / name)
        except (OSError, ValueError, SyntaxError):
            continue  # told by the pixel check
        yield f"{name} carries {', '.join(names) or 'more than 8-bit RGB pixels'}"


def _check_twice(one: _Opened) -> Iterator[str]:
    first: dict[str, str] = {}
    for name in one.images:
        other = first.setdefault(one.sums[name], name)
        if other != name:
            yield f"{name} is {other}"
    photo: dict[str, str] = {}
    for row in one.rows:
        name, id_ = row.get("file_name", ""), row.get("photo_id", "")
        other = photo.setdefault(id_, name)
        if id_ and other != name:
            yield f"{name} is of the same photo as {other}"


def _check_licences(one: _Opened) -> Iterator[str]:
    credited = {
        row.get("attribution_id"): row.get("file_name")
        for row in read_rows(one.folder / "attribution.csv")
    }
    for row in one.rows:
        name, licence = row.get("file_name", ""), row.get("licence", "")
        read = parse_licence(licence)
        if forbids_derivatives(read):
            yield f"{name}: {licence} forbids derivatives, and a crop is one"
        elif not may_be_released(read):
            yield f"{name}: {licence} allows nobody to make a crop"
        if read.needs_credit and credited.get(row.get("attribution_id")) != name:
            yield f"{name}: {licence} asks for credit, attribution.csv gives none"


def _check_packed(one: _Opened) -> Iterator[str]:
    expected = {row.get("file_name", ""): row.get("label", "") for row in one.rows}
    for form in one.record.formats if one.record else ():
        if form not in formats.FORMATS:
            yield f"release.json names an unknown format '{form}'"
            continue
        seen = set()
        try:
            for name, label, data in formats.unpack(one.folder, form):
                seen.add(name)
                if hashlib.sha256(data).hexdigest() != one.sums.get(name):
                    yield f"{form}: another image for {name}"
                if label != expected.get(name):
                    yield f"{form}: {name} is labelled {label}"
        except Exception as error:  # each form's reader has errors of its own
            yield f"{form} cannot be read: {str(error).splitlines()[0][:100]}"
            continue
        yield from (f"{form}: no {name}" for name in sorted(set(expected) - seen))


def _check_croissant(one: _Opened) -> Iterator[str]:
    import mlcroissant

    logging.getLogger("absl").setLevel(
        logging.ERROR
    )  # it recommends a date; ours has none, on purpose
    path = one.folder / "croissant.json"
    try:
        described = mlcroissant.Dataset(jsonld=str(path)).metadata
    except FileNotFoundError:
        yield "there is no croissant.json"
        return
    except (mlcroissant.ValidationError, ValueError, KeyError, TypeError) as error:
        yield str(error).strip().splitlines()[-1].strip()
        return
    for file in described.distribution:
        digest = getattr(file, "sha256", None)
        if digest and one.sums.get(file.id) != digest:
            yield f"croissant.json says {digest[:12]} of {file.id}"
