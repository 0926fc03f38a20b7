"""Sets of images in parquet or WebDataset tars: unpacked once, and read by the names that they give the classes."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from btfer.bench.datasets.numbering import as_text, from_text, labels_by_word
from btfer.bench.datasets.parts import ALL, is_called_train, parts_of_files
from btfer.bench.datasets.sets import TrainingSource, parted
from btfer.bench.datasets.unpacking import unpack_once
from btfer.cached import DAMAGED
from btfer.errors import BtferError, UsageError
from btfer.packed import PackedImage, digest_of, read_packed
from btfer.packed.image import is_number
from btfer.parsing import parse_json

INDEX = "index.json"
SUFFIXES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}

Row = tuple[str, str, str]  # part, file, word of its class


def read_packed_set(
    path: Path, files: list[Path], name: str, kind: str, cache: Path, labels: str = ""
) -> TrainingSource:
    """The images of packed files, in a folder of `cache`.

    kind: whose set it is, `folders` where nobody says. labels: what numbers mean, as `numbering.from_text` takes it.
    Raises UsageError where a file or a part is missing or there twice, and where numbers of classes have no names.
    """
    parts = parts_of_files(path if path.is_dir() else path.parent, files)
    if path.is_file() or is_called_train(path, files):
        parts = dict.fromkeys(files, ALL)
    digests = _digests(path, files)
    text = "".join(f"{file.name}\0{parts[file]}\0{digests[file]}\n" for file in files)
    root = cache / f"packed-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    unpack_once(path, root, partial(_unpack, parts))
    rows, first = _indexed(root)
    said = from_text(labels)
    meaning = labels_by_word({word: f"{path}, {at}" for word, at in first.items()}, said, {})
    dropped = sorted({word.lower() for word in meaning if meaning[word] is None})
    how = f"{files[0].suffix.lower()[1:]} files" + (
        f", {' and '.join(dropped)} dropped" if dropped else ""
    )
    if said and any(map(is_number, first)):
        how += f", labels {as_text(said)}"
    found = [
        (part, file, label) for part, file, word in rows if (label := meaning[word]) is not None
    ]
    return parted(kind, how, name, root, found)


def _digests(path: Path, files: list[Path]) -> dict[Path, str]:
    digests: dict[Path, str] = {}
    for file in files:
        digest = digest_of(file)
        if same := next((one for one, known in digests.items() if known == digest), None):
            raise UsageError(
                f"{path} has the same file twice, {same} and {file}: move one of them away"
            )
        digests[file] = digest
    return digests


def _unpack(parts: dict[Path, str], folder: Path) -> None:
    """Write the images, and the list of them with the words of their classes."""
    rows: list[Row] = []
    first: dict[str, str] = {}
    seen: dict[tuple[str, str, str], str] = {}
    for file, part in parts.items():
        (folder / part).mkdir(exist_ok=True)
        for number, image in enumerate(read_packed(file)):
            where = f"{file}, {image.place}"
            _check_once(image, part, where, seen)
            name = f"{part}/{file.stem}-{number:06d}{_suffix(image.data, where)}"
            (folder / name).write_bytes(image.data)
            rows.append((part, name, image.label))
            first.setdefault(image.label, f"{file.name}, {image.place}")  # the set may be moved
    if not rows:
        raise UsageError(f"{next(iter(parts))} has no images")
    index = json.dumps({"rows": rows, "first": first})
    (folder / INDEX).write_text(index, encoding="utf-8")


def _check_once(
    image: PackedImage, part: str, where: str, seen: dict[tuple[str, str, str], str]
) -> None:
    """Raise UsageError for a row that is there twice; other rows may show the same picture, as in FER2013."""
    if not image.name:
        return
    key = (part, image.name, hashlib.sha256(image.data).hexdigest())
    if seen.setdefault(key, where) != where:
        raise UsageError(
            f"{where} is the image {image.name[:80]} of {seen[key]} again: remove one of them"
        )


def _suffix(data: bytes, where: str) -> str:
    """The ending that images of their first bytes have. Raises UsageError for what is none."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return ".avif"
    for begin, suffix in SUFFIXES.items():
        if data.startswith(begin):
            return suffix
    raise UsageError(
        f"{where}: its image is no JPEG, PNG, WebP or the like; it begins with {data[:8]!r}"
    )


def _indexed(root: Path) -> tuple[list[Row], dict[str, str]]:
    """The list of unpacked images, and where each word of a class stands first."""
    try:
        found = parse_json((root / INDEX).read_bytes())
        return list(_rows(found["rows"])), {
            str(word): str(at) for word, at in found["first"].items()
        }
    except (*DAMAGED, OSError):
        raise BtferError(
            f"{root / INDEX} is missing or damaged: delete the folder {root}"
        ) from None


def _rows(found: list[list[str]]) -> Iterator[Row]:
    for part, file, word in found:
        yield str(part), str(file), str(word)
