"""Import: take in photos from a folder on disk."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

from btfer.catalogue import Catalogue, journal
from btfer.catalogue.journal import Fetched
from btfer.catalogue.rows import FetchTask
from btfer.catalogue.stage_lock import only_one
from btfer.engine import Engine, map_unordered
from btfer.images import Intake
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.crawl_writer import WRITERS, Writer
from btfer.progress import SILENT, Progress
from btfer.settings import Settings
from btfer.sources import folder as on_disk
from btfer.sources.download import DownloadResult

AT_ONCE = 32  # photos a transaction, sooner where they are large or slow
MOST_HELD = 64 << 20  # bytes
AT_LEAST_EVERY_S = 2.0


def import_folder(
    cat: Catalogue,
    settings: Settings,
    folder: Path,
    labels_csv: Path | None = None,
    progress: Progress = SILENT,
) -> CrawlOutcome:
    """Take in every photo below a folder; the originals are copied and left alone.

    Files that failed before are tried again; what a CSV states of rights replaces what an earlier one
    stated. Raises UsageError for a folder or a CSV that cannot be right, before anything is taken in.
    """
    listed = on_disk.list_folder(folder, labels_csv, settings.data_dir)
    root = folder.resolve()
    paths = {journal.url_id(one.sighting.url): one.path for one in listed}
    with only_one(cat, settings.data_dir, "crawl"), ThreadPoolExecutor(WRITERS) as pool:
        writer = Writer(cat, settings, pool)
        writer.outcome.what = "files"
        writer.outcome.notes += listed.notes
        stated = [one.sighting for one in listed if one.states_rights]
        if stated and (n := journal.restate(cat, stated)):
            writer.outcome.notes.append(
                f"{n} files were imported before with other rights: what the CSV states holds now"
            )
        for asked, seen in on_disk.by_label(listed).items():
            writer.write_down(asked, seen)
        tasks = [one for one in _pending_files(writer) if one.id in paths]
        taken = {paths[one.id]: one for one in writer.admit(tasks, rule="any")}
        results = map_unordered(
            on_disk.read_file, taken, engine=Engine.of(settings), died=on_disk.crashed
        )
        number = 0
        for some in _together(results):
            writer.finish([_arrival(taken[one.path], one) for one in some])
            writer.outcome.lost += [
                f"{one.path.relative_to(root)}: {one.result.reason}"
                for one in some
                if isinstance(one.result, Fetched)
            ]
            number += len(some)
            progress.update("import", number, len(taken))
        settled = writer.settled()
    cat.count_anew(len(taken))
    return settled


def _together(results: Iterable[on_disk.FileRead]) -> Iterator[list[on_disk.FileRead]]:
    """Files that are written in one transaction; each is held until then."""
    some: list[on_disk.FileRead] = []
    held, begun = 0, monotonic()
    for one in results:
        some.append(one)
        held += len(one.data)
        if len(some) >= AT_ONCE or held > MOST_HELD or monotonic() - begun > AT_LEAST_EVERY_S:
            yield some
            some, held, begun = [], 0, monotonic()
    if some:
        yield some


def _arrival(task: FetchTask, read: on_disk.FileRead) -> DownloadResult:
    if isinstance(read.result, Intake):
        return DownloadResult(task, Fetched("kept"), read.data, read.result)
    return DownloadResult(task, read.result, read.data)


def _pending_files(writer: Writer) -> Iterable[FetchTask]:
    """All files that were listed and not taken in, or that failed before."""
    after = 0
    while page := writer.pending(on_disk.NAME, after=after, retry=["failed"]):
        yield from page
        after = page[-1].sighting
