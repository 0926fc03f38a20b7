"""Is a release whole and what it says it is? Every check is a line; nothing but the folder is needed."""

import csv
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from btfer.errors import ImageError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import sha256_file
from btfer.images import decode_rgb, metadata_in
from btfer.licences import terms
from btfer.pipeline.release import COLUMNS, read_rows


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `problems` is empty when it holds."""

    name: str
    problems: list[str]


def verify(folder: Path, *, size_px: int = 256) -> list[Check]:
    """All checks of a release folder. Raises UsageError where the folder is no release."""
    if not (folder / "SHA256SUMS").is_file() or not (folder / "metadata.csv").is_file():
        raise UsageError(f"{folder} is no release: it has no SHA256SUMS and metadata.csv")
    sums = read_sums(folder)
    rows = list(csv.DictReader((folder / "metadata.csv").open(encoding="utf-8", newline="")))
    images = sorted(name for name in sums if name.startswith("images/"))
    return [
        Check("name carries the digest of SHA256SUMS", _check_name(folder)),
        Check("no file is missing, changed or added", _check_sums(folder, sums)),
        Check("metadata has the columns of a release", _check_columns(rows)),
        Check("metadata and images are the same set", _check_rows(rows, images)),
        Check("labels are classes and match the folders", _check_labels(rows)),
        Check("every class has as many images as release.json says", _check_counts(folder, rows)),
        Check(f"images are {size_px}x{size_px} RGB", _check_pixels(folder, images, size_px)),
        Check("images carry no metadata", _check_bare(folder, images)),
        Check("no image is there twice", _check_twice(sums, images)),
        Check("licences allow crops, and credit is given", _check_licences(folder, rows)),
        Check("croissant.json is valid and of these files", _check_croissant(folder, sums)),
    ]


def read_sums(folder: Path) -> dict[str, str]:
    """What SHA256SUMS says: the digest of each file."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _check_name(folder: Path) -> list[str]:
    digest = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    named = folder.resolve().name.rpartition("-")[2]
    return [] if digest[:12] == named else [f"the name says {named}, SHA256SUMS is {digest[:12]}"]


def _check_sums(folder: Path, sums: dict[str, str]) -> list[str]:
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    found.discard("SHA256SUMS")
    problems = [f"missing: {name}" for name in sorted(set(sums) - found)]
    problems += [f"added: {name}" for name in sorted(found - set(sums))]
    for name in sorted(found & set(sums)):
        if sha256_file(folder / name) != sums[name]:
            problems.append(f"changed: {name}")
    return problems


def _check_columns(rows: list[dict[str, str]]) -> list[str]:
    if not rows:
        return ["metadata.csv has no rows"]
    return [f"no column {name}" for name in COLUMNS if name not in rows[0]]


def _check_rows(rows: list[dict[str, str]], images: list[str]) -> list[str]:
    named = Counter(row.get("file_name", "") for row in rows)
    problems = [f"twice in metadata: {name}" for name, n in named.items() if n > 1]
    problems += [f"not in metadata: {name}" for name in images if name not in named]
    return problems + [f"no such image: {name}" for name in named if name not in set(images)]


def _check_labels(rows: list[dict[str, str]]) -> list[str]:
    problems = []
    for row in rows:
        label, name = row.get("label", ""), row.get("file_name", "")
        if label not in EXPRESSIONS:
            problems.append(f"{name}: '{label}' is no class")
        elif not name.startswith(f"images/{label}/"):
            problems.append(f"{name} is labelled {label}")
    return problems


def _check_counts(folder: Path, rows: list[dict[str, str]]) -> list[str]:
    try:
        record = json.loads((folder / "release.json").read_text(encoding="utf-8"))
        told, asked = dict(record["counts"]), int(record["per_class"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"release.json cannot be read: {error!r}"]
    per_class = Counter(row.get("label", "") for row in rows)
    problems = [
        f"{label}: {per_class[label]} images, release.json says {told.get(label)}"
        for label in EXPRESSIONS
        if per_class[label] != told.get(label)
    ]
    over = [label for label in EXPRESSIONS if per_class[label] > asked]
    return problems + [f"{label}: more than the {asked} that were asked" for label in over]


def _check_pixels(folder: Path, images: list[str], size_px: int) -> list[str]:
    problems = []
    for name in images:
        try:
            shape = decode_rgb((folder / name).read_bytes()).shape
        except (ImageError, OSError) as error:
            problems.append(f"{name}: {error}")
            continue
        if shape != (size_px, size_px, 3):
            problems.append(f"{name} is {shape[1]}x{shape[0]}")
    return problems


def _check_bare(folder: Path, images: list[str]) -> list[str]:
    problems = []
    for name in images:
        try:
            found = metadata_in(folder / name)
        except OSError:
            continue  # told by the pixel check
        if found:
            problems.append(f"{name} carries {', '.join(found)}")
    return problems


def _check_licences(folder: Path, rows: list[dict[str, str]]) -> list[str]:
    credited = {row["file_name"] for row in read_rows(folder / "attribution.csv")}
    problems = []
    for row in rows:
        name, licence = row.get("file_name", ""), row.get("licence", "")
        asks = terms("" if licence == "not stated" else licence)
        if asks.forbids_derivatives:
            problems.append(f"{name}: {licence} forbids derivatives, and a crop is one")
        if asks.credit and name not in credited:
            problems.append(f"{name}: {licence} asks for credit, attribution.csv gives none")
    return problems


def _check_croissant(folder: Path, sums: dict[str, str]) -> list[str]:
    import mlcroissant

    path = folder / "croissant.json"
    try:
        told = mlcroissant.Dataset(jsonld=str(path)).metadata
    except FileNotFoundError:
        return ["there is no croissant.json"]
    except (mlcroissant.ValidationError, ValueError, KeyError, TypeError) as error:
        return [str(error).strip().splitlines()[-1].strip()]
    named = {one.id: one.sha256 for one in told.distribution if getattr(one, "sha256", None)}
    return [
        f"croissant.json says {digest[:12]} of {name}"
        for name, digest in named.items()
        if sums.get(name) != digest
    ]


def _check_twice(sums: dict[str, str], images: list[str]) -> list[str]:
    first: dict[str, str] = {}
    problems = []
    for name in images:
        other = first.setdefault(sums[name], name)
        if other != name:
            problems.append(f"{name} is {other}")
    return problems
