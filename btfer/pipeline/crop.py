"""Faces: MTCNN finds them in every kept photo, and each is cut out with a margin and resized to a square.

What is cut is defined in `btfer.faces.modes`, which faces are taken in `btfer.faces.policy`, what a worker does
with one photo in `crop_photo`. This is the stage: it writes what workers found. The files of a photo come before
its rows, and the rows of some photos in one transaction; a run that was killed goes on with what has no rows.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from time import monotonic

from btfer.catalogue import Catalogue, faces, photos, verdicts, versions
from btfer.catalogue.rows import Face
from btfer.catalogue.stage_lock import only_one
from btfer.catalogue.verdicts import Verdict
from btfer.engine import Engine, map_unordered
from btfer.errors import BtferError
from btfer.faces.cut import crop_record, crop_settings_of, packing_of, read_cut
from btfer.faces.find import FoundFace
from btfer.faces.modes import CropSettings, crop_settings
from btfer.files import remove_parts
from btfer.images import is_whole_png
from btfer.paths import face_id, face_path, photo_path
from btfer.pipeline.crop_photo import (
    NO_FACE_REASONS,
    LostCrop,
    LostCrops,
    PhotoFaces,
    PhotoFile,
    crashed,
    cut_again,
    cut_crashed,
    find_and_cut,
)
from btfer.pipeline.overview import to_judge
from btfer.progress import SILENT, Progress
from btfer.review.serving import keep_for_next_start
from btfer.settings import Settings
from btfer.store import Store, store_of

AT_ONCE = 32  # photos a transaction
AT_LEAST_EVERY_S = 2.0


@dataclass(frozen=True)
class CropOutcome:
    """Photos looked at, faces taken, boxes not taken, photos without a usable face; how often for which reason."""

    photos: int = 0
    taken: int = 0
    refused: int = 0
    empty: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def plus(self, result: PhotoFaces) -> "CropOutcome":
        """With one more photo."""
        refused = [f"face: {one.reason}" for one in result.found if one.reason]
        why = [result.reason] if result.reason else []
        return CropOutcome(
            self.photos + 1,
            self.taken + result.taken,
            self.refused + len(refused),
            self.empty + len(why),
            dict(Counter(self.reasons) + Counter([*why, *refused])),
        )

    def lines(self) -> list[str]:
        """For people: what came of it, how fast, and a line for each reason, the most frequent first."""
        rate = f"{self.photos / self.seconds:.1f} photos/s" if self.seconds else "nothing to do"
        by_number = sorted(self.reasons.items(), key=lambda one: (-one[1], one[0]))
        return [
            f"{self.photos} photos ({rate}): {self.taken} faces cropped, "
            f"{self.refused} boxes not taken, {self.empty} photos without a usable face",
            *(f"  {number:6} {reason}" for reason, number in by_number),
        ]


def run(
    cat: Catalogue,
    settings: Settings,
    *,
    unreviewed: str = "",
    retry: bool = False,
    progress: Progress = SILENT,
) -> CropOutcome:
    """Find and cut the faces of every kept photo that was not looked at under these settings.

    retry: look again at photos that could not be looked at (file missing, out of memory, ...).
    """
    chosen, store = crop_settings(settings), store_of(settings)
    outcome, started = CropOutcome(), monotonic()
    with only_one(cat, settings.data_dir, "crop"):
        remove_parts(settings.data_dir / "faces")
        if retry:
            _forget_failures(cat, chosen.digest)
        before = versions.version(cat)
        todo = _queue(cat, settings, chosen.digest, unreviewed)
        work = store.at_worker(partial(find_and_cut, settings=chosen), attrgetter("path"))
        results = map_unordered(work, todo, engine=Engine.of(settings), died=crashed)
        with _writer(cat, store, chosen) as write:
            for result in results:
                write(result)
                outcome = outcome.plus(result)
                progress.update("crop", outcome.photos, len(todo))
        if (
            faces.newest_settings(cat) != chosen.digest
        ):  # the review app shows the faces of the last run
            faces.touch_settings(cat, chosen.digest)
        photos.crop_ended(cat, chosen.digest, before, unreviewed=unreviewed)
        cat.count_anew(outcome.photos)
    keep_for_next_start(cat, "faces", progress)
    return replace(outcome, seconds=monotonic() - started if todo else 0.0)


def _queue(cat: Catalogue, settings: Settings, digest: str, unreviewed: str) -> list[PhotoFile]:
    return [
        PhotoFile(one.sha256, photo_path(settings.data_dir, one.sha256, one.format))
        for one in photos.awaiting_crop(cat, digest, unreviewed=unreviewed)
    ]


def _forget_failures(cat: Catalogue, digest: str) -> None:
    without = faces.photos_without_face(cat, digest)
    verdicts.undo(
        cat, [one.verdict for one in without if one.reason not in NO_FACE_REASONS], "crop"
    )


@contextmanager
def _writer(
    cat: Catalogue, store: Store, settings: CropSettings
) -> Iterator[Callable[[PhotoFaces], None]]:
    """Yield what takes a photo's faces: crops of some photos are written together, then their rows; all at the end."""
    waiting: list[PhotoFaces] = []
    crops: list[tuple[Path, bytes]] = []
    written = monotonic()

    def write(result: PhotoFaces) -> None:
        nonlocal written
        for number, one in enumerate(result.found):
            if one.png:
                id_ = face_id(result.sha256, settings.digest, number)
                crops.append((face_path(store.folder, id_), one.png))
        waiting.append(result)
        if len(waiting) >= AT_ONCE or monotonic() - written > AT_LEAST_EVERY_S:
            flush()

    def flush() -> None:
        nonlocal written
        store.write_all(crops)
        _write_rows(cat, settings, waiting)
        crops.clear()
        waiting.clear()
        written = monotonic()

    try:
        yield write
    finally:  # also when the run is stopped: what is done is done
        flush()


