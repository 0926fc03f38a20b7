"""The search: near hashes of our views and of a training set make candidates; laid over each other, they are judged.

A hash within 11 bits says little: of the candidates, those that are not alike at a glance are dropped first. Of
the same shot, the face must agree too: another expression of one person in one studio is no leak.

Source of the hashes: `btfer.images.hashes`; of the comparison: `btfer.leaks.laid_over`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from btfer import hamming
from btfer.engine import PROCESSES, Engine, map_unordered
from btfer.images import CRASHED
from btfer.leaks.glances import explained, mirror_glances
from btfer.leaks.laid_over import face_difference
from btfer.leaks.training import TrainingSet, load_set
from btfer.leaks.views import LeakSubject, Views, views_of
from btfer.progress import SILENT, Progress

METHOD = 3  # answers on disk that another method gave are not used
MAX_BITS = 11
ALIKE = 0.8  # least correlation of 16x16 pictures of two of which one is moved a little
EXPLAINED = 0.84  # least `glances.explained` of two that are compared closely
SURE = 0.25  # largest `laid_over.face_difference` of a copy
UNSURE = 0.4  # and of what people must look at
"""Of copies made from real photos (other crops, 48 and 100 px, recompressed, mirrored, levelled) 99 of 100 that were
compared came to 0.25 or less; the same person in the same studio with another expression to 0.34 or more."""
AT_ONCE = 16  # faces whose views are searched together
SOURCES = ("photo", "face", "levelled face")
AT_ONCE_FITTED = 1 << 12  # pairs whose slopes are held together: 28 MB
AT_A_GLANCE = 1 << 14  # pairs whose glances are held together: 32 MB

Ints = np.ndarray[Any, np.dtype[np.integer[Any]]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, order=True)
class Leak:
    """One of our faces, and a picture of a training set that was made from the same photo.

    ours: the face's id, or the file of the release. file, label: the training picture and its class. bits: Hamming
    distance of the hashes, 0-11. difference: see `leaks.laid_over`, 0-0.4. shows: what of our photo it shows, one of
    SOURCES. mirrored: it shows the mirror image.
    """

    ours: str
    training: str
    file: str
    label: str
    bits: int
    difference: float
    shows: str
    mirrored: bool

    @property
    def sure(self) -> bool:
        """Whether it is a copy; else it may be another shot of the person a moment later, for people to look at."""
        return self.difference <= SURE

    @property
    def shows_in_words(self) -> str:
        """What the training picture shows, in words."""
        return f"{self.shows}, mirrored" if self.mirrored else self.shows


@dataclass(frozen=True)
class LeakSearch:
    """The leaks into one training set. unread: by name, the faces whose photo cannot be read, and why."""

    leaks: tuple[Leak, ...]
    unread: dict[str, str]


def search(
    subjects: Sequence[LeakSubject],
    kept: Path,
    name: str,
    *,
    engine: Engine = PROCESSES,
    progress: Progress = SILENT,
) -> LeakSearch:
    """All pictures of a training set that show one of our faces, or its whole photo. kept: the set's cache."""
    leaks: list[Leak] = []
    unread: dict[str, str] = {}
    parts = [subjects[n : n + AT_ONCE] for n in range(0, len(subjects), AT_ONCE)]
    work = partial(_search_part, kept=kept, name=name)
    for done, found in enumerate(
        map_unordered(work, parts, engine=engine, died=_crashed, split=_singly), start=1
    ):
        leaks += found.leaks
        unread |= found.unread
        progress.update(f"leaks: {name}", min(done * AT_ONCE, len(subjects)), len(subjects))
    return LeakSearch(tuple(sorted(leaks)), unread)


def _search_part(subjects: Sequence[LeakSubject], kept: Path, name: str) -> LeakSearch:
    """Some faces against the set, in a worker process."""
    seen = [(one.name, views_of(one)) for one in subjects]
    views = [one for _, one in seen if isinstance(one, Views)]
    unread = {name: one for name, one in seen if isinstance(one, str)}
    return LeakSearch(tuple(find_leaks(views, _loaded(kept, name))), unread)


