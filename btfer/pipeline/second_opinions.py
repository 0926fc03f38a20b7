"""The second opinion of pairs of photos: people's answers first, then what is remembered, then a comparison.

Pairs that have photos in common go to one worker, which so reads each photo and looks for its faces once, and compares
the best of them with all first: two photos that are copies of a third are not compared with each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from btfer.catalogue import Catalogue, comparisons, pairs
from btfer.catalogue.comparisons import Comparison
from btfer.catalogue.rows import DuplicateCandidate
from btfer.duplicate_rules import rank
from btfer.engine import SERIAL, Engine, map_unordered
from btfer.pipeline import likeness
from btfer.pipeline.grouping import Pair, split_into_parts
from btfer.progress import Progress
from btfer.settings import Settings
from btfer.store import Store, store_of

WORKERS_FROM_PAIRS = 100  # for fewer, starting worker processes costs more than comparing
PAIRS_AT_ONCE = 60  # one worker's share of a large group
REMEMBERED_AT_ONCE = 200

Names = tuple[str, str]


class SecondOpinions:
    """Whether photos are copies of each other; every pair is compared once, in this run and all later ones."""

    def __init__(
        self,
        cat: Catalogue,
        rows: Sequence[DuplicateCandidate],
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._cat = cat
        self._names = [row.sha256 for row in rows]
        self._rank = {
            i: n for n, i in enumerate(sorted(range(len(rows)), key=lambda i: rank(rows[i])))
        }
        self._settings = settings
        self._store = store_of(settings)
        self._progress = progress
        self._place = place = {name: i for i, name in enumerate(self._names)}
        self._known: dict[Pair, Comparison] = {}
        self._copies: dict[int, set[int]] = {}
        for one in comparisons.known(cat, likeness.VERSION):
            if one.one in place and one.other in place:
                self._learn(one)
        self._said = {
            _ordered(*(place[name] for name in names)): same
            for names, same in pairs.answered_to_dedup(cat).items()
            if place.keys() >= set(names)
        }

    def is_known(self, i: int, j: int) -> bool:
        """Whether two photos have been compared, or people asked."""
        return _ordered(i, j) in self._known or _ordered(i, j) in self._said

    def is_copy(self, i: int, j: int) -> bool:
        """Whether two photos show the same picture."""
        pair = _ordered(i, j)
        if pair in self._said:
            return self._said[pair]
        if pair not in self._known:
            one, other = sorted((self._names[i], self._names[j]))
            found = likeness.compare(one, other, store=self._store)
            self._remember([Comparison(one, other, *found)])
        return self._known[pair].same

    def ask(self, pairs: Iterable[Pair]) -> None:
        """Ask many at once, in worker processes; pairs that follow from others are left out."""
        new = {_ordered(*pair) for pair in pairs} - set(self._known)
        tasks = list(self._tasks(new))
        engine = Engine.of(self._settings) if len(new) > WORKERS_FROM_PAIRS else SERIAL
        compare = partial(compare_group, store=self._store)
        found: list[Comparison] = []
        for number, answers in enumerate(map_unordered(compare, tasks, engine=engine), start=1):
            found += answers
            if len(found) > REMEMBERED_AT_ONCE or number == len(tasks):
                self._remember(found)
                found = []
            self._progress.update("pairs", number, len(tasks))

    def visible(self, members: Iterable[int]) -> list[int]:
        """Those that are not blank, which are nobody's copies: there may be thousands of one hash."""
        return [i for i in members if not likeness.is_blank(self._names[i], store=self._store)]

    def heads(self, members: Sequence[int]) -> dict[int, list[int]]:
        """Photos of equal hash, best first, by the one that they are copies of."""
        found: dict[int, list[int]] = {}
        for i in members:
            head = next(
                (one for one in found if self._follows(one, i) or self.is_copy(one, i)), None
            )
            if head is None:
                found[i] = []
            else:
                found[head].append(i)
        return found

    def marked(self) -> set[str]:
        """The photos that have see-through letters over what a copy shows plainly."""
        return {one.marked for one in self._known.values() if one.marked}

    def unsure(self) -> Iterator[Names]:
        """Pairs of one scene in which faces differ: for people."""
        for pair, one in self._known.items():
            if one.same_scene and not one.same and pair not in self._said:
                yield one.one, one.other

    def _follows(self, i: int, j: int) -> bool:
        """Whether both are copies of a third."""
        return not self.is_known(i, j) and bool(
            self._copies.get(i, set()) & self._copies.get(j, set())
        )

    def _tasks(self, new: Iterable[Pair]) -> Iterator[list[Names]]:
        """Pairs for one worker, those with the best photo first."""
        by_rank = sorted(new, key=lambda pair: sorted(self._rank[i] for i in pair))
        for part in split_into_parts(by_rank):
            for at in range(0, len(part), PAIRS_AT_ONCE):
                yield [self._best_first(*pair) for pair in part[at : at + PAIRS_AT_ONCE]]

    def _best_first(self, i: int, j: int) -> Names:
        best, other = sorted((i, j), key=self._rank.__getitem__)
        return self._names[best], self._names[other]

    def _remember(self, found: Sequence[Comparison]) -> None:
        comparisons.add(self._cat, likeness.VERSION, found)
        for one in found:
            self._learn(one)

    def _learn(self, one: Comparison) -> None:
        i, j = self._place[one.one], self._place[one.other]
        self._known[_ordered(i, j)] = one
        if one.same:
            self._copies.setdefault(i, set()).add(j)
            self._copies.setdefault(j, set()).add(i)


def compare_group(named: Sequence[Names], *, store: Store) -> list[Comparison]:
    """`likeness.compare` of pairs, best photo first, but for two that are copies of a third; for worker processes."""
    found: list[Comparison] = []
    copies_of: dict[str, set[str]] = {}
    for best, other in named:
        if copies_of.get(best, set()) & copies_of.get(other, set()):
            continue
        answer = likeness.compare(best, other, store=store)
        found.append(Comparison(min(best, other), max(best, other), *answer))
        if answer.same:
            copies_of.setdefault(other, set()).add(best)
    return found


def _ordered(i: int, j: int) -> Pair:
    return (i, j) if i < j else (j, i)
