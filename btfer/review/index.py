"""Every picture of a catalogue with what holds of it, in memory: read once, then only what has changed since.

One index serves all reviewers of a process and both rounds, so that a page, a second person's first page and the
overview cost what has changed, not what there is. The catalogue stays the truth: what is shown is leased and read
there (`review.queues`), and what was forgotten, or a new crop setting, makes the index anew.
"""

import gc
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, repeat
from weakref import WeakKeyDictionary

from btfer.catalogue import Catalogue, faces, review_rows, statements
from btfer.catalogue import photos as photos_
from btfer.catalogue.current_verdicts import CurrentVerdict, holding, photo_of_each, queries
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.review_rows import (
    CatalogueVersion,
    FoundPhoto,
    MeasuredFace,
    MeasuredPhoto,
)
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


class ReviewIndex:
    """All pictures of a catalogue under one crop setting. Hold `lock` around what reads it; `refresh` first."""

    def __init__(self, cat: Catalogue, crop_digest: str = "") -> None:
        self._cat = cat
        self.digest = crop_digest or faces.newest_settings(cat)
        self.lock = threading.RLock()
        self._version: CatalogueVersion | None = None
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

    def refresh(self) -> CatalogueVersion:
        """Take in what the catalogue says now."""
        now, old = review_rows.version(self._cat), self._version
        if now == old:
            return now
        changed = None
        if old and (now.plan, now.gone) == (old.plan, old.gone) and now.n_photos >= old.n_photos:
            changed = review_rows.named_since(self._cat, old)
        if changed is None or len(changed) > MOST_CHANGED:
            self._empty()
            with _without_collecting():
                self._read(None, now)
        else:
            self._read(self._with_group(changed), now)
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
        before = {id_ for one in photos or () for id_ in self._forget(one)}
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
        self._read_open(photos, held.several, dict(now.plan))
        on_photos, on_faces = self._states(seen, photo_of)
        self._count(Counter(chain(on_photos, on_faces)), 1)
        entered = self._enter_photos(seen, on_photos) | self._enter_faces(photo_of, on_faces)
        self.shape += bool(entered - before)

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
        self,
        photos: set[str] | None,
        several: dict[str, dict[str, str]],
        votes_asked: dict[str, int],
    ) -> None:
        """Who voted on what is not decided, and what is in dispute: only what several rows are about can be."""
        for round_ in ROUNDS:
            named = set(several[round_].values())
            if named:
                of = None if len(named) > MOST_CHANGED else named
                self.disputed[round_] |= review_rows.disputed(self._cat, round_, of)
            one_is_enough = votes_asked.get(round_, 1) == 1  # unless its person was unsure
            for vote in review_rows.votes_on(self._cat, round_, photos, unsure=one_is_enough):
                id_ = vote.face or vote.photo
                self.voters[round_].setdefault(id_, set()).add(vote.reviewer)
        if photos is None:
            self.doubted = review_rows.faces_with_hint(self._cat, self.digest, badges.DOUBT)

    def _forget(self, photo: str) -> Iterator[str]:
        """Take a photo and its faces out, before they are read anew; the ids that awaited people."""
        faces_ = self._faces_of.pop(photo, [])
        if photo in self.found:
            here = {photo: self.found[photo]}
            states = self._states(here, dict.fromkeys(faces_, photo))
            self._count(Counter(chain(*states)), -1)
        for id_ in (photo, *faces_):
            for round_ in ROUNDS:
                if self.awaiting[round_].pop(id_, None):
                    yield id_
                self.voters[round_].pop(id_, None)
                self.disputed[round_].discard(id_)
            for of in (*self._current.values(), *self._badges.values()):
                of.pop(id_, None)  # type: ignore[attr-defined]
        keeper = self._keeper_of.pop(photo, "")
        self._copies_of[keeper].discard(photo)
        self._photos.pop(photo, None)

    def _states(
        self, seen: Mapping[str, FoundPhoto], photo_of: Mapping[str, str]
    ) -> tuple[list[_State], list[_State]]:
        """What holds of each photo, and of each of their faces, in these orders.

        Of any number of pictures there are a few hundred states: what follows from one is worked out once.
        """
        dedup, said, crop, judged = (self._current[name].get for name in _STAGES)
        intended = {name: one.expression for name, one in self.queries.items()}
        labels = [intended[one.query] for one in seen.values()]
        holds = (map(dedup, seen), map(said, seen), map(crop, seen))
        on_photos = [*zip(repeat(_PHOTO), labels, *holds, repeat(None), strict=False)]
        label_of = dict(zip(seen, labels, strict=True))
        on = [*photo_of.values()]
        holds = (map(dedup, on), map(said, on), map(crop, photo_of))
        on_faces = [
            *zip(repeat(_FACE), map(label_of.get, on), *holds, map(judged, photo_of), strict=False)
        ]
        return on_photos, on_faces

    def _count(self, states: Counter[_State], sign: int) -> None:
        for state, n in states.items():
            for one in _counted(*state):
                self.counts[one] += sign * n

    def _enter_photos(self, seen: Iterable[str], states: list[_State]) -> set[str]:
        """Enter the photos that await people, after they were read; the ids."""
        open_ = {one for one in set(states) if _awaits_people(*one)}
        new = {
            photo: ReviewSubject(photo)
            for photo, state in zip(seen, states, strict=True)
            if state in open_
        }
        self.awaiting["photos"] |= new
        return set(new)

    def _enter_faces(self, photo_of: Mapping[str, str], states: list[_State]) -> set[str]:
        open_ = {one for one in set(states) if _awaits_people(*one)}
        new = {
            face: ReviewSubject(photo, face)
            for (face, photo), state in zip(photo_of.items(), states, strict=True)
            if state in open_
        }
        self.awaiting["faces"] |= new
        return set(new)

    def faces_taken(self, photo: str) -> list[str]:
        """The faces that the crop stage took from a photo, by id."""
        crop = self._current["crop"]
        every = self._faces_of.get(photo, ())
        return [one for one in every if one in crop and crop[one].decision == "keep"]

    # ---- hints

    def _is_conflicting(self, photo: str) -> bool:
        """Whether queries of different classes found a photo, or it and its copies."""
        classes = self.found[photo].expressions
        copies = self._copies_of.get(photo)
        if copies:
            classes = classes.union(
                *(self.found[one].expressions for one in copies if one in self.found)
            )
        return len(classes) > 1

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
        for one in chosen:
            if one.face in known:
                yield (
                    one.face,
                    badges.of_face(
                        known[one.face],
                        self.label(one.photo),
                        self._is_conflicting(one.photo),
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
def _without_collecting() -> Iterator[None]:
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
