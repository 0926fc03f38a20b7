"""How politely the web is asked: how fast, how long, how much, and what never."""

from dataclasses import dataclass, field

from btfer import __version__
from btfer.errors import UsageError
from btfer.settings import Settings
from btfer.sources.blocklist import FILE, NOTHING_BLOCKED, BlockList, read_block_list

AGENT = "btfer"


@dataclass(frozen=True)
class Manners:
    """How fast, how long and how much is asked. The defaults suit any site."""

    user_agent: str = f"{AGENT}/{__version__}"
    max_per_host: int = 2
    host_delay_s: float = 0.25
    allow_private_hosts: bool = False
    trusted_hosts: frozenset[str] = frozenset()  # our own: may be private, need no pause
    proxy: str = field(default="", repr=False)  # which may have a password in it
    blocked: BlockList = NOTHING_BLOCKED
    agency_previews: bool = False
    check_pages: bool = False  # whether the page that shows a picture is asked for its opt-out
    max_bytes: int = 20_000_000
    timeout_s: float = 15.0  # of one silence
    wall_clock_s: float = 60.0  # of one whole answer, headers included
    max_redirects: int = 5
    attempts: int = 3
    back_off_s: float = 1.0
    max_wait_s: float = 30.0  # for one host, whether it asks for a pause or a pace
    break_after: int = 5  # failures of one host in a row: then it is left alone
    break_s: float = 60.0  # for so long, and twice as long each further time

    @classmethod
    def of(cls, settings: Settings, trusted_hosts: frozenset[str] = frozenset()) -> "Manners":
        """The manners that the settings ask for. Raises UsageError for a contact that no header can hold."""
        contact = f" (+{_checked(settings.contact)})" if settings.contact else ""
        return cls(
            user_agent=f"{AGENT}/{__version__}{contact}",
            max_per_host=settings.max_per_host,
            host_delay_s=settings.host_delay_s,
            allow_private_hosts=settings.allow_private_hosts,
            trusted_hosts=trusted_hosts,
            proxy=settings.proxy,
            blocked=read_block_list(settings.queries_dir / FILE),
            agency_previews=settings.agency_previews,
            check_pages=settings.check_pages,
        )


def _checked(contact: str) -> str:
    if contact.isascii() and contact.isprintable():
        return contact
    raise UsageError(
        "the setting contact goes into a header of every request, which holds one line of plain Latin "
        f"letters (a-z, digits, signs): write an e-mail address or a page, got {contact!r}"
    )