def _singly(subjects: Sequence[LeakSubject]) -> list[Sequence[LeakSubject]]:
    return [[one] for one in subjects] if len(subjects) > 1 else []


def _crashed(subjects: Sequence[LeakSubject]) -> LeakSearch:
    """As `_search_part`, of a face of whose photo worker processes died."""
    return LeakSearch((), {one.name: CRASHED for one in subjects})


@lru_cache(maxsize=2)
def _loaded(kept: Path, name: str) -> TrainingSet:
    return load_set(kept, name)


def find_leaks(views: Sequence[Views], training: TrainingSet) -> Iterator[Leak]:
    """One for each pair of a face and a training picture that are the same picture, or may be."""
    for ours, view, theirs, bits, mirrored in _candidates(views, training):
        leak = _judged(views[ours], view, training, theirs, bits, mirrored)
        if leak.difference <= UNSURE:
            yield leak


def _candidates(
    views: Sequence[Views], training: TrainingSet
) -> Iterator[tuple[int, int, int, int, bool]]:
    """Face, view, training picture, bits, mirrored: of each face and picture the view most alike."""
    if not views:
        return
    hashes = np.concatenate([one.hashes for one in views])
    theirs = hamming.each_row(training.hashes.T.ravel())
    found = hamming.collect(
        hamming.near_between(hamming.each_row(hashes), theirs, max_bits=MAX_BITS)
    )
    mirrored, picture = np.divmod(found.j, len(training))
    alike = _correlations(views, training, found.i, picture, mirrored == 1)
    on = np.flatnonzero(alike >= ALIKE)
    ends = np.cumsum([len(one.hashes) for one in views])
    face = np.searchsorted(ends, found.i[on], side="right")
    order = np.lexsort((found.i[on], -alike[on], picture[on], face))
    pairs = np.stack([face, picture[on]], axis=1)[order]
    first = np.any(np.diff(pairs, axis=0, prepend=-1) != 0, axis=1)
    chosen = on[order[first]]
    explains = _explained(views, training, found.i[chosen], picture[chosen], mirrored[chosen] == 1)
    for k in chosen[explains >= EXPLAINED].tolist():
        ours = int(np.searchsorted(ends, found.i[k], side="right"))
        view = int(found.i[k] - (ends[ours] - len(views[ours].hashes)))
        yield ours, view, int(picture[k]), int(found.bits[k]), bool(mirrored[k])


def _correlations(
    views: Sequence[Views], training: TrainingSet, view: Ints, picture: Ints, mirrored: Bools
) -> Floats:
    """How alike views and training pictures are at a glance, -1 to 1: float32 [P] of P pairs."""
    ours, theirs = np.concatenate([one.glances for one in views]), training.glances
    alike = np.empty(len(view), np.float32)
    for seen, on in ((ours, ~mirrored), (mirror_glances(ours), mirrored)):
        for some in np.array_split(np.flatnonzero(on), len(view) // AT_A_GLANCE + 1):
            alike[some] = np.einsum("ij,ij->i", seen[view[some]], theirs[picture[some]])
    return alike


def _explained(
    views: Sequence[Views], training: TrainingSet, view: Ints, picture: Ints, mirrored: Bools
) -> Floats:
    """How much of the views is the training pictures, laid on them: float32 [P] of P pairs."""
    ours, theirs = np.concatenate([one.glances for one in views]), training.glances[picture]
    theirs = np.where(mirrored[:, None], mirror_glances(theirs), theirs)
    parts = np.array_split(np.arange(len(view)), len(view) // AT_ONCE_FITTED + 1)
    return np.concatenate([explained(ours[view[some]], theirs[some]) for some in parts])


def _judged(
    ours: Views, view: int, training: TrainingSet, theirs: int, bits: int, mirrored: bool
) -> Leak:
    grey = training.greys[theirs]
    if mirrored:
        grey = np.ascontiguousarray(grey[:, ::-1])
    source = int(ours.source[view])
    difference = face_difference(grey, ours.sources[source], ours.window[view], ours.faces[source])
    return Leak(
        ours.name,
        training.name,
        training.files[theirs],
        training.classes[theirs],
        bits,
        round(difference, 3),
        SOURCES[source],
        mirrored,
    )
