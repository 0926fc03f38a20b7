"""Import: take in photos from a folder on disk."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from btfer import files
from btfer.catalogue import Catalogue, journal
from btfer.catalogue.journal import Fetched
from btfer.catalogue.rows import FetchTask
from btfer.engine import map_unordered
from btfer.images import Intake
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.crawl_writer import WRITERS, Writer
from btfer.progress import SILENT, Progress
from btfer.settings import Settings
from btfer.sources import folder as on_disk
from btfer.sources.download import DownloadResult

MANY = 1_000  # files: after so many new ones the database plans its queries anew


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
    with files.only_one(settings.data_dir, "crawl"), ThreadPoolExecutor(WRITERS) as pool:
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
        workers: dict[str, Any] = {"engine": settings.engine, "workers": settings.workers}
        results = map_unordered(on_disk.read_file, taken, **workers)
        for number, (path, data, result) in enumerate(results, start=1):
            intake = result if isinstance(result, Intake) else None
            fetched = result if isinstance(result, Fetched) else Fetched("kept")
            writer.finish([DownloadResult(taken[path], fetched, data, intake)])
            if fetched.state != "kept":
                writer.outcome.lost.append(f"{path.relative_to(root)}: {fetched.reason}")
            progress.update("import", number, len(taken))
        settled = writer.settled()
    if len(taken) >= MANY:
        cat.count_anew()
    return settled


def _pending_files(writer: Writer) -> Iterable[FetchTask]:
    """All files that were listed and not taken in, or that failed before."""
    after = 0
    while page := writer.pending(on_disk.NAME, after=after, retry=["failed"]):
        yield from page
        after = page[-1].sighting
