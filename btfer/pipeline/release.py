"""A release: a frozen folder of faces that anybody can read, check and cite.

Only pixels leave: every image is made anew from decoded pixels, its name tells nothing about where
it came from, and the metadata hold the intent of the query, never a URL or a title. The same faces
and settings give the same bytes.
"""

import csv
import hashlib
import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from btfer import __version__
from btfer.catalogue import Catalogue, releases
from btfer.catalogue.store import Row
from btfer.errors import BtferError
from btfer.files import only_one, sha256_file, write_atomic
from btfer.images import decode_rgb, encode_png
from btfer.layout import face_path, releases_dir
from btfer.licences import terms
from btfer.pipeline.contact_sheet import contact_sheet
from btfer.pipeline.croissant import croissant
from btfer.settings import Settings

INTENT = ("ethnicity", "gender", "age", "language", "source")
FACE = ("face_probability", "face_width_px", "face_height_px", "crop_distortion")
COLUMNS = ("file_name", "label", "votes", *INTENT, "licence", *FACE, "reviewed")
RECORD = ("settings", "per_class", "counts", "available", "no_derivatives", "version", "changes")
CREDIT = ("file_name", "author", "title", "licence", "licence_url", "page_url")


@dataclass(frozen=True)
class Release:
    """A release on disk; the digest is that of its SHA256SUMS, and a part of its name."""

    path: Path
    digest: str
    images: int


def may_be_cropped(row: Row) -> bool:
    """False for works whose licence forbids derivatives (CC ... ND): a crop is one."""
    return not terms(row["licence"]).forbids_derivatives


def metadata_row(row: Row, file_name: str) -> Row:
    """What a release says about one face. Strata are the intent of the query, no fact about a person.

    votes: how many people gave each label in round `faces` (`happy:2 sad:1`), a soft label.
    """
    return {
        "file_name": file_name,
        "label": row["expression"],
        "votes": " ".join(f"{word}:{n}" for word, n in sorted(row.get("votes", {}).items())),
        **{name: row[name] for name in INTENT},
        "licence": row["licence"] or "not stated",
        "face_probability": f"{row['probability']:.4f}",
        "face_width_px": round(row["width"]),
        "face_height_px": round(row["height"]),
        "crop_distortion": f"{distortion(row['crop']):.3f}",
        "reviewed": "yes" if row["reviewer"] else "no",
    }


def distortion(cut: dict[str, Any]) -> float:
    """How much wider than high the rectangle was that became a square: 1 = nothing was stretched."""
    high = cut["bottom"] - cut["top"]
    return float((cut["right"] - cut["left"]) / high)


def needs_credit(row: Row) -> bool:
    """Whether the licence asks for attribution (any CC BY form)."""
    return terms(row["licence"]).credit


@dataclass(frozen=True)
class Picture:
    """One image of a release: its place (`sad/sad-001.png`), its pixels' file, its face, and what is told of it.

    credit: who is to be named, where the licence asks for it.
    """

    file: str
    source: Path
    face: str
    told: Row
    credit: Row | None


def pictures(data_dir: Path, chosen: dict[str, list[Row]]) -> list[Picture]:
    """The chosen faces of each class in their order, numbered."""
    found = []
    for label, faces in chosen.items():
        for number, row in enumerate(faces, start=1):
            found.append(picture(data_dir, row, f"{label}/{label}-{number:03d}.png"))
    return found


def picture(data_dir: Path, row: Row, file: str) -> Picture:
    """One face at its place. row: as `catalogue.faces.labelled` gives it."""
    name = f"images/{file}"
    credit = {key: row.get(key, "") for key in CREDIT} | {"file_name": name}
    return Picture(
        file,
        face_path(data_dir, row["id"]),
        row["id"],
        metadata_row(row, name),
        credit if needs_credit(row) else None,
    )


def read_pictures(folder: Path, face_of: dict[str, str]) -> list[Picture]:
    """The images of a release that is there. face_of: the face id of each file (`sad/sad-001.png`)."""
    told = {row["file_name"]: row for row in read_rows(folder / "metadata.csv")}
    credit = {row["file_name"]: row for row in read_rows(folder / "attribution.csv")}
    return [
        Picture(
            name.removeprefix("images/"),
            folder / name,
            face_of[name.removeprefix("images/")],
            row,
            credit.get(name),
        )
        for name, row in told.items()
    ]


