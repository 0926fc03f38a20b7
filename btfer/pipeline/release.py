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
from btfer.settings import Settings

INTENT = ("ethnicity", "gender", "age", "language", "source")
FACE = ("face_probability", "face_width_px", "face_height_px")
COLUMNS = ("file_name", "label", *INTENT, "licence", *FACE, "reviewed")
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
    """What a release says about one face. Strata are the intent of the query, no fact about a person."""
    return {
        "file_name": file_name,
        "label": row["expression"],
        **{name: row[name] for name in INTENT},
        "licence": row["licence"] or "not stated",
        "face_probability": f"{row['probability']:.4f}",
        "face_width_px": round(row["width"]),
        "face_height_px": round(row["height"]),
        "reviewed": "yes" if row["reviewer"] else "no",
    }


def needs_credit(row: Row) -> bool:
    """Whether the licence asks for attribution (any CC BY form)."""
    return terms(row["licence"]).credit


def write(
    cat: Catalogue,
    settings: Settings,
    chosen: dict[str, list[Row]],
    facts: dict[str, Any],
    *,
    name: str = "btfer",
) -> Release:
    """Write the chosen faces as `releases/<name>-<digest>`; an equal one that is there already is kept.

    chosen: per class the faces in order. facts: what the datasheet and release.json tell beside
    (per_class, settings, funnel). The folder appears complete or not at all.
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
            rows = _write_images(folder, settings.data_dir, chosen)
            _write_tables(folder, rows, chosen)
            _write_texts(folder, rows, facts)
            digest = _write_sums(folder)
            final = target / f"{name}-{digest[:12]}"
            if not final.exists():
                folder.chmod(0o755)
                folder.rename(final)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        held = [
            {"face": row["id"], "file": file, "expression": row["expression"]}
            for file, row in rows.items()
        ]
        releases.add(cat, final.name, digest, facts["settings"], held)
    return Release(final, digest, len(rows))


def _write_images(folder: Path, data_dir: Path, chosen: dict[str, list[Row]]) -> dict[str, Row]:
    rows = {}
    for label, faces in chosen.items():
        for number, row in enumerate(faces, start=1):
            file = f"{label}/{label}-{number:03d}.png"
            source = face_path(data_dir, row["id"])
            if not source.exists():
                raise BtferError(f"the crop {source} has gone: run btfer crop --rebuild")
            write_atomic(folder / "images" / file, encode_png(decode_rgb(source.read_bytes())))
            rows[file] = row
    return rows


def _write_tables(folder: Path, rows: dict[str, Row], chosen: dict[str, list[Row]]) -> None:
    table = [metadata_row(row, f"images/{file}") for file, row in rows.items()]
    write_atomic(folder / "metadata.csv", _csv(COLUMNS, table))
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in table]
    write_atomic(folder / "metadata.jsonl", "".join(lines).encode())
    credit = [
        {name: row.get(name, "") for name in CREDIT} | {"file_name": f"images/{file}"}
        for file, row in rows.items()
        if needs_credit(row)
    ]
    if credit:
        write_atomic(folder / "attribution.csv", _csv(CREDIT, credit))
    images = {
        label: [folder / "images" / file for file in rows if file.startswith(f"{label}/")]
        for label in chosen
    }
    write_atomic(folder / "contact_sheet.png", contact_sheet(images))


def _write_texts(folder: Path, rows: dict[str, Row], facts: dict[str, Any]) -> None:
    record = {key: facts[key] for key in ("settings", "per_class", "counts", "available")}
    text = json.dumps(record | {"btfer": __version__}, indent=2, sort_keys=True)
    write_atomic(folder / "release.json", f"{text}\n".encode())
    templates = Environment(
        loader=PackageLoader("btfer.pipeline"), undefined=StrictUndefined, trim_blocks=True
    )
    strata: dict[tuple[str, ...], int] = {}
    licences: dict[str, int] = {}
    for row in rows.values():
        key = tuple(row[name] or "not asked" for name in ("ethnicity", "gender", "age"))
        strata[key] = strata.get(key, 0) + 1
        licence = row["licence"] or "not stated"
        licences[licence] = licences.get(licence, 0) + 1
    card = templates.get_template("datasheet.md.j2").render(
        facts,
        rows=rows,
        strata=sorted(strata.items()),
        licences=sorted(licences.items()),
        version=__version__,
        synthetic=any(row["source"] == "sample" for row in rows.values()),
    )
    write_atomic(folder / "README.md", card.encode())


def _write_sums(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    sums = "".join(lines).encode()
    write_atomic(folder / "SHA256SUMS", sums)
    return hashlib.sha256(sums).hexdigest()


def _csv(columns: tuple[str, ...], rows: list[Row]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()
