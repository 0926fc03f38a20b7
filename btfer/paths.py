"""Where files lie under the data folder. A catalogue row for one of them means that it is complete."""

import os
from pathlib import Path

PACKAGE = Path(__file__).parent
# In training sets. Those from .bmp on are images that btfer may not read: listed so that they get reported.
IMAGE_SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif"),
    *(".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".jxl", ".jp2", ".ppm", ".pgm"),
}


def bundled(name: str) -> Path:
    """The `review_app` or the `queries` that came with btfer: the checkout's, else the wheel's copy."""
    checkout = PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    return PACKAGE / "_bundled" / name


def default_queries_dir() -> Path:
    """`queries` in the current folder where there is one, else the bundled plan."""
    own = Path("queries")
    return own if own.is_dir() else bundled("queries")


def default_local_dir() -> Path:
    """Where a user's data are: `$XDG_DATA_HOME/btfer`, or `~/.local/share/btfer`."""
    home = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local/share")
    return Path(home) / "btfer"


def photo_path(data_dir: Path, sha256: str, format_: str) -> Path:
    """A photo's bytes as they came: `photos/ab/<sha256>.<format>`."""
    return data_dir / "photos" / sha256[:2] / f"{sha256}.{format_}"


def thumbnail_path(data_dir: Path, sha256: str) -> Path:
    """A photo's 160 px JPEG for dedup and the review app: `thumbnails/ab/<sha256>.jpg`."""
    return data_dir / "thumbnails" / sha256[:2] / f"{sha256}.jpg"


def crawl_folders(data_dir: Path) -> list[Path]:
    """The folders that only the crawl and the import write in."""
    return [data_dir / "photos", data_dir / "thumbnails"]


def face_id(sha256: str, crop_digest: str, number: int) -> str:
    """The name of a face: photo, crop settings and box number."""
    return f"{sha256[:24]}-{crop_digest}-{number:02d}"


def face_path(data_dir: Path, face_id: str) -> Path:
    """A face's 256x256 PNG crop: `faces/ab/<face id>.png`; the id names photo, settings and box."""
    return data_dir / "faces" / face_id[:2] / f"{face_id}.png"


def releases_dir(data_dir: Path) -> Path:
    """The folder of releases."""
    return data_dir / "releases"


def erasures_dir(data_dir: Path) -> Path:
    """Erasures that were begun and not finished (`open-*.json`), and the reports of those that were."""
    return data_dir / "erasures"


def doctor_dir(data_dir: Path) -> Path:
    """What sources answered when `btfer crawl doctor` last looked at them."""
    return data_dir / "doctor"


def derived_dirs(data_dir: Path) -> list[Path]:
    """What is made from photos and faces and can be made again: decoded pixels of runs, reports, leaks."""
    return [
        data_dir / "runs" / "_cache",
        data_dir / "reports",
        leaks_dir(data_dir),
        doctor_dir(data_dir),
        rebuilding_dir(data_dir),
    ]


def rebuilding_dir(data_dir: Path) -> Path:
    """Where `btfer rebuild` cuts faces while it runs; gone afterwards."""
    return data_dir / ".rebuilding"


def bundles_dir(data_dir: Path) -> Path:
    """Where `btfer bench submit` writes runs for others, one file each."""
    return data_dir / "bundles"


def training_dir(data_dir: Path) -> Path:
    """Where `btfer bench` looks for training sets: one folder each."""
    return data_dir / "training"


def leaks_dir(data_dir: Path) -> Path:
    """What `btfer leaks` found, a folder for each release, and its cache of training sets."""
    return data_dir / "leaks"
