"""What a site says of all its files: robots.txt (RFC 9309) and /.well-known/tdmrep.json (TDM Reservation Protocol)."""

import codecs
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from protego import Protego

from btfer.errors import NetworkError
from btfer.parsing import parse_json
from btfer.sources.fetch_errors import WAITING, NotFetched
from btfer.sources.optout import forbids_use

FIRST_BYTES = (
    512 * 1024
)  # RFC 9309 asks for 500 KiB at least; the rest of a longer file is not read
_MAX_SITES = 2_000
_ASK_AGAIN_S = 600.0
_AGENT_LINE = re.compile(r"\s*user[- ]?agent\s*[:\s]\s*(\*|[A-Za-z_-]*)", re.IGNORECASE)
_SIGNAL_LINE = re.compile(r"\s*(content-signal|content-usage)\s*:\s*(.*)", re.IGNORECASE)
_OTHER = "another-crawler"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
GetFile = Callable[[str], bytes]
"""Gets a robots.txt or tdmrep.json: its first bytes, b"" where there is none. Raises NotFetched."""


@dataclass(frozen=True)
class SiteRules:
    """The rules of one site, for one crawler."""

    agent: str
    robots: Protego
    signals: tuple[tuple[str, str], ...] = ()  # beginning of a path, preferences
    reserved: tuple[tuple[str, bool], ...] = ()  # locations of tdmrep.json, in order

    @property
    def pace_s(self) -> float:
        """The time between two requests that the site asks for, in seconds."""
        return self.robots.crawl_delay(self.agent) or 0.0

    def may_fetch(self, url: str) -> bool:
        """Whether robots.txt allows a URL."""
        return bool(self.robots.can_fetch(url, self.agent))

    def opted_out(self, url: str) -> bool:
        """Whether the site reserves a URL's use: by Content-Signal, Content-Usage or tdmrep.json."""
        parts = urlsplit(url)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        fitting = [one for one in self.signals if path.startswith(one[0])]
        longest = max((len(start) for start, _ in fitting), default=0)
        if any(forbids_use(text) for start, text in fitting if len(start) == longest):
            return True
        return next((no for location, no in self.reserved if _fits(location, path)), False)


class Sites:
    """The rules of the sites asked last; each site's files are fetched once a crawl, or once in a long while."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._lock = Lock()
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    def rules(self, url: str, robots_txt: GetFile, tdmrep: GetFile) -> SiteRules:
        """The rules for a URL's site. What the functions raise goes up; a failure is kept for a while."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.lower()}"
        with self._lock:
            site = self._sites.setdefault(origin, _Site(origin, self._agent))
            self._sites.move_to_end(origin)
            if len(self._sites) > _MAX_SITES:
                self._sites.popitem(last=False)
        return site.rules(robots_txt, tdmrep)


class _Site:
    """One site. A failure is remembered for a while too: a site that is down is not asked for each picture."""

    def __init__(self, origin: str, agent: str) -> None:
        self._origin = origin
        self._agent = agent
        self._lock = Lock()  # threads that want the same site wait for the one that asks
        self._rules: SiteRules | None = None
        self._failure: NetworkError | None = None
        self._failed_at = 0.0

    def rules(self, robots_txt: GetFile, tdmrep: GetFile) -> SiteRules:
        with self._lock:
            if self._failure and time.monotonic() < self._failed_at + _ASK_AGAIN_S:
                raise self._failure
            if self._rules is None:
                try:
                    robots = text_of(robots_txt(f"{self._origin}/robots.txt"))
                    mining = text_of(tdmrep(f"{self._origin}/.well-known/tdmrep.json"))
                except NotFetched as error:
                    if error.state != WAITING:  # else the host is on hold, which says it shorter
                        self._failure, self._failed_at = error, time.monotonic()
                    raise
                self._rules = read_rules(self._agent, robots, mining)
            return self._rules


def text_of(data: bytes) -> str:
    """The text of a file as servers send it: UTF-8 or UTF-16, with or without a byte-order mark."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", "replace")
    if data[:1] == b"\0":
        return data.decode("utf-16-be", "replace")
    return data.decode("utf-8", "replace")


def read_rules(agent: str, robots_txt: str, tdmrep: str = "") -> SiteRules:
    """The rules of a site for one crawler.

    agent: its product token. A group counts as ours by its token alone: `BTFER/1.0` is ours too.
    """
    lines = []
    mine: dict[str, list[tuple[str, str]]] = {"*": [], agent: []}
    names = set(mine)  # before the first group: for all
    in_head = False
    for line in robots_txt.splitlines():
        if named := _AGENT_LINE.match(line):
            token = named[1].lower()
            token = token if token in mine else _OTHER
            names = {token} if not in_head else names | {token}
            line = f"User-agent: {token}"
        elif signal := _SIGNAL_LINE.match(line.partition("#")[0]):
            for name in names & set(mine):
                mine[name].append(_signal(signal[2]))
        if line.partition("#")[0].strip():
            in_head = bool(named)
        lines.append(line)
    robots = Protego.parse("\n".join(lines))
    signals = mine[agent] if f"User-agent: {agent}" in lines else mine["*"]
    return SiteRules(agent, robots, tuple(signals), _reserved(tdmrep))


def _signal(value: str) -> tuple[str, str]:
    """The path that a line is about, and its preferences: `/art/ train-ai=n`."""
    start, _, rest = value.strip().partition(" ")
    return (start, rest) if start.startswith("/") else ("", value)


def _reserved(tdmrep: str) -> tuple[tuple[str, bool], ...]:
    """Locations and whether they are reserved; nothing where it is no tdmrep.json at all."""
    try:
        rules: Any = parse_json(tdmrep)
    except ValueError:
        return ()
    found = []
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, dict) and isinstance(location := rule.get("location"), str):
            no = str(rule.get("tdm-reservation", "")).strip() == "1"
            found.append((location, no))
    return tuple(found)


def _fits(location: str, path: str) -> bool:
    """Whether a location is a path's, written as robots.txt writes paths: `*` for anything, `$` for the end.

    It is looked for part after part: as a regular expression, `/*a*a*a*a*a*b` would take a long path for ever.
    """
    first, *others = location.removesuffix("$").split("*")
    to_end = location.endswith("$")
    if not path.startswith(first):
        return False
    if not others:
        return not to_end or path == first
    *between, last = others
    at = len(first)
    for part in between:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return path[at:].endswith(last) if to_end else path.find(last, at) >= 0
