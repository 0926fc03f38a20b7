"""Is the catalogue true to its photos? Every file is read again and compared with its row."""

from functools import partial
from pathlib import Path

from btfer.catalogue import Catalogue, photos
from btfer.catalogue.rows import Photo
from btfer.engine import map_unordered
from btfer.errors import ImageError
from btfer.images import decode_rgb, read_photo
from btfer.paths import photo_path, thumbnail_path
from btfer.pipeline.verify import Check
from btfer.progress import SILENT, Progress
from btfer.settings import Settings

FACTS = {
    "format": "format",
    "width": "width_px",
    "height": "height_px",
    "n_bytes": "n_bytes",
    "phash": "phash",
    "mirror_phash": "mirror_phash",
}
"""What intake measures, and the fields of a stored photo that must be the same."""
CHECKS = (
    "every photo's file is there",
    "every photo has the bytes of its name",
    "every row fits its photo",
    "every thumbnail can be read",
)


def verify_catalogue(
    cat: Catalogue, settings: Settings, progress: Progress = SILENT
) -> list[Check]:
    """Check every photo of the catalogue: file, sha256, format, size, both hashes, thumbnail."""
    rows = photos.find(cat, "")
    problems: dict[str, list[str]] = {name: [] for name in CHECKS}
    check = partial(check_photo, data_dir=settings.data_dir)
    workers, engine = settings.workers, settings.engine if len(rows) > 50 else "serial"
    for number, found in enumerate(map_unordered(check, rows, engine=engine, workers=workers), 1):
        for name, problem in found:
            problems[name].append(problem)
        progress.update("verify", number, len(rows))
    return [Check(name, sorted(found)) for name, found in problems.items()]


def check_photo(photo: Photo, *, data_dir: Path) -> list[tuple[str, str]]:
    """What is wrong with one photo: the check that fails, and how; runs in worker processes."""
    missing, bytes_, facts, thumbnail = CHECKS
    sha256 = photo.sha256
    path = photo_path(data_dir, sha256, photo.format)
    try:
        seen = read_photo(path.read_bytes())
    except OSError as error:
        return [(missing, f"{path}: {error.strerror}")]
    except ImageError as error:
        return [(bytes_, f"{path}: {error}")]
    found = []
    if seen.sha256 != sha256:
        found.append((bytes_, f"{path} has other bytes, {seen.sha256[:12]}"))
    for name, field in FACTS.items():
        now, stored = getattr(seen, name), getattr(photo, field)
        if now != stored:
            found.append((facts, f"{sha256}: {name} is {now}, the catalogue has {stored}"))
    return found + [(thumbnail, problem) for problem in _thumbnail(data_dir, sha256)]


def _thumbnail(data_dir: Path, sha256: str) -> list[str]:
    path = thumbnail_path(data_dir, sha256)
    try:
        decode_rgb(path.read_bytes())
    except OSError as error:
        return [f"{path}: {error.strerror}"]
    except ImageError as error:
        return [f"{path}: {error}"]
    return []
