"""Where photos, faces, thumbnails and releases are kept: a folder on disk, or a bucket and a folder beside it.

This is the one seam. All work is done with paths in a local folder that has the same layout for both. For a bucket it
holds copies, which may go when no command runs. What is written is sent to the bucket before its row is written; what
is read is fetched first where it is not there. For a folder on disk both do nothing. Runs, reports, training sets and
whatever else is in a data folder are in the local one alone, as on disk.

Photos, faces and thumbnails are named by what they hold, so a copy is never out of date. Releases are not: they are
made equal to those of the bucket when a command begins (`mirror`).
"""

import errno
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from btfer.files import write_atomic
from btfer.settings import Settings
from btfer.store.bucket import Bucket, StoreError

__all__ = ["Bucket", "Store", "StoreError", "at_once", "store_of"]

KINDS = ("photos", "faces", "thumbnails")
"""The folders whose files never change."""
AT_ONCE = 16  # requests: each waits for the network

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Store:
    """Where files are kept. folder: the data folder, or that of the bucket's copies. It can be sent to workers.

    All methods raise StoreError where the bucket cannot be reached or refuses, and UsageError where there is none.
    """

    folder: Path
    bucket: Bucket | None = None

    def fetch(self, path: Path) -> Path:
        """The same path, with its file if the bucket has it; who reads it learns whether it is there."""
        if self.bucket and self._is_kept(path) and not path.exists():
            with suppress(FileNotFoundError):
                write_atomic(path, self.bucket.get(self.key(path)))
        return path

    def fetch_all(self, paths: Iterable[Path]) -> None:
        """As `fetch`, several at a time."""
        if self.bucket:
            at_once(self.fetch, paths)

    def fetch_folder(self, name: str) -> None:
        """Fetch everything in one of the folders whose files never change."""
        self.fetch_all(self.listed(name) or ())

    def listed(self, name: str) -> set[Path] | None:
        """All that the bucket has in a folder, each file whole; None for a folder on disk."""
        return {self.folder / key for key in self.bucket.list(f"{name}/")} if self.bucket else None

    def at_worker(
        self, work: Callable[[Item], Result], paths: Callable[[Item], Any]
    ) -> Callable[[Item], Result]:
        """`work` with its files fetched first, by whichever process or machine does it.

        paths: gives the path, or the paths, that an item needs.
        """
        return partial(_fetched_first, self, work, paths) if self.bucket else work

    def read(self, path: Path) -> bytes:
        """The bytes as they are kept now, never those of a copy. Raises OSError where there is no such file."""
        if not self.bucket:
            return path.read_bytes()
        try:
            return self.bucket.get(self.key(path))
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, "No such object", self.place(path)) from None

    def write(self, path: Path, data: bytes) -> None:
        """Write a file whole, and send it; after that its row may be written. Raises as `write_atomic` too."""
        write_atomic(path, data)
        if self.bucket:
            self.bucket.put(self.key(path), data)

    def write_all(self, files: Iterable[tuple[Path, bytes]]) -> None:
        """As `write`; several at a time where they are sent."""
        if self.bucket:
            at_once(lambda one: self.write(*one), files)
        else:
            for path, data in files:
                write_atomic(path, data)

    def remove(self, paths: Iterable[Path]) -> None:
        """Delete files, in the bucket first; those that are not there are right too."""
        every = list(paths)
        if self.bucket:
            at_once(self.bucket.delete, map(self.key, every))
        for path in every:
            path.unlink(missing_ok=True)

    def beginning_with(self, beginning: Path) -> list[Path]:
        """The files whose path begins so, in the bucket or here, sorted."""
        found = set(beginning.parent.glob(f"{beginning.name}*"))
        if self.bucket:
            found |= {self.folder / key for key in self.bucket.list(self.key(beginning))}
        return sorted(found)

    def key(self, path: Path) -> str:
        """The name of a file in the bucket."""
        return path.relative_to(self.folder).as_posix()

    def place(self, path: Path) -> str:
        """Where a file is kept, for people."""
        return f"{self.bucket.url}/{self.key(path)}" if self.bucket else str(path)

    def _is_kept(self, path: Path) -> bool:
        return path.is_relative_to(self.folder) and path.relative_to(self.folder).parts[0] in KINDS


def _fetched_first(
    store: Store, work: Callable[[Item], Result], paths: Callable[[Item], Any], item: Item
) -> Result:
    found = paths(item)
    for path in [found] if isinstance(found, Path) else found:
        store.fetch(path)
    return work(item)


def at_once(do: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Do something with every item, several at a time. Raises the first error, when what was begun has ended."""
    every = list(items)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one in [pool.submit(do, item) for item in every]:
            try:
                one.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def store_of(settings: Settings) -> Store:
    """Where the settings say that files are kept. Raises MissingExtra."""
    if not settings.bucket_url:
        return Store(settings.data_dir)
    bucket = Bucket(settings.bucket_url, settings.endpoint_url)
    bucket.check()
    return Store(settings.data_dir, bucket)
