"""What a crawl or an import writes: journal, photos, and the count of every URL's end."""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from btfer import files, licences, paths
from btfer.catalogue import Catalogue, journal, photos, withdrawals
from btfer.catalogue.forgotten_hashes import ForgottenHashes
from btfer.catalogue.journal import Fetched, Sighting
from btfer.catalogue.rows import FetchTask
from btfer.errors import NetworkError
from btfer.images import Intake
from btfer.pipeline.crawl_outcome import CrawlOutcome
from btfer.pipeline.crawl_tally import CrawlTally, host_of
from btfer.queries import Query
from btfer.settings import Settings
from btfer.sources.download import DownloadResult
from btfer.sources.search import Source
from btfer.sources.searcher import QueryDone
from btfer.store import Store, store_of

DUPLICATE = "duplicate bytes"
WITHDRAWN = "withdrawn"
TOO_SMALL = "too small"
GONE = frozenset({"http 404", "http 410"})  # then the copy that the source keeps is fetched
SUSPICIOUS_CRAWLS = 3  # after which a query is asked again only when somebody says so
PAGE = 1_000  # URLs read from the journal at a time
WRITERS = 16  # photos written at a time: each waits for the disk


class Writer:
    """The only writer of a crawl or an import, and the count of every URL's end."""

    def __init__(
        self,
        cat: Catalogue,
        settings: Settings,
        pool: ThreadPoolExecutor,
        outcome: CrawlOutcome | None = None,
    ) -> None:
        self._cat = cat
        self._settings = settings
        self._store = store_of(settings)
        self._pool = pool
        self._forgotten = ForgottenHashes(cat)
        self._hurdles: list[str] = []  # searches that got a captcha or the like
        withdrawals.join_spellings(cat, journal.addresses(cat))
        for folder in paths.crawl_folders(settings.data_dir):
            files.remove_parts(folder)
        self.outcome = outcome or CrawlOutcome()
        self.outcome.waiting_before = journal.count_waiting(cat)

    def not_answered(
        self,
        source: Source,
        queries: Sequence[Query],
        images_of: Callable[[Query], int],
        again: Collection[str] = (),
    ) -> list[Query]:
        """The queries that a source has not answered in full before, or whose answer was suspicious.

        images_of: how many images each query asks for.
        again: phrases to be asked in any case, or `suspicious` for those that were so in several crawls.
        """
        done = journal.searched(self._cat, source.name)
        doubtful = journal.suspicious(self._cat, source.name)
        most = math.inf if journal.SUSPICIOUS in again else SUSPICIOUS_CRAWLS
        to_ask = [
            one
            for one in queries
            if one.phrase in again
            or (
                doubtful[one.id] < most
                if one.id in doubtful
                else done.get(one.id, 0) < images_of(one)
            )
        ]
        left = {one.id for one in queries} & {key for key, n in doubtful.items() if n >= most}
        self.outcome.searches_doubtful += len(left - {one.id for one in to_ask})
        self.outcome.searches_planned += len(queries)
        self.outcome.searches_skipped += len(queries) - len(to_ask)
        return to_ask

    def fruitful(self, source: Source) -> set[str]:
        """The languages in which a source has shown something."""
        return journal.fruitful_languages(self._cat, source.name)

    def write_down(self, asked: Query, seen: Sequence[Sighting]) -> None:
        """Put sightings in the journal."""
        new, known = journal.add_found(self._cat, asked, seen)
        self.outcome.found += new + known
        self.outcome.known += known

    def searched(self, event: QueryDone, per_query: int) -> None:
        """Write down that a search has ended; a failure is never an empty success."""
        source, asked, found = event.source.name, event.query, event.found
        if found is None:
            self.outcome.searches_spared += 1
            return
        self.outcome.searches += 1
        self.write_down(asked, [])  # the query, where nothing was shown
        if found.odd:
            self.outcome.odd_records[source] = self.outcome.odd_records.get(source, 0) + found.odd
        if found.suspicious:
            text = f"{source} '{asked.phrase}': {found.suspicious}"
            self.outcome.searches_suspicious.append(text)
            self._hurdles += [text] if found.failure else []
        elif found.failure:
            self.outcome.searches_failed.append(f"{source} '{asked.phrase}': {found.failure}")
            return
        journal.add_search(
            self._cat,
            asked,
            source,
            per_query=per_query,
            found=len(found.sightings),
            suspicious=bool(found.suspicious),
        )

    def pending(self, source: str, **which: Any) -> list[FetchTask]:
        """A page of what a source showed and is still to be fetched."""
        return journal.pending(self._cat, source, limit=PAGE, **which)

    def admit(self, waiting: Sequence[FetchTask], rule: str = "") -> list[FetchTask]:
        """Those that may be fetched; what may never be is refused here."""
        allowed = licences.RULES[rule or self._settings.licences]
        addresses = [address for one in waiting for address in (one.url, one.page_url)]
        gone = withdrawals.among(self._cat, addresses)
        tasks, refused = [], []
        for one in waiting:
            if gone & {one.url, one.page_url}:
                refused.append(DownloadResult(one, Fetched("refused", WITHDRAWN, attempts=0)))
            elif not allowed(licences.terms(one.licence, one.licence_url)):
                refused.append(DownloadResult(one, Fetched("refused", "licence", attempts=0)))
            elif 0 < min(one.width, one.height) < self._settings.min_face_px:
                refused.append(DownloadResult(one, Fetched("refused", TOO_SMALL, attempts=0)))
            else:
                tasks.append(one)
        self.finish(refused)
        return tasks

    def finish(self, arrivals: Sequence[DownloadResult]) -> set[str]:
        """Write the files, then the rows: a row means that the files are there.

        Where an original is gone, the copy that its source keeps is put in the journal in its place.
        Returns the sources that have such new URLs.
        """
        hashes = {one.intake.sha256 for one in arrivals if one.intake}
        known = photos.known(self._cat, hashes)
        addresses = {one.fetched.final_url for one in arrivals}
        gone = withdrawals.among(self._cat, hashes | addresses) | self._copies(arrivals, known)
        ends = [_end(one, known, gone) for one in arrivals]
        self._write_photos(
            (one.data, intake)
            for one, (_, fetched, intake) in zip(arrivals, ends, strict=True)
            if intake and fetched.reason != DUPLICATE
        )
        new = journal.finish(self._cat, ends)
        for one, (_, fetched, _) in zip(arrivals, ends, strict=True):
            is_new = fetched.photo in new and fetched.reason != DUPLICATE
            self.outcome.count(one.task, fetched, is_new, len(one.data) if is_new else 0)
        return self._add_copies(arrivals)

    def _add_copies(self, arrivals: Sequence[DownloadResult]) -> set[str]:
        gone = [one.task for one in arrivals if one.task.copy_url and one.fetched.reason in GONE]
        if gone:
            new, known = journal.add_copies(self._cat, gone)
            self.outcome.found += new + known
            self.outcome.known += known
        return {one.source for one in gone}

    def _copies(self, arrivals: Sequence[DownloadResult], known: Collection[str]) -> set[str]:
        """Photos that look like one that was forgotten: re-encoded, resized or mirrored."""
        new = [one.intake for one in arrivals if one.intake and one.intake.sha256 not in known]
        return self._forgotten.among({one.sha256: (one.phash, one.mirror_phash) for one in new})

    def _write_photos(self, new: Iterable[tuple[bytes, Intake]]) -> None:
        """Photos and thumbnails, several at a time: each waits for the disk, or the bucket."""
        for written in [self._pool.submit(_write_photo, self._store, *one) for one in new]:
            written.result()

    def settled(self) -> CrawlOutcome:
        """The outcome, every URL accounted for. Raises NetworkError if there was nothing but failed searches."""
        outcome = self.outcome
        outcome.waiting = journal.count_waiting(self._cat)
        outcome.held = journal.count_held(self._cat)
        for source, url in journal.waiting_urls(self._cat):
            outcome.by_source.setdefault(source, CrawlTally()).waiting += 1
            outcome.by_host.setdefault(host_of(url), CrawlTally()).waiting += 1
        outcome.check()
        bad = [*outcome.searches_failed, *outcome.sources_left, *self._hurdles]
        if bad and not (outcome.found or outcome.ended or outcome.stopped):
            raise NetworkError(
                f"no search brought anything; the first that failed: {bad[0]}. "
                "Check the network (btfer crawl doctor) and run again, or choose other sources "
                "with --source"
            )
        return outcome


def _write_photo(store: Store, data: bytes, intake: Intake) -> None:
    store.write(paths.photo_path(store.folder, intake.sha256, intake.format), data)
    store.write(paths.thumbnail_path(store.folder, intake.sha256), intake.thumbnail)


def _end(
    one: DownloadResult, known: set[str], gone: set[str]
) -> tuple[str, Fetched, Intake | None]:
    """What to write down for an arrival. known: photos that are there already, to which its own is added."""
    intake, fetched = one.intake, one.fetched
    if intake is None:
        return one.task.id, fetched, None
    if gone & {intake.sha256, fetched.final_url}:
        return one.task.id, replace(fetched, state="refused", reason=WITHDRAWN), None
    reason = DUPLICATE if intake.sha256 in known else ""
    known.add(intake.sha256)
    return one.task.id, replace(fetched, reason=reason, photo=intake.sha256), intake
