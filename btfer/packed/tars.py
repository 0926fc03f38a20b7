"""Tars as WebDataset and CLIP's benchmark write them: the files of an image have its key as name, up to the first dot.

`s0000001.webp` has its class in `s0000001.cls`, as a number or a name, or in `s0000001.json`. What the numbers mean
stands in `classnames.txt`, a line for each, beside the tars or in a folder above.
Source: https://github.com/webdataset/webdataset; clip_benchmark/webdataset_builder.py of LAION-AI/CLIP_benchmark.
"""

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from btfer.errors import UsageError
from btfer.packed.image import MOST_SHOWN, LabelReader, PackedImage, is_number, label_columns
from btfer.parsing import parse_json
from btfer.paths import IMAGE_SUFFIXES
from btfer.safe_paths import relative_name

NAMES = "classnames.txt"
LABELS = {"cls", "json"}
MOST_OF_A_LABEL = 1 << 20  # bytes
MOST_OF_AN_IMAGE = 200_000_000  # bytes
_ABOVE = 1  # folder above that of a tar: `train/0.tar` has its names beside `train`
_DAMAGE = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError)


@dataclass
class _Sample:
    """The files of one key: its image, and those that say its class by their endings."""

    images: list[tarfile.TarInfo] = field(default_factory=list)
    labels: dict[str, tarfile.TarInfo] = field(default_factory=dict)


def is_webdataset(file: Path) -> bool:
    """Whether a tar has an image with its class beside it; not so a folder that was archived."""
    of_key: dict[str, set[bool]] = {}
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                key, ending = _key(member.name)
                if ending in LABELS or f".{ending}" in IMAGE_SUFFIXES:
                    of_key.setdefault(key, set()).add(ending in LABELS)
                    if len(of_key[key]) == 2:
                        return True
    except _DAMAGE:
        pass
    return False


def read_tar(file: Path) -> Iterator[PackedImage]:
    """The images of a tar in their order. Raises UsageError for a damaged one, and where an image has no class."""
    names = _class_names(file)
    labels = LabelReader()
    try:
        with tarfile.open(file, "r:") as tar:
            _check_end(file)
            for key, sample in _samples(file, tar).items():
                where = f"{file}, {key[:MOST_SHOWN]}"
                label = labels.label(_said(tar, sample, names, where), where)
                [image] = sample.images
                yield PackedImage(key, label, _bytes(tar, image), PurePosixPath(image.name).name)
    except _DAMAGE as error:
        raise UsageError(f"{file} cannot be read as a tar: {error}: fetch it again") from None


def _check_end(file: Path) -> None:
    """Raise ValueError where no zeros end the tar: cut off between two of its files it would look whole."""
    with file.open("rb") as source:
        source.seek(-tarfile.BLOCKSIZE, 2)
        if source.read().strip(b"\0"):
            raise ValueError("it was cut off")


def _key(name: str) -> tuple[str, str]:
    """The key of a file in a tar, and its ending in lower case."""
    folder, slash, file = name.rpartition("/")
    key, _, endings = file.partition(".")
    return f"{folder}{slash}{key}", endings.rpartition(".")[2].lower()


def _samples(file: Path, tar: tarfile.TarFile) -> Mapping[str, _Sample]:
    """What lies in a tar by key, wherever it stands. Raises UsageError for what is there twice or not whole."""
    samples: dict[str, _Sample] = {}
    for member in tar:
        if member.isdir():
            continue
        relative_name(member.name, where=str(file))
        key, ending = _key(member.name)
        if not member.isreg() or member.size > MOST_OF_AN_IMAGE:
            raise UsageError(f"{file}: {member.name[:80]} is not a file, or too large")
        sample = samples.setdefault(key, _Sample())
        if f".{ending}" in IMAGE_SUFFIXES:
            sample.images.append(member)
        elif ending in LABELS:
            if ending in sample.labels:
                raise UsageError(f"{file}: {member.name[:80]} is there twice")
            sample.labels[ending] = member
    found = {key: one for key, one in samples.items() if one.images or one.labels}
    for key, sample in found.items():
        if len(sample.images) != 1 or not sample.labels:
            there = f"{len(sample.images)} images and {len(sample.labels)} files of its class"
            raise UsageError(
                f"{file}: {key[:80]} has {there}: one image is needed, with a .cls or .json"
            )
    if not found:
        raise UsageError(
            f"{file} has no images with a .cls or .json each: unpack it, and give the folder"
        )
    return found


def _said(
    tar: tarfile.TarFile, sample: _Sample, names: tuple[str, ...], where: str
) -> dict[str, str]:
    """What the files beside an image say of its class."""
    said = {}
    if "cls" in sample.labels:
        text = _bytes(tar, sample.labels["cls"]).decode().strip()
        said["cls"] = _named(text, names, where)
    if "json" in sample.labels:
        record = parse_json(_bytes(tar, sample.labels["json"]))
        columns = label_columns(tuple(record)) if isinstance(record, dict) else []
        for column in columns:
            value = "" if record[column] is None else str(record[column]).strip()
            said[column] = _named(value, names, where)
    if not said:
        raise UsageError(f"{where}: its .json has no label")
    return said


def _named(text: str, names: tuple[str, ...], where: str) -> str:
    """The name of a number, where numbers have names."""
    if not names or not is_number(text):
        return text
    if not (text.isascii() and text.isdigit() and int(text) < len(names)):
        raise UsageError(
            f"{where}: its class is {text[:MOST_SHOWN]}, and {NAMES} has names for 0 to {len(names) - 1}"
        )
    return names[int(text)]


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    is_label = _key(member.name)[1] in LABELS
    if is_label and member.size > MOST_OF_A_LABEL:
        raise ValueError(f"{member.name[:80]} is too large for a class")
    opened = tar.extractfile(member)
    data = opened.read() if opened else b""
    if len(data) != member.size or not data:
        raise ValueError(f"{member.name[:80]} is empty or was cut off")
    return data


def names_file(file: Path) -> Path | None:
    """The file that says what the numbers of a tar mean."""
    folders = [file.parent, *file.parent.parents][: _ABOVE + 1]
    return next((one / NAMES for one in folders if (one / NAMES).is_file()), None)


def _class_names(file: Path) -> tuple[str, ...]:
    table = names_file(file)
    if table is None:
        return ()
    try:
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{table} is not a text file") from None
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    if not all(names):
        raise UsageError(f"{table} has an empty line among the names of its classes")
    return tuple(names)
