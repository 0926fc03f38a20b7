"""icrawler's pool of download threads, fed from the journal: everything asked for comes back, with a reason."""

import queue
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from icrawler import Downloader
from icrawler.utils import Signal

from btfer.catalogue.journal import Fetched
from btfer.errors import ImageError
from btfer.images import Intake, read_photo
from btfer.sources.hosts import HostQueue, Stopped
from btfer.sources.web import Answer, NotFetched, Web

STOP_S = 5.0  # a thread that hears nothing for longer is left behind; it can write nothing
Task = dict[str, Any]


@dataclass(frozen=True)
class Arrival:
    """The end of one URL: its journal row, and for a photo its bytes and what they are."""

    task: Task
    fetched: Fetched
    data: bytes = b""
    intake: Intake | None = None
    error: Exception | None = None  # a bug, not a loss: raised where the arrivals are read


class PhotoDownloader(Downloader):
    """Threads that fetch and decode; they write nothing. Tasks: rows of `journal.pending`.

    icrawler's own threads quit when their queue is empty for a moment, drop tasks when it is full,
    and keep what does not decode; so the queue, the loop and `download` are ours.
    """

    def __init__(self, web: Web, tasks: Sequence[Task], threads: int) -> None:
        super().__init__(threads, Signal(), web, storage=None)
        self.in_queue: HostQueue[Task] = HostQueue(tasks, _host, web.manners.max_per_host)
        self.out_queue: queue.Queue[Arrival] = queue.Queue(2 * threads)  # bounds the memory
        self._n_tasks = len(tasks)

    def arrivals(self) -> Generator[Arrival, None, None]:
        """Start the threads and yield each URL's end as it comes. Leaving the loop early stops them."""
        self.start()
        try:
            for _ in range(self._n_tasks):
                arrival = self.out_queue.get()
                if arrival.error:
                    raise arrival.error
                yield arrival
        finally:
            self._stop()

    def worker_exec(self) -> None:
        """One thread: fetch until no task is left."""
        while (task := self.in_queue.get()) is not None:
            try:
                self.out_queue.put(self.download(task))
            except Stopped:
                return
            except Exception as error:
                self.out_queue.put(Arrival(task, Fetched("failed"), error=error))
            finally:
                self.in_queue.done(task)

    def download(self, task: Task) -> Arrival:
        """Fetch and decode one photo."""
        try:
            answer = self.session.get(task["url"], language=task["language"])
        except NotFetched as lost:
            fetched = Fetched(lost.state, lost.reason, lost.status, lost.url)
            return Arrival(task, fetched)
        try:
            intake = read_photo(answer.body)
        except ImageError as error:
            return Arrival(task, _fetched("refused", error.reason, answer))
        return Arrival(task, _fetched("kept", "", answer), answer.body, intake)

    def _stop(self) -> None:
        """End the threads within a moment, however many tasks are left."""
        self.in_queue.close()
        if any(worker.is_alive() for worker in self.workers):
            self.session.stop()
        deadline = time.monotonic() + STOP_S
        while any(worker.is_alive() for worker in self.workers) and time.monotonic() < deadline:
            self._drop_arrivals()  # a thread may be waiting to hand one over
            time.sleep(0.02)

    def _drop_arrivals(self) -> None:
        try:
            while True:
                self.out_queue.get_nowait()
        except queue.Empty:
            return


def _host(task: Task) -> str:
    try:
        return (urlsplit(task["url"]).hostname or "").lower()
    except ValueError:
        return ""  # no URL at all: the download says so


def _fetched(state: str, reason: str, answer: Answer) -> Fetched:
    headers = answer.headers
    return Fetched(
        state=state,
        reason=reason,
        status=answer.status,
        final_url=answer.url,
        content_type=headers.get("Content-Type", ""),
        etag=headers.get("ETag", ""),
    )
