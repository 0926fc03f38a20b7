"""A release as one zip: Zenodo has no folders. The same release is the same bytes."""

import hashlib
import zipfile
from pathlib import Path

from btfer.errors import BtferError
from btfer.pipeline.publish.parcel import Parcel, ParcelFile

_START = (1980, 1, 1, 0, 0, 0)  # zip knows no earlier time
_UNIX = 3
_CHUNK = 1 << 20


def write_zip(parcel: Parcel, path: Path) -> None:
    """Write all files below a folder of the release's name, stored: PNG does not get smaller.

    Raises BtferError where the disk is full or a file is no longer what it was.
    """
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for one in parcel.files:
                entry = zipfile.ZipInfo(f"{parcel.name}/{one.name}", _START)
                entry.create_system, entry.external_attr = _UNIX, 0o100644 << 16
                entry.file_size = one.size  # says whether 64-bit sizes are needed
                _copy(archive, entry, one)
    except OSError as error:
        raise BtferError(f"cannot write {path}: {error.strerror}") from None


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, one: ParcelFile) -> None:
    digest = hashlib.sha256()
    with one.path.open("rb") as source, archive.open(entry, "w") as into:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            into.write(chunk)
    if digest.hexdigest() != one.sha256:
        raise BtferError(f"nothing was sent: {one.path} was changed meanwhile; run btfer verify")
