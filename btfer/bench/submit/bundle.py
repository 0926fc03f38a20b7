"""The file of a submission: a zip of `card.json` and `predictions.csv`, nothing else, the same bytes each time.

It comes from strangers. It is read in memory and never unpacked; what is too large, encrypted, there twice or of
another name is refused, and so is a number that is none. Nothing in it can be an address on a machine.
"""

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from btfer.bench.submit.card_check import CARD_KEYS, card_values
from btfer.cached import DAMAGED
from btfer.csv_reader import CsvRow, read_csv
from btfer.csv_writer import as_csv
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.files import check_size
from btfer.parsing import parse_json
from btfer.release_record import broken_character
from btfer.safe_paths import relative_name

Array = np.ndarray[Any, Any]

FORMAT = "btfer-bundle-1"
CARD, PREDICTIONS = "card.json", "predictions.csv"
COLUMNS = ("file", *(f"p_{name}" for name in EXPRESSIONS))
MOST_BYTES = 64 << 20
MOST_MEMBERS = 16
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can name
# What a Mac or Windows adds when somebody packs the folder again.
_LITTER = ("__MACOSX/", (".DS_Store", "Thumbs.db", "desktop.ini"))
_SUM_MAY_DIFFER = 1e-3


@dataclass(frozen=True)
class Card:
    """What a bundle says of itself, but for the predictions. The fields are the keys of card.json.

    part: `cross_domain`, or `in_domain` for a network that learnt from other images of the same release.
    release: its name and digest. run, definition: the run's id and the sha256 of what defines it. stated: what
    cannot be computed anew (training set, protocol, parameters, seconds per step, leaks). claimed: the scores.
    versions: of btfer, Keras and its backend. by, link: who submits, and a page about it; may be empty.
    """

    name: str
    part: str
    run: str
    definition: str
    release: Mapping[str, str]
    stated: Mapping[str, Any]
    claimed: Mapping[str, float | None]
    versions: Mapping[str, str]
    predictions_sha256: str
    by: str = ""
    link: str = ""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A card and predictions. files: names of images in the release. probabilities: float [N, classes], in label order;

    NaN = no answer, zeros = an answer that is no class of ours. path: where it was read, empty when made here.
    """

    card: Card
    files: tuple[str, ...]
    probabilities: Array = field(repr=False)
    path: Path = Path()


def predictions_csv(files: tuple[str, ...], probabilities: Array) -> bytes:
    """The table of predictions as it lies in a bundle. probabilities: float [N, classes], NaN = no answer."""
    rows = (
        dict(zip(COLUMNS, (file, *map(_said, row)), strict=True))
        for file, row in zip(files, probabilities.tolist(), strict=True)
    )
    return as_csv(COLUMNS, rows)


def _said(probability: float) -> str:
    """Nine digits give every float32 back exactly."""
    return "" if math.isnan(probability) else f"{probability:.9g}"


def as_bytes(card: Card, predictions: bytes) -> bytes:
    """The file: the same card and predictions give the same bytes, on any machine."""
    content = {"format": FORMAT, **asdict(card)}
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in ((CARD, f"{text}\n".encode()), (PREDICTIONS, predictions)):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, data)
    return buffer.getvalue()


def read_bundle(path: Path) -> Bundle:
    """The bundle in a file. Raises UsageError, with the file and the reason, for what is none or is damaged."""
    members = _members(path)
    card = _card(path, members[CARD])
    if hashlib.sha256(members[PREDICTIONS]).hexdigest() != card.predictions_sha256:
        _refuse(
            path,
            f"{PREDICTIONS} is not the one that {CARD} was written for: it was changed, or saved again by another "
            "program",
        )
    files, probabilities = _predictions(path, members[PREDICTIONS])
    return Bundle(card, files, probabilities, path)


def bundle_files(folder: Path) -> list[Path]:
    """The zip files in a folder by name, and bundles under another ending: browsers write `.zip.1`.

    Links to nothing and pipes that are called so are among them, for reading them says what they are.
    """
    files = (one for one in folder.iterdir() if not one.is_dir())
    return sorted(one for one in files if one.suffix.lower() == ".zip" or _holds_a_card(one))


def _holds_a_card(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith(CARD) for name in archive.namelist())
    except (*DAMAGED, OSError, RuntimeError, MemoryError):
        return False


def is_unpacked(folder: Path) -> bool:
    """Whether a folder is what some browsers make of a bundle on their own."""
    return (folder / CARD).is_file() and (folder / PREDICTIONS).is_file()


def parsed(where: Path, predictions: bytes) -> tuple[tuple[str, ...], Array]:
    """Files and probabilities, float [N, classes], of a table of predictions. Raises as `read_bundle`."""
    return _predictions(where, predictions)


def _members(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        why = "it is no file" if path.exists() else "there is no such file"
        raise UsageError(f"{path} is not a bundle: {why}")
    check_size(path, MOST_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            found = _wanted(path, archive.infolist())
            return {name: _content(path, archive, one) for name, one in found.items()}
    except (*DAMAGED, OSError) as error:
        _refuse(path, f"it is not a whole zip file ({error})")
    except (RuntimeError, MemoryError) as error:  # of a directory that lies
        _refuse(path, f"it cannot be read ({error})")


def _wanted(path: Path, every: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The two members, also where somebody packed the folder around them. Raises UsageError for any other."""
    for one in every:  # some tools on Windows write the folder as `bundle\card.json`
        one.filename = one.filename.replace("\\", "/")
    kept = [one for one in every if not one.is_dir() and not _is_litter(one.filename)]
    if len(every) > MOST_MEMBERS or len(kept) > 2:
        names = ", ".join(sorted(repr(one.filename[:40]) for one in kept[:4]))
        _refuse(path, f"it holds more than {CARD} and {PREDICTIONS}: {names}")
    found: dict[str, zipfile.ZipInfo] = {}
    for one in kept:
        name = relative_name(one.filename, where=str(path)).name
        if name not in (CARD, PREDICTIONS) or name in found:
            _refuse(path, f"it holds {one.filename[:80]!r}")
        if one.flag_bits & 1:
            _refuse(path, "it is encrypted")
        found[name] = one
    for name in (CARD, PREDICTIONS):
        if name not in found:
            _refuse(path, f"it has no {name}")
    return found


def _is_litter(name: str) -> bool:
    return name.startswith(_LITTER[0]) or name.rsplit("/", 1)[-1] in _LITTER[1]


def _content(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """What a member holds; what it says of its size is not trusted."""
    with archive.open(member) as source:
        data = source.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        _refuse(path, f"{member.filename} unpacks to more than {MOST_BYTES:,} bytes")
    return data


def _card(path: Path, data: bytes) -> Card:
    try:
        content = parse_json(data.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError:
        _refuse(path, f"{CARD} is not UTF-8")
    except ValueError as error:
        _refuse(path, f"{CARD} is not JSON ({str(error)[:120]})")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        said = content.get("format") if isinstance(content, dict) else None
        _refuse(path, f"{CARD} is of format {said!r:.40}, and this version reads {FORMAT}")
    if broken_character(content) is not None:
        _refuse(path, f"{CARD} has half of a character")
    try:
        values = card_values(content)
    except ValueError as error:
        _refuse(path, f"{CARD}: {error}")
    return Card(**{name: values[name] for name in CARD_KEYS})


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _predictions(path: Path, data: bytes) -> tuple[tuple[str, ...], Array]:
    table = read_csv(path / PREDICTIONS, required=COLUMNS, own=True, data=data)
    places: dict[str, int] = {}
    rows = []
    for row in table:
        file = str(relative_name(row["file"], where=f"{path}: {PREDICTIONS}, line {row.line}"))
        if file in places:
            _refuse_row(path, row, f"{file} stands in line {places[file]} already")
        places[file] = row.line
        rows.append(_row(path, row))
    return tuple(places), np.array(rows, float)


def _row(path: Path, row: CsvRow) -> list[float]:
    texts = [row[name] for name in COLUMNS[1:]]
    if not any(texts):
        return [float("nan")] * len(EXPRESSIONS)
    try:
        values = [_number(text) for text in texts]
    except ValueError:
        _refuse_row(path, row, f"{next(t for t in texts if not _is_number(t))!r:.40} is no number")
    # NaN is in no order, so it is refused here too.
    if not all(0 <= value <= 1 for value in values):
        _refuse_row(path, row, f"{texts} are not probabilities from 0 to 1")
    total = sum(values)
    if total and abs(total - 1) > _SUM_MAY_DIFFER:
        _refuse_row(path, row, f"the probabilities sum to {total:.4f}, not to 1")
    return values


def _number(text: str) -> float:
    """Raises ValueError for what is none; so is `1_0`, which Python reads."""
    if "_" in text:
        raise ValueError
    return float(text)


def _is_number(text: str) -> bool:
    try:
        _number(text)
    except ValueError:
        return False
    return True


def _refuse_row(path: Path, row: CsvRow, why: str) -> NoReturn:
    raise UsageError(f"{path}: {PREDICTIONS}, line {row.line}: {why}")


def _refuse(path: Path, why: str) -> NoReturn:
    raise UsageError(f"{path} is not a bundle of btfer bench submit: {why}")
