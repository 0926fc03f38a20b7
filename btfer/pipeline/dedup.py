"""Near-duplicates: copies of one picture form a group, and the best of it stays.

Equal bytes are one photo already (its name is its sha256). Here come the resized, recompressed,
mirrored, cropped and framed copies. Hashes within a Hamming distance make two photos candidates
(`candidates`), their faces and thumbnails decide (`likeness`), and fixed rules say who stays (`grouping`).
Source: BTFER section 2, stage 2, where people did it by eye.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from btfer.catalogue import Catalogue, duplicates, pairs, photos, verdicts, versions
from btfer.catalogue.rows import DuplicateCandidate
from btfer.catalogue.stage_lock import only_one
from btfer.catalogue.verdicts import Verdict
from btfer.catalogue.versions import CatalogueVersion, StageMark
from btfer.duplicate_rules import rank
from btfer.engine import Engine
from btfer.images.border import is_bordered
from btfer.paths import thumbnail_path
from btfer.pipeline.candidates import CandidateIndex, PhotoCandidates
from btfer.pipeline.grouping import Grouping, group
from btfer.pipeline.second_opinions import SecondOpinions
from btfer.pipeline.view_hashes import all_hashes
from btfer.progress import SILENT, Progress
from btfer.review.serving import keep_for_next_start
from btfer.settings import Settings
from btfer.store import Store, store_of


@dataclass(frozen=True)
class DedupOutcome:
    """Photos looked at for the first time, dropped in all, groups of two or more, split from a chain.

    asked: pairs that people are asked about.
    """

    new: int
    dropped: int
    groups: int
    split: int = 0
    asked: int = 0


def run(cat: Catalogue, settings: Settings, progress: Progress = SILENT) -> DedupOutcome:
    """Judge every photo that dedup has not seen, against all; old verdicts change only where they must.

    Old photos are compared with each other again only where a new one has come near to them, and what an earlier
    run found of two photos is remembered. What a person said holds: a keeper that they chose stays, and what they
    called no copy is kept. Where nothing that concerns dedup has changed since a run that found nothing new, nothing is
    looked at.
    """
    with only_one(cat, settings.data_dir, "dedup"):
        now = versions.version(cat)
        if known := _nothing_new(cat, now):
            return known
        index = photos.hash_index(cat)
        again = duplicates.copies_of_dropped(cat) | pairs.answered_otherwise(cat)
        new = [i for i, row in enumerate(index) if not row.decision or row.sha256 in again]
        found = Grouping()
        if new:
            near_by = CandidateIndex(all_hashes(cat, settings, index, progress)).around(
                new, settings.max_hamming_bits, Engine.of(settings)
            )
            rows = _with_borders(
                photos.for_dedup(cat, [index[i].sha256 for i in near_by.rows]), store_of(settings)
            )
            opinions = SecondOpinions(cat, rows, settings, progress)
            found = _groups(near_by, rows, opinions, settings)
            alone = {index[i].sha256 for i in new} - {row.sha256 for row in rows}
            kept = (Verdict("dedup", sha256, "keep", "dedup") for sha256 in sorted(alone))
            # Asked first: a run that is killed after its verdicts leaves nothing new to the next one.
            pairs.ask(cat, opinions.unsure())
            verdicts.add_all(cat, [*kept, *_changes(rows, found)])
            cat.count_anew(len(new))
        pairs.ask(cat, _under_other_classes(cat))
        copies = photos.duplicates(cat)
        asked = pairs.waiting_for_dedup(cat)
        groups = len({copy.keeper for copy in copies})
        outcome = DedupOutcome(len(new) - len(again), len(copies), groups, found.split, asked)
        if not new:
            versions.set_mark(cat, "dedup", StageMark(now, asdict(outcome)))
    progress.update("dedup", len(index), len(index))
    keep_for_next_start(cat, "photos", progress)
    return outcome


def _nothing_new(cat: Catalogue, now: CatalogueVersion) -> DedupOutcome | None:
    """What the last run found, where what it had to look at is as it was then."""
    mark = versions.mark_of(cat, "dedup")
    if not mark or not now.goes_on_from(mark.version):
        return None
    same = ("photo", "sighting", "answered")
    if any(getattr(now, name) != getattr(mark.version, name) for name in same):
        return None
    return None if versions.judged_since(cat, mark.version, "dedup") else DedupOutcome(**mark.found)


def _with_borders(rows: Sequence[DuplicateCandidate], store: Store) -> list[DuplicateCandidate]:
    """The rows with what only the pictures say."""
    paths = [thumbnail_path(store.folder, row.sha256) for row in rows]
    store.fetch_all(paths)
    return [row._replace(bordered=is_bordered(path)) for row, path in zip(rows, paths, strict=True)]


def _groups(
    near_by: PhotoCandidates,
    rows: Sequence[DuplicateCandidate],
    opinions: SecondOpinions,
    settings: Settings,
) -> Grouping:
    """Ask the second opinion of every pair of candidates, then choose. rows: in the order of near_by.rows."""
    ranked = [sorted(opinions.visible(key), key=lambda i: rank(rows[i])) for key in near_by.keys]
    opinions.ask((best, i) for best, *others in filter(None, ranked) for i in others)
    heads = [opinions.heads(key) for key in ranked]
    stars = [(head, i) for key in heads for head, copies in key.items() for i in copies]
    between = {
        (min(i, j), max(i, j))
        for one, other in near_by.pairs
        for i in heads[one]
        for j in heads[other]
        if i != j
    }
    opinions.ask(between)
    asked = [pair for pair in sorted({*stars, *between}) if opinions.is_known(*pair)]
    while True:
        marked = opinions.marked()
        known = [row._replace(marked=row.sha256 in marked) for row in rows]
        found = group(known, asked, near_by.distance, opinions.is_copy, settings.max_hamming_bits)
        if opinions.marked() == marked:
            return found
        # To group is to compare as well: of two copies under letters, one may first meet the clean one here.


def _under_other_classes(cat: Catalogue) -> Iterator[tuple[str, str]]:
    """Copies that dedup dropped and their keepers, where they were found under different classes: for people.

    The copy stays out until they answer that it is none.
    """
    classes: dict[str, set[str]] = {}
    for name, expression in duplicates.classes_searched(cat):
        classes.setdefault(name, set()).add(expression)
    for row in duplicates.copies(cat):
        one, other = classes.get(row.photo), classes.get(row.keeper)
        if row.reviewer == "dedup" and one and other and one != other:
            yield row.photo, row.keeper


def _changes(rows: Sequence[DuplicateCandidate], found: Grouping) -> Iterator[Verdict]:
    """One verdict for each photo whose decision, keeper or distance is new or differs from the standing one."""
    for i, row in enumerate(rows):
        if row.decision and row.by != "dedup":
            continue  # a person's
        if i not in found.keeper_of:
            if row.decision != "keep":
                yield Verdict("dedup", row.sha256, "keep", "dedup")
            continue
        keeper, bits = found.keeper_of[i]
        sha256 = rows[keeper].sha256
        if (row.decision, row.keeper) != ("drop", sha256):
            yield Verdict(
                "dedup",
                row.sha256,
                "drop",
                "dedup",
                reason="duplicate",
                keeper=sha256,
                distance=bits,
            )
