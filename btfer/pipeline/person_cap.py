"""`--max-per-person`: at most so many faces of a release show what a face network holds for one person.

A face is left out where so many of those drawn before it, in the order of the draw, are nearer to it than a
threshold; a chain of look-alikes is no person. Only what is drawn is measured, and the numbers stay in this process.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from btfer.catalogue import Catalogue, faces
from btfer.catalogue.rows import KeptFace
from btfer.engine import SERIAL, Engine, map_unordered
from btfer.errors import BtferError
from btfer.faces.align import Floats
from btfer.faces.crops import TOGETHER, crops_of, embed, paths_of
from btfer.faces.identity import Embedder, choose_embedder, n_near
from btfer.pipeline import sample
from btfer.progress import SILENT, Progress
from btfer.release_record import PersonCap
from btfer.settings import Settings
from btfer.store import store_of

IN_PROCESSES_FROM = 200  # crops; fewer are read in less time than processes take to start
Draw = Callable[..., sample.Sample]
"""`sample.draw` with all but the faces and `withheld` given."""


class People:
    """Faces by what the network makes of them, each measured once.

    A face without landmarks, or whose crop is gone, is like no other: a box that a person drew has none.
    """

    def __init__(
        self,
        cat: Catalogue,
        settings: Settings,
        cap: PersonCap,
        embedder: Embedder,
        progress: Progress = SILENT,
    ) -> None:
        self._cat, self._settings, self._embedder = cat, settings, embedder
        self._cap, self._progress = cap, progress
        self._vectors: dict[str, Floats | None] = {}

    def too_many(self, ranked: Iterable[str]) -> set[str]:
        """Of faces in the order of the draw those that come after as many of the same person as may be in."""
        ranked = list(ranked)
        self._measure(ranked)
        kept: list[str] = []
        left_out = set()
        for face in ranked:
            if self._of_person(face, kept) < self._cap.most:
                kept.append(face)
            else:
                left_out.add(face)
        return left_out

    def has_room(self, face: str, kept: Sequence[str]) -> bool:
        """Whether a face may be in a release beside others."""
        self._measure([face, *kept])
        return self._of_person(face, kept) < self._cap.most

    def _of_person(self, face: str, kept: Sequence[str]) -> int:
        """How many of the others are near."""
        own = self._vectors[face]
        others = [one for name in kept if (one := self._vectors[name]) is not None]
        return 0 if own is None else n_near(own, others, self._cap.max_distance)

    def _measure(self, ids: Sequence[str]) -> None:
        new = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._vectors]
        self._vectors |= dict.fromkeys(new)
        crops = crops_of(faces.by_id(self._cat, new).values(), self._settings.data_dir)
        parts = [crops[n : n + TOGETHER] for n in range(0, len(crops), TOGETHER)]
        engine = Engine.of(self._settings) if len(crops) >= IN_PROCESSES_FROM else SERIAL
        store = store_of(self._settings)
        work = store.at_worker(partial(embed, self._embedder), paths_of)
        found = map_unordered(work, parts, engine=engine)
        for number, vectors in enumerate(found, start=1):
            self._vectors |= vectors
            self._progress.update("people", min(number * TOGETHER, len(crops)), len(crops))


def cap_of(settings: Settings, most: int) -> tuple[PersonCap, Embedder]:
    """What a release states of the cap, and the network. Raises as `choose_embedder`."""
    embedder = choose_embedder(settings.face_embedder)
    distance = settings.max_person_distance or embedder.max_distance
    return PersonCap(most, embedder.name, distance), embedder


def same_people(cat: Catalogue, settings: Settings, cap: PersonCap) -> People | None:
    """Faces by the network that a release names; None where that network is not here, so that nothing can be said."""
    try:
        embedder = choose_embedder(settings.face_embedder)
    except BtferError:
        return None
    return People(cat, settings, cap, embedder) if embedder.name == cap.embedder else None


def draw_capped(
    draw: Draw, free: Sequence[KeptFace], people: People, seed: int, withheld: Sequence[str] = ()
) -> sample.Sample:
    """Draw, leave out who is there too often, and draw again from the others until nobody is.

    withheld: as `sample.draw` takes it. Raises Incomplete as that does.
    """
    left_out: set[str] = set()
    while True:
        lines = [*withheld, _line(len(left_out))] if left_out else withheld
        drawn = draw([face for face in free if face.id not in left_out], withheld=lines)
        chosen = [face.id for its in drawn.chosen.values() for face in its]
        again = people.too_many(sorted(chosen, key=partial(sample.rank, seed)))
        if not again:
            by_class = Counter(face.expression for face in free if face.id in left_out)
            return replace(drawn, same_person=by_class)
        left_out |= again


def _line(n: int) -> str:
    return f"{n} faces were left out: the release has enough of the same people (--max-per-person)"
