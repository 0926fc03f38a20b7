"""The places photos come from: one file each, all on icrawler's Feeder and Parser.

`folder` is no search: `btfer import` reads it (`btfer.sources.folder`).
"""

from collections.abc import Callable, Sequence
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
from btfer.sources.yandex import yandex

SOURCES: dict[str, Callable[[Settings], AbstractContextManager[Source]]] = {
    "bing": lambda _: nullcontext(bing()),
    "commons": lambda settings: _with_contact(commons(), settings),
    "flickr": lambda settings: nullcontext(flickr(settings.flickr_key, settings.licences)),
    "openverse": lambda settings: _with_contact(
        openverse(
            settings.openverse_token,
            settings.licences,
            client_id=settings.openverse_client_id,
            client_secret=settings.openverse_client_secret,
        ),
        settings,
    ),
    "google": lambda settings: nullcontext(google(contact=settings.contact)),
    "baidu": lambda _: nullcontext(baidu()),
    "yandex": lambda _: nullcontext(yandex()),
    "sample": lambda _: open_sample(),
}
STATING = ("commons", "flickr", "openverse", "sample")  # the licence of what they show
DEFAULT = (
    "bing",
    "commons",
)  # work without a key; google, baidu and yandex change often, others need keys


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


def that_state_licences(sources: Sequence[Source], rule: str) -> tuple[list[Source], list[str]]:
    """The sources worth asking under a licence rule (`any` = all), and the names of the others.

    A source that states no licence could show nothing that the rule takes. Raises UsageError where none is left.
    """
    if rule == "any":
        return list(sources), []
    asked = [one for one in sources if one.states_licences]
    if not asked:
        names = " and ".join(one.name for one in sources)
        raise UsageError(
            f"--licences {rule}: {names} state{'s' if len(sources) == 1 else ''} no licence, so nothing "
            f"could be taken; choose a source that does with --source: {', '.join(STATING)}"
        )
    return asked, [one.name for one in sources if not one.states_licences]


def _with_contact(source: Source, settings: Settings) -> AbstractContextManager[Source]:
    if source.needs_contact and not settings.contact:
        raise NotSetUp(
            f"{source.name} asks crawlers to say who they are: set BTFER_CONTACT to an e-mail "
            "address or a web page"
        )
    return nullcontext(source)
