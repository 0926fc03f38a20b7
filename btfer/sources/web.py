"""The one way out to the web: polite, limited, with a name, and trusting nothing that comes back.

Every request of a search or a download goes through `Web.get`, which either returns the whole
answer or raises `NotFetched` with the word that the journal keeps.
"""

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from urllib.parse import urlsplit

from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry

from btfer.sources.agencies import PREVIEW_HOSTS
from btfer.sources.blocklist import is_below
from btfer.sources.breaker import Breaker
from btfer.sources.fetch_errors import WAITING, NotFetched
from btfer.sources.hosts import TOLD_TO_WAIT, HostGate, HostOnHold
from btfer.sources.manners import AGENT, Manners
from btfer.sources.optout import page_opted_out
from btfer.sources.proxy import points_inside
from btfer.sources.requester import AGAIN, Asked, Requester, WebResponse
from btfer.sources.robots import FIRST_BYTES, Sites, text_of

__all__ = ["Manners", "NotFetched", "Web", "WebResponse"]

ROBOTS_DOWN = "robots.txt down"
_ASKS_TO_WAIT = frozenset({429, 503})
_LOST = frozenset({"no connection", "incomplete"})  # once more, on a new connection
_MAX_PAGES = 2_000  # whose opt-out is remembered


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
        self._breaker = Breaker(self.gate, manners.break_after, manners.break_s)
        self._sites = Sites(AGENT)
        self._pages: OrderedDict[str, bool] = OrderedDict()  # which opt out
        self._pages_lock = Lock()
        self._requester = Requester(manners, self.gate)

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
        first_bytes: int | None = None,
    ) -> WebResponse:
        """Fetch a URL, over redirects, short refusals and lost connections.

        obey_robots: ask robots.txt and heed opt-outs, as for pictures; not for a search page
        that a person would open. headers: sent to the URL's own host only. first_bytes: leave
        the rest, instead of refusing what is large. Raises NotFetched.
        """
        url = url.strip()
        asked = Asked(language, obey_robots, headers or {}, first_bytes)
        retry = self._retry(url)
        for attempt in itertools.count(1):
            try:
                answer = self._follow(url, asked)
            except NotFetched as error:
                was_asked = error.state != WAITING or error.status is not None
                error.attempts = attempt if was_asked else attempt - 1
                if obey_robots and not error.is_final:
                    self._breaker.failed(_host_or_none(error.url), error)
                if error.is_final or not _is_passing(error):
                    error.is_final = True
                    raise
                retry = self._back_off(retry, error, asked)
            else:
                if obey_robots:
                    self._breaker.answered(_host(url))
                    self._breaker.answered(_host(answer.url))
                return replace(answer, attempts=attempt)
        raise AssertionError("the last attempt returns or raises")

    def post(self, url: str, form: Mapping[str, str]) -> WebResponse:
        """Send a form, once and to this address only, since it may hold a secret. Raises NotFetched."""
        host = _host(url)
        self._check_host(url, host, obey_robots=False)
        try:
            with self.gate.turn(host):
                found = self._requester.ask(url, Asked(obey_robots=False, form=form), {})
        except HostOnHold as hold:
            raise NotFetched(WAITING, hold.why, url=url) from None
        if isinstance(found, WebResponse):
            return found
        raise NotFetched("refused", "redirects", url=url)

    def check_page(self, page_url: str, language: str = "") -> None:
        """Raise NotFetched if the page that shows a picture opts out of its use.

        Asked only where the manners say so, once for each page; a page that cannot be had says nothing.
        """
        if not (self.manners.check_pages and page_url.startswith(("http://", "https://"))):
            return
        page_url = page_url.partition("#")[0]
        with self._pages_lock:
            known = self._pages.get(page_url)
        if known is None:
            known = self._is_page_opted_out(page_url, language)
            with self._pages_lock:
                self._pages[page_url] = known
                if len(self._pages) > _MAX_PAGES:
                    self._pages.popitem(last=False)
        if known:
            raise NotFetched("refused", "opt-out", url=page_url)

    def _is_page_opted_out(self, page_url: str, language: str) -> bool:
        try:
            page = self.get(page_url, language=language, first_bytes=FIRST_BYTES)
        except NotFetched as error:
            return error.reason == "opt-out"
        return page_opted_out(text_of(page.body), AGENT)

    def _retry(self, url: str) -> Retry:
        """urllib3's count and back-off."""
        half_s = self.manners.back_off_s / 2
        return Retry(self.manners.attempts - 1, backoff_factor=half_s, backoff_jitter=half_s)

    def _back_off(self, retry: Retry, error: NotFetched, asked: Asked) -> Retry:
        """Leave the host alone for as long as it asks, or longer each time. Raises the error after the last attempt.

        After a lost connection the next is made at once, as urllib3 does.
        """
        host, wait_s = _host(error.url), error.retry_after_s
        if wait_s is not None:
            self.gate.hold(host, wait_s)  # for the next pictures of this host as well
            if wait_s > self.manners.max_wait_s:
                raise self._at_last(error, asked)
        try:
            retry = retry.increment("GET", error.url)
        except MaxRetryError:
            raise self._at_last(error, asked) from None
        if wait_s is None:
            pause_s = retry.get_backoff_time()
            if error.status is not None and error.reason not in _LOST:
                pause_s = max(pause_s, self.manners.back_off_s)  # urllib3's first is none
            self.gate.hold(host, pause_s)
        return retry

    def _at_last(self, error: NotFetched, asked: Asked) -> NotFetched:
        """The error after the last attempt; a picture of a host that asks to wait is waited for."""
        error.is_final = True
        if asked.obey_robots and error.status in _ASKS_TO_WAIT:
            self._wait_for(error)
        return error

    def _wait_for(self, error: NotFetched) -> None:
        self._breaker.hold(_host(error.url), TOLD_TO_WAIT, error.retry_after_s or 0.0)
        error.state, error.reason = WAITING, TOLD_TO_WAIT

    def _follow(self, url: str, asked: Asked) -> WebResponse:
        host, home = _host(url), _origin(url)
        for _ in range(self.manners.max_redirects + 1):
            self._check_host(url, host, asked.obey_robots)
            own = asked.headers if _origin(url) == home else {}
            try:
                with self.gate.turn(host):
                    found = self._requester.ask(url, asked, own)
            except HostOnHold as hold:
                raise NotFetched(WAITING, hold.why, url=url) from None
            if isinstance(found, WebResponse):
                return found
            url, host = found, _host(found)
        raise NotFetched("refused", "redirects", url=url)

    def _check_host(self, url: str, host: str, obey_robots: bool) -> None:
        """Refuse what the block list or the site's own rules exclude."""
        if self.manners.blocked.blocks(url, host):
            raise NotFetched("refused", "blocked", url=url)
        if self.manners.proxy and self._is_barred(host):
            raise NotFetched("refused", "private address", url=url)
        if not obey_robots:
            return
        if not self.manners.agency_previews and is_below(host, PREVIEW_HOSTS):
            raise NotFetched("refused", "agency preview", url=url)
        rules = self._sites.rules(url, self._robots_txt, self._tdmrep)
        if not rules.may_fetch(url) or rules.pace_s > self.manners.max_wait_s:
            raise NotFetched("refused", "robots", url=url)
        if rules.opted_out(url):
            raise NotFetched("refused", "opt-out", url=url)
        if rules.pace_s:
            self.gate.slow_down(host, rules.pace_s)

    def _is_barred(self, host: str) -> bool:
        """Whether a host must not be asked through the proxy, as it must not be without one."""
        ours = self.manners.allow_private_hosts or host in self.manners.trusted_hosts
        return not ours and points_inside(host)

    def _robots_txt(self, url: str) -> bytes:
        """The beginning of a robots.txt, by RFC 9309: 4xx or a redirect to nowhere means no rules, 5xx to wait."""
        try:
            return self.get(url, obey_robots=False, first_bytes=FIRST_BYTES).body
        except NotFetched as error:
            if error.state == "refused":
                return b""
            if error.status == 429 or error.retry_after_s is not None:
                self._wait_for(error)
            elif error.status is not None and error.state == "failed":
                error.reason = ROBOTS_DOWN
            raise

    def _tdmrep(self, url: str) -> bytes:
        """The beginning of a tdmrep.json, where there is one."""
        try:
            return self.get(url, obey_robots=False, first_bytes=FIRST_BYTES).body
        except NotFetched as error:
            if error.status == 429:
                self._wait_for(error)
            if error.state == WAITING:
                raise
            return b""


def _is_passing(error: NotFetched) -> bool:
    """Whether another attempt may bring more."""
    return error.state == "failed" and (error.status in AGAIN or error.reason in _LOST)


def _host_or_none(url: str) -> str:
    try:
        return _host(url)
    except NotFetched:
        return ""


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
