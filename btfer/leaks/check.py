"""Whether a release, or faces that may become one, are in training sets: read, search, write down."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from btfer import files
from btfer.cached import DAMAGED
from btfer.catalogue import Catalogue, faces
from btfer.catalogue import leaks as leak_verdicts
from btfer.catalogue.rows import KeptFace
from btfer.catalogue.stage_lock import only_one
from btfer.csv_writer import as_csv
from btfer.engine import Engine
from btfer.errors import UsageError
from btfer.files import sha256_file, write_atomic
from btfer.leaks.search import METHOD, Leak, LeakSearch, search
from btfer.leaks.sheet import sheet
from btfer.leaks.subjects import released_images, subjects_of, subjects_of_release
from btfer.leaks.training import TrainingSet, read_training
from btfer.leaks.views import LeakSubject
from btfer.parsing import parse_json
from btfer.paths import leaks_dir
from btfer.progress import SILENT, Progress
from btfer.release_record import ExcludedLeaks
from btfer.settings import Settings
from btfer.store import store_of

COLUMNS = ("ours", "training", "file", "label", "bits", "difference", "sure", "shows", "mirrored")


@dataclass(frozen=True)
class LeakCheck:
    """Which images of a release are in one training set.

    training, digest: the set's name and content. pictures: those of the set that could be read. images: those of
    the release that were compared. faces: how many of these are in the set. unsure: how many others may be. unread:
    files of either that could not be read. pairs: every picture of the set that shows a face of the release, or may.
    """

    training: str
    digest: str
    pictures: int
    images: int
    faces: int
    unsure: int
    unread: tuple[str, ...]
    pairs: tuple[Leak, ...]


@dataclass(frozen=True)
class LeakCount:
    """What a benchmark run records of the leaks: `faces` of the `images` compared are in the set of this digest."""

    faces: int
    images: int
    digest: str


def check_release(
    cat: Catalogue,
    settings: Settings,
    release: Path,
    training: Mapping[str, Path],
    progress: Progress = SILENT,
) -> list[LeakCheck]:
    """Which images of a release stand in training sets. A set is searched once, then the answer is on disk.

    training: name -> folder or FER2013's csv. Writes leaks.csv, leaks.png (the pairs, to look at) and NAME.json
    to data/leaks/<release>. Raises UsageError where the folder is not a release or a set cannot be read, Busy where
    another process is searching.
    """
    if not training:
        raise UsageError("no training set is given: pass --against NAME=PATH, once for each set")
    folder = leaks_dir(settings.data_dir) / release.resolve().name
    with only_one(cat, settings.data_dir, "leaks"):
        subjects = subjects_of_release(cat, store_of(settings), release)
        sets = {name: _read(settings, name, path, progress) for name, path in training.items()}
        ours = sha256_file(release / "metadata.csv")
        found = [
            _checked(folder / f"{name}.json", ours, subjects, *one, settings, progress)
            for name, one in sets.items()
        ]
        leaks = [leak for one in found for leak in one.pairs]
        write_atomic(folder / "leaks.csv", _csv(leaks))
        picture = sheet(leaks, subjects, {name: one for name, (one, _) in sets.items()})
        write_atomic(folder / "leaks.png", picture)
    return found


def leaks_in(settings: Settings, release: Path, name: str, path: Path) -> LeakCount:
    """How many images of a release are in one training set, as `btfer bench` records it. Raises as `check_release`.

    The released images alone are looked for, so that everybody who has the release counts the same, with the
    photos or without; with them `check_release` may find more.
    """
    folder = leaks_dir(settings.data_dir) / release.resolve().name
    with files.only_one(settings.data_dir, "leaks"):
        subjects = released_images(release)
        training, kept = _read(settings, name, path, SILENT)
        ours, answer = sha256_file(release / "metadata.csv"), folder / f"{name}.released.json"
        found = _checked(answer, ours, subjects, training, kept, settings, SILENT)
    return LeakCount(found.faces, found.images, found.digest)


def exclude(
    cat: Catalogue,
    settings: Settings,
    kept_faces: Sequence[KeptFace],
    training: Mapping[str, Path],
    progress: Progress = SILENT,
) -> tuple[list[KeptFace], dict[str, ExcludedLeaks]]:
    """The faces that are in none of the sets, and what a release states about each set.

    Only faces that were never compared with a set are searched for. One that may be in a set is left out too, and one
    whose photo cannot be read. Raises as `check_release`.
    """
    if not training:
        raise UsageError(
            "no training set to exclude leaks from: pass --against NAME=PATH, or put sets in data/training"
        )
    searched = {}
    with only_one(cat, settings.data_dir, "leaks"):
        for name, path in training.items():
            one, kept = _read(settings, name, path, progress)
            known = leak_verdicts.judged(cat, one.digest)
            new = [face for face in kept_faces if face.id not in known]
            boxes = faces.by_id(cat, {face.id for face in new}).values()
            found = _search(
                subjects_of(cat, store_of(settings), boxes), kept, name, settings, progress
            )
            read = [face for face in new if face.id not in found.unread]
            bits = {leak.ours: leak.bits for leak in found.leaks}
            leak_verdicts.record(cat, one.digest, name, read, bits)
            clear = leak_verdicts.clear_of(cat, kept_faces, [one.digest])
            n_excluded = len(kept_faces) - len(clear)
            searched[name] = ExcludedLeaks(one.digest, len(one), n_excluded)
    digests = [one.digest for one in searched.values()]
    return leak_verdicts.clear_of(cat, kept_faces, digests), searched


def _read(
    settings: Settings, name: str, path: Path, progress: Progress
) -> tuple[TrainingSet, Path]:
    cache = leaks_dir(settings.data_dir) / "cache"
    return read_training(path, name, cache, engine=Engine.of(settings), progress=progress)


def _search(
    subjects: Sequence[LeakSubject], kept: Path, name: str, settings: Settings, progress: Progress
) -> LeakSearch:
    return search(subjects, kept, name, engine=Engine.of(settings), progress=progress)


def _checked(
    answer: Path,
    ours: str,
    subjects: Sequence[LeakSubject],
    training: TrainingSet,
    kept: Path,
    settings: Settings,
    progress: Progress,
) -> LeakCheck:
    """The answer that is there, if it is about the same pictures; else a new one."""
    key = {"method": METHOD, "release": ours, "digest": training.digest}
    if (known := _known(answer, key)) is not None:
        return known
    searched = _search(subjects, kept, training.name, settings, progress)
    sure = {leak.ours for leak in searched.leaks if leak.sure}
    against = LeakCheck(
        training.name,
        training.digest,
        len(training),
        len(subjects),
        len(sure),
        len({leak.ours for leak in searched.leaks} - sure),
        training.unread + tuple(f"{name} ({why})" for name, why in searched.unread.items()),
        searched.leaks,
    )
    text = json.dumps({"key": key, "found": asdict(against)}, indent=2)
    write_atomic(answer, f"{text}\n".encode())
    return against


def _known(answer: Path, key: Mapping[str, object]) -> LeakCheck | None:
    """An answer that was found before; None where there is none, where it is about others, and where it is damaged."""
    try:
        known = parse_json(answer.read_text(encoding="utf-8"))
        if known["key"] != key:
            return None
        found = known["found"]
        return LeakCheck(
            **found | {"unread": tuple(found["unread"]), "pairs": _leaks(found["pairs"])}
        )
    except (FileNotFoundError, *DAMAGED):
        return None


def _leaks(rows: Sequence[Mapping[str, Any]]) -> tuple[Leak, ...]:
    return tuple(Leak(**row) for row in rows)


def _csv(leaks: Sequence[Leak]) -> bytes:
    return as_csv(COLUMNS, (asdict(leak) | {"sure": leak.sure} for leak in leaks))
