"""Near-duplicates: copies of one picture form a group, and the best of it stays.

Equal bytes are one photo already (its name is its sha256). Here come the resized, recompressed,
mirrored, cropped and framed copies. Hashes within a Hamming distance make two photos candidates
(`candidates`), their faces and thumbnails decide (`likeness`), and fixed rules say who stays (`grouping`).
Source: BTFER section 2, stage 2, where people did it by eye.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue import Catalogue, duplicates, pairs, photos, verdicts
from btfer.catalogue.rows import DuplicateCandidate
from btfer.catalogue.verdicts import Verdict
from btfer.duplicate_rules import rank
from btfer.files import only_one
from btfer.images.border import is_bordered
from btfer.paths import thumbnail_path
from btfer.pipeline.candidates import CandidateIndex, PhotoCandidates
from btfer.pipeline.grouping import Grouping, group
from btfer.pipeline.second_opinions import SecondOpinions
from btfer.pipeline.view_hashes import all_hashes
from btfer.progress import SILENT, Progress
from btfer.settings import Settings


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
    called no copy is kept.
    """
    with only_one(settings.data_dir, "dedup"):
        index = photos.hash_index(cat)
        again = duplicates.copies_of_dropped(cat) | pairs.answered_otherwise(cat)
        new = [i for i, row in enumerate(index) if not row.decision or row.sha256 in again]
        found = Grouping()
        if new:
            near_by = CandidateIndex(all_hashes(cat, settings, index, progress)).around(
                new, settings.max_hamming_bits
            )
            rows = _with_borders(
                photos.for_dedup(cat, [index[i].sha256 for i in near_by.rows]), settings.data_dir
            )
            opinions = SecondOpinions(cat, rows, settings, progress)
            found = _groups(near_by, rows, opinions, settings)
            alone = {index[i].sha256 for i in new} - {row.sha256 for row in rows}
            kept = (Verdict("dedup", sha256, "keep", "dedup") for sha256 in sorted(alone))
            verdicts.add_all(cat, [*kept, *_changes(rows, found)])
            pairs.ask(cat, opinions.unsure())
        copies = photos.duplicates(cat)
        asked = pairs.waiting_for_dedup(cat)
    progress.update("dedup", len(index), len(index))
    groups = len({copy.keeper for copy in copies})
    return DedupOutcome(len(new) - len(again), len(copies), groups, found.split, asked)


def _with_borders(rows: Iterable[DuplicateCandidate], data_dir: Path) -> list[DuplicateCandidate]:
    """The rows with what only the pictures say."""
    return [
        row._replace(bordered=is_bordered(thumbnail_path(data_dir, row.sha256))) for row in rows
    ]


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
    return group(rows, asked, near_by.distance, opinions.is_copy, settings.max_hamming_bits)


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
