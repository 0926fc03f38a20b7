"""Requests to forget: that they were made and what became of them, as keyed marks that name nobody."""

import hmac
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from btfer.catalogue import forgotten_hashes, withdrawals
from btfer.catalogue.forgotten_hashes import HashPair
from btfer.catalogue.store import Catalogue, insert_new, now
from btfer.catalogue.tables import erasure

OPEN, DONE = "open", "done"
_IMAGE = "image of a release: "
_NAME = "forgotten: "
_WITH_IMAGES = "erasure that refused its images: "
_STARTS = (24, 16, 12, 8)  # digits of a sha256 by which a photo may be asked for again


def mark_of(cat: Catalogue, asked: Iterable[str]) -> str:
    """The mark of a request, the same whatever the order; only the catalogue's key makes it."""
    with cat.write() as connection:
        key = withdrawals.key_within(connection)
    return _mark(key, asked)


def _mark(key: bytes, asked: Iterable[str]) -> str:
    text = "\0".join(sorted({one.strip() for one in asked}))
    return hmac.digest(key, b"erasure\0" + text.encode(), "sha256").hex()


def mark_images(cat: Catalogue, names: Iterable[str]) -> None:
    """Remember, as keyed marks, which images releases lost. names: `RELEASE/sad-001.png`."""
    every = {part for name in names for part in (name, name.split("/")[-1])}
    withdrawals.add(cat, {_IMAGE + one for one in every})


def refuse_images(cat: Catalogue, digests: Iterable[str], hashes: Iterable[HashPair]) -> None:
    """Refuse crops and released images from now on, as photos are. digests: sha256. hashes: for their copies."""
    with cat.write() as connection:
        withdrawals.add_within(connection, digests)
        forgotten_hashes.add_within(connection, hashes)


def remember(cat: Catalogue, id_: str, names: Iterable[str]) -> None:
    """Remember, as keyed marks, by what an erasure's photos, faces and images were called.

    So that who asks again, by another of the names, hears that it was done; and that what comes back from a backup
    is known for what it is. names: sha256, ids, addresses, pseudonyms, tokens, `RELEASE/sad-001.png`.
    """
    marks = {_NAME + one for name in names for one in (name, *_starts(name))}
    withdrawals.add(cat, {*marks, _WITH_IMAGES + id_})


def forgotten_at(cat: Catalogue, names: Iterable[str], *, exact: bool = False) -> dict[str, str]:
    """When what goes by each of the names was forgotten; names of what was not are left out.

    exact: a name of which only the first digits are known is left out too, as where something is to be deleted.
    """
    asked = {
        _NAME + one: name for name in names for one in (name, *([] if exact else _starts(name)[:1]))
    }
    return {asked[mark]: at for mark, at in withdrawals.since(cat, asked).items()}


def _starts(name: str) -> list[str]:
    """Beginnings of a sha256 or of the id of a face, the longest first."""
    is_id = len(name) > _STARTS[-1] and not set(name) - set("0123456789abcdef-")
    return [name[:n] for n in _STARTS if n < len(name) and "-" not in name[:n]] if is_id else []


def without_images(cat: Catalogue) -> list[str]:
    """When each erasure was done that an earlier btfer did, which remembered no names and refused no crops."""
    done = cat.rows(sa.select(erasure).where(erasure.c.state == DONE, erasure.c.done_at != ""))
    known = withdrawals.among(cat, (_WITH_IMAGES + row["id"] for row in done))
    return sorted(row["done_at"] for row in done if _WITH_IMAGES + row["id"] not in known)


def has_lost(cat: Catalogue, name: str) -> bool:
    """Whether a release lost this image (`RELEASE/sad-001.png`), or any release one of this name (`sad-001.png`)."""
    return bool(withdrawals.among(cat, [_IMAGE + name]))


def lost_at(cat: Catalogue, name: str) -> str:
    """When a release lost this image, '' = it did not."""
    return withdrawals.since(cat, [_IMAGE + name]).get(_IMAGE + name, "")


def begin(
    cat: Catalogue, id_: str, mark: str, withdrawn: Iterable[str], hashes: Iterable[HashPair]
) -> None:
    """Write down that an erasure has begun, and refuse its photos from now on; doing it again changes nothing.

    withdrawn: URLs and sha256. hashes: of the photos, for copies that come later.
    """
    row = {"id": id_, "mark": mark, "state": OPEN, "releases": {}, "at": now(), "done_at": ""}
    with cat.write() as connection:
        insert_new(connection, erasure, [row])
        withdrawals.add_within(connection, withdrawn)
        forgotten_hashes.add_within(connection, hashes)


def finish(cat: Catalogue, id_: str, releases: Mapping[str, str]) -> None:
    """Write down that an erasure is done. releases: each old one's name and its next version's ('' = none)."""
    done = {"state": DONE, "releases": dict(releases), "done_at": now()}
    with cat.write() as connection:
        connection.execute(sa.update(erasure).where(erasure.c.id == id_).values(**done))


def done_at(cat: Catalogue, asked: Iterable[str]) -> str:
    """When this was last asked for and done, '' = never. Nothing is written."""
    with cat.read() as connection:
        key = withdrawals.known_key(connection)
        if not key:
            return ""  # nothing has ever been forgotten
        of_mark = sa.select(sa.func.max(erasure.c.done_at)).where(
            erasure.c.mark == _mark(key, asked)
        )
        return str(connection.execute(of_mark).scalar() or "")


def successors(cat: Catalogue) -> dict[str, str]:
    """Each release whose place another took, and the name of that one ('' = none)."""
    rows = cat.rows(sa.select(erasure.c.releases).order_by(erasure.c.done_at))
    return {old: new for row in rows for old, new in row["releases"].items()}


def predecessors(cat: Catalogue) -> dict[str, set[str]]:
    """Each release that took another's place, and all those before it."""
    before: dict[str, set[str]] = {}
    for row in cat.rows(sa.select(erasure.c.releases).order_by(erasure.c.done_at)):
        for old, new in row["releases"].items():
            if new:
                before.setdefault(new, set()).update({old}, before.get(old, set()))
    return before
