"""How far runs in other processes are, on whichever machine: their finished epochs, as they stand on disk."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from btfer.bench.train.checkpoint import EpochRow, epoch_in_words, load_state
from btfer.errors import BtferError

EVERY_S = 5.0


class Watch:
    """Inside it, `say` gets a line for the newest epoch of each run that is watched, now and then."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._watched: dict[str, Path] = {}
        self._seen: dict[Path, float] = {}
        self._lock, self._over = Lock(), Event()
        self._thread = Thread(target=self._look_now_and_then, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def begin(self, name: str, folder: Path) -> None:
        """Watch a run. name: how its lines begin. folder: where it lies, with its folds."""
        with self._lock:
            self._watched[name] = folder

    def end(self, name: str) -> None:
        """Leave a run alone."""
        with self._lock:
            del self._watched[name]

    def _look_now_and_then(self) -> None:
        while not self._over.wait(EVERY_S):
            with self._lock:
                for name, folder in self._watched.items():
                    self._look(name, folder)

    def _look(self, name: str, folder: Path) -> None:
        for one in (folder, *sorted(folder.glob("fold-*"))):
            row = _last_row(one)
            if row and row["epoch"] > self._seen.get(one, 0):
                self._seen[one] = row["epoch"]
                fold = f", {one.name}" if one != folder else ""
                self._say(f"{name}{fold}: {epoch_in_words(row)}")


def _last_row(folder: Path) -> EpochRow | None:
    """None before the first epoch, after the last one, and where a file has just gone."""
    with suppress(OSError, BtferError):
        history = load_state(folder).history
        return history[-1] if history else None
    return None
