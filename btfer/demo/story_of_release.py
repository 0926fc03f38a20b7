"""The story of the release: whom it shows, and its card."""

import csv
import shlex
from collections.abc import Sequence

from btfer.demo.pictures import ShownPicture, data_uri, face_picture
from btfer.demo.story import Chapter, Row, TextTable, Told
from btfer.release_record import read_record

_GROUPS = ("ethnicity", "gender", "age")
_FACES_SHOWN = 7
_Image = dict[str, str]


def chapters(told: Told) -> list[Chapter]:
    """The sample by group, and the card."""
    text = (told.release.path / "metadata.csv").read_text(encoding="utf-8")
    images = list(csv.DictReader(text.splitlines(), strict=True))
    return [_groups(told, images), _card(told)]


def _groups(told: Told, images: Sequence[_Image]) -> Chapter:
    rows = [
        _group(told, kind, name, [one for one in images if one[kind] == name])
        for kind in _GROUPS
        for name in sorted({one[kind] for one in images if one[kind]})
    ]
    record = read_record(told.release.path)
    return Chapter(
        "groups",
        "The sample by group",
        f"{record.per_class} faces of each class are drawn so that the groups are as even as the photos allow. A "
        "group is what the query asked for, and no fact about anybody.",
        told.command(_build(record.per_class)),
        rows=rows,
    )


def _group(told: Told, kind: str, name: str, images: Sequence[_Image]) -> Row:
    # One of each class, so that a row shows more than one face made anew.
    shown = {one["label"]: one for one in reversed(images)}
    pictures = [
        face_picture(told.release.path / shown[label]["file_name"], f"{name}, {label}", label)
        for label in sorted(shown)[:_FACES_SHOWN]
    ]
    return Row(f"{kind} {name}: {len(images)}", pictures)


def _card(told: Told) -> Chapter:
    path = told.release.path
    record = read_record(path)
    facts = [
        ["name", path.name],
        ["SHA-256 of its list of files", told.release.digest],
        [
            "images",
            f"{told.release.images}, {record.per_class} of each of {len(record.counts)} classes",
        ],
        ["version, date", f"{record.version}, {record.date}"],
        ["made by", f"btfer {record.btfer}"],
        ["may be passed on", record.redistribution],
    ]
    sheet = ShownPicture(
        data_uri((path / "contact_sheet.png").read_bytes(), "png"),
        "contact sheet: a row of synthetic faces for each of the seven classes",
    )
    return Chapter(
        "release",
        "The release and its card",
        "A release is a frozen folder: images, a table, a datasheet, a list of checksums. Only pixels leave: no name, "
        "no address, no EXIF.",
        f"btfer verify {shlex.quote(str(path))}",
        sheet=sheet,
        table=TextTable(["", ""], facts),
        links=[
            told.link(path / "README.md", "datasheet"),
            told.link(path / "metadata.csv", "metadata.csv"),
            told.link(path / "SHA256SUMS", "SHA256SUMS"),
        ],
    )


def _build(per_class: int) -> str:
    return f"build --per-class {per_class} --max-per-site 0"
