"""What a release states about each of its images: a row of metadata, a credit, and where it came from.

The metadata hold the intent of the query, never a URL, a title or a phrase. Where the photo is to be found
(`sources.csv`) is stated only where somebody asked for it; who is to be named, where the licence asks for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from btfer.csv_reader import read_csv
from btfer.errors import UsageError
from btfer.faces.cut import Cut

COLUMNS = (
    *("file_name", "label", "votes"),
    *("ethnicity", "gender", "age", "language", "source", "licence", "spdx"),
    "attribution_id",
    *("face_probability", "face_width_px", "face_height_px"),
    *("crop_scale", "crop_distortion", "crop_clipped", "photo_id", "reviewed"),
)
"""Of metadata.csv."""
OLDEST_COLUMNS = (
    *("file_name", "label", "votes"),
    *("ethnicity", "gender", "age", "language", "source", "licence", "attribution_id"),
    *("face_probability", "face_width_px", "face_height_px"),
    *("crop_scale", "crop_distortion", "crop_clipped", "photo_id", "reviewed"),
)
"""Those that the first releases have too: what came later may be absent from a release."""

FILE = "file"
"""What faces.jsonl calls a second `file_name`."""

NUMBERS = {
    "face_probability": "Float",
    "face_width_px": "Integer",
    "face_height_px": "Integer",
    "crop_scale": "Float",
    "crop_distortion": "Float",
}
"""The columns that are numbers, and their types in schema.org."""

CREDIT = (
    *("attribution_id", "file_name", "author", "title"),
    *("licence", "licence_url", "page_url", "change"),
)
"""The columns of attribution.csv."""

NEW_COLUMNS = ("spdx", "change")
"""Columns that releases made by 0.1 do not have."""

_SIDES = ("left", "top", "right", "bottom")
_ORIGIN_TEXTS = (
    *("file_name", "image_sha256", "photo_sha256", "face", "url", "page_url"),
    *("query", "intended", "title", "author", "licence", "licence_url"),
)
SOURCES = (*_ORIGIN_TEXTS, *_SIDES, "reflected")
"""The columns of sources.csv."""

SPLIT = "test"
"""The folder below images/ that holds the folders of classes: loaders name a split after it."""
_OF_IMAGES = ("images/", f"{SPLIT}/")

NOT_STATED = "not stated"
NO_AUTHOR = "author not stated"
CsvRow = dict[str, str]
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class ImageMetadata:
    """What anybody may know of an image of a release: its row of metadata.csv.

    votes: how many people gave each label in round `faces`, a soft label. ethnicity ... language: the intent
    of the query ('' = not asked), no facts about a person. licence: as it is stated, spdx: its id in the list of
    SPDX ('' = it has none). attribution_id: names its credit ('' = the licence
    asks for none). face_probability: the detector's, 0 to 1, with 4 digits. face_width_px, face_height_px: of
    the box, in pixels of the photo. crop_scale: released pixels per photo pixel, on the axis that was
    enlarged more. crop_distortion: width / height of what was cut; 1 = the shape is kept. crop_clipped: sides
    that met the photo's border. photo_id: the same for faces of one photo, a keyed hash. reviewed: whether a
    person judged the face.
    """

    file_name: str
    label: str
    votes: Mapping[str, int]
    ethnicity: str
    gender: str
    age: str
    language: str
    source: str
    licence: str
    spdx: str
    attribution_id: str
    face_probability: float
    face_width_px: int
    face_height_px: int
    crop_scale: float
    crop_distortion: float
    crop_clipped: tuple[str, ...]
    photo_id: str
    reviewed: bool

    def as_json(self) -> dict[str, Any]:
        """The columns in their order, numbers as numbers."""
        return {name: getattr(self, name) for name in COLUMNS} | {
            "votes": " ".join(f"{label}:{n}" for label, n in sorted(self.votes.items())),
            "crop_clipped": " ".join(self.crop_clipped),
            "reviewed": "yes" if self.reviewed else "no",
        }

    def as_json_line(self) -> dict[str, Any]:
        """A line of faces.jsonl: Hugging Face makes an image of `file_name`, so that its name is there twice."""
        return self.as_json() | {FILE: self.file_name}

    def as_csv_row(self) -> dict[str, Any]:
        """The columns in their order, as they are written."""
        return self.as_json() | {
            "face_probability": f"{self.face_probability:.4f}",
            "crop_scale": f"{self.crop_scale:.3f}",
            "crop_distortion": f"{self.crop_distortion:.3f}",
        }

    @classmethod
    def from_csv_row(cls, row: CsvRow) -> "ImageMetadata":
        """What `as_csv_row` wrote. Raises KeyError or ValueError for anything else."""
        votes = (one.rpartition(":") for one in row["votes"].split())
        return cls(
            **_texts(row, COLUMNS)
            | {  # type: ignore[arg-type]
                "votes": {label: int(n) for label, _, n in votes},
                "face_probability": float(row["face_probability"]),
                "face_width_px": int(row["face_width_px"]),
                "face_height_px": int(row["face_height_px"]),
                "crop_scale": float(row["crop_scale"]),
                "crop_distortion": float(row["crop_distortion"]),
                "crop_clipped": tuple(row["crop_clipped"].split()),
                "reviewed": row["reviewed"] == "yes",
            }
        )


@dataclass(frozen=True)
class Credit:
    """Who is to be named for an image, and where its photo is shown: a row of attribution.csv.

    author: `NO_AUTHOR` where nobody is named. licence_url: the canonical one. change: what was done to the work.
    """

    attribution_id: str
    file_name: str
    author: str
    title: str
    licence: str
    licence_url: str
    page_url: str
    change: str = ""

    def as_csv_row(self) -> dict[str, Any]:
        """The columns as they are written."""
        return dict(vars(self))

    @classmethod
    def from_csv_row(cls, row: CsvRow) -> "Credit":
        """What `as_csv_row` wrote. Raises KeyError for anything else."""
        return cls(**_texts(row, CREDIT))


@dataclass(frozen=True)
class Origin:
    """Where an image came from, and how it was cut: a row of sources.csv.

    image_sha256: of the released file ('' = not written yet). face: its id. url: '' for a photo from a disk.
    query, intended: the phrase and the class that it asks for. cut: in pixels of the photo.
    """

    file_name: str
    image_sha256: str
    photo_sha256: str
    face: str
    url: str
    page_url: str
    query: str
    intended: str
    title: str
    author: str
    licence: str
    licence_url: str
    cut: Cut

    def as_csv_row(self) -> dict[str, Any]:
        """The columns as they are written."""
        texts = {name: getattr(self, name) for name in _ORIGIN_TEXTS}
        sides = {name: getattr(self.cut, name) for name in _SIDES}
        return texts | sides | {"reflected": " ".join(self.cut.reflected)}

    @classmethod
    def from_csv_row(cls, row: CsvRow) -> "Origin":
        """What `as_csv_row` wrote. Raises KeyError or ValueError for anything else."""
        left, top, right, bottom = (int(row[name]) for name in _SIDES)
        cut = Cut(left, top, right, bottom, reflected=tuple(row["reflected"].split()))
        return cls(**{name: row[name] for name in _ORIGIN_TEXTS}, cut=cut)


def _texts(row: CsvRow, columns: Iterable[str]) -> dict[str, str]:
    """The cells of a row. Raises KeyError for a column that is missing and was always there."""
    return {name: row.get(name, "") if name in NEW_COLUMNS else row[name] for name in columns}


def place_of(name: str) -> str:
    """`sad/sad-001.png` of `images/test/sad/sad-001.png`, and of `images/sad/sad-001.png` as btfer 0.1 named it."""
    for part in _OF_IMAGES:
        name = name.removeprefix(part)
    return name


def folder_of_classes(name: str) -> str:
    """Where the folder of an image's class lies: in `images/test`, or in `images` in a release of btfer 0.1."""
    return name.rsplit("/", 2)[0]


