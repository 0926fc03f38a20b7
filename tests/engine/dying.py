"""Work for worker processes that kills some of them. Imports little: every new process imports it again."""

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from btfer.errors import ImageError, MissingExtra

DEADLY = (7, 31)


def square(n: int) -> int:
    return n * n


def root_or_die(n: int) -> int:
    """The square, except where it kills."""
    if n in DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def roots_or_die(some: list[int]) -> list[int]:
    return [root_or_die(n) for n in some]


def die(n: int) -> int:
    """Whatever the item is."""
    os._exit(9)


def die_once(item: tuple[int, Path]) -> int:
    """Lives the second time."""
    n, folder = item
    mark = folder / str(n)
    if n % 10 == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def die_of_many_bytes(data: bytes) -> int:
    """Before they are read: the parent is still sending."""
    if data[:1] == b"x":
        os._exit(9)
    return len(data)


def die_while_answering(item: tuple[int, Path]) -> bytes:
    """The first time, with half of what it sends on the way."""
    n, folder = item
    mark = folder / str(n)
    if n == 3 and not mark.exists():
        mark.touch()
        Connection._send = _send_half  # type: ignore[attr-defined]
    return bytes([n]) * 200_000


def _send_half(self: Any, data: bytes, *_: object) -> None:
    os.write(self.fileno(), bytes(data)[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def dead(n: int) -> int:
    """What stands for the result of an item that killed."""
    return -n


def fail(n: int) -> int:
    if n == 3:
        raise MissingExtra("the detector", "cuda")
    if n == 4:
        raise ImageError("truncated", "four")
    return n


class UnreadableError(Exception):
    """Can be sent and not received."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def fail_oddly(n: int) -> int:
    raise UnreadableError(n, n)


def process_id(n: int) -> int:
    return os.getpid()


def gpu_seen(n: int) -> str:
    return os.environ.get("CUDA_VISIBLE_DEVICES", "")


def cores_seen(n: int) -> tuple[int, ...]:
    time.sleep(0.5)  # so that the others have begun
    return tuple(sorted(os.sched_getaffinity(0)))


def fail_or_die(item: tuple[str, Path]) -> int:
    """A training run that ends well, fails, dies, or fails the first time only."""
    what, folder = item
    mark = folder / what
    first = not mark.exists()
    mark.touch()
    if what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "fails" or (what == "fails once" and first):
        raise ValueError("no such network")
    return os.getpid()
