"""Sets of images that lie in few large files, as people share them: of Hugging Face's datasets, tars of WebDataset.

`packed_files` tells which files these are, `read_packed` gives their images one by one; nothing is decoded.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from btfer.cached import DAMAGED
from btfer.errors import UsageError
from btfer.files import sha256_file
from btfer.packed.arrow_tables import read_table
from btfer.packed.image import PackedImage
from btfer.packed.tars import is_webdataset, names_file, read_tar
from btfer.parsing import parse_json

__all__ = ["PackedImage", "digest_of", "packed_files", "read_packed"]

READERS = {".parquet": read_table, ".arrow": read_table, ".tar": read_tar}
RELEASE = "release.json"  # a release of btfer packs the images once more that lie beside
_DEEPEST = 3  # folders below the set, as in `default/train/0000.parquet`
_INTERIM, _STATE = "cache-", "state.json"
_POINTER = b"version https://git-lfs"


def packed_files(path: Path) -> list[Path]:
    """The packed files of a set, sorted; [] where its images lie otherwise. path: its folder, or one such file.

    A tar is one where any tar of the set holds labels beside images: else it is a folder that was archived.
    """
    if path.is_file():
        found = [path] if path.suffix.lower() in READERS else []
    elif (path / RELEASE).exists():
        found = []
    else:
        found = sorted(_below(path))
    tars = [one for one in found if one.suffix.lower() == ".tar"]
    if tars and not any(is_webdataset(one) for one in tars):
        return [one for one in found if one not in tars]
    return found


def _below(path: Path) -> Iterator[Path]:
    for depth in range(_DEEPEST + 1):
        for file in path.glob("*/" * depth + "*"):
            if file.suffix.lower() not in READERS or not file.is_file():
                continue
            if any(part[0] in ".@" for part in file.relative_to(path).parts):
                continue
            if not _is_interim(file):
                yield file


def _is_interim(file: Path) -> bool:
    """Whether Hugging Face's datasets left it beside a set that was opened and changed; a list may say otherwise."""
    if file.suffix.lower() != ".arrow" or not file.name.startswith(_INTERIM):
        return False
    try:
        files = parse_json((file.parent / _STATE).read_bytes())["_data_files"]
        return file.name not in {one["filename"] for one in files}
    except (OSError, *DAMAGED):
        return True


def read_packed(file: Path) -> Iterator[PackedImage]:
    """The images of a packed file in their order. Raises UsageError that names the row at fault."""
    with file.open("rb") as source:
        if source.read(len(_POINTER)) == _POINTER:
            raise UsageError(
                f"{file} is a pointer of Git LFS and not the file itself: fetch it with 'git lfs pull'"
            )
    return READERS[file.suffix.lower()](file)


def digest_of(file: Path) -> str:
    """A sha256 over a packed file, and over the names of its classes where these lie beside it."""
    digest = sha256_file(file)
    names = names_file(file) if file.suffix.lower() == ".tar" else None
    return hashlib.sha256((digest + sha256_file(names)).encode()).hexdigest() if names else digest
