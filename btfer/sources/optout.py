"""Answers that say no: headers, and the metas of a page. What robots.txt says is in `robots`.

X-Robots-Tag            noai, noimageai, noindex, noimageindex, none: for all, or for the crawler named
tdm-reservation         1: W3C TDM Reservation Protocol
Content-Signal          ai-train=no, ai-input=no: contentsignals.org
Content-Usage           train-ai=n and the like: IETF draft-ietf-aipref-attach
"""

from collections.abc import Iterator

from urllib3 import HTTPHeaderDict

from btfer.parsing import HtmlReader

_NO = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
_NO_PICTURES = frozenset(
    {"noai", "noimageai", "noimageindex"}
)  # a page may be kept out of searches
_WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)
# The uses that a picture is fetched for; search and others are not ours. Older drafts said tdm, ai and genai.
_USES = frozenset(
    {"ai-train", "ai-input", "train-ai", "train-genai", "ai-use", "bots", "tdm", "ai", "genai"}
)


def opted_out(headers: HTTPHeaderDict, agent: str) -> bool:
    """Whether an answer's headers forbid to keep it; where they are repeated, one no is enough."""
    return (
        any("1" in _items(value) for value in headers.getlist("tdm-reservation"))
        or any(_says_no(value, agent) for value in headers.getlist("x-robots-tag"))
        or any(forbids_use(value) for value in headers.getlist("content-signal"))
        or any(forbids_use(value) for value in headers.getlist("content-usage"))
    )


def forbids_use(preferences: str) -> bool:
    """Whether a list of preferences (`search=yes, ai-train=no`) excludes what pictures are fetched for."""
    pairs = (item.partition("=") for item in _items(preferences.lower()))
    return any(name.strip() in _USES and value.strip() in ("n", "no") for name, _, value in pairs)


def page_opted_out(page: str, agent: str) -> bool:
    """Whether the metas of an HTML page forbid to use its pictures."""
    return any(
        "1" in _items(content)
        if name == "tdm-reservation"
        else name in ("robots", agent) and bool(_NO_PICTURES & _items(content.lower().rstrip("/")))
        for name, content in _metas(page)
    )


def _says_no(tag: str, agent: str) -> bool:
    """One header: rules, each line of them for all or, after `name:`, for the crawler of that name."""
    meant = True
    for rule in tag.lower().split(","):
        name, colon, rest = rule.partition(":")
        if colon and name.strip() in _WITH_VALUE:
            continue
        if colon:
            meant, rule = name.partition("/")[0].strip() in ("*", agent), rest
        if meant and rule.strip() in _NO:
            return True
    return False


def _items(value: str) -> set[str]:
    return {item.strip() for item in value.split(",")}


def _metas(page: str) -> Iterator[tuple[str, str]]:
    reader = _MetaReader()
    reader.feed(page)
    yield from reader.found


class _MetaReader(HtmlReader):
    """Collects the name and content of every meta; a page may be broken, or cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        if tag == "meta":
            given = {name: value or "" for name, value in attrs}
            self.found.append((given.get("name", "").strip().lower(), given.get("content", "")))
