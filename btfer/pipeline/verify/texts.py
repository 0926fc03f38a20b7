"""What is derived from the tables: packed forms, croissant.json and the README."""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from btfer.expressions import EXPRESSIONS
from btfer.licences import parse_licence
from btfer.parsing import parse_json
from btfer.pipeline import formats
from btfer.pipeline.release_facts import licence_address
from btfer.pipeline.verify.folder import OpenedRelease
from btfer.pipeline.verify.tables import differences, expected_rows

_NUMBER = re.compile(r"^(\d+) (?:images|facial-expression crops)\b", re.MULTILINE)
_COUNTS = re.compile(r"\(((?:\w+ \d+(?:, )?)+)\)")
_CLASS_TABLE = re.compile(r"^\| class \| images \|.*\n\|[-|]+\|\n((?:\|.*\|\n)+)", re.MULTILINE)
_CLASS_LINE = re.compile(r"^\| (\w+) \| (\d+) \|", re.MULTILINE)
_LICENCE = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)
_ALLOWED = re.compile(r"^\*\*Redistribution: ([\w-]+)\.\*\*", re.MULTILINE)
_EXAMPLES = re.compile(r"^\s*-?\s*num_examples:\s*(\d+)\s*$", re.MULTILINE)


def check_packed(one: OpenedRelease) -> Iterator[str]:
    """Packed forms with other images, labels or columns."""
    expected = {row["file_name"]: row for row in expected_rows(one)}
    forms = one.record.formats if one.record else ()
    for form in formats.FORMATS:
        if form not in forms and any(name.startswith(f"{form}/") for name in one.found):
            yield f"there is a folder {form}, which release.json does not name"
    for form in forms:
        if form not in formats.FORMATS:
            yield f"release.json names an unknown format '{form}'"
            continue
        seen = Counter[str]()
        try:
            for row, data in formats.unpack_rows(one.folder, form):
                name = str(row["file_name"])
                seen[name] += 1
                yield from (f"{form}: {text}" for text in _wrong_in(one, row, data, expected))
        except Exception as error:  # each form's reader has errors of its own
            yield f"{form} cannot be read: {(str(error).splitlines() or [''])[0][:100]}"
            continue
        yield from (f"{form}: no {name}" for name in sorted(set(expected) - set(seen)))
        yield from (f"{form}: {name} is there {n} times" for name, n in seen.items() if n > 1)


def _wrong_in(
    one: OpenedRelease, row: dict[str, Any], data: bytes, expected: dict[str, dict[str, Any]]
) -> Iterator[str]:
    name = str(row["file_name"])
    if hashlib.sha256(data).hexdigest() != one.sums.get(name):
        yield f"another image for {name}"
    if name not in expected:
        yield f"{name} is not in metadata.csv"
        return
    if row.get("label") != expected[name]["label"]:
        yield f"{name} is labelled {row.get('label')}"
    yield from differences(row | {"label": expected[name]["label"]}, expected[name])


def check_croissant(one: OpenedRelease) -> Iterator[str]:
    """A croissant.json that is not valid or not of these files."""
    import mlcroissant

    # It recommends a date; ours has none, on purpose.
    logging.getLogger("absl").setLevel(logging.ERROR)
    path = one.folder / "croissant.json"
    if "croissant.json" not in one.found:
        yield "there is no croissant.json"
        return
    try:
        content = parse_json(path.read_bytes())
        described = mlcroissant.Dataset(jsonld=str(path)).metadata
    except Exception as error:  # its parser has no end of errors for what is no Croissant
        yield f"croissant.json: {(str(error).strip().splitlines() or ['damaged'])[-1].strip()[:200]}"
        return
    for file in described.distribution:
        digest = getattr(file, "sha256", None)
        if digest and one.sums.get(file.id) != digest:
            yield f"croissant.json says {str(digest)[:12]} of {file.id}"
    yield from _wrong_licences(one, content)
    text = content.get("description", "") if isinstance(content, dict) else ""
    yield from _wrong_counts(one, "croissant.json", str(text))


def _wrong_licences(one: OpenedRelease, content: Any) -> Iterator[str]:
    """Licences that are not those of metadata.csv, as the release itself states them."""
    stated = content.get("license") if isinstance(content, dict) else None
    addresses = [stated] if isinstance(stated, str) else stated
    rows = [row.get("licence", "") for row in one.rows]
    expected = sorted({licence_address(licence) for licence in rows})
    as_in_0_1 = sorted(f"{licence} ({n} images)" for licence, n in Counter(rows).items())
    found = sorted(map(str, addresses)) if isinstance(addresses, list) else []
    if found not in (expected, as_in_0_1):
        yield f"croissant.json has the licences {stated!r:.100}, the images {', '.join(expected)}"
    allowed = one.record.redistribution if one.record else ""
    access = content.get("conditionsOfAccess") if isinstance(content, dict) else None
    if access is not None and access != f"Redistribution: {allowed}":
        yield f"croissant.json says '{access!s:.60}', release.json redistribution: {allowed}"


def _wrong_in_head(one: OpenedRelease, text: str) -> Iterator[str]:
    """What the README says of rights, for hubs and for people."""
    ids = {parse_licence(row.get("licence", "")).spdx.lower() for row in one.rows}
    for stated in _LICENCE.findall(text.partition("\n---")[0]):
        if stated != "other" and ids != {stated}:
            yield f"README.md says license: {stated}, the images have {', '.join(sorted(ids)) or 'others'}"
    for stated in _ALLOWED.findall(text):
        if one.record and stated != one.record.redistribution:
            yield f"README.md says redistribution: {stated}, release.json {one.record.redistribution}"


def check_readme(one: OpenedRelease) -> Iterator[str]:
    """A README whose numbers are those of another release."""
    if "README.md" not in one.found:
        yield "there is no README.md"
        return
    try:
        text = (one.folder / "README.md").read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        yield f"README.md cannot be read: {error}"
        return
    for number in _EXAMPLES.findall(text):
        if int(number[:18]) != len(one.rows):
            yield f"README.md says num_examples {number[:18]}, there are {len(one.rows)}"
    yield from _wrong_counts(one, "README.md", text)
    yield from _wrong_in_head(one, text)


def _wrong_counts(one: OpenedRelease, file: str, text: str) -> Iterator[str]:
    """Numbers of images in a text, where they stand as btfer writes them."""
    per_class = Counter(row.get("label", "") for row in one.rows)
    total = _NUMBER.search(text)
    if total and int(total[1][:18]) != len(one.rows):
        yield f"{file} says {total[1][:18]} images, there are {len(one.rows)}"
    table = _CLASS_TABLE.search(text)
    said = list(_CLASS_LINE.findall(table[1])) if table else []
    listed = _COUNTS.search(text) if file == "croissant.json" else None
    if listed:
        said += [tuple(pair.rsplit(" ", 1)) for pair in listed[1].rstrip(", ").split(", ")]
    for label, number in said:
        if label in EXPRESSIONS and int(number[:18]) != per_class[label]:
            yield f"{file} says {number[:18]} images of {label}, there are {per_class[label]}"
