"""Is a release whole and what it says it is? Every check is a line; nothing but the folder is needed.

sums     SHA256SUMS
folder   the folder, read once, without following anything out of it
names    files missing, changed, added, or under names that not every system can hold
tables   metadata.csv, faces.jsonl, attribution.csv, sources.csv
images   their pixels
texts    packed forms, croissant.json, README.md
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from btfer.pipeline.verify import images, names, tables, texts
from btfer.pipeline.verify.folder import OpenedRelease, open_release
from btfer.pipeline.verify.sums import check_files, read_sums
from btfer.release_record import read_record

__all__ = ["Check", "OpenedRelease", "check_files", "read_record", "read_sums", "verify"]

_MOST_OF_A_LINE = 300


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `problems` is empty when it holds. notes: what is worth knowing and not wrong."""

    name: str
    problems: list[str]
    notes: list[str] = field(default_factory=list)


def verify(folder: Path, *, size_px: int = 256) -> list[Check]:
    """All checks of a release folder. Raises UsageError where the folder is not a release."""
    one = open_release(folder)
    return [
        _check(
            "name carries the digest of SHA256SUMS", names.check_name(one), names.note_name(one)
        ),
        _check(
            "no file is missing, changed or added", names.check_sums(one), names.note_links(one)
        ),
        _check("files can be unpacked on every system", names.check_portable(one)),
        _check("metadata have the columns of a release", tables.check_columns(one)),
        _check("metadata and images are the same set", tables.check_rows(one)),
        _check("faces.jsonl has the rows of metadata.csv", tables.check_lines(one)),
        _check("labels are classes and match the folders", tables.check_labels(one)),
        _check("every class has as many images as release.json says", tables.check_counts(one)),
        _check(f"images are {size_px}x{size_px} RGB", images.check_pixels(one, size_px)),
        _check("images carry no metadata", images.check_bare(one)),
        _check("no image and no photo is there twice", images.check_twice(one)),
        _check(
            "licences allow crops, and credit is given",
            tables.check_credit(one),
            tables.note_credit(one),
        ),
        _check("packed forms hold the same images", texts.check_packed(one)),
        _check("croissant.json is valid and of these files", texts.check_croissant(one)),
        _check("README.md counts these images", texts.check_readme(one)),
    ]


def _check(name: str, problems: Iterable[str], notes: Iterable[str] = ()) -> Check:
    return Check(name, [_line(one) for one in problems], [_line(one) for one in notes])


def _line(text: str) -> str:
    """A text in one line that a terminal can show, whatever a hostile file name holds."""
    plain = text[:_MOST_OF_A_LINE]
    if not plain.isprintable():
        plain = "".join(one if one.isprintable() else "?" for one in plain)
    return plain if len(text) <= _MOST_OF_A_LINE else f"{plain}..."
