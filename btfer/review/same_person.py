"""The order in which faces of one person stand together, by a face network.

What the network makes of a face is biometric data: it is made only where somebody asks for this order, on this
machine, is kept in the memory of this process and nowhere else, and is dropped when its face awaits people no more
(it was judged, forgotten or withdrawn), when nobody has looked for as long as a lease lasts, and at the end of the
process. What leaves this file is an order of ids.
"""

import threading
import time
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from btfer.catalogue import Catalogue, faces, versions
from btfer.errors import BtferError
from btfer.faces.align import Floats
from btfer.faces.crops import TOGETHER, crops_of, paths_of
from btfer.faces.identity import Embedder, person_of_each, together
from btfer.faces.network_process import NetworkProcess
from btfer.review.index import shared
from btfer.settings import Settings
from btfer.store import store_of

MOST = 2_000
"""Faces that are compared for one order: with dlib's network four minutes of one core."""
MOST_CHOICES = 8  # of pictures; the oldest is dropped for a new one
KEPT_S = 20 * 60.0  # since somebody looked last
LOOKS_EVERY_S = 5.0  # for what was forgotten or withdrawn


@dataclass(frozen=True)
class FacesCompared:
    """How far comparing is. done: of `total` faces. order: ids, empty until all are done. error: why it failed."""

    done: int
    total: int
    order: tuple[str, ...] = ()
    error: str = ""


@dataclass
class _Asked:
    """What somebody asked to be put in order. ids: at most MOST, in the order in which they await people."""

    ids: list[str]
    order: tuple[str, ...] = ()


@dataclass
class _Held:
    """What is in memory. vectors: by face; None = it cannot be measured, so that it is like no other."""

    vectors: dict[str, Floats | None] = field(default_factory=dict)
    asked: dict[Hashable, _Asked] = field(default_factory=dict)

    def ask(self, what: Hashable, ids: list[str]) -> None:
        """Take in a choice of pictures as the newest."""
        self.asked.pop(what, None)
        self.asked[what] = _Asked(ids)
        for old in [*self.asked][:-MOST_CHOICES]:
            del self.asked[old]
        self.keep_only({id_ for one in self.asked.values() for id_ in one.ids})

    def keep_only(self, faces: Collection[str]) -> None:
        """Drop what is held of all others."""
        self.vectors = {one: value for one, value in self.vectors.items() if one in faces}
        for asked in self.asked.values():
            asked.ids = [one for one in asked.ids if one in faces]
            asked.order = tuple(one for one in asked.order if one in faces)


class SamePerson:
    """Faces that await people, compared in the background; one for all who work on a catalogue in this process."""

    def __init__(
        self,
        cat: Catalogue,
        settings: Settings,
        embedder: Embedder,
        *,
        kept_s: float = KEPT_S,
        looks_every_s: float = LOOKS_EVERY_S,
    ) -> None:
        self._cat, self._settings, self._store = cat, settings, store_of(settings)
        self.kept_s, self._looks_every_s = kept_s, looks_every_s
        self._max_distance = settings.max_person_distance or embedder.max_distance
        self._held = _Held()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_look = 0.0
        self._version = versions.version(cat)
        self._error = ""

    def ask(self, what: Hashable, awaiting: Sequence[str], *, again: bool = False) -> FacesCompared:
        """How far the order of some pictures is, which is begun where nobody has asked for it.

        what: names the choice of pictures. awaiting: the faces that await people under it, now. The first MOST are
        compared; the next ones when all of these have been judged. again: also where it has failed before.
        """
        with self._lock:
            self._last_look = time.monotonic()
            self._error = "" if again else self._error
            known = self._held.asked.get(what)
            if known is None or not set(known.ids).intersection(awaiting):
                self._held.ask(what, list(awaiting[:MOST]))
            self._begin()
        return self.progress(what)

    def progress(self, what: Hashable) -> FacesCompared:
        """How far the order of these pictures is; nothing where nobody asked, or it was dropped."""
        with self._lock:
            known = self._held.asked.get(what, _Asked([]))
            done = sum(one in self._held.vectors for one in known.ids)
            return FacesCompared(done, len(known.ids), known.order, self._error)

    def held_faces(self) -> list[str]:
        """The faces of which something is in memory."""
        with self._lock:
            return [*self._held.vectors]

    def end(self) -> None:
        """Drop everything, and end what works in the background."""
        self.kept_s = 0.0
        self._wake.set()
        if thread := self._thread:
            thread.join()

    def _begin(self) -> None:
        self._wake.set()
        if not self._thread:
            self._thread = threading.Thread(target=self._work, name="same person", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """Compare while there is something to compare; then watch over what is held until nobody looks any more."""
        try:
            while self._is_looked_at():
                self._compare()
                self._wake.wait(self._looks_every_s)
                self._wake.clear()
                self._drop_gone()
        except BtferError as error:  # of the catalogue: without it nothing can be dropped in time
            self._error = str(error)
        finally:
            with self._lock:
                self._held, self._thread = _Held(), None

    def _is_looked_at(self) -> bool:
        with self._lock:
            return time.monotonic() - self._last_look < self.kept_s

    def _compare(self) -> None:
        try:
            with NetworkProcess(self._settings.face_embedder) as network:
                while (some := self._next()) and self._is_looked_at():
                    self._take(some, network)
                    self._drop_gone()
        except BtferError as error:
            with self._lock:
                self._error = str(error)

    def _take(self, ids: list[str], network: NetworkProcess) -> None:
        crops = crops_of(faces.by_id(self._cat, ids).values(), self._settings.data_dir)
        self._store.fetch_all(paths_of(crops))
        measured = network.embed(crops) if crops else {}
        with self._lock:
            self._held.vectors |= {one: measured.get(one) for one in ids}

    def _next(self) -> list[str]:
        """Faces to be measured; where there are none, what was asked for is put in order."""
        with self._lock:
            if self._error:
                return []
            held = self._held
            for one in reversed(held.asked.values()):
                if missing := [id_ for id_ in one.ids if id_ not in held.vectors]:
                    return missing[:TOGETHER]
            for one in held.asked.values():
                one.order = one.order or self._order(one.ids)
            return []

    def _order(self, ids: list[str]) -> tuple[str, ...]:
        vectors = {one: vector for one in ids if (vector := self._held.vectors[one]) is not None}
        return tuple(together(ids, person_of_each(vectors, self._max_distance)))

    def _drop_gone(self) -> None:
        """Keep only what still awaits people, and so nothing that was forgotten or withdrawn."""
        version = versions.version(self._cat)
        if version == self._version:
            return
        index = shared(self._cat)
        with index.lock:
            index.refresh()
            here = set(index.awaiting["faces"])
        with self._lock:
            self._held.keep_only(here)
        self._version = version


_shared: WeakKeyDictionary[Catalogue, SamePerson] = WeakKeyDictionary()
_sharing = threading.Lock()


def comparing(cat: Catalogue, settings: Settings, embedder: Embedder) -> SamePerson:
    """The comparison that all who work on an opened catalogue in this process share."""
    with _sharing:
        if cat not in _shared:
            _shared[cat] = SamePerson(cat, settings, embedder)
        return _shared[cat]
