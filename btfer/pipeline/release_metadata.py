"""What a release tells of each of its images: a row of metadata, a line of credit, and where it came from.

The metadata hold the intent of the query, never a URL, a title or a phrase. Where the photo is to be found
(`sources.csv`) is told only where somebody asked for it; who is to be named, where the licence asks for it.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from btfer.catalogue import Catalogue, faces, photos, verdicts
from btfer.catalogue.rows import KeptFace
from btfer.catalogue.store import Row
from btfer.faces.cut import read_cut
from btfer.licences import terms
from btfer.paths import face_path
from btfer.review.agreement_table import soft_labels

INTENT = ("ethnicity", "gender", "age", "language", "source")
QUALITY = (
    "face_probability",
    "face_width_px",
    "face_height_px",
    "crop_scale",
    "crop_distortion",
    "crop_clipped",
)
COLUMNS = (
    *("file_name", "label", "votes", *INTENT, "licence", "attribution_id"),
    *(*QUALITY, "photo_id", "reviewed"),
)
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
    *("licence", "licence_url", "page_url"),
)
CUT = ("left", "top", "right", "bottom", "reflected")
SOURCES = (
    *("file_name", "image_sha256", "photo_sha256", "face", "url", "page_url"),
    *("query", "intended", "title", "author", "licence", "licence_url", *CUT),
)


@dataclass(frozen=True)
class ReleaseImage:
    """One image of a release: its place (`sad/sad-001.png`), its pixels' file, its face, and what is told of it.

    metadata: its row of metadata.csv. credit: its row of attribution.csv, where the licence asks for one.
    origin: its row of sources.csv, but for image_sha256.
    """

    file: str
    pixels: Path
    face: str
    metadata: Row
    credit: Row | None
    origin: Row


def may_be_cropped(face: KeptFace) -> bool:
    """False for works whose licence forbids derivatives (CC ... ND): a crop is one."""
    return not terms(face.licence).forbids_derivatives


def release_images(
    cat: Catalogue, data_dir: Path, chosen: Mapping[str, Sequence[KeptFace]], seed: int
) -> list[ReleaseImage]:
    """The chosen faces of each class in their order, numbered."""
    places = {
        face.id: (f"{label}/{label}-{number:03d}.png", label)
        for label, its in chosen.items()
        for number, face in enumerate(its, start=1)
    }
    return images_at(cat, data_dir, places, seed)


def images_at(
    cat: Catalogue, data_dir: Path, places: Mapping[str, tuple[str, str]], seed: int
) -> list[ReleaseImage]:
    """The faces at the places that they take. places: file and label by face id."""
    known = faces.by_id(cat, places)
    photo_of = {id_: known[id_].photo for id_ in places}
    seen = photos.described(cat, set(photo_of.values()))
    labels = {sha256: photo.expression for sha256, photo in seen.items()}
    judged = verdicts.current_on(cat, "faces", seen)
    reviewed = {row.face for row in judged if row.decision != "drop"}
    votes = soft_labels(verdicts.votes(cat, "faces", seen), labels)
    found = []
    for id_, (file, label) in places.items():
        row = asdict(seen[photo_of[id_]]) | asdict(known[id_]) | {"expression": label}
        row |= {"votes": votes.get(id_, {}), "reviewed": id_ in reviewed}
        found.append(_image(row, file, face_path(data_dir, id_), seed))
    return found


def read_images(folder: Path, face_of: Mapping[str, str]) -> list[ReleaseImage]:
    """The images of a release that is there. face_of: the face id of each file (`sad/sad-001.png`)."""
    metadata = {row["file_name"]: row for row in read_rows(folder / "metadata.csv")}
    credit, origin = (
        {row["file_name"]: row for row in read_rows(folder / name)}
        for name in ("attribution.csv", "sources.csv")
    )
    return [
        ReleaseImage(
            name.removeprefix("images/"),
            folder / name,
            face_of[name.removeprefix("images/")],
            row,
            credit.get(name),
            origin.get(name, {}),
        )
        for name, row in metadata.items()
    ]


def _image(row: Row, file: str, pixels: Path, seed: int) -> ReleaseImage:
    name = f"images/{file}"
    metadata = metadata_row(row, name, seed)
    credit = {key: row.get(key, "") for key in CREDIT}
    credit |= {"file_name": name, "attribution_id": metadata["attribution_id"]}
    asked = credit if metadata["attribution_id"] else None
    return ReleaseImage(file, pixels, row["id"], metadata, asked, _origin(row, name))


def metadata_row(row: Row, file_name: str, seed: int) -> Row:
    """What a release says about one face. Strata are the intent of the query, no fact about a person.

    votes: how many people gave each label in round `faces` (`happy:2 sad:1`), a soft label. crop_scale:
    released pixels per photo pixel, on the axis that was enlarged more. photo_id: the same for faces of
    one photo, a keyed hash that does not tell which.
    """
    cut = row["crop"]
    high, wide = cut["bottom"] - cut["top"], cut["right"] - cut["left"]
    return {
        "file_name": file_name,
        "label": row["expression"],
        "votes": " ".join(f"{word}:{n}" for word, n in sorted(row["votes"].items())),
        **{name: row[name] for name in INTENT},
        "licence": row["licence"] or "not stated",
        "attribution_id": Path(file_name).stem if needs_credit(row) else "",
        "face_probability": f"{row['probability']:.4f}",
        "face_width_px": round(row["width_px"]),
        "face_height_px": round(row["height_px"]),
        "crop_scale": f"{cut.get('size_px', 256) / min(high, wide):.3f}",
        "crop_distortion": f"{wide / high:.3f}",
        "crop_clipped": " ".join(cut.get("clipped", ())),
        "photo_id": pseudonym(row["photo"], seed),
        "reviewed": "yes" if row["reviewed"] else "no",
    }


def pseudonym(photo: str, seed: int) -> str:
    """A photo's name in a release: BLAKE2b of its sha256, keyed with the seed."""
    return hashlib.blake2b(photo.encode(), key=str(seed).encode()[:64], digest_size=6).hexdigest()


def needs_credit(row: Row) -> bool:
    """Whether the licence asks for attribution (any CC BY form)."""
    return terms(row["licence"]).credit


def _origin(row: Row, file_name: str) -> Row:
    """Where the photo is, and how the face was cut out of it; no address for a photo that came from a disk."""
    cut = read_cut(row["crop"])
    on_web = row["url"].startswith(("http://", "https://"))
    return {
        "file_name": file_name,
        "photo_sha256": row["photo"],
        "face": row["id"],
        "url": row["url"] if on_web else "",
        "query": row["phrase"] if on_web else "",
        "intended": row["intended"],
        **{name: row[name] for name in ("page_url", "title", "author", "licence", "licence_url")},
        **{side: getattr(cut, side) for side in CUT[:4]},
        "reflected": " ".join(cut.reflected),
    }


def read_rows(path: Path) -> list[Row]:
    """The rows of a release's CSV; [] where there is no such file."""
    if not path.exists():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def typed(row: Row) -> Row:
    """A row of metadata.csv with its numbers as numbers."""
    kinds = {"Float": float, "Integer": int}
    return {
        name: kinds[NUMBERS[name]](value) if name in NUMBERS else value
        for name, value in row.items()
    }


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Rows as CSV in UTF-8, with a header."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()
