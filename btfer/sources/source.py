"""What a source is: where it is, how it is asked, and what it may answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from btfer.catalogue.journal import Sighting
from btfer.errors import NetworkError, UsageError
from btfer.queries import Query
from btfer.sources.cookies import SourceCookies

if TYPE_CHECKING:
    from btfer.sources.search import SearchFeeder, SearchParser
    from btfer.sources.web import Web

MAX_PAGES = 100


@dataclass(frozen=True)
class Rights:
    """Licence and author, as a picture's own page states them."""

    licence: str
    licence_url: str
    author: str


class PageChanged(NetworkError):
    """A source answered with a page that its parser does not understand."""


class SourceRefused(NetworkError):
    """A source answered that it does not serve us: a wrong key, or too many requests."""


class SourceBlocked(NetworkError):
    """A source answered with a captcha or another hurdle for people: it may answer later."""


class NotSetUp(UsageError):
    """A source needs a key or a contact that the settings do not have."""


@dataclass(frozen=True)
class Source:
    """One place photos come from: how its first page is asked for, and how its pages read.

    headers, cookies and key go with its search requests only: never to the hosts of pictures, nor
    into a message or the journal.
    """

    name: str
    base_url: str
    feeder: type["SearchFeeder"]
    parser: type["SearchParser"]
    needs_contact: bool = False
    key_variable: str = ""  # what sets the key, where there is one
    key: str = field(default="", compare=False, repr=False)
    key_parameter: str = ""  # of the search address, for a key that is not in a header
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    fetch_headers: Callable[["Web", bool], Mapping[str, str]] | None = field(
        default=None, compare=False, repr=False
    )  # such as an access token, which runs out: True = anew, the last one was refused
    cookies: SourceCookies = field(default_factory=SourceCookies, compare=False, repr=False)
    first_visit: str = ""  # the page whose cookies a search must bring
    filters: Mapping[str, str] = field(default_factory=dict, compare=False)  # of every search
    additions: Mapping[str, str] = field(default_factory=dict, compare=False)  # words of the plan
    states_licences: bool = False  # of every picture, so that a page without any has changed
    max_pages: int = MAX_PAGES  # of one query
    min_delay_s: float = 1.0  # between two of its search pages
    is_ours: bool = False  # the built-in site: may be on a private address, needs no pause
    rights: dict[str, "Rights"] = field(default_factory=dict, compare=False, repr=False)

    def worded(self, query: Query) -> Query:
        """A query as this source is asked it: with the words that the plan adds in its language."""
        words = (self.additions.get(query.language, ""), self.additions.get("all", ""))
        return replace(query, phrase=" ".join(one for one in (query.phrase, *words) if one))


@dataclass(frozen=True)
class ImageResult:
    """One image of a result page, '' (or 0) where the page does not say; the search makes a Sighting of it.

    copy_url: a smaller copy that the source itself keeps, for when the original is gone. width, height:
    of the image at `file_url`, in pixels.
    """

    file_url: str
    page_url: str = ""
    title: str = ""
    licence: str = ""
    licence_url: str = ""
    author: str = ""
    copy_url: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class NextPage:
    """The address of a further page of results."""

    url: str


@dataclass
class SearchResult:
    """What one search found, in the source's order.

    failure: why it ended early, if it did. odd: records that could not be read. suspicious: why this
    may be no answer though it looks like one ('' = it is one).
    """

    sightings: list[Sighting] = field(default_factory=list)
    failure: NetworkError | None = None
    odd: int = 0
    suspicious: str = ""
