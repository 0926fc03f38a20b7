"""Groups of near-duplicates: why each keeper stays, choosing another one, and marking photos as no copies.

What a person decides holds in dedup's next runs: a keeper that they chose stays whatever copies come, and what
they marked as no copy is kept. The verdicts of round `photos` and the faces stay with the photo that they were
given on: a keeper that loses its place takes no further part, and the new one awaits review like any photo.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from btfer.catalogue import Catalogue, comparisons, duplicates, photos, votes, withdrawals
from btfer.catalogue.duplicates import DuplicateFacts
from btfer.catalogue.rows import PhotoHashes
from btfer.catalogue.verdicts import Verdict
from btfer.duplicate_rules import rank, root
from btfer.errors import UsageError
from btfer.hamming import hamming_distance
from btfer.review.duplicate_reasons import OnPictures, facts_before, licences_of, why_kept
from btfer.review.exchange_rows import shortened
from btfer.review.rules import check_reviewer

PAGE = 8
MOST_SHOWN = 24  # of one group: there may be ten thousand copies of one blank picture
_SHOWN = ("phrase", "source", "title", "author", "page_url")


@dataclass(frozen=True)
class GroupSummary:
    """A group in the list of groups. copies: the furthest from the keeper first, as these are most often mistakes."""

    keeper: str
    copies: tuple[str, ...]
    conflicting: bool


@dataclass(frozen=True)
class GroupPhoto:
    """One photo of a group. distance_bits, mirrored: to the keeper; judged: its verdict in round `photos`.

    difference: the largest local one to the keeper, as dedup measured it; None = it did not compare the two.
    why: what decided between it and the keeper; of the keeper itself, between it and the next best.
    labels: the classes whose queries found it.
    """

    photo: str
    format: str
    width_px: int
    height_px: int
    n_bytes: int
    found_at: str
    licence: str
    labels: tuple[str, ...]
    judged: str
    distance_bits: int = 0
    difference: float | None = None
    mirrored: bool = False
    why: str = ""
    about: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DuplicateGroup:
    """A keeper and its copies. hidden: how many copies of it are not among them. labels: of all of them."""

    keeper: GroupPhoto
    copies: list[GroupPhoto]
    labels: tuple[str, ...]
    hidden: int = 0

    @property
    def conflicting(self) -> bool:
        """Whether queries of different classes found it."""
        return len(self.labels) > 1


def group_summaries(cat: Catalogue) -> list[GroupSummary]:
    """All groups: those found under queries of different classes first, then the largest."""
    rows = sorted(duplicates.copies(cat), key=lambda row: (-(row.distance_bits or 0), row.photo))
    keeper_of = {row.photo: row.keeper for row in rows}
    copies: dict[str, list[str]] = defaultdict(list)
    for photo in keeper_of:
        copies[root(photo, keeper_of)].append(photo)
    labels: dict[str, set[str]] = defaultdict(set)
    for photo, label in duplicates.classes_searched(cat):
        labels[root(photo, keeper_of)].add(label)
    found = [GroupSummary(one, tuple(its), len(labels[one]) > 1) for one, its in copies.items()]
    return sorted(found, key=lambda one: (not one.conflicting, -len(one.copies), one.keeper))


def current_groups(
    cat: Catalogue,
    summaries: Sequence[GroupSummary],
    most: int = MOST_SHOWN,
    *,
    is_bordered: Callable[[str], bool] = lambda _: False,
) -> list[list[DuplicateGroup]]:
    """What has become of each listed group, with all that is shown of it: mostly one group; [] = no copies now.

    is_bordered: whether a photo (sha256) has a strip or a frame around it, which only its pixels say.
    """
    shown = [[one.keeper, *one.copies[:most]] for one in summaries]
    known = duplicates.facts(cat, {name for names in shown for name in names})
    asked = {""}
    while missing := {row.keeper for row in known.values()} - asked - set(known):
        known |= duplicates.facts(cat, missing)
        asked |= missing
    keeper_of = {name: row.keeper for name, row in known.items() if row.keeper in known}
    bordered = {name for name in known if is_bordered(name)}
    on = OnPictures(bordered, comparisons.marked_among(cat, known))
    found = []
    for summary, names in zip(summaries, shown, strict=True):
        members: dict[str, list[DuplicateFacts]] = defaultdict(list)
        for name in names:
            if name in keeper_of:
                members[root(name, keeper_of)].append(known[name])
        hidden = max(0, len(summary.copies) - most)
        found.append([_group(known[root], rows, hidden, on) for root, rows in members.items()])
    return _with_differences(cat, found)


def _with_differences(
    cat: Catalogue, listed: list[list[DuplicateGroup]]
) -> list[list[DuplicateGroup]]:
    pairs = [
        (one.photo, its.keeper.photo) for groups in listed for its in groups for one in its.copies
    ]
    found = comparisons.differences(cat, pairs)

    def measured(group: DuplicateGroup) -> DuplicateGroup:
        keeper = group.keeper.photo
        copies = [replace(one, difference=found.get((one.photo, keeper))) for one in group.copies]
        return replace(group, copies=copies)

    return [[measured(group) for group in groups] for groups in listed]


def change(
    cat: Catalogue,
    keeper: str,
    reviewer: str,
    *,
    keep: str = "",
    not_copies: Collection[str] = (),
    page: str = "",
) -> int:
    """Choose which photo of a keeper's group stays ('' = as it is) and which are no copies; how many verdicts.

    All at once, and only ever appended: the others become copies of the one that stays. page: names this sending;
    sent again under the same name, nothing is written, and the answer is 0. Raises UsageError, and writes nothing,
    where the group has changed meanwhile or a photo is not of it.
    """
    by, stays, others = _person(reviewer), keep or keeper, set(not_copies)
    kept = [*sorted(others)] if stays == keeper else [stays, *sorted(others)]
    uid_of = {name: _uid(page, by, name) for name in kept}

    def decide(rows: list[PhotoHashes]) -> list[Verdict]:
        new = _verdicts(rows, keeper, stays, others, by)
        return [replace(one, uid=_uid(page, by, one.photo)) for one in new] if page else new

    with cat.together() as at_once:
        if page and votes.known_uids(at_once, [*uid_of.values()]):
            return 0
        _refuse_forgotten(at_once, {keeper, stays, *others})
        return duplicates.change(at_once, keeper, decide)


def _uid(page: str, reviewer: str, photo: str) -> str:
    return shortened(f"{page}|{reviewer}|dedup|{photo}")


def _refuse_forgotten(cat: Catalogue, named: set[str]) -> None:
    gone = len(withdrawals.among(cat, named - photos.known(cat, named)))
    if gone:
        raise UsageError(
            f"{gone} photos of this group were forgotten meanwhile, and nothing was saved: judge what is left of it"
        )


def undo_last(cat: Catalogue, reviewer: str) -> list[str]:
    """Undo what a person changed last; the photos that it was about, [] if there is nothing.

    Works on what the catalogue holds, so also after a restart. Where new copies have come to their keeper
    meanwhile, they are of the old group until dedup runs, which looks at them again.
    """
    return duplicates.undo_last(cat, _person(reviewer))


def _person(reviewer: str) -> str:
    name = check_reviewer(reviewer)
    if name == "dedup":  # or its verdicts and a person's could not be told apart
        raise UsageError("'dedup' is the name of a stage: enter your own name")
    return name


def _verdicts(
    rows: Sequence[PhotoHashes], old: str, new: str, not_copies: set[str], reviewer: str
) -> list[Verdict]:
    """What is to be written. rows: the group, keeper first."""
    if not rows:
        raise UsageError(f"photo '{old[:80]}' has no copies now: load the page again")
    hashes = {row.sha256: (row.phash, row.mirror_phash) for row in rows}
    for name in (new, *not_copies):
        if name not in hashes:
            raise UsageError(f"photo '{name[:80]}' is not in this group now: load the page again")
    if new in not_copies:
        raise UsageError(
            "the photo that stays cannot be marked as no copy: choose another one to stay first"
        )
    kept = [*sorted(not_copies)] if new == old else [new, *sorted(not_copies)]
    keeps = [Verdict("dedup", name, "keep", reviewer) for name in kept]
    if new == old:
        return keeps
    drops = [
        Verdict(
            "dedup",
            name,
            "drop",
            reviewer,
            reason="duplicate",
            keeper=new,
            distance=hamming_distance(hashes[name], hashes[new]).bits,
        )
        for name in hashes
        if name not in kept
    ]
    return keeps + drops


def _group(
    keeper: DuplicateFacts, rows: Sequence[DuplicateFacts], hidden: int, on: OnPictures
) -> DuplicateGroup:
    chosen_by = next((row.decided_by for row in rows if row.decided_by != "dedup"), "")
    hashes = keeper.phash, keeper.mirror_phash
    copies = []
    for row in rows:
        bits, mirrored = hamming_distance((row.phash, row.mirror_phash), hashes)
        why = why_kept(keeper, row, chosen_by, on=on)
        copies.append(replace(_photo(row), distance_bits=bits, mirrored=mirrored, why=why))
    next_best = min(rows, key=lambda row: rank(facts_before(row, row.verdict_id, on)))
    why = why_kept(keeper, next_best, chosen_by, on=on)
    labels = tuple(sorted({label for row in (keeper, *rows) for label in _labels(row)}))
    return DuplicateGroup(replace(_photo(keeper), why=why), copies, labels, hidden)


def _photo(row: DuplicateFacts) -> GroupPhoto:
    first = row.sightings[0] if row.sightings else None
    return GroupPhoto(
        photo=row.sha256,
        format=row.format,
        width_px=row.width_px,
        height_px=row.height_px,
        n_bytes=row.n_bytes,
        found_at=row.at,
        licence=licences_of(row),
        labels=_labels(row),
        judged=row.reason or row.judgement,
        about={name: getattr(first, name, "") for name in _SHOWN},
    )


def _labels(row: DuplicateFacts) -> tuple[str, ...]:
    return tuple(sorted({one.expression for one in row.sightings} - {""}))