def read_metadata(folder: Path) -> list[ImageMetadata]:
    """The rows of a release's metadata.csv. Raises UsageError with the file and line of one that cannot be right."""
    return _read(folder / "metadata.csv", ImageMetadata.from_csv_row)


def read_credits(folder: Path) -> dict[str, Credit]:
    """The rows of attribution.csv by file name; {} where there is none. Raises as `read_metadata`."""
    return {one.file_name: one for one in _read(folder / "attribution.csv", Credit.from_csv_row)}


def read_origins(folder: Path) -> dict[str, Origin]:
    """The rows of sources.csv by file name; {} where there is none. Raises as `read_metadata`."""
    return {one.file_name: one for one in _read(folder / "sources.csv", Origin.from_csv_row)}


def _read(path: Path, kind: Callable[[CsvRow], Kind]) -> list[Kind]:
    found = []
    for line, row in _numbered_rows(path):
        try:
            found.append(kind(row))
        except KeyError as error:
            raise UsageError(f"{path} is damaged or not a release's: no column {error}") from None
        except (ValueError, AttributeError, TypeError, OverflowError) as error:
            raise UsageError(f"{path}:{line} is damaged: {error}") from None
    return found


def read_rows(path: Path) -> list[CsvRow]:
    """The rows of a release's CSV as they are; [] where there is no such file. Raises UsageError for what is none."""
    return [row for _, row in _numbered_rows(path)]


def _numbered_rows(path: Path) -> list[tuple[int, CsvRow]]:
    """Each row with its line."""
    if not path.exists():
        return []
    table = read_csv(path, may_be_empty=True, own=True)
    return [(row.line, dict(row.values)) for row in table]
