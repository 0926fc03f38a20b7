"""A release: a frozen folder of faces that anybody can read, check and cite.

Only pixels leave: every image is a PNG that is proven to hold nothing else, or is made anew from decoded pixels;
its name tells nothing about where it came from. The same faces and settings give the same bytes.
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from btfer import RESULTS_VERSION
from btfer.catalogue import Catalogue, releases
from btfer.catalogue.rows import ReleasedFace
from btfer.catalogue.secret_keys import RELEASES, secret_key
from btfer.catalogue.stage_lock import only_one
from btfer.csv_writer import as_csv
from btfer.errors import BtferError, ImageError
from btfer.files import sha256_file, write_atomic
from btfer.images import Pixels, bare_size, decode_rgb, encode_png
from btfer.licences import parse_licence, redistribution
from btfer.paths import releases_dir
from btfer.pipeline import formats
from btfer.pipeline.contact_sheet import class_sheet, contact_sheet, tile
from btfer.pipeline.croissant import croissant
from btfer.pipeline.datasheet import datasheet, licence_text
from btfer.pipeline.optout_page import image_token, optout_page, tombstones
from btfer.pipeline.release_images import ReleaseImage
from btfer.pipeline.release_metadata import COLUMNS, CREDIT, SOURCES, CsvRow, ImageMetadata
from btfer.pipeline.release_versions import (
    OF_VERSION,
    TOMBSTONES,
    EarlierRelease,
    earlier_releases,
    following,
    tombstones_after,
)
from btfer.release_record import ONLY, WITHOUT, ReleaseRecord, write_record
from btfer.settings import Settings
from btfer.store import store_of
from btfer.store.mirror import send_release

_WRITERS = 4  # each waits for the disk


@dataclass(frozen=True)
class Release:
    """A release on disk; the digest is that of its SHA256SUMS, and a part of its name.

    same_person: faces left out because there were enough of the same people, as `--max-per-person` asks.
    """

    path: Path
    digest: str
    images: int
    same_person: int = 0


@dataclass(frozen=True)
class _Written:
    """An image as it is in the release: the sha256 of its file, and a small picture of it where it was read."""

    sha256: str
    tile: Pixels | None = None


def write(
    cat: Catalogue,
    settings: Settings,
    chosen: Sequence[ReleaseImage],
    record: ReleaseRecord,
    *,
    name: str = "btfer",
    follow: bool = False,
    gone: Sequence[CsvRow] = (),
    page: bytes = b"",
) -> Release:
    """Write the images as `releases/<name>-<digest>`; an equal one that is there already is kept.

    follow: make it the next version of the release of this name, with what changed since; the version that has
    this content already, where there is one. gone: tombstones of an earlier version, where the record is that of
    a next version already. page: the opt-out page of the release that this one is, where it was made elsewhere.
    The folder appears complete or not at all. Raises BtferError where a crop has gone or the disk is full.
    """
    target, store = releases_dir(settings.data_dir), store_of(settings)
    store.fetch_all(one.pixels for one in chosen)
    record = replace(
        record,
        btfer=RESULTS_VERSION,
        date=record.date or releases.date_of_content(cat),
        contact=record.contact if page else settings.contact,
    )
    with only_one(cat, settings.data_dir, "release"), _new_folder(target) as folder:
        written = _write_images(folder, chosen, keep=record.sources != ONLY)
        _write_tables(folder, chosen, written, record.sources)
        metadata = [one.metadata for one in chosen]
        if record.sources != ONLY:
            _write_sheets(folder, chosen, written)
            formats.pack(folder, record.formats, metadata)
        allowed = redistribution(parse_licence(one.licence) for one in metadata)
        record = replace(record, redistribution=allowed)
        key = secret_key(cat, RELEASES)
        write_atomic(
            folder / "optout.html", page or _page(key, chosen, written, record.contact, name)
        )
        sums = _sums(folder)
        if follow:
            earlier = earlier_releases(cat, settings.data_dir, name, record.sources)
            same = next((one for one in earlier if one.has_content(record, sums)), None)
            if same:
                return Release(same.folder, same.digest, len(chosen), record.same_person)
            record, gone = _next(cat, earlier, record, sums)
        if gone:
            write_atomic(folder / TOMBSTONES, tombstones(gone))
        _write_texts(folder, metadata, record, name)
        digest = _write_sums(folder, sums)
        final = target / f"{name}-{digest[:12]}"
        if not final.exists():
            send_release(store, folder, final.name)
            folder.rename(final)
        released = [ReleasedFace(one.face, one.file, one.metadata.label) for one in chosen]
        releases.add(cat, final.name, digest, record.settings.as_json(), released)
    return Release(final, digest, len(chosen), record.same_person)


def _next(
    cat: Catalogue,
    earlier: Sequence[EarlierRelease],
    record: ReleaseRecord,
    sums: Mapping[str, str],
) -> tuple[ReleaseRecord, Sequence[CsvRow]]:
    """The record as that of the version after the newest, and what has been withdrawn until then."""
    if not earlier:
        return record, ()
    gone = tombstones_after(cat, earlier[0], sums, record.date)
    return following(earlier[0], record, sums), gone


def _page(
    key: bytes,
    chosen: Sequence[ReleaseImage],
    written: Sequence[_Written],
    contact: str,
    name: str,
) -> bytes:
    """The opt-out page: the same for all versions that have these images."""
    tokens = [
        (one.metadata.file_name, image_token(key, image.sha256))
        for one, image in zip(chosen, written, strict=True)
    ]
    return optout_page(tokens, contact, name, sources={one.metadata.source for one in chosen})


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside the releases, that is gone afterwards unless it was renamed."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob(".part-*"):  # of a run that was killed
            shutil.rmtree(old)
        folder = target / f".part-{secrets.token_hex(8)}"
        folder.mkdir()  # not mkdtemp: its mode would be private, whatever the umask says
    except OSError as error:
        raise BtferError(f"cannot write in {target}: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_images(folder: Path, chosen: Sequence[ReleaseImage], *, keep: bool) -> list[_Written]:
    with ThreadPoolExecutor(_WRITERS) as pool:
        return list(pool.map(partial(_write_image, folder if keep else None), chosen))


def _write_image(folder: Path | None, one: ReleaseImage) -> _Written:
    if not folder and one.origin and one.origin.image_sha256:  # stated by the version before
        return _Written(one.origin.image_sha256)
    try:
        data = one.pixels.read_bytes()
        pixels = decode_rgb(data)
    except FileNotFoundError:
        raise BtferError(f"the crop {one.pixels} has gone: run btfer crop repair") from None
    except ImageError as error:
        raise BtferError(
            f"the crop {one.pixels} cannot be read ({error}): delete it, and run btfer crop repair"
        ) from None
    if bare_size(data) is None:
        data = encode_png(pixels)
    if folder:
        write_atomic(folder / "images" / one.file, data)
    return _Written(hashlib.sha256(data).hexdigest(), tile(pixels))


def _write_tables(
    folder: Path,
    chosen: Sequence[ReleaseImage],
    written: Sequence[_Written],
    sources: str,
) -> None:
    rows = [one.metadata.as_csv_row() for one in chosen]
    write_atomic(folder / "metadata.csv", as_csv(COLUMNS, rows))
    # Not metadata.jsonl: Hugging Face's imagefolder refuses a folder with both.
    lines = [json.dumps(one.metadata.as_json_line(), ensure_ascii=False) + "\n" for one in chosen]
    write_atomic(folder / "faces.jsonl", "".join(lines).encode())
    credit = [one.credit.as_csv_row() for one in chosen if one.credit]
    if credit:
        write_atomic(folder / "attribution.csv", as_csv(CREDIT, credit))
    if sources != WITHOUT:
        rows = [
            replace(one.origin, image_sha256=image.sha256).as_csv_row()
            for one, image in zip(chosen, written, strict=True)
            if one.origin
        ]
        write_atomic(folder / "sources.csv", as_csv(SOURCES, rows))


def _write_sheets(
    folder: Path, chosen: Sequence[ReleaseImage], written: Sequence[_Written]
) -> None:
    tiles: dict[str, list[tuple[str, Pixels]]] = {}
    for one, image in zip(chosen, written, strict=True):
        if image.tile is not None:
            number = Path(one.file).stem.rpartition("-")[2]
            tiles.setdefault(one.metadata.label, []).append((number, image.tile))
    first = {label: [image for _, image in its] for label, its in tiles.items()}
    write_atomic(folder / "contact_sheet.png", contact_sheet(first))
    for label, its in tiles.items():
        write_atomic(folder / "contact_sheets" / f"{label}.png", class_sheet(its))


def _write_texts(
    folder: Path, metadata: Sequence[ImageMetadata], record: ReleaseRecord, name: str
) -> None:
    write_record(folder, record)
    write_atomic(
        folder / "README.md",
        datasheet(metadata, record, has_tombstones=(folder / TOMBSTONES).is_file()).encode(),
    )
    write_atomic(folder / "LICENSE.md", licence_text(metadata).encode())
    machine = croissant(name, metadata, record, sha256_file(folder / "metadata.csv"))
    text = json.dumps(machine, indent=2, ensure_ascii=False)
    write_atomic(folder / "croissant.json", f"{text}\n".encode())


def _sums(folder: Path) -> dict[str, str]:
    """The sha256 of each file by its place in the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


def _write_sums(folder: Path, sums: dict[str, str]) -> str:
    """Write SHA256SUMS, of these files and of the texts that came later; its own sha256."""
    texts = {name: sha256_file(folder / name) for name in OF_VERSION if (folder / name).is_file()}
    listed = sorted((sums | texts).items(), key=lambda one: Path(one[0]))
    data = "".join(f"{sha256}  {name}\n" for name, sha256 in listed).encode()
    write_atomic(folder / "SHA256SUMS", data)
    return hashlib.sha256(data).hexdigest()
