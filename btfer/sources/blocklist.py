"""The local block list: hosts and addresses that are never requested."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from btfer.errors import UsageError
from btfer.plain_files import read_plain_text
from btfer.urls import ascii_host, identity, is_web_address, other_scheme

FILE = "blocked.txt"


@dataclass(frozen=True)
class BlockList:
    """Hosts, each with all below it, and beginnings of URLs."""

    hosts: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def blocks(self, url: str, host: str) -> bool:
        """Whether a URL, of this host, must not be asked."""
        return is_below(host, self.hosts) or identity(url).startswith(self.prefixes)


NOTHING_BLOCKED = BlockList()


def is_below(host: str, hosts: Collection[str]) -> bool:
    """Whether a host is one of some, or below one of them."""
    labels = ascii_host(host).split(".")
    return any(".".join(labels[n:]) in hosts for n in range(len(labels)))


def read_block_list(path: Path) -> BlockList:
    """Read a block list: a host (`example.org`, or `*.example.org`) or the beginning of a URL in each line.

    # begins a comment. A missing file is an empty list. Raises UsageError, with file and line, for anything
    else: a pattern that nothing fits would be taken for a ban.
    """
    try:
        lines = read_plain_text(path, "utf-8-sig").splitlines()
    except FileNotFoundError:
        return NOTHING_BLOCKED
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    hosts, prefixes = set(), []
    for number, line in enumerate(lines, start=1):
        entry = line.partition("#")[0].strip()
        host = entry.removeprefix("*.")
        start = entry.removesuffix("*")  # which every beginning has, unsaid
        if is_web_address(start) and not set(start) & set("* \t"):
            prefixes += [identity(start), other_scheme(identity(start))]
        elif host and not set(host) & set("/:@* \t"):
            hosts.add(ascii_host(host.strip(".")))
        elif entry:
            raise UsageError(
                f"{path}:{number}: write a host (example.org) or the beginning of a URL "
                f"(https://example.org/people/), without * or blanks in it, got '{entry[:80]}'"
            )
    return BlockList(frozenset(hosts), tuple(prefixes))
