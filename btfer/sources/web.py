"""The one way out to the web: a guest with a name, patience and limits, who trusts nothing that comes back.

Every request of a search or a download goes through `Web.get`, which either returns the whole
answer or raises `NotFetched` with the word that the journal keeps.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from threading import Event
from urllib.parse import urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from btfer import __version__
from btfer.settings import Settings
from btfer.sources.addresses import GuardedAdapter
from btfer.sources.hosts import HostGate, Stopped
from btfer.sources.losses import NotFetched, plain_losses
from btfer.sources.optout import Robots, opted_out

AGENT = "btfer"
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Manners:
    """How fast, how long and how much; the defaults are those of a guest."""

    user_agent: str = f"{AGENT}/{__version__}"
    max_per_host: int = 2
    host_delay_s: float = 0.5
    allow_private_hosts: bool = False
    trusted_hosts: frozenset[str] = frozenset()  # our own: may be private, need no pause
    max_bytes: int = 20_000_000
    timeout_s: float = 15.0  # of one silence
    wall_clock_s: float = 60.0  # of one whole answer
    max_redirects: int = 5
    attempts: int = 3
    back_off_s: float = 1.0
    max_retry_after_s: float = 30.0

    @classmethod
    def of(cls, settings: Settings, trusted_hosts: frozenset[str] = frozenset()) -> "Manners":
        """The manners that the settings ask for."""
        contact = f" (+{settings.contact})" if settings.contact else ""
        return cls(
            user_agent=f"{AGENT}/{__version__}{contact}",
            max_per_host=settings.max_per_host,
            host_delay_s=settings.host_delay_s,
            allow_private_hosts=settings.allow_private_hosts,
            trusted_hosts=trusted_hosts,
        )


@dataclass(frozen=True)
class Answer:
    """A whole answer with status 200; `url` is where the last redirect led."""

    url: str
    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes


class Web:
    """A session with manners, shared by all threads; takes the place of icrawler's own session."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self._stopped = Event()
        self._gate = HostGate(manners.max_per_host, manners.host_delay_s, self._stopped)
        self._robots = Robots(AGENT)
        self._session = _session(manners)

    def stop(self) -> None:
        """Make every thread that waits or reads give up soon, with `Stopped`."""
        self._stopped.set()

    def get(self, url: str, *, language: str = "", as_guest: bool = True) -> Answer:
        """Fetch a URL whole, over redirects and short refusals.

        as_guest: ask robots.txt and heed opt-out headers, as pictures need it; a search page that a
        person would open does not. Raises NotFetched.
        """
        for attempt in range(1, self.manners.attempts + 1):
            try:
                return self._follow(url, language, as_guest)
            except NotFetched as lost:
                wait_s = self._patience(lost, attempt)
                if wait_s is None:
                    raise
                self._gate.hold(_host(lost.url), wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _patience(self, lost: NotFetched, attempt: int) -> float | None:
        """Seconds to wait before the next attempt; None = give up now."""
        if lost.status not in AGAIN or attempt == self.manners.attempts:
            return None
        if lost.retry_after_s > self.manners.max_retry_after_s:
            return None  # to ask again sooner than told would be rude; a later run may
        if lost.retry_after_s >= 0:
            return lost.retry_after_s
        return float(self.manners.back_off_s * 2 ** (attempt - 1) * random.uniform(1.0, 1.5))

    def _follow(self, url: str, language: str, as_guest: bool) -> Answer:
        for _ in range(self.manners.max_redirects + 1):
            host = _host(url)
            if as_guest and not self._robots.allow(url, self._robots_txt):
                raise NotFetched("refused", "robots", url=url)
            with self._turn(host):
                found = self._ask(url, language, as_guest)
            if isinstance(found, Answer):
                return found
            url = found
        raise NotFetched("refused", "redirects", url=url)

    @contextmanager
    def _turn(self, host: str) -> Iterator[None]:
        if host in self.manners.trusted_hosts:
            yield
        else:
            with self._gate.turn(host):
                yield

    def _robots_txt(self, url: str) -> str:
        """The text of a robots.txt, by RFC 9309: 4xx means no rules, 5xx means that we must wait."""
        try:
            return self._follow(url, "", as_guest=False).body.decode("utf-8", "replace")
        except NotFetched as lost:
            if lost.status is None:
                raise
            if lost.state == "refused":
                return ""
            lost.reason = "robots.txt down"
            raise

    def _ask(self, url: str, language: str, as_guest: bool) -> Answer | str:
        """One request: the answer, or where it redirects to."""
        headers = {"Accept-Language": language or "*", "Accept-Encoding": "identity"}
        timeout = self.manners.timeout_s
        deadline = time.monotonic() + self.manners.wall_clock_s
        with (
            plain_losses(url),
            self._session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=timeout
            ) as response,
        ):
            target = self._session.get_redirect_target(response)
            if target is not None:
                return _joined(url, target)
            self._check(response, as_guest)
            body = self._body(response, deadline)
            return Answer(url, response.status_code, response.headers, body)

    def _check(self, response: requests.Response, as_guest: bool) -> None:
        """Refuse by what the headers say, before the body is read."""
        url, status = response.url, response.status_code
        if status != 200:
            state = "failed" if status in AGAIN or status > 500 else "refused"
            wait = _retry_after_s(response.headers.get("Retry-After", ""))
            raise NotFetched(state, f"http {status}", url=url, status=status, wait=wait)
        if as_guest and opted_out(response.raw.headers, AGENT):
            raise NotFetched("refused", "opt-out", url=url, status=status)
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > self.manners.max_bytes:
            raise NotFetched("refused", "too large", url=url, status=status)

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        body = bytearray()
        # read1 gives what has come; iter_content would wait for a whole chunk of a body that drips.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if self._stopped.is_set():
                raise Stopped
            if len(body) > self.manners.max_bytes:
                raise NotFetched("refused", "too large", url=response.url, status=200)
            if time.monotonic() > deadline:
                raise NotFetched("failed", "timeout", url=response.url, status=200)
        return bytes(body)


def _session(manners: Manners) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc would send passwords, a proxy would hide the address
    session.headers["User-Agent"] = manners.user_agent
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # take none
    for scheme in ("http://", "https://"):
        session.mount(scheme, GuardedAdapter(manners.allow_private_hosts, manners.trusted_hosts))
    return session


def _host(url: str) -> str:
    """The host of an http(s) URL. Raises NotFetched for any other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise NotFetched("refused", "bad url", url=url) from None
    if parts.scheme not in ("http", "https"):
        raise NotFetched("refused", "scheme", url=url)
    if not host:
        raise NotFetched("refused", "bad url", url=url)
    return host.lower()


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        raise NotFetched("refused", "bad url", url=url) from None


def _retry_after_s(value: str, now: Callable[[], float] = time.time) -> float:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; -1 = none."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except ValueError:
        return -1.0
