"""Only public addresses: checked when a connection is made, so that no name can point inside unseen."""

import socket
from ipaddress import IPv6Address, ip_address
from typing import Any

import certifi
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MAX_HOSTS = 200  # whose connections are kept alive; with two each it is within every system's limit
MAX_KEPT_ALIVE = 16  # of a host of our own; others have fewer
_TRANSLATED = ("64:ff9b::", "2002:", "2001:0:", "2001::")  # IPv6 that carries an IPv4 address


class PrivateAddress(Exception):
    """A host name that leads to loopback, to a private network or to nowhere public."""


def is_public(address: str) -> bool:
    """Whether anybody on the internet means the same machine by this address."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
        if str(ip).startswith(_TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast


def _check_host(host: str, port: int | None) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return  # connecting will fail with the better message
    for *_, address in found:
        if not is_public(str(address[0])):
            raise PrivateAddress(host)


class _Guarded:
    """Mixed into urllib3's connections: look before connecting, and at who answered."""

    _dns_host: str
    port: Any

    def _new_conn(self) -> socket.socket:
        _check_host(self._dns_host, self.port)
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        # A name may be looked up twice with two answers: what counts is whom we reached.
        if not is_public(str(sock.getpeername()[0])):
            sock.close()
            raise PrivateAddress(self._dns_host)
        return sock


class _GuardedHttp(_Guarded, HTTPConnection):
    pass


class _GuardedHttps(_Guarded, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHttp


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHttps


def guarded_pools(allow_private: bool, trusted: frozenset[str] = frozenset()) -> PoolManager:
    """urllib3's connections, kept alive, to public addresses only. trusted: hosts that may be private."""
    pools = PoolManager(MAX_HOSTS, maxsize=MAX_KEPT_ALIVE, ca_certs=certifi.where())
    if not allow_private:
        pools.pool_classes_by_scheme = {
            "http": _pool(_HttpPool, HTTPConnectionPool, trusted),
            "https": _pool(_HttpsPool, HTTPSConnectionPool, trusted),
        }
    return pools


def _pool(guarded: type, plain: type, trusted: frozenset[str]) -> Any:
    """Makes the pool of one host: plain connections only to those we trust."""

    def make(host: str, port: int | None = None, **kwargs: Any) -> Any:
        return (plain if host in trusted else guarded)(host, port, **kwargs)

    return make
