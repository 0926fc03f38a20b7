"""Under which names a server on this machine is asked for; what another site has point here is none of them."""

import ipaddress
import re
import socket
from collections.abc import Iterable

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERY_ADDRESS = ("", "0.0.0.0", "::")
"""Where a server listens on all addresses of the machine."""
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/?#@\[\]\\,]+))(?::[0-9]{0,5})?")
# Of documentation (RFC 5737, RFC 3849): nothing is sent there, but the system says from which address it would be.
_FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_names(address: str, shown_as: str = "") -> list[str]:
    """The names of a server that listens on an address, loopback's first.

    address: '', 0.0.0.0 and :: are all of this machine, which then has its own name and addresses too. shown_as: the
    name that users are told.
    """
    named = {address, shown_as}
    if address in EVERY_ADDRESS:
        named = {shown_as, *_of_this_machine()}
    return [*LOOPBACK, *sorted({plain(one) for one in named if one} - set(LOOPBACK))]


def plain(name: str) -> str:
    """One form of all spellings of a name or address: small, without brackets, without a last dot."""
    text = name.strip().lower().rstrip(".").removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return text


def is_among(host: str, names: Iterable[str]) -> bool:
    """Whether a request's Host header is one of these names, with any port. names: `*.faces.example` = all below it."""
    parts = _HOST.fullmatch(host)
    if not parts:
        return False
    asked = plain(parts[1] or parts[2])
    known = [plain(one) for one in names]
    below = tuple(one[1:] for one in known if one.startswith("*."))
    return "*" in known or asked in known or asked.endswith(below)


def _of_this_machine() -> set[str]:
    host = socket.gethostname()
    found = {host, socket.getfqdn(host)}
    try:
        named = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
        found |= {str(one[4][0]) for one in named}
    except OSError:
        pass  # a machine that does not know its own name
    for family, far in _FAR:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as trial:
                trial.connect((far, 1))
                found.add(str(trial.getsockname()[0]))
        except OSError:
            pass  # no network of this kind
    return found
