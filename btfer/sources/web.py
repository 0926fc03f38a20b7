"""The one way out to the web: polite, limited, with a name, and trusting nothing that comes back.

Every request of a search or a download goes through `Web.get`, which either returns the whole
answer or raises `NotFetched` with the word that the journal keeps.
"""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urljoin, urlsplit

from urllib3 import BaseHTTPResponse, HTTPHeaderDict, Timeout
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from btfer import __version__
from btfer.settings import Settings
from btfer.sources.addresses import MAX_HOSTS, MAX_KEPT_ALIVE, guarded_pools
from btfer.sources.blocklist import FILE, NOTHING_BLOCKED, BlockList, read_block_list
from btfer.sources.fetch_errors import NotFetched, as_not_fetched
from btfer.sources.hosts import CrawlStopped, HostGate, HostOnHold
from btfer.sources.optout import Robots, opted_out
from btfer.sources.proxy import points_inside, proxied_pools

AGENT = "btfer"
ROBOTS_DOWN = "robots.txt down"
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 64 * 1024
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Manners:
    """How politely the web is asked: how fast, how long and how much. The defaults suit any site."""

    user_agent: str = f"{AGENT}/{__version__}"
    max_per_host: int = 2
    host_delay_s: float = 0.25
    allow_private_hosts: bool = False
    trusted_hosts: frozenset[str] = frozenset()  # our own: may be private, need no pause
    proxy: str = field(default="", repr=False)  # which may have a password in it
    blocked: BlockList = NOTHING_BLOCKED
    max_bytes: int = 20_000_000
    timeout_s: float = 15.0  # of one silence
    wall_clock_s: float = 60.0  # of one whole answer
    max_redirects: int = 5
    attempts: int = 3
    back_off_s: float = 1.0
    max_wait_s: float = 30.0  # for one host, whether it asks for a pause or a pace

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
            proxy=settings.proxy,
            blocked=read_block_list(settings.queries_dir / FILE),
        )


@dataclass(frozen=True)
class WebResponse:
    """A complete answer with status 200; `url` is where the last redirect led."""

    url: str
    status: int
    headers: HTTPHeaderDict
    body: bytes
    attempts: int = 1


