"""The deletion of an erasure: files first, then rows; before either it is written down what goes."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from btfer.catalogue import Catalogue, erasure, erasures, photos, releases
from btfer.catalogue.forgotten_hashes import HashPair
from btfer.errors import ImageError
from btfer.images import read_photo
from btfer.paths import derived_dirs, releases_dir
from btfer.pipeline.forget import bundles, lists, runs, strip
from btfer.pipeline.forget import entry as entries
from btfer.pipeline.forget.entry import Entry, LostFrom, LostImage, LostRows
from btfer.pipeline.forget.lists import List
from btfer.pipeline.forget.plan import complete, crops_of, files_of, with_predecessors
from btfer.pipeline.forget.runs import RunTable
from btfer.pipeline.forget.strip import Held
from btfer.pipeline.release_images import photo_pseudonyms
from btfer.settings import Settings
from btfer.store import Store, store_of


def begin(cat: Catalogue, entry: Entry) -> None:
    """Write down in the catalogue that an erasure has begun, and refuse its photos; again, it changes nothing."""
    known = [one for sha256 in entry.photos for one in photos.find(cat, sha256)]
    listed = [one for one in entry.asked if "://" in one or len(one) == 64]
    hashes = [(one.phash, one.mirror_phash) for one in known]
    erasures.begin(cat, entry.id, entry.mark, {*listed, *entry.photos, *entry.words}, hashes)


def delete(cat: Catalogue, settings: Settings, entry: Entry) -> Entry:
    """All that is there of the photos; the entry, with all that goes. Doing it again changes nothing."""
    store, data_dir = store_of(settings), settings.data_dir
    entry, held = complete(cat, settings, entry)
    begin(cat, entry)  # what came in since it was written down is refused too
    lost = {name: one.files() for name, one in entry.releases.items()}
    lost |= {one.folder.name: {f"images/{i.file}" for i in one.images} for one in held}
    entry = _with_losses(entry, held)
    tables, unread = runs.tables_with(data_dir / "runs", with_predecessors(cat, lost))
    files = lists.lists_with(cat, data_dir, entry)
    entry = _with_rows(settings, entry, held, tables, files)
    submitted = bundles.bundles_with(data_dir, with_predecessors(cat, lost))
    notes = [*unread, *map(_about_bundle, submitted)]
    entry = entries.save(store, replace(entry, notes=_once([*entry.notes, *notes])))
    erasures.mark_images(cat, entry.lost_images())
    erasures.remember(cat, entry.id, _names(cat, entry))
    erasures.refuse_images(cat, entry.images, _looks(store, entry, held))
    _delete_files(store, entry)
    for plot in lists.plots_with(cat, data_dir, entry, files):
        plot.unlink(missing_ok=True)
    for bundle in submitted:
        bundle.unlink(missing_ok=True)
    for one in files:
        lists.prune_list(one)
    for one_held in held:
        strip.strip(one_held)
    runs.prune([replace(one, after=_known(data_dir, entry, one).after) for one in tables])
    erasure.erase(cat, entry.photos, _faces_known(cat, entry))
    return entry


def _about_bundle(path: Path) -> str:
    return (
        f"{path} is deleted, since it was scored on an image that is gone: make it anew with btfer bench submit, "
        "and ask those who have a copy to delete theirs"
    )


def _once(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))


def _names(cat: Catalogue, entry: Entry) -> Iterator[str]:
    """All by which somebody may ask for it again, and by which it is known when it comes back."""
    yield from (*entry.photos, *entry.faces, *entry.images, *entry.words, *entry.tokens())
    yield from (one for one in entry.names if "://" in one)  # pages
    yield from entry.lost_images()
    yield from photo_pseudonyms(cat, entry.photos).values()


def _known(data_dir: Path, entry: Entry, table: RunTable) -> LostRows:
    return entry.predictions[table.path.relative_to(data_dir).as_posix()]


def _with_rows(
    settings: Settings,
    entry: Entry,
    held: Sequence[Held],
    tables: Sequence[RunTable],
    files: Sequence[List],
) -> Entry:
    """The entry with the rows that go now, beside what an earlier run, that was killed, took out already."""
    data_dir = settings.data_dir
    predictions = {
        one.path.relative_to(data_dir).as_posix(): LostRows(one.rows, one.after) for one in tables
    }
    rows = {one.path.relative_to(data_dir).as_posix(): LostRows(len(one.gone)) for one in files}
    notes = [
        *(f"{one} has been stripped; it is a training set" for one in _training(held)),
        *(
            f"{one.path.parent.name} has learnt from a release that held a face of it: train it anew"
            for one in tables
            if one.trained
        ),
    ]
    return replace(
        entry,
        predictions=_joined(entry.predictions, predictions),
        lists=_joined(entry.lists, rows),
        notes=_once([*entry.notes, *notes]),
    )


def _joined(before: Mapping[str, LostRows], now: Mapping[str, LostRows]) -> dict[str, LostRows]:
    """A table is written whole: what is found in it again had not been taken out, so it counts once."""
    return {**now, **before}


def _training(held: Sequence[Held]) -> list[Path]:
    return [one.folder for one in held if not one.is_release]


def _looks(store: Store, entry: Entry, held: Sequence[Held]) -> Iterator[HashPair]:
    """The perceptual hashes of the crops and released images that are about to go."""
    released = [path for one in held for path in one.files if path.suffix == ".png"]
    for path in (*crops_of(store, entry), *released):
        try:
            one = read_photo(path.read_bytes())
        except ImageError:
            continue  # damaged: no copy of it can be told
        yield one.phash, one.mirror_phash


def _faces_known(cat: Catalogue, entry: Entry) -> list[str]:
    named = {one.face for name in releases.names(cat) for one in releases.faces_in(cat, name)}
    return sorted({one for one in named if entry.is_face(one)} | set(entry.faces))


def _with_losses(entry: Entry, held: Sequence[Held]) -> Entry:
    """The entry with what is found now, beside what an earlier run found."""
    found = dict(entry.releases)
    digests = set(entry.images)
    for one in held:
        digests |= one.digests
        if not one.is_release:
            continue
        before = found.get(one.folder.name, LostFrom())
        images: dict[str, LostImage] = {image.file: image for image in one.images}
        images |= {image.file: image for image in before.images}
        found[one.folder.name] = replace(before, images=tuple(images.values()))
    return replace(entry, releases=found, images=tuple(sorted(digests)))


def _delete_files(store: Store, entry: Entry) -> None:
    store.remove(files_of(store, entry))
    for folder in derived_dirs(store.folder):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in releases_dir(store.folder).glob(".part-*"):  # of a build that was killed
        shutil.rmtree(folder, ignore_errors=True)
