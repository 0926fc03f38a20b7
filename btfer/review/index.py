"""Every picture of a catalogue with what holds of it, in memory: read once, then only what has changed since.

One index serves all reviewers of a process and both rounds, so that a page, a second person's first page and the
overview cost what has changed, not what there is. The catalogue stays the truth: what is shown is leased and read
there (`review.queues`), and what was forgotten, or a new crop setting, makes the index anew.
"""

import gc
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from btfer.catalogue import Catalogue, faces, review_rows, statements, versions
from btfer.catalogue import photos as photos_
from btfer.catalogue.current_verdicts import (
    CurrentVerdict,
    Holding,
    holding,
    photo_of_each,
    queries,
)
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.review_rows import (
    FoundPhoto,
    MeasuredFace,
    MeasuredPhoto,
)
from btfer.catalogue.versions import CatalogueVersion
from btfer.catalogue.votes import ReviewSubject
from btfer.queries import Query
from btfer.review import badges
from btfer.review.rules import ROUNDS

MOST_CHANGED = 5_000  # photos: beyond, all is read anew
_FEW = 500  # pictures whose hints are read alone
_KEPT = ("keep", "relabel")
_STAGES = ("dedup", "photos", "crop", "faces")

Counted = tuple[str, str, str]
"""What is counted: a round, a label and a decision ('' = awaited); `drop`, a round and a reason; ..."""


_Verdict = CurrentVerdict | None
_PHOTO, _FACE = "photo", "face"
_State = tuple[str, str | None, _Verdict, _Verdict, _Verdict, _Verdict]
"""Photo or face, the class that its query intends, and what holds of it in each of `_STAGES`."""


class _Held(NamedTuple):
    """The states of many pictures: each state, of how many pictures it is, and by picture the number of its state."""

    states: list[_State]
    counts: list[int]
    number_of: npt.NDArray[np.intp]

    @classmethod
    def of(
        cls, what: str, labels: Sequence[str | None], verdicts: Sequence[list[_Verdict]]
    ) -> "_Held":
        """The states from the parts of each picture: equal ones are told by their `id`, since to compare texts is slow.

        So a state may come twice.
        """
        numbers = np.zeros(len(labels), dtype=np.int64)
        for part in (labels, *verdicts):
            ids = np.fromiter(map(id, part), dtype=np.int64, count=len(labels))
            values, place = np.unique(ids, return_inverse=True)
            numbers = numbers * len(values) + place
            _, first, numbers = np.unique(numbers, return_index=True, return_inverse=True)
        states = [(what, labels[at], *(one[at] for one in verdicts)) for at in first]
        return cls(states, np.bincount(numbers).tolist(), numbers)

    def matching(self, ids: Iterable[str], wanted: Callable[..., bool]) -> Iterator[str]:
        """Those of the pictures, which are given in their order, whose state is as wanted."""
        are = np.fromiter((wanted(*one) for one in self.states), dtype=bool, count=len(self.states))
        return compress(ids, are[self.number_of].tolist())