class Web:
    """Requests with manners, for all threads; takes the place of icrawler's own session.

    It takes no cookies, no proxy from the environment, which would hide the address, and no
    password from a .netrc.
    """

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.gate = HostGate(
            manners.max_per_host, manners.host_delay_s, manners.max_wait_s, manners.trusted_hosts
        )
        self._robots = Robots()
        self._pools = guarded_pools(manners.allow_private_hosts, manners.trusted_hosts)
        self._proxied = (
            proxied_pools(manners.proxy, hosts=MAX_HOSTS, kept_alive=MAX_KEPT_ALIVE)
            if manners.proxy
            else None
        )

    def stop(self) -> None:
        """Make every thread that waits or reads raise `CrawlStopped` soon."""
        self.gate.stop()

    def get(
        self,
        url: str,
        *,
        language: str = "",
        obey_robots: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> WebResponse:
        """Fetch a URL completely, over redirects and short refusals.

        obey_robots: ask robots.txt and heed opt-out headers, as for pictures; not for a search page
        that a person would open. headers: sent to the URL's own host only. Raises NotFetched.
        """
        retry = self._retry(url)
        for attempt in itertools.count(1):
            try:
                answer = self._follow(url, language, obey_robots, headers or {})
                return replace(answer, attempts=attempt)
            except NotFetched as error:
                error.attempts = attempt
                if error.status not in AGAIN or error.reason == ROBOTS_DOWN:
                    raise
                retry = self._back_off(retry, error)
        raise AssertionError("the last attempt returns or raises")

    def post(self, url: str, form: Mapping[str, str]) -> WebResponse:
        """Send a form, once and to this address only, since it may hold a secret. Raises NotFetched."""
        host = _host(url)
        self._check_host(url, host, obey_robots=False)
        try:
            with self.gate.turn(host):
                found = self._ask(url, "", False, _FORM, body=urlencode(form))
        except HostOnHold:
            raise NotFetched("failed", "told to wait", url=url) from None
        if isinstance(found, WebResponse):
            return found
        raise NotFetched("refused", "redirects", url=url)

    def _retry(self, url: str) -> Retry:
        """urllib3's count and back-off; its first pause is none, so one failure is written down beforehand."""
        start_s = self.manners.back_off_s / 2
        retry = Retry(self.manners.attempts, backoff_factor=start_s, backoff_jitter=start_s)
        return retry.increment("GET", url)

    def _back_off(self, retry: Retry, error: NotFetched) -> Retry:
        """Leave the host alone for as long as it asks, or longer each time. Raises the error after the last attempt."""
        wait_s = error.retry_after_s
        if wait_s is not None:
            self.gate.hold(_host(error.url), wait_s)  # for the next pictures of this host as well
            if wait_s > self.manners.max_wait_s:
                raise error
        try:
            retry = retry.increment("GET", error.url)
        except MaxRetryError:
            raise error from None
        if wait_s is None:
            self.gate.hold(_host(error.url), retry.get_backoff_time())
        return retry

    def _follow(
        self, url: str, language: str, obey_robots: bool, extra: Mapping[str, str]
    ) -> WebResponse:
        host, home = _host(url), _origin(url)
        for _ in range(self.manners.max_redirects + 1):
            self._check_host(url, host, obey_robots)
            try:
                with self.gate.turn(host):
                    found = self._ask(
                        url, language, obey_robots, extra if _origin(url) == home else {}
                    )
            except HostOnHold:
                raise NotFetched("failed", "told to wait", url=url) from None
            if isinstance(found, WebResponse):
                return found
            url, host = found, _host(found)
        raise NotFetched("refused", "redirects", url=url)

    def _check_host(self, url: str, host: str, obey_robots: bool) -> None:
        """Refuse what the block list or the site's robots.txt excludes."""
        if self.manners.blocked.blocks(url, host):
            raise NotFetched("refused", "blocked", url=url)
        if self._proxied and self._is_barred(host):
            raise NotFetched("refused", "private address", url=url)
        if not obey_robots:
            return
        rules = self._robots.of(url, self._robots_txt)
        pace_s = rules.crawl_delay(AGENT) or 0.0
        if not rules.can_fetch(url, AGENT) or pace_s > self.manners.max_wait_s:
            raise NotFetched("refused", "robots", url=url)
        if pace_s:
            self.gate.slow_down(host, pace_s)

    def _is_near(self, host: str) -> bool:
        """Whether a host is one of our own, which no proxy leads to."""
        return host in self.manners.trusted_hosts

    def _is_barred(self, host: str) -> bool:
        """Whether a host must not be asked through the proxy, as it must not be without one."""
        near = self.manners.allow_private_hosts or self._is_near(host)
        return not near and points_inside(host)

    def _robots_txt(self, url: str) -> str:
        """The text of a robots.txt, by RFC 9309: 4xx means no rules, 5xx means that we must wait."""
        try:
            return self.get(url, obey_robots=False).body.decode("utf-8", "replace")
        except NotFetched as error:
            if error.status is None:
                raise
            if error.state == "refused":
                return ""
            error.reason = ROBOTS_DOWN
            raise

    def _ask(
        self,
        url: str,
        language: str,
        obey_robots: bool,
        extra: Mapping[str, str],
        body: str | None = None,
    ) -> WebResponse | str:
        """One request: the answer, or where it redirects to."""
        headers = {
            "User-Agent": self.manners.user_agent,
            "Accept": "*/*",
            "Accept-Language": language or "*",
            "Accept-Encoding": "identity",
            **extra,
        }
        deadline = time.monotonic() + self.manners.wall_clock_s
        response = self._open(url, headers, body)
        try:
            target = response.get_redirect_location()
            if target:
                return _joined(url, target)
            self._check(url, response, obey_robots)
            got = self._body(url, response, deadline)
            return WebResponse(url, response.status, response.headers, got)
        finally:
            response.close()  # a connection whose answer was read to its end has gone back before

    def _open(
        self, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> BaseHTTPResponse:
        pools = self._proxied if self._proxied and not self._is_near(_host(url)) else self._pools
        with as_not_fetched(url):
            return pools.urlopen(
                "GET" if body is None else "POST",
                url,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=Timeout(self.manners.timeout_s),
            )

    def _check(self, url: str, response: BaseHTTPResponse, obey_robots: bool) -> None:
        """Refuse by what the headers say, before the body is read."""
        status = response.status
        if status != 200:
            state = "failed" if status in AGAIN or status > 500 else "refused"
            wait_s = _retry_after_s(response.headers.get("Retry-After", ""))
            raise NotFetched(state, f"http {status}", url=url, status=status, wait_s=wait_s)
        if obey_robots and opted_out(response.headers, AGENT):
            raise NotFetched("refused", "opt-out", url=url, status=status)
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > self.manners.max_bytes:
            raise NotFetched("refused", "too large", url=url, status=status)

    def _body(self, url: str, response: BaseHTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        with as_not_fetched(url, broken="incomplete"):
            # read1 gives what has come; read would wait for a whole chunk of a body that drips.
            while chunk := response.read1(_CHUNK, decode_content=True):
                body += chunk
                if self.gate.stopped:
                    raise CrawlStopped
                if len(body) > self.manners.max_bytes:
                    raise NotFetched("refused", "too large", url=url, status=200)
                if time.monotonic() > deadline:
                    raise NotFetched("failed", "timeout", url=url, status=200)
        return bytes(body)


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


def _origin(url: str) -> tuple[str, str]:
    """Who is asked, and how: what a source's headers are meant for."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target.encode("latin-1").decode("utf-8", "replace"))
    except ValueError:
        raise NotFetched("refused", "bad url", url=url) from None


def _retry_after_s(value: str) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; None = none."""
    try:
        return Retry().parse_retry_after(value)
    except InvalidHeader:
        return None
