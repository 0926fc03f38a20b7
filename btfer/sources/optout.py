"""Sites that say no: robots.txt, X-Robots-Tag and the TDM reservation."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from urllib.parse import urlsplit

from protego import Protego
from urllib3 import HTTPHeaderDict

from btfer.errors import NetworkError

_NO = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
_MAX_SITES = 2_000
_MAX_CHARACTERS = 512 * 1024  # RFC 9309 asks for 500 KiB at least
_ASK_AGAIN_S = 600.0
_WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)


def opted_out(headers: HTTPHeaderDict, agent: str) -> bool:
    """Whether an answer's headers forbid to keep it: X-Robots-Tag, for all or for us, or tdm-reservation: 1.

    headers: as they came, repeated ones too.
    """
    if headers.get("tdm-reservation", "").strip() == "1":
        return True
    return any(_says_no(value, agent) for value in headers.getlist("x-robots-tag"))


def _says_no(tag: str, agent: str) -> bool:
    """One header: rules, each line of them for all or, after `name:`, for the crawler of that name."""
    meant = True
    for rule in tag.lower().split(","):
        name, colon, rest = rule.partition(":")
        if colon and name.strip() in _WITH_VALUE:
            continue
        if colon:
            meant, rule = name.strip() in ("*", agent), rest
        if meant and rule.strip() in _NO:
            return True
    return False


class Robots:
    """The rules of the sites asked last; each robots.txt is fetched once a crawl, or once in a long while."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    def of(self, url: str, fetch: Callable[[str], str]) -> Protego:
        """The rules for a URL's site. fetch: gets a robots.txt; what it raises goes up, and is kept a while."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            site = self._sites.setdefault(origin, _Site(f"{origin}/robots.txt"))
            self._sites.move_to_end(origin)
            if len(self._sites) > _MAX_SITES:
                self._sites.popitem(last=False)
        return site.rules(fetch)


class _Site:
    """One robots.txt. A failure is remembered for a while too: a site that is down is not asked for each picture."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()  # threads that want the same site wait for the one that asks
        self._rules: Protego | None = None
        self._failure: NetworkError | None = None
        self._failed_at = 0.0

    def rules(self, fetch: Callable[[str], str]) -> Protego:
        with self._lock:
            if self._failure and time.monotonic() < self._failed_at + _ASK_AGAIN_S:
                raise self._failure
            if self._rules is None:
                self._rules = Protego.parse(self._text(fetch))
            return self._rules

    def _text(self, fetch: Callable[[str], str]) -> str:
        try:
            return fetch(self._url)[:_MAX_CHARACTERS]
        except NetworkError as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise
