"""The places photos come from: one file each, all on icrawler's Feeder and Parser.

`folder` is no search: `btfer import` reads it (`btfer.sources.folder`).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from btfer.errors import UsageError
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.sample import open_sample
from btfer.sources.search import Source

SOURCES: dict[str, Callable[[], AbstractContextManager[Source]]] = {
    "bing": lambda: nullcontext(bing()),
    "commons": lambda: nullcontext(commons()),
    "sample": open_sample,
}


def open_source(source: str | Source) -> AbstractContextManager[Source]:
    """A source by its name, or one made with another address. Raises UsageError for an unknown name."""
    if isinstance(source, Source):
        return nullcontext(source)
    if source == "folder":
        raise UsageError("'folder' is not searched: take photos in with 'btfer import FOLDER'")
    if source not in SOURCES:
        raise UsageError(f"there is no source '{source}': use one of {', '.join(SOURCES)}")
    return SOURCES[source]()