def write(
    cat: Catalogue,
    settings: Settings,
    chosen: Sequence[Picture],
    facts: dict[str, Any],
    *,
    name: str = "btfer",
) -> Release:
    """Write the pictures as `releases/<name>-<digest>`; an equal one that is there already is kept.

    facts: what the datasheet and release.json tell beside (per_class, settings, funnel, version,
    changes). The folder appears complete or not at all.
    """
    target = releases_dir(settings.data_dir)
    with only_one(settings.data_dir, "release"):
        try:
            target.mkdir(parents=True, exist_ok=True)
            for old in target.glob(".part-*"):  # of a run that was killed
                shutil.rmtree(old)
            folder = Path(tempfile.mkdtemp(dir=target, prefix=".part-"))
        except OSError as error:
            raise BtferError(f"cannot write in {target}: {error.strerror}") from None
        try:
            _write_images(folder, chosen)
            _write_tables(folder, chosen)
            _write_texts(folder, chosen, facts, name)
            digest = _write_sums(folder)
            final = target / f"{name}-{digest[:12]}"
            if not final.exists():
                folder.chmod(0o755)
                folder.rename(final)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        held = [
            {"face": one.face, "file": one.file, "expression": one.told["label"]} for one in chosen
        ]
        releases.add(cat, final.name, digest, facts["settings"], held)
    return Release(final, digest, len(chosen))


def _write_images(folder: Path, chosen: Sequence[Picture]) -> None:
    for one in chosen:
        if not one.source.exists():
            raise BtferError(f"the crop {one.source} has gone: run btfer crop --rebuild")
        write_atomic(folder / "images" / one.file, encode_png(decode_rgb(one.source.read_bytes())))


def _write_tables(folder: Path, chosen: Sequence[Picture]) -> None:
    write_atomic(folder / "metadata.csv", _csv(COLUMNS, [one.told for one in chosen]))
    lines = [json.dumps(one.told, ensure_ascii=False) + "\n" for one in chosen]
    write_atomic(folder / "faces.jsonl", "".join(lines).encode())
    credit = [one.credit for one in chosen if one.credit]
    if credit:
        write_atomic(folder / "attribution.csv", _csv(CREDIT, credit))
    images: dict[str, list[Path]] = {}
    for one in chosen:
        images.setdefault(one.told["label"], []).append(folder / "images" / one.file)
    write_atomic(folder / "contact_sheet.png", contact_sheet(images))


def _write_texts(folder: Path, chosen: Sequence[Picture], facts: dict[str, Any], name: str) -> None:
    record = {key: facts[key] for key in RECORD}
    text = json.dumps(record | {"btfer": __version__}, indent=2, sort_keys=True)
    write_atomic(folder / "release.json", f"{text}\n".encode())
    templates = Environment(
        loader=PackageLoader("btfer.pipeline"), undefined=StrictUndefined, trim_blocks=True
    )
    told = [one.told for one in chosen]
    groups = Counter(tuple(row[name] or "not asked" for name in INTENT[:3]) for row in told)
    card = templates.get_template("datasheet.md.j2").render(
        facts,
        rows=told,
        strata=sorted(groups.items()),
        licences=sorted(Counter(row["licence"] for row in told).items()),
        btfer_version=__version__,
        synthetic=any(row["source"] == "sample" for row in told),
    )
    write_atomic(folder / "README.md", card.encode())
    metadata = sha256_file(folder / "metadata.csv")
    machine = croissant(name, told, facts, metadata, __version__)
    text = json.dumps(machine, indent=2, ensure_ascii=False)
    write_atomic(folder / "croissant.json", f"{text}\n".encode())


def _write_sums(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    sums = "".join(lines).encode()
    write_atomic(folder / "SHA256SUMS", sums)
    return hashlib.sha256(sums).hexdigest()


def read_rows(path: Path) -> list[Row]:
    """The rows of a release's CSV; [] where there is no such file."""
    if not path.exists():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def _csv(columns: tuple[str, ...], rows: list[Row]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()
