"""An erasure under way: what was asked, resolved once, and how far it is. A file that is gone when it is done.

`data/erasures/open-<id>.json` names the photos, so that a run that was killed, or that could not end, is gone on
with and never resolves its names again. It is the only place that still names them, and it goes last.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from btfer.errors import BtferError
from btfer.files import remove_parts
from btfer.parsing import parse_json
from btfer.paths import erasures_dir
from btfer.store import Store

PREFIX_DIGITS = 24  # of a photo's sha256, with which the ids of its faces begin


@dataclass(frozen=True)
class LostImage:
    """An image that a release held of the photos. file: `sad/sad-001.png`. place: its row before it went.

    token: its public name on the opt-out page, which its tombstone has too.
    """

    file: str
    label: str
    ethnicity: str = ""
    gender: str = ""
    age: str = ""
    place: int = 0
    token: str = ""


@dataclass(frozen=True)
class LostFrom:
    """What a release lost. successor: the version that took its place, '' = none (yet)."""

    images: tuple[LostImage, ...] = ()
    successor: str = ""

    def files(self) -> set[str]:
        """Their names as the tables of a release have them, `images/sad/sad-001.png`."""
        return {f"images/{one.file}" for one in self.images}


@dataclass(frozen=True)
class LostRows:
    """Rows that a table loses. after: what its run then counts as forgotten in all, so that nothing counts twice."""

    rows: int
    after: int = 0


@dataclass(frozen=True)
class Entry:
    """One erasure.

    mark: of the request, keyed. asked: as it was typed. photos: sha256. faces: ids, also of crop settings that
    are not used any more. images: sha256 of every crop and released image. words: what must be found nowhere
    (hashes, addresses); names: what must be found nowhere but where others have it too (page, file name, title).
    pieces: bytes out of the middle of each file, in hex. releases: what each lost, by its name. predictions, lists:
    what tables of runs and CSV files lost, by file below the data folder. notes: what a person should know of it.
    The last four say what was done, by whichever run of the command: a report is of all of them.
    """

    id: str
    mark: str
    asked: tuple[str, ...]
    photos: tuple[str, ...] = ()
    faces: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    releases: Mapping[str, LostFrom] = field(default_factory=dict)
    predictions: Mapping[str, LostRows] = field(default_factory=dict)
    lists: Mapping[str, LostRows] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def prefixes(self) -> set[str]:
        """With these the ids of all faces of the photos begin."""
        return {one[:PREFIX_DIGITS] for one in (*self.photos, *self.faces)}

    def lost_images(self) -> list[str]:
        """What all releases lost, as `RELEASE/sad-001.png`."""
        return [
            f"{name}/{one.file.split('/')[-1]}"
            for name, lost in self.releases.items()
            for one in lost.images
        ]

    def tokens(self) -> list[str]:
        """Those of all images that releases lost, as their opt-out pages showed them."""
        return [
            image.token for one in self.releases.values() for image in one.images if image.token
        ]

    def is_face(self, id_: str) -> bool:
        """Whether a face is of one of the photos."""
        return id_[:PREFIX_DIGITS] in self.prefixes if id_ else False


def new_id() -> str:
    """12 hex digits that say nothing about the request."""
    return secrets.token_hex(6)


def entry_path(data_dir: Path, id_: str) -> Path:
    """The file of an open erasure."""
    return erasures_dir(data_dir) / f"open-{id_}.json"


def save(store: Store, entry: Entry) -> Entry:
    """Write an open erasure down; the entry."""
    text = json.dumps(asdict(entry), indent=2)
    store.write(entry_path(store.folder, entry.id), f"{text}\n".encode())
    return entry


def remove(store: Store, entry: Entry) -> None:
    """Forget the erasure itself."""
    store.remove([entry_path(store.folder, entry.id)])


def open_entries(data_dir: Path) -> list[Entry]:
    """Every erasure that was begun and not finished. Raises BtferError where one cannot be read."""
    folder = erasures_dir(data_dir)
    if folder.is_dir():
        remove_parts(folder)
    return [_read(path) for path in sorted(folder.glob("open-*.json"))]


def _read(path: Path) -> Entry:
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        lost = {name: _lost(one) for name, one in content.pop("releases").items()}
        predictions, lists = (_rows(content.pop(kind, {})) for kind in ("predictions", "lists"))
        texts = {key: tuple(one) for key, one in content.items() if isinstance(one, list)}
        return Entry(**content | texts, releases=lost, predictions=predictions, lists=lists)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BtferError(
            f"{path} cannot be read ({error}): an erasure that was begun cannot be finished with it. "
            "Restore it, or delete it and run btfer forget again with what was asked"
        ) from None


def _lost(content: Mapping[str, object]) -> LostFrom:
    images = content["images"]
    assert isinstance(images, list)
    return LostFrom(tuple(LostImage(**one) for one in images), str(content["successor"]))


def _rows(content: Mapping[str, Mapping[str, int]]) -> dict[str, LostRows]:
    return {path: LostRows(**one) for path, one in content.items()}
