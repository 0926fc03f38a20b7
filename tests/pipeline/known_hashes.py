"""Photos of which only the hashes are known, and a file of labelled pairs."""

from pathlib import Path

from btfer.catalogue import Catalogue, journal
from btfer.catalogue.journal import Fetched, Query, Sighting
from btfer.images import Intake

HAPPY = Query("happy", "happy")


def add_hash(cat: Catalogue, name: str, value: int, mirror: int, url: str = "") -> str:
    """Put a photo with these unsigned hashes in the catalogue; its sha256 begins with the name."""
    url = url or f"https://example.org/{name}.jpg"
    sha256 = f"{name:0<64}"
    journal.add_found(cat, HAPPY, [Sighting(url, "bing", title=f"photo {name}")])
    intake = Intake(sha256, "jpg", 9, 9, 9, _signed(value), _signed(mirror), b"", {})
    journal.finish(cat, [(journal.url_id(url), Fetched("kept", photo=sha256), intake)])
    return sha256


def write_pairs(folder: Path, *lines: str) -> Path:
    """A CSV of these lines."""
    file = folder / "pairs.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
