"""Images of releases by name: `RELEASE/sad-001.png`, also in folders that the catalogue does not know."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue import Catalogue, releases
from btfer.files import sha256_file
from btfer.pipeline.forget.folders import files_in, read_table, release_folders
from btfer.pipeline.release_metadata import SPLIT

HEX = re.compile(r"[0-9a-f]+")
IMAGE = re.compile(r"\S+\.png")
TOKEN = re.compile(r"[A-Z2-7]{16}")
_ON_PAGE = re.compile(r"<code>([^<]+)</code></th><td>([A-Z2-7]{16})</td>")


@dataclass(frozen=True)
class Place:
    """An image of a release: its name there (`images/sad/sad-001.png`) and its face id, where one is known."""

    release: str
    name: str
    face: str


def is_bare_name(thing: str) -> bool:
    """Whether it names an image of whatever release has one of that name: another one tomorrow, perhaps."""
    return bool(IMAGE.fullmatch(thing)) and "://" not in thing and not release_part(thing)


def plain_name(thing: str) -> str:
    """One spelling for one request: `./sad/sad-001.png` is `sad-001.png`; digits are in small letters."""
    thing = thing.strip()
    if TOKEN.fullmatch(thing.upper()) and not HEX.fullmatch(thing):
        return thing.upper()
    if not IMAGE.fullmatch(thing) or "://" in thing:
        return thing.lower() if HEX.fullmatch(thing.lower()) else thing
    part, file = release_part(thing), thing.split("/")[-1]
    return f"{part}/{file}" if part else file


def release_part(thing: str) -> str:
    """The part of `NAME/images/sad/sad-001.png` that names the release, '' where none does."""
    parts = [one for one in thing.split("/")[:-1] if one not in ("", ".", "images", SPLIT)]
    label = thing.split("/")[-1].rpartition("-")[0]
    named = [one for one in parts if one != label]
    return named[-1] if named else ""


def all_places(cat: Catalogue, data_dir: Path) -> list[Place]:
    """Every image of every release, whether the catalogue or only a folder knows it."""
    found: dict[tuple[str, str], str] = {}
    for folder in release_folders(data_dir):
        for name, face in _names_in(folder):
            key = folder.name, name
            found[key] = found.get(key) or face
    for release in releases.names(cat):
        for one in releases.faces_in(cat, release):
            found[release, f"images/{one.file}"] = one.face
    return [Place(*key, face) for key, face in sorted(found.items())]


def digests_in(folder: Path) -> dict[str, str]:
    """The sha256 of each image of a release, by its name: of its file, else as its sources.csv states it."""
    table = read_table(folder / "sources.csv")
    stated = (
        {row.get("file_name", ""): row.get("image_sha256", "") for row in table.records()}
        if table
        else {}
    )
    files = {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in files_in(folder / "images")
    }
    return {name: digest for name, digest in (stated | files).items() if digest}


def tokens_on_page(folder: Path) -> dict[str, str]:
    """The tokens on a release's opt-out page, by image: those of a release from elsewhere have another key."""
    try:
        text = (folder / "optout.html").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    return dict(_ON_PAGE.findall(text))


def tombstones_in(folder: Path) -> Iterator[dict[str, str]]:
    """What a release says that versions before it have lost."""
    table = read_table(folder / "tombstones.csv")
    yield from table.records() if table else ()


def _names_in(folder: Path) -> Iterator[tuple[str, str]]:
    """The names of a folder's images, and their faces where it states them."""
    for path in files_in(folder / "images"):
        yield path.relative_to(folder).as_posix(), ""
    for name in ("metadata.csv", "sources.csv"):
        table = read_table(folder / name)
        for row in table.records() if table else ():
            if row.get("file_name", "").endswith(".png"):
                yield row["file_name"], row.get("face", "")
