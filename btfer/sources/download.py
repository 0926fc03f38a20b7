"""icrawler's pool of download threads, fed from the journal: every URL comes back, with a reason if it failed."""

import queue
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore, Thread
from typing import Any
from urllib.parse import urlsplit

from icrawler.utils import Signal

from btfer.catalogue.journal import Fetched
from btfer.catalogue.rows import FetchTask
from btfer.images import OUT_OF_MEMORY, Intake, describe_photo, forbids_mining
from btfer.sources.fetch_errors import WAITING, NotFetched
from btfer.sources.hosts import CrawlStopped, HostQueue
from btfer.sources.icrawler_parts import Downloader
from btfer.sources.web import Web, WebResponse

STOP_S = 5.0  # a thread that does not end in time is left behind; it can write nothing
AHEAD = 16  # threads beside those that ask, which hold what came until it is decoded and written


@dataclass(frozen=True)
class DownloadResult:
    """The end of one URL: its journal row, and for a photo its bytes and what they are."""

    task: FetchTask
    fetched: Fetched
    data: bytes = b""
    intake: Intake | None = None


class PhotoDownloader(Downloader):
    """Threads that fetch and decode; they write nothing. Tasks: rows of `journal.pending`.

    icrawler's own threads quit when their queue is empty for a moment, drop tasks when it is full,
    and keep what does not decode; so the queue and the loop are ours. threads: requests in flight.
    run: where photos are decoded (`btfer.engine.one_by_one`).
    An exception that is a bug, not a loss, comes out of `events` too.
    """

    def __init__(
        self, web: Web, events: "queue.Queue[Any]", threads: int, run: Callable[..., Any]
    ) -> None:
        super().__init__(threads + AHEAD, Signal(), web, storage=None)
        self.in_queue: HostQueue[FetchTask] = HostQueue(web.gate, _host)
        self.out_queue = events
        self._asking = BoundedSemaphore(threads)  # the others decode meanwhile
        self._run = run

    def add(self, tasks: Iterable[FetchTask]) -> None:
        """Queue URLs for the threads."""
        self.in_queue.add(tasks)

    def worker_exec(self) -> None:
        """One thread: fetch until there is nothing more."""
        try:
            while (got := self._fetch_next()) is not None:
                self.out_queue.put(self._decode(*got) if isinstance(got, tuple) else got)
        except CrawlStopped:
            return
        except Exception as error:
            self.out_queue.put(error)

    def _fetch_next(self) -> tuple[FetchTask, WebResponse] | DownloadResult | None:
        """The answer to the next task, or its end if there is none; None = nothing is left."""
        with self._asking:
            while (task := self.in_queue.get()) is not None:
                try:
                    self.session.check_page(task.page_url, task.language)
                    return task, self.session.get(task.url, language=task.language)
                except NotFetched as error:
                    if error.state == WAITING and self.in_queue.put_back(task):
                        continue
                    return DownloadResult(task, _lost(error))
                finally:
                    self.in_queue.done(task)
        return None

    def _decode(self, task: FetchTask, answer: WebResponse) -> DownloadResult:
        """A photo as it is kept, or why it is not."""
        if forbids_mining(answer.body):
            return DownloadResult(task, _fetched("refused", "opt-out", answer))
        found = self._run(describe_photo, answer.body)
        if isinstance(found, str):
            state = "failed" if found == OUT_OF_MEMORY else "refused"
            return DownloadResult(task, _fetched(state, found, answer))
        return DownloadResult(task, _fetched("kept", "", answer), answer.body, found)

    def close(self) -> None:
        """Let the threads end after what they are doing now."""
        self.in_queue.close()


def end_threads(threads: Sequence[Thread], events: "queue.Queue[Any]") -> None:
    """Wait for threads that are stopping; what they still put in the queue is dropped, so that none of them hangs."""
    deadline = time.monotonic() + STOP_S
    while any(one.is_alive() for one in threads) and time.monotonic() < deadline:
        try:
            events.get(timeout=0.02)
        except queue.Empty:
            continue


def _host(task: FetchTask) -> str:
    try:
        return (urlsplit(task.url).hostname or "").lower()
    except ValueError:
        return ""  # no URL at all: the download says so


def _lost(error: NotFetched) -> Fetched:
    return Fetched(error.state, error.reason, error.status, error.url, attempts=error.attempts)


def _fetched(state: str, reason: str, answer: WebResponse) -> Fetched:
    headers = answer.headers
    return Fetched(
        state=state,
        reason=reason,
        status=answer.status,
        final_url=answer.url,
        content_type=headers.get("Content-Type", ""),
        etag=headers.get("ETag", ""),
        attempts=answer.attempts,
    )
