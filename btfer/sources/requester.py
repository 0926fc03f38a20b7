"""One request and its answer: limited in size and time, refused by what its headers say."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from urllib3 import BaseHTTPResponse, HTTPHeaderDict, Timeout
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from btfer.sources.connections import limited_pools
from btfer.sources.fetch_errors import NotFetched, as_not_fetched
from btfer.sources.hosts import CrawlStopped, HostGate
from btfer.sources.manners import AGENT, Manners
from btfer.sources.optout import opted_out
from btfer.sources.proxy import proxied_pools

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 64 * 1024
_MOST_DIGITS = 18  # of a length that is believed
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Asked:
    """How one URL is asked for; see `Web.get`."""

    language: str = ""
    obey_robots: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    first_bytes: int | None = None
    form: Mapping[str, str] | None = None  # None = no form is sent


@dataclass(frozen=True)
class WebResponse:
    """A complete answer with status 200; `url` is where the last redirect led."""

    url: str
    status: int
    headers: HTTPHeaderDict
    body: bytes
    attempts: int = 1


class Requester:
    """Sends requests over connections that are kept alive, for all threads."""

    def __init__(self, manners: Manners, gate: HostGate) -> None:
        self._manners = manners
        self._gate = gate
        self._pools = limited_pools(
            manners.allow_private_hosts, manners.trusted_hosts, wall_clock_s=manners.wall_clock_s
        )
        self._proxied = (
            proxied_pools(manners.proxy, wall_clock_s=manners.wall_clock_s)
            if manners.proxy
            else None
        )

    def ask(
        self,
        url: str,
        asked: Asked,
        extra: Mapping[str, str],
    ) -> WebResponse | str:
        """One request: the answer, or where it redirects to. Raises NotFetched and CrawlStopped."""
        headers = {
            "User-Agent": self._manners.user_agent,
            "Accept": "*/*",
            "Accept-Language": asked.language or "*",
            "Accept-Encoding": "identity",
            **extra,
        }
        deadline = time.monotonic() + self._manners.wall_clock_s
        response = self._open(url, headers, asked.form)
        try:
            target = response.get_redirect_location()
            if target:
                return _joined(url, target)
            self._check(url, response, asked.obey_robots)
            if asked.first_bytes is None:
                self._check_length(url, response)
            body = self._body(url, response, deadline, asked.first_bytes)
            return WebResponse(url, response.status, response.headers, body)
        finally:
            response.close()  # a connection whose answer was read to its end has gone back before

    def _open(
        self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> BaseHTTPResponse:
        is_ours = urlsplit(url).hostname in self._manners.trusted_hosts  # no proxy leads there
        pools = self._proxied if self._proxied and not is_ours else self._pools
        with as_not_fetched(url):
            return pools.urlopen(
                "GET" if form is None else "POST",
                url,
                body=None if form is None else urlencode(form),
                headers={**headers, **({} if form is None else _FORM)},
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=Timeout(self._manners.timeout_s),
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

    def _check_length(self, url: str, response: BaseHTTPResponse) -> None:
        declared = response.headers.get("Content-Length", "")
        # Of thousands of digits, Python makes no number.
        if declared.isdecimal() and int(declared[:_MOST_DIGITS]) > self._manners.max_bytes:
            raise NotFetched("refused", "too large", url=url, status=response.status)

    def _body(
        self, url: str, response: BaseHTTPResponse, deadline: float, first_bytes: int | None
    ) -> bytes:
        body, most = bytearray(), first_bytes or self._manners.max_bytes + 1
        with as_not_fetched(url, broken="incomplete"):
            # read1 gives what has come; read would wait for a whole chunk of a body that drips.
            while chunk := response.read1(_CHUNK, decode_content=True):
                body += chunk
                if self._gate.stopped:
                    raise CrawlStopped
                if len(body) >= most:
                    if first_bytes is None:
                        raise NotFetched("refused", "too large", url=url, status=200)
                    return bytes(body[:first_bytes])
                if time.monotonic() > deadline:
                    raise NotFetched("failed", "timeout", url=url, status=200)
        return bytes(body)


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target.encode("latin-1").decode("utf-8", "replace"))
    except ValueError:
        raise NotFetched("refused", "bad url", url=url) from None


def _retry_after_s(value: str) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; None = none that can be.

    The year 99999 and numbers of thousands of digits pass urllib3's checks, and fail behind them.
    """
    try:
        return Retry().parse_retry_after(value)
    except (InvalidHeader, ValueError, OverflowError):
        return None
