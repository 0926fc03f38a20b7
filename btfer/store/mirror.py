"""Folders whose files may change: releases, and what is written down of erasures. They are kept equal by listing.

A release is whole in the bucket once its list of files (SHA256SUMS) is there, which is sent last; one without it is
none, and nobody sees it. A file is known to be the one of the bucket by its size and the time of the bucket's.
"""

import os
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path

from btfer.files import write_atomic
from btfer.store import Bucket, Store, at_once
from btfer.store.bucket import Listed

SUMS = "SHA256SUMS"
CUT_OFF_S = 24 * 3600.0
"""How long after its last file a release without its list of files was cut off: before, it may still be sent."""


def pull(store: Store, name: str) -> frozenset[str]:
    """Make a folder (`releases`, `erasures`) equal to the bucket's, of which only whole releases; the keys there."""
    bucket = store.bucket
    if not bucket:
        return frozenset()
    every = bucket.list(f"{name}/")
    whole = _whole_ones(every)
    for path in _files_in(store.folder / name):
        if store.key(path) not in whole:
            path.unlink(missing_ok=True)
            _remove_empty(path.parent, store.folder)
    stale = {key: one for key, one in whole.items() if not _is_as(store.folder / key, one)}
    for keys in _sums_last(stale):
        at_once(partial(_renew, store, bucket, stale), keys)
    return frozenset(every)


def push(store: Store, name: str, known: Collection[str]) -> None:
    """Send what has changed in a folder since `pull`, and delete what has gone. known: what that returned."""
    bucket = store.bucket
    if not bucket:
        return
    here = {store.key(path): path for path in _files_in(store.folder / name)}
    there = bucket.list(f"{name}/")
    gone = [key for key in known if key in there and key not in here]
    for keys in reversed(_sums_last(gone)):  # without its list of files it is none any more
        at_once(bucket.delete, keys)
    changed = {
        key: path for key, path in here.items() if key not in there or not _is_as(path, there[key])
    }
    _send(bucket, changed, f"{name}/")


def send_release(store: Store, folder: Path, name: str) -> None:
    """Send a release that lies complete in `folder`, under its name; what uploads that were killed have left goes."""
    if store.bucket:
        home = f"releases/{name}/"
        files = {home + path.relative_to(folder).as_posix(): path for path in _files_in(folder)}
        _send(store.bucket, files, home)
        _remove_cut_off(store.bucket, home + SUMS)


def _remove_cut_off(bucket: Bucket, latest: str) -> None:
    """Delete the files of releases whose upload was cut off long ago. latest: what was written now, by its clock."""
    every = bucket.list("releases/")
    parts: dict[str, list[str]] = {}
    for key in every.keys() - _whole_ones(every).keys():
        parts.setdefault(key.split("/")[1], []).append(key)
    for keys in parts.values():
        last_s = max(every[key].written_s for key in keys)
        if latest in every and every[latest].written_s - last_s > CUT_OFF_S:
            at_once(bucket.delete, keys)


def _send(bucket: Bucket, files: dict[str, Path], beginning: str) -> None:
    for keys in _sums_last(files):
        at_once(lambda key: bucket.put(key, files[key].read_bytes()), keys)
    there = bucket.list(beginning) if files else {}
    for key in files.keys() & there.keys():
        _mark(files[key], there[key])


def _renew(store: Store, bucket: Bucket, listed: dict[str, Listed], key: str) -> None:
    try:
        write_atomic(store.folder / key, bucket.get(key, listed[key].n_bytes))
    except FileNotFoundError:  # another machine has deleted it meanwhile
        return
    _mark(store.folder / key, listed[key])


def _mark(path: Path, listed: Listed) -> None:
    os.utime(path, (listed.written_s, listed.written_s))


def _is_as(path: Path, listed: Listed) -> bool:
    """Whether a file is the one that was fetched, or sent, when the bucket's was written."""
    try:
        stat = path.stat()
    except OSError:
        return False
    return stat.st_size == listed.n_bytes and abs(stat.st_mtime - listed.written_s) < 0.001


def _sums_last(keys: Iterable[str]) -> list[list[str]]:
    every = list(keys)
    return [[key for key in every if (Path(key).name == SUMS) == last] for last in (False, True)]


def _whole_ones(listed: dict[str, Listed]) -> dict[str, Listed]:
    """Without the files of releases whose list of files is not there."""
    whole = {key.rpartition("/")[0] for key in listed if Path(key).name == SUMS}
    return {
        key: one
        for key, one in listed.items()
        if not key.startswith("releases/") or "/".join(key.split("/")[:2]) in whole
    }


def _files_in(home: Path) -> list[Path]:
    """Every file below a folder but for what is being written (`.part-...`)."""
    return [
        path
        for path in home.rglob("*")
        if path.is_file()
        and not any(part.startswith(".part-") for part in path.relative_to(home).parts)
    ]


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
