"""The training part as the one file that it ships as, and as a training set on disk.

`training.zip` holds a folder of JPEGs for each class and `manifest.json`, which says what they are; its sha256 stands
beside it in `training.sha256`, as `sha256sum --check` reads it.
"""

import hashlib
import io
import json
import re
import secrets
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from btfer.errors import BtferError
from btfer.files import write_atomic
from btfer.sample import FOLDER
from btfer.sample.training import SIDE_PX, TRAINING_SEED, TrainingFace, training_faces

PACK = FOLDER / "training.zip"
DIGEST = FOLDER / "training.sha256"
SET_NAME = "synthetic"
MANIFEST = "manifest.json"
NOTE = (
    "Synthetic, rendered faces of nobody, of other people than in the sample's pictures. To learn from in the demo; "
    "not for benchmark claims."
)
_FACE = re.compile(r"[a-z]+/\d{3}\.jpg")
_PART = ".part-"


def pack(faces: Mapping[str, bytes]) -> bytes:
    """The zip of some faces, JPEGs by name; the same faces give the same bytes."""
    described = [_described(one, faces[one.file]) for one in training_faces() if one.file in faces]
    about = {
        "note": NOTE,
        "licence": "CC0-1.0",
        "author": "btfer sample",
        "seed": TRAINING_SEED,
        "side_px": SIDE_PX,
        "faces": described,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # Deflate's output depends on the build of zlib, and JPEGs do not get smaller.
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(about, separators=(",", ":")))
        for name, jpeg in faces.items():
            archive.writestr(zipfile.ZipInfo(name), jpeg)
    return buffer.getvalue()


def _described(one: TrainingFace, jpeg: bytes) -> dict[str, str]:
    label, gender, age, ethnicity = one.who
    digest = hashlib.sha256(jpeg).hexdigest()
    return {
        "file": one.file,
        "label": label,
        "gender": gender,
        "age": age,
        "ethnicity": ethnicity,
        "sha256": digest,
    }


def write_pack(folder: Path, faces: Mapping[str, bytes]) -> None:
    """Write training.zip and training.sha256 to a folder."""
    data = pack(faces)
    write_atomic(folder / PACK.name, data)
    write_atomic(
        folder / DIGEST.name, f"{hashlib.sha256(data).hexdigest()}  {PACK.name}\n".encode()
    )


def read_pack(path: Path = PACK, digest: Path = DIGEST) -> dict[str, bytes]:
    """Every file of a pack by name, the manifest too. Raises BtferError where it is not the one of its digest."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest.read_text(encoding="ascii").split()[0]:
        raise BtferError(
            f"{path} is damaged: its sha256 is not the one in {digest.name}; install btfer again"
        )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if strange := [name for name in files if name != MANIFEST and not _FACE.fullmatch(name)]:
        raise BtferError(f"{path} holds '{strange[0]}', which is no face of a training set")
    return files


def check_packed(folder: Path) -> list[str]:
    """Names of the built-in faces that are missing in a folder's training.zip, or whose bytes differ there."""
    ours, theirs = read_pack(), read_pack(folder / PACK.name, folder / DIGEST.name)
    return [f"{PACK.name}, {name}" for name, data in ours.items() if theirs.get(name) != data]


def unpack(training: Path) -> Path:
    """The training part below `training`, a data folder's folder of training sets; the set's folder.

    What is there already and whole is left as it is; what is not is replaced, in one step.
    """
    folder, files = training / SET_NAME, read_pack()
    for left in training.glob(f"{_PART}*"):  # of a process that was killed
        shutil.rmtree(left)
    if _is_whole(folder, files):
        return folder
    part = training / f"{_PART}{secrets.token_hex(8)}"
    for name, data in files.items():
        path = part / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if folder.exists():
        folder.rename(training / f"{_PART}{secrets.token_hex(8)}")
    part.rename(folder)
    for old in training.glob(f"{_PART}*"):
        shutil.rmtree(old)
    return folder


def _is_whole(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether a folder holds these files and no other."""
    found = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
    return found == files.keys() and all(
        (folder / name).read_bytes() == data for name, data in files.items()
    )