def _write_rows(cat: Catalogue, settings: CropSettings, results: list[PhotoFaces]) -> None:
    """All rows of some photos in one transaction; their files are there."""
    rows: list[Face] = []
    judged: list[Verdict] = []
    for result in results:
        judged.append(_verdict(result.sha256, settings, result.reason))
        for number, one in enumerate(result.found):
            id_ = face_id(result.sha256, settings.digest, number)
            rows.append(_row(one, id_, result.sha256, number, settings))
            judged.append(_verdict(result.sha256, settings, one.reason, id_))
    if judged:
        faces.add(cat, rows, judged)


def _row(one: FoundFace, id_: str, sha256: str, number: int, settings: CropSettings) -> Face:
    box = one.box
    return Face(
        *(id_, sha256, settings.digest, number),
        x_px=box.x,
        y_px=box.y,
        width_px=box.width,
        height_px=box.height,
        probability=box.probability,
        landmarks=dict(box.landmarks),
        crop=dict(vars(crop_record(one.cut, settings))) if one.cut else {},
        hints=one.hints,
    )


def _verdict(sha256: str, settings: CropSettings, reason: str, face: str = "") -> Verdict:
    decision = "drop" if reason else "keep"
    return Verdict("crop", sha256, decision, "crop", face, settings.digest, reason)


def why_no_photos(cat: Catalogue, unreviewed: str = "") -> str:
    """Why there was no photo to look at, and what to do, in words; '' where all were looked at."""
    if not photos.count(cat):
        return "the catalogue has no photos: run btfer crawl or btfer import"
    left = photos.tally(cat)
    if not left:
        return "no photo has been through dedup: run btfer dedup"
    waiting = sum(one.n for one in left if not one.decision)
    if waiting and unreviewed != "keep":
        return f"{to_judge(waiting, 'photos')}; or pass --unreviewed keep"
    return ""


def rebuild(cat: Catalogue, settings: Settings, progress: Progress = SILENT) -> int:
    """Make lost crops again, of all settings, from their photos and what is recorded; how many.

    The bytes are the same. Lost is what is missing or was cut off. Raises BtferError, after all others are
    made, where a photo has gone as well or was changed.
    """
    made, gone, store = 0, [], store_of(settings)
    with only_one(cat, settings.data_dir, "crop"):
        lost = _lost(cat, settings, store)
        work = store.at_worker(cut_again, attrgetter("photo.path"))
        results = map_unordered(work, lost, engine=Engine.of(settings), died=cut_crashed)
        for done, (one, pngs, why) in enumerate(results, start=1):
            store.write_all((face_path(store.folder, id_), png) for id_, png in pngs.items())
            made += len(pngs)
            gone += [f"{one.photo.path} ({why})"] if why else []
            progress.update("crop", done, len(lost))
    if gone:
        raise BtferError(
            f"{made} crops made again; the faces of {len(gone)} photos cannot be: {min(gone)}"
        )
    return made


def _lost(cat: Catalogue, settings: Settings, store: Store) -> list[LostCrops]:
    there = store.listed("faces")
    is_whole = is_whole_png if there is None else there.__contains__
    cuts: dict[str, dict[str, LostCrop]] = {}
    for digest in faces.all_settings(cat):
        for face in faces.accepted(cat, digest):
            if not is_whole(face_path(settings.data_dir, face.id)):
                cuts.setdefault(face.photo, {})[face.id] = LostCrop(
                    read_cut(face.crop), crop_settings_of(face.crop), packing_of(face.crop)
                )
    known = photos.described(cat, cuts)
    paths = {sha256: photo_path(settings.data_dir, sha256, known[sha256].format) for sha256 in cuts}
    return [LostCrops(PhotoFile(sha256, paths[sha256]), cuts[sha256]) for sha256 in sorted(cuts)]
