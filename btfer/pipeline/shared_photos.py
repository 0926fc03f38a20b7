"""Photos that have faces of several classes: which class each of them serves, so that rare classes get their faces.

A photo gives one face. Where every class has enough, it is the face of lowest rank, and nothing here changes that.
Where a class is short, photos move to it from classes that have more, over other classes if need be, until no class
can grow except at the cost of one that has as few: as many faces as can be had, and as even as can be (the
max-min fair flow). The method is that of augmenting paths (Ford and Fulkerson 1956), one face at a time.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from btfer.catalogue.rows import KeptFace

Site = str
State = tuple[str, Site | None]
"""A class that needs one face more, and the site of which it has just given one away (None = of none)."""


_NOTHING: deque[str] = deque()


class Move(NamedTuple):
    """A photo that may serve another class."""

    photo: str
    giver: str
    taker: str


def share_out(
    faces_of: Mapping[str, Mapping[str, KeptFace]],
    site_of: Mapping[str, Site],
    fixed: Mapping[str, Mapping[Site, int]],
    *,
    per_class: int,
    max_per_site: int,
) -> dict[str, KeptFace]:
    """The face that each shared photo gives.

    faces_of: by photo, then by class; both in rank order, so that the first class is the photo's own. site_of: by
    photo ('' = not known, without limit). fixed: how many other photos each class has of each site.
    max_per_site: 0 = no limit.
    """
    given = _Shares(faces_of, site_of, fixed, max_per_site)
    stuck: set[str] = set()
    while short := [name for name in fixed if name not in stuck and given.total[name] < per_class]:
        poorest = min(short, key=lambda name: given.total[name])
        path = given.path_to(poorest)
        if not path:
            stuck.add(poorest)  # for good: what others gain later never passes through it
        for move in path:
            given.make(move)
    return {photo: faces_of[photo][label] for photo, label in given.serves.items()}


class _Shares:
    """How the photos are shared out now. total: faces of each class that count, by its sites' limits."""

    def __init__(
        self,
        faces_of: Mapping[str, Mapping[str, KeptFace]],
        site_of: Mapping[str, Site],
        fixed: Mapping[str, Mapping[Site, int]],
        max_per_site: int,
    ) -> None:
        self._faces_of, self._site_of, self._most = faces_of, site_of, max_per_site
        self.serves = {photo: next(iter(of)) for photo, of in faces_of.items()}
        self._count = {label: dict(of) for label, of in fixed.items()}
        for photo, label in self.serves.items():
            site = site_of[photo]
            self._count[label][site] = self._count[label].get(site, 0) + 1
        self.total = {
            label: sum(self._counted(site, n) for site, n in of.items())
            for label, of in self._count.items()
        }

    @cached_property
    def _movable(self) -> dict[tuple[str, str], deque[str]]:
        """Photos by the class that each serves and by one that it could serve, in rank order."""
        found: dict[tuple[str, str], deque[str]] = defaultdict(deque)
        for photo, of in self._faces_of.items():
            for label in of:
                if label != self.serves[photo]:
                    found[self.serves[photo], label].append(photo)
        return found

    @cached_property
    def _at_site(self) -> dict[tuple[Site, str], list[str]]:
        """Photos by their site and by a class that each could serve, in rank order."""
        found: dict[tuple[Site, str], list[str]] = defaultdict(list)
        for photo, of in self._faces_of.items():
            for label in of:
                found[self._site_of[photo], label].append(photo)
        return found

    def path_to(self, taker: str) -> list[Move]:
        """Moves after which this class has one face more, and none has fewer than it then has; [] = there are none."""
        enough = self.total[taker] + 2
        start: State = (taker, None)
        came: dict[State, tuple[State, Move] | None] = {start: None}
        opened = {taker}
        waiting = deque([(start, self._moves_with_room(taker))])
        while waiting:
            state, moves = waiting[0]
            move = next(moves, None)
            if move is None:
                waiting.popleft()
                continue
            giver, site = move.giver, self._site_of[move.photo]
            after: State = (giver, site)
            if after in came:
                continue
            came[after] = (state, move)
            if self._is_spare(giver, site) or self.total[giver] >= enough:
                return _back(came, after)
            waiting.append((after, self._moves_at(giver, site)))
            if giver not in opened:  # classes are few, sites are many: another class first
                opened.add(giver)
                waiting.appendleft((after, self._moves_with_room(giver)))
        return []

    def make(self, move: Move) -> None:
        """Let a photo serve another class."""
        site = self._site_of[move.photo]
        self.serves[move.photo] = move.taker
        self._add(move.giver, site, -1)
        self._add(move.taker, site, 1)
        for label in self._faces_of[move.photo]:
            if label != move.taker:
                self._movable[move.taker, label].append(move.photo)

    def _moves_at(self, taker: str, site: Site) -> Iterator[Move]:
        """Photos of a site that is full, of which a class has just given one away."""
        if not self._has_room(taker, site):
            for photo in self._at_site.get((site, taker), ()):
                if self.serves[photo] != taker:
                    yield Move(photo, self.serves[photo], taker)

    def _moves_with_room(self, taker: str) -> Iterator[Move]:
        """Photos that would add a face to a class, one of each site and giver; givers that have most come first."""
        for giver in sorted(self.total, key=lambda name: -self.total[name]):
            queue = self._movable.get((giver, taker), _NOTHING)
            while queue and self.serves[queue[0]] != giver:  # moved since
                queue.popleft()
            seen: set[Site] = set()
            for photo in queue:
                site = self._site_of[photo]
                if self.serves[photo] == giver and site not in seen and self._has_room(taker, site):
                    seen.add(site)
                    yield Move(photo, giver, taker)

    def _add(self, label: str, site: Site, n: int) -> None:
        before = self._count[label].get(site, 0)
        self._count[label][site] = before + n
        self.total[label] += self._counted(site, before + n) - self._counted(site, before)

    def _counted(self, site: Site, n: int) -> int:
        return n if not self._most or not site else min(n, self._most)

    def _has_room(self, label: str, site: Site) -> bool:
        return not self._most or not site or self._count[label].get(site, 0) < self._most

    def _is_spare(self, label: str, site: Site) -> bool:
        """Whether a class loses nothing when it gives a face of this site away."""
        return bool(self._most and site) and self._count[label][site] > self._most


def _back(came: Mapping[State, tuple[State, Move] | None], end: State) -> list[Move]:
    """The moves of a path."""
    moves = []
    step = came[end]
    while step is not None:
        before, move = step
        moves.append(move)
        step = came[before]
    return moves
