"""Files: none missing, changed or added, none under a name that some system cannot hold."""

from collections.abc import Iterator
from fnmatch import fnmatch

from btfer.pipeline.verify.folder import LEFT_BY_DESKTOPS, OpenedRelease
from btfer.pipeline.verify.sums import FILE as SUMS
from btfer.safe_paths import is_digest

_RESERVED = {"con", "prn", "aux", "nul"} | {f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10)}
_NOT_ON_WINDOWS = frozenset('<>:"|?*\\')


def check_name(one: OpenedRelease) -> Iterator[str]:
    """A folder's name that carries the digest of something else."""
    named = _digest_in_name(one)
    if named and named != one.digest[:12]:
        yield f"the name says {named}, SHA256SUMS is {one.digest[:12]}"


def note_name(one: OpenedRelease) -> Iterator[str]:
    """A folder that was renamed: then its name says nothing about what is in it."""
    if not _digest_in_name(one):
        yield (
            f"the folder was renamed: compare {one.digest[:12]} with the end of the name "
            "under which the release was published"
        )


def _digest_in_name(one: OpenedRelease) -> str:
    last = one.folder.resolve().name.rpartition("-")[2]
    return last if is_digest(last, 12) else ""


def check_sums(one: OpenedRelease) -> Iterator[str]:
    """Differences between SHA256SUMS and the folder."""
    yield from one.damage.get(SUMS, ())
    for name, problems in one.damage.items():
        if name != SUMS and name not in one.found:
            yield from problems
    for name, what in sorted(one.odd.items()):
        yield f"added: {name} is {what}"
    yield from (f"missing: {name}" for name in sorted(set(one.sums) - set(one.found)))
    for name in sorted(set(one.found) - set(one.sums)):
        yield f"added: {name}{_hint(name)}"
    for name in sorted(set(one.found) & set(one.sums)):
        if one.found[name].sha256 != one.sums[name]:
            yield f"changed: {name}"


def _hint(name: str) -> str:
    last = name.rpartition("/")[2].lower()
    harmless = any(fnmatch(last, pattern) for pattern in LEFT_BY_DESKTOPS)
    return " (a file manager left it there; it does no harm and may be deleted)" if harmless else ""


def note_links(one: OpenedRelease) -> Iterator[str]:
    """Files that have a second name somewhere: who changes one changes the other."""
    shared = [name for name, file in one.found.items() if file.n_names > 1]
    if shared:
        yield f"{len(shared)} files are hard links, such as {shared[0]}: a change elsewhere changes them"


def check_portable(one: OpenedRelease) -> Iterator[str]:
    """Names that are one name, or none, on Windows or a Mac."""
    first: dict[str, str] = {}
    for name in sorted(one.sums | dict.fromkeys(one.found, "")):
        other = first.setdefault(name.casefold(), name)
        if other != name:
            yield f"{name} and {other} differ in capitals only"
        for part in name.split("/"):
            reserved = part.split(".")[0].lower() in _RESERVED
            if reserved or part[-1:] in (".", " ") or _NOT_ON_WINDOWS.intersection(part):
                yield f"{name} is not a valid file name on Windows"
                break
