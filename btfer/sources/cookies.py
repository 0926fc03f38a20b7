"""The cookies of one source: sent back to its own search pages as a browser would, and to nobody else."""

from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import Request

from urllib3 import HTTPHeaderDict


class SourceCookies:
    """A jar that lasts as long as the crawl, and is written nowhere."""

    def __init__(self) -> None:
        self._jar = CookieJar(DefaultCookiePolicy())
        self.visited = False  # whether the source's first page has been asked for them

    def header(self, url: str) -> dict[str, str]:
        """The header that goes with a search page; {} where no cookie is for it."""
        request = Request(url)
        self._jar.add_cookie_header(request)
        found = request.get_header("Cookie")
        return {"Cookie": found} if found else {}

    def take(self, url: str, headers: HTTPHeaderDict) -> None:
        """Keep what an answer sets, by the rules of domain, path and age."""
        self._jar.extract_cookies(_Answer(headers), Request(url))  # type: ignore[arg-type]

    def clear(self) -> None:
        """Forget all, so that the next visit is a first one."""
        self._jar.clear()
        self.visited = False


class _Answer:
    """As much of a response as the jar asks for."""

    def __init__(self, headers: HTTPHeaderDict) -> None:
        self._message = Message()
        for value in headers.getlist("Set-Cookie"):
            self._message["Set-Cookie"] = value

    def info(self) -> Message:
        return self._message
