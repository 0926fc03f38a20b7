"""What an erasure would take, before anything goes: the entry that names it, and a list for people."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from btfer.catalogue import Catalogue, erasure, erasures, faces, photos, releases
from btfer.catalogue.rows import PhotoTrace
from btfer.errors import ImageError
from btfer.files import sha256_file
from btfer.images import PACKINGS, decode_rgb, encode_png
from btfer.paths import derived_dirs, photo_path, thumbnail_path
from btfer.pipeline.forget import bundles, lists, runs, strip
from btfer.pipeline.forget.entry import Entry, new_id
from btfer.pipeline.forget.folders import release_folders, training_sets
from btfer.pipeline.forget.lists import List
from btfer.pipeline.forget.report import one_line
from btfer.pipeline.forget.resolve import Resolved
from btfer.pipeline.forget.runs import RunTable
from btfer.pipeline.forget.strip import Held
from btfer.pipeline.withdraw import with_copies
from btfer.settings import Settings
from btfer.store import Store, store_of

_PIECE_BYTES = 48  # out of the middle of a file: compressed pixels, that no other file has


@dataclass(frozen=True)
class ErasurePlan:
    """What would go. named: photos that were asked for; the others are near-duplicates of theirs.

    places: addresses by photo. held: what each release folder, and each training set that is a copy of one,
    has of them. tables: prediction tables with their rows. lists: CSV files with rows. derived: what can be made again.
    """

    entry: Entry
    named: frozenset[str]
    places: dict[str, tuple[str, ...]]
    held: tuple[Held, ...]
    tables: tuple[RunTable, ...]
    lists: tuple[List, ...]
    derived: tuple[Path, ...]

    def lines(self) -> Iterator[str]:
        """For people, a thing a line."""
        yield from map(one_line, self._lines())

    def _lines(self) -> Iterator[str]:
        for photo in self.entry.photos:
            kind = "photo" if photo in self.named else "near-duplicate"
            yield f"{kind} {photo} {' '.join(self.places.get(photo, ()))}".rstrip()
        yield from (f"face {one}" for one in self.entry.faces)
        for one in self.held:
            kind = "release" if one.is_release else "training set"
            yield f"{kind} {one.folder.name}: {', '.join(one.shown()) or 'tables'}"
        for table in self.tables:
            yield f"predictions {table.path}: {table.rows} rows"
        yield from (f"list {one.path}: {len(one.gone)} rows" for one in self.lists)
        yield from (f"{one}, all of it" for one in self.derived)

    def as_json(self) -> dict[str, object]:
        """The same for programs."""
        entry = self.entry
        return {
            "photos": {one: list(self.places.get(one, ())) for one in entry.photos},
            "near_duplicates": sorted(set(entry.photos) - self.named),
            "faces": list(entry.faces),
            "releases": {one.folder.name: one.shown() for one in self.held if one.is_release},
            "training_sets": {
                one.folder.name: one.shown() for one in self.held if not one.is_release
            },
            "predictions": {str(one.path): one.rows for one in self.tables},
            "lists": {str(one.path): len(one.gone) for one in self.lists},
            "folders": [str(one) for one in self.derived],
        }


def make_plan(
    cat: Catalogue, settings: Settings, asked: Sequence[str], resolved: Resolved, mark: str = ""
) -> ErasurePlan:
    """Everything of the photos that were resolved, of their near-duplicates, and of photos cut from them.

    mark: of the request (`erasures.mark_of`); none is needed only to look.
    """
    entry = Entry(
        id=new_id(),
        mark=mark,
        asked=tuple(sorted({one.strip() for one in asked} | resolved.things)),
        images=tuple(sorted(resolved.images)),
    )
    store = store_of(settings)
    entry = _with_photos(cat, store, entry, with_copies(cat, resolved.photos))
    entry, held = complete(cat, settings, entry)
    lost = {one.folder.name: {f"images/{i.file}" for i in one.images} for one in held}
    tables, _ = runs.tables_with(settings.data_dir / "runs", with_predecessors(cat, lost))
    files = lists.lists_with(cat, settings.data_dir, entry)
    places: dict[str, tuple[str, ...]] = {}
    for one in erasure.traces(cat, entry.photos):
        places[one.photo] = tuple(dict.fromkeys((*places.get(one.photo, ()), one.url)))
    derived = [one for one in derived_dirs(settings.data_dir) if one.is_dir()]
    derived += bundles.bundles_with(settings.data_dir, with_predecessors(cat, lost))
    derived += lists.plots_with(cat, settings.data_dir, entry, files)
    named = frozenset(resolved.photos)
    return ErasurePlan(
        entry, named, places, tuple(held), tuple(tables), tuple(files), tuple(derived)
    )


def complete(cat: Catalogue, settings: Settings, entry: Entry) -> tuple[Entry, list[Held]]:
    """The entry with the photos that are a crop or a released image of it, and what folders hold of all.

    Somebody imported an image of a release, or from one to the next; and a photo of the entry may be such an image
    itself: then the photo that it was cut from shows the same person.
    """
    while True:
        held = hold(cat, settings, entry)
        digests = {*entry.images, *(digest for one in held for digest in one.digests)}
        more = photos.known(cat, digests) | _cut_from(cat, held)
        more = with_copies(cat, more) - set(entry.photos)
        if not more:
            return entry, held
        entry = _with_photos(cat, store_of(settings), entry, more)


def _cut_from(cat: Catalogue, held: Sequence[Held]) -> set[str]:
    """The photos from which released images were cut that are photos of the entry themselves."""
    shown = {
        one.face
        for folder in held
        if folder.as_photos
        for one in releases.faces_in(cat, folder.folder.name)
        if f"images/{one.file}" in folder.as_photos
    }
    return {one.photo for one in faces.by_id(cat, shown).values()}


def hold(cat: Catalogue, settings: Settings, entry: Entry) -> list[Held]:
    """The release folders, and training sets (each may be a copy of one), that have something of the photos."""
    data_dir = settings.data_dir
    folders = [*release_folders(data_dir), *training_sets(data_dir)]
    every = (strip.look(cat, folder, entry, settings.seed) for folder in folders)
    return [one for one in every if one]


def with_predecessors(cat: Catalogue, lost: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same images of the versions before: an image keeps its name, and runs were scored on those."""
    found = {name: set(files) for name, files in lost.items()}
    before = erasures.predecessors(cat)
    for name, files in lost.items():
        for old in before.get(name, ()):
            found.setdefault(old, set()).update(files)
    return found


