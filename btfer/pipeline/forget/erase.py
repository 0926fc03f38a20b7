"""An erasure from its first line to its report, in an order in which a kill at any moment loses nothing."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from btfer.catalogue import Catalogue, compact, erasures
from btfer.catalogue.stage_lock import only_one
from btfer.errors import BtferError, Busy, UsageError
from btfer.paths import erasures_dir, releases_dir
from btfer.pipeline.forget import entry as entries
from btfer.pipeline.forget import successors
from btfer.pipeline.forget.delete import begin, delete
from btfer.pipeline.forget.entry import Entry
from btfer.pipeline.forget.places import plain_name
from btfer.pipeline.forget.plan import ErasurePlan, files_of, make_plan
from btfer.pipeline.forget.report import Forgotten, write_report
from btfer.pipeline.forget.request import look_up
from btfer.pipeline.forget.search import search
from btfer.pipeline.forget.successors import NoSuccessor
from btfer.progress import SILENT, Progress
from btfer.settings import Settings
from btfer.store import Store, store_of
from btfer.store.mirror import pull, push

WAIT_S = 60.0
MIRRORED = ("erasures", "releases")  # folders of a bucket whose files may change
_HOLDS_PHOTOS = ("crawl", "dedup", "crop", "rebuild", "release", "leaks")
"""Stages that could bring in or write one of the photos anew: they wait until it is deleted."""


def preview(cat: Catalogue, settings: Settings, asked: Sequence[str]) -> ErasurePlan | Forgotten:
    """What `forget` would delete, or since when nothing is left to delete. Raises UsageError as it does."""
    store = store_of(settings)
    for name in MIRRORED:
        pull(store, name)
    found = look_up(cat, settings, asked)
    if isinstance(found, Forgotten):
        return found
    return make_plan(cat, settings, asked, found)


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
    with only_one(cat, settings.data_dir, "forget"):
        for name in MIRRORED:
            pull(store_of(settings), name)
        before = entries.open_entries(settings.data_dir)
        done = [_go_on(cat, settings, one, wait_s, progress) for one in before]
        mark = erasures.mark_of(cat, map(plain_name, asked)) if asked else ""
        if asked and mark not in {one.mark for one in before}:
            entry = _new(cat, settings, asked, agree, mark)
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
    agree: Callable[[ErasurePlan], bool],
    mark: str,
) -> Entry | Forgotten:
    """The entry of a new erasure, or why there is none: it was done before, or somebody said no."""
    resolved = look_up(cat, settings, asked)
    if isinstance(resolved, Forgotten):
        return resolved
    plan = make_plan(cat, settings, asked, resolved, mark)
    if not agree(plan):
        return Forgotten(refused=True)
    if not resolved:  # it is not here: only refused from now on
        begin(cat, plan.entry)
        erasures.remember(cat, plan.entry.id, map(plain_name, asked))
        erasures.finish(cat, plan.entry.id, {})
        return Forgotten()
    return entries.save(store_of(settings), plan.entry)


def _go_on(
    cat: Catalogue, settings: Settings, entry: Entry, wait_s: float, progress: Progress
) -> Forgotten:
    """All steps, from the first: each that was done already ends at once."""
    begin(cat, entry)
    store = store_of(settings)
    with ExitStack() as stack:
        for stage in _HOLDS_PHOTOS:
            _lock(stack, cat, settings, stage)
        known = pull(store, "releases")
        entry = delete(cat, settings, entry)
        push(store, "releases", known)
    for copy in cat.copies_of_older(settings.data_dir):  # they hold the rows that were deleted
        copy.unlink(missing_ok=True)
    packed = compact.compact(cat, wait_s=wait_s, say=progress.say)
    entry, unmade, reasons = _make_successors(cat, settings, entry)
    push(store, "releases", known)
    store.remove([erasures_dir(settings.data_dir) / f"erasure-{entry.id}.json"])
    found = search(cat, settings.data_dir, entry)
    left = [*found.left, *unmade]
    if store.bucket:  # the search has seen what is here
        left += [f"{path}: a file of the photo" for path in files_of(store, entry)]
    left += [f"{url}: {packed.busy}" for url in ["the catalogue's log"] if packed.busy]
    done = Forgotten(
        len(entry.photos),
        len(entry.faces),
        {name: lost.successor or None for name, lost in entry.releases.items()},
        sum(one.rows for one in entry.predictions.values()),
        sum(one.rows for one in entry.lists.values()),
        tuple(left),
        tuple(found.unsearched),
        (*entry.notes, *reasons, *packed.notes, *_about_bucket(store)),
    )
    done = replace(done, report=write_report(store, entry.id, done))
    if not done.left:
        erasures.finish(cat, entry.id, {old: new or "" for old, new in done.releases.items()})
        entries.remove(store, entry)
    return done


def _about_bucket(store: Store) -> list[str]:
    if not store.bucket:
        return []
    return [
        f"{store.bucket.url}: where the bucket keeps versions of what is deleted, delete these too; other machines "
        "have copies of what they fetched: delete photos, thumbnails, faces, releases, reports and leaks in their "
        "folders of it"
    ]


def _lock(stack: ExitStack, cat: Catalogue, settings: Settings, stage: str) -> None:
    try:
        stack.enter_context(only_one(cat, settings.data_dir, stage, by="forget"))
    except Busy as error:
        raise Busy(
            f"{error}; nothing is deleted yet. The request is written down: run btfer forget then"
        ) from None


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
                store_of(settings), replace(entry, releases={**entry.releases, name: lost})
            )
        successors.remove_old(cat, folder)
    return entry, failed, reasons