class ReviewIndex:
    """All pictures of a catalogue under one crop setting. Hold `lock` around what reads it; `refresh` first."""

    def __init__(self, cat: Catalogue, crop_digest: str = "") -> None:
        self._cat = cat
        self.digest = crop_digest or faces.newest_settings(cat)
        self.lock = threading.RLock()
        self._version: CatalogueVersion | None = None
        self.n_changed = 0  # photos, since somebody set it to 0
        self.judged: set[str] = set()  # the rounds that somebody judges in their first order
        self._empty()

    def _empty(self) -> None:
        self.found: dict[str, FoundPhoto] = {}
        self.queries: dict[str, Query] = {}
        self.counts: Counter[Counted] = Counter()
        self.awaiting: dict[str, dict[str, ReviewSubject]] = {name: {} for name in ROUNDS}
        self.voters: dict[str, dict[str, set[str]]] = {name: {} for name in ROUNDS}
        self.disputed: dict[str, set[str]] = {name: set() for name in ROUNDS}
        self.doubted: set[str] = set()
        self.shape = getattr(self, "shape", 0) + 1  # changes when an order may have changed
        self.orders: dict[tuple[str, str], tuple[int, list[str]]] = {}  # kept by `filters.order_of`
        self._current: dict[str, dict[str, CurrentVerdict]] = defaultdict(dict)
        self._faces_of: dict[str, list[str]] = {}
        self._keeper_of: dict[str, str] = {}
        self._copies_of: dict[str, set[str]] = defaultdict(set)
        self._badges: dict[str, dict[str, tuple[str, ...]]] = {}
        self._photos: dict[str, MeasuredPhoto] = {}
        self._faces: dict[str, MeasuredFace] = {}

    @property
    def version(self) -> CatalogueVersion | None:
        """As which the catalogue was taken in last; None = not yet."""
        return self._version

    def refresh(self) -> CatalogueVersion:
        """Take in what the catalogue says now."""
        now, old = versions.version(self._cat), self._version
        if now == old:
            return now
        changed = None
        if old and now.goes_on_from(old):
            changed = review_rows.named_since(self._cat, old)
        self._version = None  # where reading fails half-way, all is read anew
        if changed is None or len(changed) > MOST_CHANGED:
            self._empty()
            with without_collecting():
                self._read(None, now)
            self.n_changed = len(self.found)
        else:
            self._read(self._with_group(changed), now)
            self.n_changed += len(changed)
        self._version = now
        return now

    # ---- what is asked of it

    def label(self, photo: str) -> str:
        """What people agreed on, else what the query intends, else `unlabelled`."""
        said = self._current["photos"].get(photo)
        seen = self.found.get(photo)
        intended = self.queries[seen.query].expression if seen else ""
        return (said.expression if said else "") or intended or UNLABELLED

    def intended(self, photo: str) -> str:
        """What the query asked for, whatever people said since; `unlabelled` where there is none."""
        seen = self.found.get(photo)
        return (self.queries[seen.query].expression if seen else "") or UNLABELLED

    def asks(self, round_: str, reviewer: str) -> Collection[str]:
        """The ids of what a round has not decided and that awaits this person's vote ('' = anybody's)."""
        open_ = self.awaiting[round_]
        if not reviewer:
            return open_.keys()
        voted = {id_ for id_, who in self.voters[round_].items() if reviewer in who}
        closed = voted | self.disputed[round_]
        return open_.keys() - closed if closed else open_.keys()

    def n_asked(self, round_: str, reviewer: str) -> int:
        """How many `asks` gives."""
        return len(self.asks(round_, reviewer))

    def n_disputed(self, round_: str) -> int:
        """How many pictures people judged differently, and nobody settled."""
        return len(self.disputed[round_])

    def has_all(self, round_: str) -> bool:
        """Whether all that awaits a round is here."""
        return True

    def know(self, photos: Collection[str]) -> None:
        """Be sure of what holds of these photos and their faces; of all, if nothing else is said."""

    def first_key(self, round_: str, id_: str) -> tuple[bool, int | str]:
        """The order of judging: the most doubtful first (`badges.FIRST`), then in the order of finding."""
        if round_ == "photos":
            return not self._is_conflicting(id_), self.found[id_].first
        return id_ not in self.doubted, id_

    def badges(self, round_: str, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The hints of some awaited pictures, by id."""
        known = self._badges.get(round_)
        if known is None and len(ids) <= _FEW:
            return self._badges_of(round_, ids)
        if known is None:
            known = self._badges[round_] = {}
        if missing := [id_ for id_ in ids if id_ not in known]:
            known |= self._badges_of(round_, missing)
        return {id_: known[id_] for id_ in ids if id_ in known}

    def named(self, text: str) -> set[str]:
        """The photos that a text names (`catalogue.photos.findable`)."""
        return photos_.findable(self._cat, text)

    def photo_facts(self, ids: Collection[str]) -> dict[str, MeasuredPhoto]:
        """Sizes and hints of photos, by sha256; read once where many are asked for."""
        if self._photos or len(ids) > _FEW:
            missing = [id_ for id_ in ids if id_ not in self._photos]
            of = None if len(missing) > MOST_CHANGED else missing
            self._photos |= review_rows.measured(self._cat, of) if missing else {}
            return self._photos
        return review_rows.measured(self._cat, ids)

    def face_facts(self, ids: Collection[str]) -> dict[str, MeasuredFace]:
        """Boxes and hints of faces, by id; read once where many are asked for."""
        if self._faces or len(ids) > _FEW:
            missing = [id_ for id_ in ids if id_ not in self._faces]
            of = None if len(missing) > MOST_CHANGED else missing
            self._faces |= review_rows.measured_faces(self._cat, self.digest, of) if missing else {}
            return self._faces
        return review_rows.measured_faces(self._cat, self.digest, ids)

    # ---- reading

    def _with_group(self, changed: set[str]) -> set[str]:
        """The changed photos; how a group of copies changes shows in its keeper."""
        keepers = {self._keeper_of[one] for one in changed if one in self._keeper_of}
        return changed | keepers

    def _read(self, photos: set[str] | None, now: CatalogueVersion) -> None:
        """Read all photos, or read some anew."""
        before = self._places(photos or ())
        self._forget(photos or ())
        asked = queries(self._cat)
        self.queries |= asked
        seen = review_rows.found(
            self._cat, {name: one.expression for name, one in self.queries.items()}, photos
        )
        self.found |= seen
        held = holding(self._cat, self.digest, photos)
        for round_, of in held.current.items():
            self._current[round_] |= of
        photo_of = photo_of_each(self._cat, self.digest, photos)
        for face, photo in photo_of.items():
            self._faces_of.setdefault(photo, []).append(face)
        photo_of = {face: photo for face, photo in photo_of.items() if photo in seen}
        self._read_keepers(photos)
        self._read_open(photos, held, dict(now.plan))
        on_photos, on_faces = self._states(seen, photo_of)
        self._count(on_photos, 1)
        self._count(on_faces, 1)
        self._enter(seen, photo_of, on_photos, on_faces)
        now_at = {} if photos is None else self._places(photos)
        self.shape += photos is None or any(before.get(id_) != at for id_, at in now_at.items())

    def _read_keepers(self, photos: set[str] | None) -> None:
        dedup, touched = self._current["dedup"], set()
        for photo, keeper in review_rows.keepers(self._cat, photos).items():
            if keeper and photo in dedup and dedup[photo].decision == "drop":
                self._keeper_of[photo] = keeper
                self._copies_of[keeper].add(photo)
                touched.add(keeper)
        if photos is not None and touched - photos:
            self.shape += 1
            for known in self._badges.values():
                known.clear()

    def _read_open(
        self, photos: set[str] | None, held: Holding, votes_asked: dict[str, int]
    ) -> None:
        """Who voted on what is not decided, and what is in dispute: only what several rows are about can be."""
        for round_ in ROUNDS:
            if named := held.several[round_]:
                of = None if len(named) > MOST_CHANGED else named
                self.disputed[round_] |= review_rows.disputed(self._cat, round_, of)
            one_is_enough = votes_asked.get(round_, 1) == 1  # unless its person was unsure
            if one_is_enough and not held.unsure:
                continue
            for vote in review_rows.votes_on(self._cat, round_, photos, unsure=one_is_enough):
                id_ = vote.face or vote.photo
                self.voters[round_].setdefault(id_, set()).add(vote.reviewer)
        self.doubted |= review_rows.faces_with_hint(self._cat, self.digest, badges.DOUBT, photos)

    def _places(self, photos: Iterable[str]) -> dict[str, tuple[bool, int | str]]:
        """The place in the order of judging of those of these photos and their faces that await people."""
        ids = {one: [one, *self._faces_of.get(one, ())] for one in photos}
        return {
            id_: self.first_key(round_, id_)
            for of in ids.values()
            for id_ in of
            for round_ in ROUNDS
            if id_ in self.awaiting[round_]
        }

    def _forget(self, photos: Iterable[str]) -> None:
        """Take photos and their faces out, before they are read anew."""
        faces_of = {photo: self._faces_of.pop(photo, []) for photo in photos}
        here = {photo: self.found[photo] for photo in faces_of if photo in self.found}
        photo_of = {face: photo for photo in here for face in faces_of[photo]}
        for held in self._states(here, photo_of) if here else ():
            self._count(held, -1)
        for photo, of in faces_of.items():
            self._take_out(photo, of)

    def _take_out(self, photo: str, faces_: list[str]) -> None:
        self.doubted.difference_update(faces_)
        for id_ in (photo, *faces_):
            for round_ in ROUNDS:
                self.awaiting[round_].pop(id_, None)
                self.voters[round_].pop(id_, None)
                self.disputed[round_].discard(id_)
            for of in (*self._current.values(), *self._badges.values()):
                of.pop(id_, None)  # type: ignore[attr-defined]
        keeper = self._keeper_of.pop(photo, "")
        self._copies_of[keeper].discard(photo)
        self._photos.pop(photo, None)

    def _states(
        self, seen: Mapping[str, FoundPhoto], photo_of: Mapping[str, str]
    ) -> tuple[_Held, _Held]:
        """What holds of each photo, and of each of their faces, in these orders.

        Of any number of pictures there are a few hundred states: what follows from one is worked out once.
        """
        dedup, said, crop, judged = (self._current[name].get for name in _STAGES)
        intended = {name: one.expression for name, one in self.queries.items()}
        labels = [intended[one.query] for one in seen.values()]
        nothing: list[_Verdict] = [None] * len(labels)
        holds = ([*map(dedup, seen)], [*map(said, seen)], [*map(crop, seen)], nothing)
        on_photos = _Held.of(_PHOTO, labels, holds)
        label_of = dict(zip(seen, labels, strict=True))
        on = [*photo_of.values()]
        of_faces = ([*map(crop, photo_of)], [*map(judged, photo_of)])
        holds = ([*map(dedup, on)], [*map(said, on)], *of_faces)
        return on_photos, _Held.of(_FACE, [*map(label_of.get, on)], holds)

    def _count(self, held: _Held, sign: int) -> None:
        for state, n in zip(held.states, held.counts, strict=True):
            for one in _counted(*state):
                self.counts[one] += sign * n

    def _enter(
        self,
        seen: Iterable[str],
        photo_of: Mapping[str, str],
        on_photos: _Held,
        on_faces: _Held,
    ) -> None:
        """Enter the pictures that await people, after they were read."""
        for photo in on_photos.matching(seen, _awaits_people):
            self.awaiting["photos"][photo] = ReviewSubject(photo)
        for face in on_faces.matching(photo_of, _awaits_people):
            self.awaiting["faces"][face] = ReviewSubject(photo_of[face], face)

    def faces_taken(self, photo: str) -> list[str]:
        """The faces that the crop stage took from a photo, by id."""
        crop = self._current["crop"]
        every = self._faces_of.get(photo, ())
        return [one for one in every if one in crop and crop[one].decision == "keep"]

    # ---- hints

    def classes_found_under(self, photo: str) -> frozenset[str]:
        """The classes of the queries that found a photo, or it and its copies."""
        classes = self.found[photo].expressions
        copies = self._copies_of.get(photo)
        if copies:
            classes = classes.union(
                *(self.found[one].expressions for one in copies if one in self.found)
            )
        return frozenset(classes)

    def _is_conflicting(self, photo: str) -> bool:
        return len(self.classes_found_under(photo)) > 1

    def _badges_of(self, round_: str, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        subjects = [self.awaiting[round_][id_] for id_ in ids if id_ in self.awaiting[round_]]
        photos = {one.photo for one in subjects}
        unclear = statements.licence_conflicts(
            self._cat, None if len(photos) > MOST_CHANGED else photos
        )
        if round_ == "photos":
            return dict(self._badges_of_photos(photos, unclear))
        return dict(self._badges_of_faces(subjects, unclear))

    def _badges_of_photos(
        self, photos: Collection[str], unclear: set[str]
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        known, crop = self.photo_facts(photos), self._current["crop"]
        for one in photos:
            looked = crop.get(one)
            if one in known:
                yield (
                    one,
                    badges.of_photo(
                        known[one],
                        self.label(one),
                        self._is_conflicting(one),
                        bool(self._copies_of.get(one)),
                        bool(looked and looked.decision == "drop" and looked.reason == "no face"),
                        one in unclear,
                    ),
                )

    def _badges_of_faces(
        self, subjects: Iterable[ReviewSubject], unclear: set[str]
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        chosen = list(subjects)
        known = self.face_facts([one.face for one in chosen])
        people = self._current["photos"]  # who saw a conflict has said which class it is
        for one in chosen:
            if one.face in known:
                yield (
                    one.face,
                    badges.of_face(
                        known[one.face],
                        self.label(one.photo),
                        self._is_conflicting(one.photo) and one.photo not in people,
                        len(self.faces_taken(one.photo)),
                        one.photo in unclear,
                    ),
                )


def _awaits_people(
    what: str,
    _intended: str | None,
    dedup: _Verdict,
    said: _Verdict,
    crop: _Verdict,
    judged: _Verdict,
) -> bool:
    """Whether a photo or a face in this state has no verdict of people, and its turn has come."""
    if not dedup or dedup.decision != "keep":
        return False
    if what == _PHOTO:
        return not said
    taken = crop is not None and crop.decision == "keep"
    return taken and not judged and not (said and said.decision == "drop")


def _counted(
    what: str,
    intended: str | None,
    dedup: _Verdict,
    said: _Verdict,
    crop: _Verdict,
    judged: _Verdict,
) -> Iterator[Counted]:
    """What a photo or a face in this state is counted as."""
    label = (said.expression if said else "") or intended or UNLABELLED
    kept = dedup is not None and dedup.decision == "keep"
    if what == _FACE:
        holds = kept and not (said and said.decision == "drop")
        yield from _counted_face(label, holds, crop, judged)
        return
    for round_, one in (("dedup", dedup), ("photos", said), ("crop", crop)):
        if one and one.decision == "drop":
            yield "drop", round_, one.reason
    if kept:
        yield "photos", label, said.decision if said else ""
    if not dedup and not (said and said.decision == "drop"):
        yield "new", "", ""
    if crop:
        yield "crop", "seen", ""
    elif kept and said and said.decision in _KEPT:
        yield "uncropped", label, ""


def _counted_face(label: str, holds: bool, crop: _Verdict, judged: _Verdict) -> Iterator[Counted]:
    for round_, one in (("crop", crop), ("faces", judged)):
        if one and one.decision == "drop":
            yield "drop", round_, one.reason
    if crop and crop.decision == "keep":
        yield "crop", "taken", ""
        if holds:
            named = (judged.expression if judged else "") or label
            yield "faces", named, judged.decision if judged else ""


@contextmanager
def without_collecting() -> Iterator[None]:
    """Nothing of a million small tuples is garbage while they are read: looking for it takes a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_shared: WeakKeyDictionary[Catalogue, ReviewIndex] = WeakKeyDictionary()
_sharing = threading.Lock()


def shared(cat: Catalogue, crop_digest: str = "") -> ReviewIndex:
    """The index that all who work on an opened catalogue in this process share."""
    digest = crop_digest or faces.newest_settings(cat)
    with _sharing:
        found = _shared.get(cat)
        if found is None or found.digest != digest:
            found = _shared[cat] = ReviewIndex(cat, digest)
        return found
