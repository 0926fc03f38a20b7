"""The places photos come from: one file each, all on icrawler's Feeder and Parser.

`folder` is no search: `btfer import` reads it (`btfer.sources.folder`).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from btfer.errors import UsageError
from btfer.settings import Settings
from btfer.sources.baidu import baidu
from btfer.sources.bing import bing
from btfer.sources.commons import commons
from btfer.sources.flickr import flickr
from btfer.sources.google import google
from btfer.sources.openverse import openverse
from btfer.sources.sample import open_sample
from btfer.sources.search import NotSetUp, Source

SOURCES: dict[str, Callable[[Settings], AbstractContextManager[Source]]] = {
    "bing": lambda _: nullcontext(bing()),
    "commons": lambda settings: _with_contact(commons(), settings),
    "flickr": lambda settings: nullcontext(flickr(settings.flickr_key, settings.licences)),
    "openverse": lambda settings: _with_contact(
        openverse(settings.openverse_token, settings.licences), settings
    ),
    "google": lambda _: nullcontext(google()),
    "baidu": lambda _: nullcontext(baidu()),
    "sample": lambda _: open_sample(),
}
DEFAULT = ("bing", "commons")  # work without a key; google and baidu change often, others need keys


def open_source(source: str | Source, settings: Settings) -> AbstractContextManager[Source]:
    """A source by its name, or one made with another address.

    Raises UsageError for an unknown name, and NotSetUp (a UsageError) that names the variable of a
    missing key or contact.
    """
    if isinstance(source, Source):
        return _with_contact(source, settings)
    if source == "folder":
        raise UsageError("'folder' is no search engine: import photos with 'btfer import FOLDER'")
    if source not in SOURCES:
        raise UsageError(f"unknown source '{source}'; choose one of {', '.join(SOURCES)}")
    return SOURCES[source](settings)


def _with_contact(source: Source, settings: Settings) -> AbstractContextManager[Source]:
    if source.needs_contact and not settings.contact:
        raise NotSetUp(
            f"{source.name} asks crawlers to say who they are: set BTFER_CONTACT to an e-mail "
            "address or a web page"
        )
    return nullcontext(source)