def crops_of(store: Store, entry: Entry) -> list[Path]:
    """The crops of the photos, of all settings, whether the catalogue knows them or not."""
    found: list[Path] = []
    for prefix in entry.prefixes:
        found += store.beginning_with(store.folder / "faces" / prefix[:2] / f"{prefix}-")
    return sorted(path for path in found if path.suffix == ".png")


def files_of(store: Store, entry: Entry) -> list[Path]:
    """The files of the photos: they, their thumbnails and their crops."""
    found = crops_of(store, entry)
    for sha256 in entry.photos:
        found += store.beginning_with(store.folder / "photos" / sha256[:2] / f"{sha256}.")
        found += store.beginning_with(thumbnail_path(store.folder, sha256))
    return found


def _with_photos(cat: Catalogue, store: Store, entry: Entry, more: Collection[str]) -> Entry:
    traces = erasure.traces(cat, more)
    boxes = {one.id for photo in more for one in faces.of_photo(cat, photo)}
    boxes |= releases.faces_of(cat, more)
    words = {url for one in traces for url in (one.url, one.final_url) if url}
    entry = replace(
        entry,
        photos=tuple(sorted({*entry.photos, *more})),
        faces=tuple(sorted({*entry.faces, *boxes})),
        words=tuple(sorted({*entry.words, *words})),
        names=tuple(sorted({*entry.names, *_names(traces)})),
    )
    return _with_bytes(cat, store, entry)


def _names(traces: Iterable[PhotoTrace]) -> Iterator[str]:
    """Pages, titles, and file names as they stand in addresses."""
    for one in traces:
        yield from (text for text in (one.page_url, one.title) if text)
        for url in (one.url, one.final_url):
            name = urlsplit(url).path.rpartition("/")[2]
            yield from {name, unquote(name)} - {""}


def _with_bytes(cat: Catalogue, store: Store, entry: Entry) -> Entry:
    """With the digests of the crops, as they are and as a release would write them, and pieces of all files."""
    digests, pieces = set(entry.images), set(entry.pieces)
    store.fetch_all(files_of(store, entry))
    for path in crops_of(store, entry):
        digests |= {sha256_file(path)} | _as_released(path)
        pieces |= _piece(path)
    for sha256, photo in photos.described(cat, entry.photos).items():
        pieces |= _piece(photo_path(store.folder, sha256, photo.format))
        pieces |= _piece(thumbnail_path(store.folder, sha256))
    return replace(entry, images=tuple(sorted(digests)), pieces=tuple(sorted(pieces)))


def _as_released(crop: Path) -> set[str]:
    try:
        pixels = decode_rgb(crop.read_bytes())
    except ImageError:
        return set()
    return {hashlib.sha256(encode_png(pixels, packing=one)).hexdigest() for one in PACKINGS}


def _piece(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    data = path.read_bytes()
    middle = len(data) // 2
    piece = data[middle : middle + _PIECE_BYTES]
    telling = len(piece) == _PIECE_BYTES and len(set(piece)) > _PIECE_BYTES // 3
    return {piece.hex()} if telling else set()
