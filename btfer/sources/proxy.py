"""A proxy that the user names; none is taken from the environment, which would hide who asks.

The proxy looks names up and connects, so what can be known here of private addresses is looked at before.
"""

import socket
from urllib.parse import unquote, urlsplit

import certifi
from urllib3 import ProxyManager
from urllib3.util import make_headers

from btfer.errors import UsageError
from btfer.sources.addresses import is_public
from btfer.sources.connections import MAX_HOSTS, MAX_KEPT_ALIVE, pool_classes


def proxied_pools(proxy: str, *, wall_clock_s: float) -> ProxyManager:
    """urllib3's connections through a proxy, with one deadline. Raises UsageError for an address that is none."""
    try:
        parts = urlsplit(proxy)
        port = parts.port
    except ValueError:
        port = None
    if port is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"the proxy must be an address such as http://proxy.example.org:3128, got {bare_address(proxy)!r}"
        )
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    headers = make_headers(proxy_basic_auth=user) if parts.username else None
    pools = ProxyManager(
        f"{parts.scheme}://{parts.hostname}:{port}",
        MAX_HOSTS,
        proxy_headers=headers,
        maxsize=MAX_KEPT_ALIVE,
        ca_certs=certifi.where(),
    )
    # The proxy itself may be near.
    pools.pool_classes_by_scheme = pool_classes(allow_private=True, wall_clock_s=wall_clock_s)
    return pools


def points_inside(host: str) -> bool:
    """Whether a host is known here to be on a private address; a name that only the proxy knows is not."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return not all(is_public(str(address[0])) for *_, address in found)


def bare_address(proxy: str) -> str:
    """The address without a password."""
    return proxy.rpartition("@")[2]
