"""An erasure from its first line to its report, in an order in which a kill at any moment loses nothing."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from btfer.catalogue import Catalogue, compact, erasure, erasures, photos
from btfer.catalogue.forgotten_hashes import HashPair
from btfer.errors import BtferError, ImageError, UsageError
from btfer.files import only_one
from btfer.images import read_photo
from btfer.paths import derived_dirs, erasures_dir, releases_dir, thumbnail_path
from btfer.pipeline.forget import entry as entries
from btfer.pipeline.forget import runs, strip, successors
from btfer.pipeline.forget.entry import Entry, LostFrom, LostImage
from btfer.pipeline.forget.plan import (
    ErasurePlan,
    crops_of,
    hold,
    make_plan,
    with_predecessors,
)
from btfer.pipeline.forget.report import Forgotten, write_report
from btfer.pipeline.forget.resolve import ForgottenBefore, is_bare_name, plain_name, resolve
from btfer.pipeline.forget.search import what_is_left
from btfer.pipeline.forget.strip import Held
from btfer.pipeline.forget.successors import NoSuccessor
from btfer.progress import SILENT, Progress
from btfer.settings import Settings

WAIT_S = 60.0
_HOLDS_PHOTOS = (
    "crop",
    "rebuild",
    "release",
    "leaks",
)  # stages that could write one of the photos anew


def preview(cat: Catalogue, settings: Settings, asked: Sequence[str]) -> ErasurePlan:
    """What `forget` would delete. Raises UsageError as it does."""
    return make_plan(cat, settings, asked, resolve(cat, settings, asked))


def forget(
    cat: Catalogue,
    settings: Settings,
    asked: Sequence[str] = (),
    *,
    agree: Callable[[ErasurePlan], bool] = lambda plan: True,
    wait_s: float = WAIT_S,
    progress: Progress = SILENT,
) -> Forgotten:
    """Forget photos by URL (of the picture or its page), sha256, face id, or image of a release.

    Their near-duplicates go with them. An erasure that was begun and not finished is gone on with first. agree:
    is shown what a new one would delete; where it says no, nothing goes. wait_s: how long a process that reads the
    catalogue is waited for. Raises UsageError for what names nothing here and cannot be put on the withdrawal list
    either, Busy where another stage is writing.
    """
    with only_one(settings.data_dir, "forget"):
        before = entries.open_entries(settings.data_dir)
        done = [_go_on(cat, settings, one, wait_s, progress) for one in before]
        mark = erasures.mark_of(cat, map(plain_name, asked)) if asked else ""
        if asked and mark not in {one.mark for one in before}:
            entry = _new(cat, settings, asked, mark, agree)
            if isinstance(entry, Entry):
                entry = _go_on(cat, settings, entry, wait_s, progress)
            done.append(entry)
    if not done:
        raise UsageError("nothing to forget: name photos, or see btfer forget --help")
    return sum(done[1:], done[0])


def _new(
    cat: Catalogue,
    settings: Settings,
    asked: Sequence[str],
    mark: str,
    agree: Callable[[ErasurePlan], bool],
) -> Entry | Forgotten:
    """The entry of a new erasure, or why there is none: it was done before, or somebody said no.

    A bare name that was asked for before may be another person's by now, so it is not looked up again.
    """
    at = erasures.done_at(cat, mark)
    if at and any(is_bare_name(one) for one in asked):
        return Forgotten(done_before=at)
    for one in filter(is_bare_name, asked):
        if erasures.has_lost(cat, plain_name(one)):
            raise UsageError(
                f"'{one}' names more than one image over time, and one was forgotten before: "
                f"name the release, as RELEASE/{plain_name(one)}"
            )
    try:
        resolved = resolve(cat, settings, asked)
    except UsageError as error:
        if isinstance(error, ForgottenBefore) and len(asked) == 1:
            return Forgotten(done_before=at or "an earlier day")
        if at:
            return Forgotten(done_before=at)
        raise
    if at and not resolved:
        return Forgotten(done_before=at)
    plan = make_plan(cat, settings, asked, resolved)
    if not agree(plan):
        return Forgotten(refused=True)
    if not resolved:  # it is not here: only refused from now on
        _begin(cat, plan.entry)
        erasures.finish(cat, plan.entry.id, {})
        return Forgotten()
    return entries.save(settings.data_dir, plan.entry)


def _go_on(
    cat: Catalogue, settings: Settings, entry: Entry, wait_s: float, progress: Progress
) -> Forgotten:
    """All steps, from the first: each that was done already ends at once."""
    _begin(cat, entry)
    with ExitStack() as stack:
        for stage in _HOLDS_PHOTOS:
            stack.enter_context(only_one(settings.data_dir, stage))
        entry, n_rows, notes = _delete(cat, settings, entry)
    packed = compact.compact(cat, wait_s=wait_s, say=progress.say)
    entry, unmade, reasons = _make_successors(cat, settings, entry)
    (erasures_dir(settings.data_dir) / f"erasure-{entry.id}.json").unlink(missing_ok=True)
    left = what_is_left(cat, settings.data_dir, entry)
    left += [f"{url}: {packed.busy}" for url in ["the catalogue's log"] if packed.busy]
    done = Forgotten(
        len(entry.photos),
        len(entry.faces),
        {name: lost.successor or None for name, lost in entry.releases.items()},
        n_rows,
        tuple(left + unmade),
        tuple(notes + reasons + list(packed.notes)),
    )
    done = replace(done, report=write_report(settings.data_dir, entry.id, done))
    if not done.left:
        erasures.finish(cat, entry.id, {old: new or "" for old, new in done.releases.items()})
        entries.remove(settings.data_dir, entry)
    return done


def _begin(cat: Catalogue, entry: Entry) -> None:
    known = [one for sha256 in entry.photos for one in photos.find(cat, sha256)]
    listed = [one for one in entry.asked if "://" in one or len(one) == 64]
    hashes = [(one.phash, one.mirror_phash) for one in known]
    erasures.begin(cat, entry.id, entry.mark, {*listed, *entry.photos, *entry.words}, hashes)


def _delete(cat: Catalogue, settings: Settings, entry: Entry) -> tuple[Entry, int, list[str]]:
    """Files first, then rows; before either, what releases lose is written down, for their next versions."""
    data_dir = settings.data_dir
    held = hold(cat, settings, entry)
    entry = entries.save(data_dir, _with_losses(entry, held))
    erasures.mark_images(cat, entry.lost_images())
    erasures.refuse_images(cat, entry.images, _looks(data_dir, entry, held))
    lost = {name: one.files() for name, one in entry.releases.items()}
    lost |= {one.folder.name: {f"images/{i.file}" for i in one.images} for one in held}
    tables, unread = runs.tables_with(data_dir / "runs", with_predecessors(cat, lost))
    _delete_files(data_dir, entry)
    for one in held:
        strip.strip(one)
    runs.prune(tables)
    erasure.erase(cat, entry.photos, _faces_known(cat, entry))
    notes = [f"{one} has been stripped; it is a training set" for one in _training(settings, held)]
    notes += [
        f"{one.path.parent.name} has learnt from a release that held a face of it: train it anew"
        for one in tables
        if one.trained
    ]
    return entry, sum(one.rows for one in tables), notes + unread


def _looks(data_dir: Path, entry: Entry, held: Sequence[Held]) -> Iterator[HashPair]:
    """The perceptual hashes of the crops and released images that are about to go."""
    released = [path for one in held for path in one.files if path.suffix == ".png"]
    for path in (*crops_of(data_dir, entry), *released):
        try:
            one = read_photo(path.read_bytes())
        except ImageError:
            continue  # damaged: no copy of it can be told
        yield one.phash, one.mirror_phash


def _faces_known(cat: Catalogue, entry: Entry) -> list[str]:
    from btfer.catalogue import releases

    named = {one.face for name in releases.names(cat) for one in releases.faces_in(cat, name)}
    return sorted({one for one in named if entry.is_face(one)} | set(entry.faces))


def _training(settings: Settings, held: Sequence[Held]) -> list[Path]:
    home = releases_dir(settings.data_dir)
    return [one.folder for one in held if one.folder.parent != home]


def _with_losses(entry: Entry, held: Sequence[Held]) -> Entry:
    """The entry with what is found now, beside what an earlier run found."""
    found = dict(entry.releases)
    digests = set(entry.images)
    for one in held:
        digests |= one.digests
        if one.folder.parent.name != "releases":
            continue
        before = found.get(one.folder.name, LostFrom())
        images: dict[str, LostImage] = {image.file: image for image in one.images}
        images |= {image.file: image for image in before.images}
        found[one.folder.name] = replace(before, images=tuple(images.values()))
    return replace(entry, releases=found, images=tuple(sorted(digests)))


def _delete_files(data_dir: Path, entry: Entry) -> None:
    for sha256 in entry.photos:
        for path in (data_dir / "photos" / sha256[:2]).glob(f"{sha256}.*"):
            path.unlink(missing_ok=True)
        thumbnail_path(data_dir, sha256).unlink(missing_ok=True)
    for path in crops_of(data_dir, entry):
        path.unlink(missing_ok=True)
    for folder in derived_dirs(data_dir):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in releases_dir(data_dir).glob(".part-*"):  # of a build that was killed
        shutil.rmtree(folder, ignore_errors=True)


def _make_successors(
    cat: Catalogue, settings: Settings, entry: Entry
) -> tuple[Entry, list[str], list[str]]:
    """A next version for each release that lost an image: the entry, what failed, and why some have none."""
    failed, reasons = [], []
    for name, lost in sorted(entry.releases.items()):
        folder = releases_dir(settings.data_dir) / name
        if not lost.successor and folder.is_dir():
            try:
                lost = replace(lost, successor=successors.make(cat, settings, folder, lost))
            except NoSuccessor as error:
                reasons.append(
                    f"{name} has no next version: {error}. Its images of the photo are deleted, "
                    "the others are still there: build a new release, and delete it"
                )
                continue
            except (BtferError, OSError) as error:
                failed.append(
                    f"{name}, no next version yet (its images of the photo are gone): {error}"
                )
                continue
            entry = entries.save(
                settings.data_dir, replace(entry, releases={**entry.releases, name: lost})
            )
        successors.remove_old(cat, folder)
    return entry, failed, reasons
