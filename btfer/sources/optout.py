"""Sites that say no: robots.txt, X-Robots-Tag and the TDM reservation."""

from collections.abc import Callable
from threading import Lock
from urllib.parse import urlsplit

from protego import Protego
from urllib3 import HTTPHeaderDict

_NO = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
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
    """The rules of every site asked so far; each robots.txt is fetched once a crawl."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._lock = Lock()
        self._sites: dict[str, _Site] = {}

    def allow(self, url: str, fetch: Callable[[str], str]) -> bool:
        """Whether the site's robots.txt lets us have a URL. fetch: gets a robots.txt; what it raises goes up."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            site = self._sites.setdefault(origin, _Site(f"{origin}/robots.txt"))
        return bool(site.rules(fetch).can_fetch(url, self._agent))


class _Site:
    """One robots.txt. A failure is not remembered: the next URL asks again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()  # threads that want the same site wait for the one that asks
        self._rules: Protego | None = None

    def rules(self, fetch: Callable[[str], str]) -> Protego:
        with self._lock:
            if self._rules is None:
                self._rules = Protego.parse(fetch(self._url))
            return self._rules
