"""The tables of a release: metadata.csv, faces.jsonl, attribution.csv and sources.csv, each and beside each other."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.licences import (
    COMMERCIAL,
    NON_COMMERCIAL,
    NONE,
    agree,
    author_key,
    forbids_derivatives,
    may_be_released,
    parse_licence,
    redistribution,
)
from btfer.parsing import parse_json
from btfer.pipeline.release_metadata import (
    CREDIT,
    FILE,
    NEW_COLUMNS,
    NO_AUTHOR,
    NUMBERS,
    OLDEST_COLUMNS,
    SOURCES,
    SPLIT,
    CsvRow,
    ImageMetadata,
    Origin,
)
from btfer.pipeline.verify.folder import OpenedRelease
from btfer.release_record import FILE as RECORD
from btfer.release_record import WITHOUT
from btfer.safe_paths import is_digest, is_face_id, relative_name

_USE_WORDS = (NONE, NON_COMMERCIAL, COMMERCIAL)
"""From what allows least to what allows most."""
_MOST_PX = 1_000_000
_MOST_PIXELS = 50_000_000


def check_columns(one: OpenedRelease) -> Iterator[str]:
    """Tables that cannot be read, columns that are missing, rows that are none."""
    for name in ("metadata.csv", "attribution.csv", "sources.csv"):
        yield from one.damage.get(name, ())
    if not one.rows:
        yield "metadata.csv has no rows"
        return
    missing = [name for name in OLDEST_COLUMNS if name not in one.rows[0]]
    yield from (f"no column {name}" for name in missing)
    for row in [] if missing else one.rows:
        yield from _wrong_in(row)
    yield from _check_sources(one)


def _wrong_in(row: CsvRow) -> Iterator[str]:
    name = row["file_name"]
    try:
        stated = ImageMetadata.from_csv_row(row)
    except (ValueError, OverflowError, KeyError) as error:
        yield f"{name}: {error}"
        return
    for column in NUMBERS:
        if not 0 <= getattr(stated, column) <= _MOST_PX:  # neither is NaN
            yield f"{name}: {column} is {row[column]}"
    if row["reviewed"] not in ("yes", "no"):
        yield f"{name}: reviewed is '{row['reviewed']}', yes or no is meant"
    if not row["photo_id"]:
        yield f"{name} has no photo_id"
    elif not any(is_digest(row["photo_id"], digits) for digits in range(12, 65)):
        yield f"{name}: photo_id is '{row['photo_id']}', 12 or more hexadecimal digits are meant"


def _check_sources(one: OpenedRelease) -> Iterator[str]:
    if one.record is None or "sources.csv" in one.damage:
        return
    origin = one.tables.get("sources.csv", [])
    if one.record.sources == WITHOUT:
        if origin:
            yield f"there is a sources.csv, and {RECORD} says that there is none"
        return
    if [row.get("file_name") for row in origin] != [row.get("file_name") for row in one.rows]:
        yield "sources.csv has other rows than metadata.csv"
    missing = [name for name in SOURCES if origin and name not in origin[0]]
    yield from (f"sources.csv: no column {name}" for name in missing)
    for row in [] if missing else origin:
        name = row["file_name"]
        if one.has_images and row["image_sha256"] != one.sums.get(name):
            yield f"{name}: sources.csv has another sha256"
        yield from (f"{name}: sources.csv: {text}" for text in _wrong_in_origin(row))


def _wrong_in_origin(row: CsvRow) -> Iterator[str]:
    for column in ("image_sha256", "photo_sha256"):
        if not is_digest(row[column]):
            yield f"{column} is not a sha256: {row[column][:80]!r}"
    if not is_face_id(row["face"], photo=row["photo_sha256"]):
        yield f"face is not a face of this photo: {row['face'][:80]!r}"
    if row["url"] and not row["url"].startswith(("http://", "https://")):
        yield f"url is not a web address: {row['url'][:80]!r}"
    try:
        cut = Origin.from_csv_row(row).cut
    except (ValueError, OverflowError) as error:
        yield f"the cut is not four numbers: {error}"
        return
    sides = (cut.left, cut.top, cut.right, cut.bottom)
    size = (cut.width, cut.height)
    if max(map(abs, sides)) > _MOST_PX or min(size) < 1 or size[0] * size[1] > _MOST_PIXELS:
        yield f"no photo has a part such as {sides}"


def check_rows(one: OpenedRelease) -> Iterator[str]:
    """Rows without an image, images without a row, and names that are no image's."""
    named = Counter(row.get("file_name", "") for row in one.rows)
    images = set(one.images)
    for name in named:
        try:
            relative_name(name, where="metadata.csv")
        except UsageError as error:
            yield str(error)
    yield from (f"twice in metadata: {name}" for name, n in named.items() if n > 1)
    yield from (f"not in metadata: {name}" for name in one.images if name not in named)
    if one.has_images:
        yield from (f"no such image: {name}" for name in named if name not in images)
    elif images or any(name.startswith("images/") for name in one.found):
        yield f"there are images, and {RECORD} says that there are none"


def check_labels(one: OpenedRelease) -> Iterator[str]:
    """Labels that are no class or not the folder's."""
    for row in one.rows:
        label, name = row.get("label", ""), row.get("file_name", "")
        if label not in EXPRESSIONS:
            yield f"{name}: '{label}' is not a class"
        elif not _is_image_of(name, label):
            yield f"{name} is labelled {label}"


def _is_image_of(name: str, label: str) -> bool:
    """`images/test/sad/sad-001.png` or, of btfer 0.1, `images/sad/sad-001.png`, and no folder below."""
    *folders, last = name.split("/")
    return folders in (["images", SPLIT, label], ["images", label]) and last.endswith(".png")


def check_counts(one: OpenedRelease) -> Iterator[str]:
    """Numbers of release.json that are not those of metadata.csv."""
    if one.record is None:
        yield from one.damage[RECORD]
        return
    counts, asked = one.record.counts, one.record.per_class
    per_class = Counter(row.get("label", "") for row in one.rows)
    yield from (
        f"{RECORD} counts '{n}', which is not a class" for n in counts if n not in EXPRESSIONS
    )
    for label in EXPRESSIONS:
        if per_class[label] != counts.get(label):
            yield f"{label}: {per_class[label]} images, release.json says {counts.get(label)}"
        if per_class[label] > asked:
            yield f"{label}: more than the {asked} that were asked"


def check_credit(one: OpenedRelease) -> Iterator[str]:
    """Licences that forbid crops, and credit that is owed and not given."""
    credits_ = {row.get("file_name", ""): row for row in one.tables.get("attribution.csv", [])}
    rows = {row.get("file_name", ""): row for row in one.rows}
    yield from (
        f"attribution.csv names {n}, which is not an image" for n in credits_ if n not in rows
    )
    for name, row in rows.items():
        licence = row.get("licence", "")
        read = parse_licence(licence)
        if forbids_derivatives(read):
            yield f"{name}: {licence} forbids derivatives, and a crop is one"
        elif not may_be_released(read):
            yield f"{name}: {licence} allows nobody to make a crop"
        credit = credits_.get(name)
        owed = read.needs_credit or bool(row.get("attribution_id"))
        if owed and (not credit or credit.get("attribution_id") != row.get("attribution_id")):
            yield f"{name}: {licence} asks for credit, attribution.csv gives none"
        elif credit:
            yield from (f"{name}: attribution.csv {text}" for text in _wrong_in_credit(credit, row))
    yield from _authors(one)
    yield from _redistribution(one)


def _wrong_in_credit(credit: CsvRow, row: CsvRow) -> Iterator[str]:
    missing = [name for name in CREDIT if name not in credit and name not in NEW_COLUMNS]
    if missing:
        yield f"has no column {missing[0]}"
    elif not credit["author"].strip() and not credit["page_url"].strip():
        yield "names no author and no page"
    elif parse_licence(credit["licence"]).code != parse_licence(row.get("licence", "")).code:
        yield f"has the licence '{credit['licence']}', metadata.csv '{row.get('licence')}'"
    elif "change" in credit and not credit["author"].strip():  # btfer 0.1 left it blank
        yield f"has a blank author: '{NO_AUTHOR}' stands where the source names nobody"
    elif not _is_address_of(credit["licence_url"], credit["licence"]):
        yield f"has another address of {credit['licence']}: {credit['licence_url'][:80]}"


