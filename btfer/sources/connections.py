"""Connections to public addresses only, each request within one deadline.

The addresses of a name are looked at before connecting, and no other is connected to: so no name
can point inside unseen.
"""

import io
import socket
import time
from functools import partial
from http.client import HTTPResponse
from typing import Any

import certifi
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from btfer.sources.addresses import PrivateAddress, is_public

MAX_HOSTS = 200  # whose connections are kept alive; with two each it is within every system's limit
MAX_KEPT_ALIVE = 16  # of a host of our own; others have fewer


class _UntilDeadline(io.RawIOBase):
    """What a socket brings until a moment; urllib3's own limit begins anew with every byte that drips in."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends: float) -> None:
        self._raw = raw
        self._sock = sock
        self._silence_s = sock.gettimeout()
        self._ends = ends

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Wait for what comes next. Raises TimeoutError."""
        left_s = self._ends - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the whole answer took too long")
        self._sock.settimeout(left_s if self._silence_s is None else min(left_s, self._silence_s))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Give the socket back."""
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer whose headers and body must have come before a moment."""

    def __init__(self, sock: socket.socket, *args: Any, ends: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_UntilDeadline(self.fp.detach(), sock, ends))


class _Limited:
    """Mixed into urllib3's connections: whom they may reach, and how long a request may take."""

    _dns_host: str
    host: str
    port: Any
    timeout: Any
    socket_options: Any
    response_class: Any

    def __init__(self, *args: Any, allow_private: bool, wall_clock_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._allow_private = allow_private
        self._wall_clock_s = wall_clock_s

    def request(self, *args: Any, **kwargs: Any) -> None:
        ends = time.monotonic() + self._wall_clock_s
        self.response_class = partial(_TimedResponse, ends=ends)
        super().request(*args, **kwargs)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        addresses = self._addresses()
        ends = time.monotonic() + self.timeout
        for number, address in enumerate(addresses):
            # A share for each: a host whose first address is dead is reached at its second.
            share_s = max(0.1, (ends - time.monotonic()) / (len(addresses) - number))
            try:
                return create_connection(
                    (address, self.port), share_s, socket_options=self.socket_options
                )
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, f"{self.host} does not answer") from failure
        raise NewConnectionError(self, str(failure)) from failure  # type: ignore[arg-type]

    def _addresses(self) -> list[str]:
        """Where the host's name leads. Raises PrivateAddress, and urllib3's errors."""
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if not self._allow_private and not all(map(is_public, addresses)):
            raise PrivateAddress(self._dns_host)
        return addresses


class _Http(_Limited, HTTPConnection):
    pass


class _Https(_Limited, HTTPSConnection):
    pass


def limited_pools(
    allow_private: bool, trusted: frozenset[str] = frozenset(), *, wall_clock_s: float
) -> PoolManager:
    """urllib3's connections, kept alive, to public addresses only.

    trusted: hosts that may be private. wall_clock_s: from the request to the last byte of its answer.
    """
    pools = PoolManager(MAX_HOSTS, maxsize=MAX_KEPT_ALIVE, ca_certs=certifi.where())
    pools.pool_classes_by_scheme = pool_classes(allow_private, trusted, wall_clock_s=wall_clock_s)
    return pools


def pool_classes(
    allow_private: bool, trusted: frozenset[str] = frozenset(), *, wall_clock_s: float
) -> dict[str, Any]:
    """What a manager of pools makes for each scheme: pools with limited connections."""

    def pool(kind: type, connection: type) -> Any:
        def make(host: str, port: int | None = None, **kwargs: Any) -> Any:
            made = kind(host, port, **kwargs)
            made.ConnectionCls = partial(
                connection,
                allow_private=allow_private or host in trusted,
                wall_clock_s=wall_clock_s,
            )
            return made

        return make

    return {
        "http": pool(HTTPConnectionPool, _Http),
        "https": pool(HTTPSConnectionPool, _Https),
    }
