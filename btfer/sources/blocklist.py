"""The local block list: hosts and addresses that are never requested."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from btfer.errors import UsageError

FILE = "blocked.txt"


@dataclass(frozen=True)
class BlockList:
    """Hosts, each with all below it, and beginnings of URLs."""

    hosts: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def blocks(self, url: str, host: str) -> bool:
        """Whether a URL, of this host, must not be asked."""
        labels = host.split(".")
        above = {".".join(labels[n:]) for n in range(len(labels))}
        return bool(above & self.hosts) or url.startswith(self.prefixes)


NOTHING_BLOCKED = BlockList()


def read_block_list(path: Path) -> BlockList:
    """Read a block list: a host (`example.org`) or the beginning of a URL in each line, # for comments.

    A missing file is an empty list. Raises UsageError, with file and line, for anything else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return NOTHING_BLOCKED
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    hosts, prefixes = set(), []
    for number, line in enumerate(lines, start=1):
        entry = line.partition("#")[0].strip()
        if entry.startswith(("http://", "https://")) and urlsplit(entry).hostname:
            prefixes.append(entry)
        elif entry and not set(entry) & set("/:@ \t"):
            hosts.add(entry.lower().strip("."))
        elif entry:
            raise UsageError(
                f"{path}:{number}: write a host (example.org) or the beginning of a URL "
                f"(https://example.org/people/), got '{entry}'"
            )
    return BlockList(frozenset(hosts), tuple(prefixes))