def _is_address_of(url: str, licence: str) -> bool:
    """Whether an address may be that of a licence; of one that has no known address, any may."""
    held = parse_licence(licence)
    return not (held.url and url.strip()) or agree(parse_licence("", url), held)


def _redistribution(one: OpenedRelease) -> Iterator[str]:
    """Words that allow more than the licences in metadata.csv do."""
    held = [parse_licence(row.get("licence", "")) for row in one.rows]
    allowed = redistribution(held)
    stated = one.record.redistribution if one.record else allowed
    if stated not in _USE_WORDS:
        yield f"{RECORD} says redistribution: '{stated}'; one of {', '.join(_USE_WORDS)} is meant"
    elif _USE_WORDS.index(stated) > _USE_WORDS.index(allowed):
        yield f"{RECORD} says redistribution: {stated}, the licences of the images allow: {allowed}"
    for row, licence in zip(one.rows, held, strict=True):
        spdx = row.get("spdx", "")
        if spdx and not agree(parse_licence(spdx), licence):
            yield f"{row.get('file_name')}: spdx is {spdx}, the licence is '{row.get('licence')}'"


def _authors(one: OpenedRelease) -> Iterator[str]:
    """Authors whom sources.csv names and attribution.csv does not."""
    credits_ = {row.get("file_name", ""): row for row in one.tables.get("attribution.csv", [])}
    for origin in one.tables.get("sources.csv", []):
        name, author = origin.get("file_name", ""), origin.get("author", "")
        if name in credits_ and author_key(author) and credits_[name].get("author") != author:
            yield f"{name}: attribution.csv does not name {author}, whom sources.csv names"


def note_credit(one: OpenedRelease) -> Iterator[str]:
    """Credit that is not whole: some sites state no author, or no address of the licence."""
    for column in ("author", "page_url", "licence_url"):
        rows = one.tables.get("attribution.csv", [])
        blank = [row.get("file_name", "") for row in rows if not row.get(column, "").strip()]
        if blank:
            yield f"attribution.csv states no {column} for {len(blank)} images, such as {blank[0]}"


def check_lines(one: OpenedRelease) -> Iterator[str]:
    """Lines of faces.jsonl that are not the rows of metadata.csv."""
    if "faces.jsonl" not in one.found:
        if "faces.jsonl" not in one.damage:
            yield "there is no faces.jsonl"
        return
    try:
        text = (one.folder / "faces.jsonl").read_bytes().decode()
        lines = [parse_json(line) for line in text.removesuffix("\n").split("\n")]
    except (OSError, ValueError) as error:
        yield f"faces.jsonl cannot be read: {error}"
        return
    expected = expected_rows(one)
    if len(lines) != len(expected):
        yield f"faces.jsonl has {len(lines)} lines, metadata.csv {len(expected)} rows"
    for number, (line, row) in enumerate(zip(lines, expected, strict=False), start=1):
        if not isinstance(line, dict):
            yield f"faces.jsonl, line {number} is not an object"
        else:
            own = row | ({FILE: row["file_name"]} if FILE in line else {})  # btfer 0.1 wrote none
            yield from (f"faces.jsonl, line {number}: {text}" for text in differences(line, own))


def expected_rows(one: OpenedRelease) -> list[dict[str, Any]]:
    """The rows of metadata.csv with numbers as numbers; [] where they cannot be read."""
    try:
        columns = one.rows[0].keys() if one.rows else ()
        return [
            ImageMetadata.from_csv_row(row).as_json()
            | {
                name: row[name]
                for name in columns
                if name not in ImageMetadata.__dataclass_fields__
            }
            for row in one.rows
        ]
    except (KeyError, ValueError, OverflowError):
        return []


def differences(seen: dict[str, Any], row: dict[str, Any]) -> Iterator[str]:
    """Columns in which a row is another than that of metadata.csv; one that both may lack is no difference."""
    for name in [*row, *(name for name in seen if name not in row)]:
        stated, other = row.get(name, ""), seen.get(name, "")
        if isinstance(stated, float) and isinstance(other, (int, float)):
            same = abs(stated - other) <= 1e-6 * max(1.0, abs(stated))  # a TFRecord has 32 bits
        else:
            same = stated == other and type(stated) is type(other)
        if not same:
            yield f"{row['file_name']} has another {name}: {str(other)[:40]!r}, not {str(stated)[:40]!r}"
