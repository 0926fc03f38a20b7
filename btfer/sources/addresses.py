"""Which addresses are public: no name may point inside unseen."""

from ipaddress import IPv6Address, ip_address

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
