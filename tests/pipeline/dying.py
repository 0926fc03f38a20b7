"""Work for worker processes that kills some of them. Imports little: every new process imports it again."""

import os
import signal

DEADLY = (7, 31)


def root_or_die(n: int) -> int:
    """The square, except where it kills."""
    if n in DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return n * n


def die(n: int) -> int:
    """Whatever the item is."""
    os._exit(9)


def dead(n: int) -> int:
    """What stands for the result of an item that killed."""
    return -n
