"""The parts of icrawler that the sources build on, with the types that the package itself lacks.

Source: icrawler 0.6.10, `feeder.py`, `parser.py`, `downloader.py`, `utils/thread_pool.py`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from btfer.sources.web import Web

    class _Component:
        """A pool of threads between two queues."""

        session: Web
        in_queue: Any
        out_queue: Any
        workers: Any

        def __init__(self, thread_num: int, signal: Any, session: Web) -> None: ...
        def connect(self, component: "_Component") -> None: ...
        def start(self, **kwargs: Any) -> None: ...
        def input(self, task: Any) -> None: ...
        def output(self, task: Any) -> None: ...

    class Feeder(_Component):
        """Puts the addresses of pages into its queue."""

    class Parser(_Component):
        """Reads pages and puts what is on them into its queue."""

    class Downloader(_Component):
        """Takes tasks from its queue and fetches them."""

        def __init__(self, thread_num: int, signal: Any, session: Web, storage: Any) -> None: ...

else:
    from icrawler import Downloader, Feeder, Parser

__all__ = ["Downloader", "Feeder", "Parser"]
