"""Bundles of `btfer bench submit` that hold predictions for a forgotten image: they go, and can be made anew."""

import zipfile
from collections.abc import Collection
from pathlib import Path

from btfer.cached import DAMAGED
from btfer.parsing import parse_json
from btfer.paths import bundles_dir

CARD = "card.json"


def bundles_with(data_dir: Path, releases: Collection[str]) -> list[Path]:
    """The bundles in data/bundles that were scored on one of these releases, by name."""
    folder = bundles_dir(data_dir)
    return [path for path in sorted(folder.glob("*.zip")) if _release_of(path) in releases]


def _release_of(path: Path) -> str:
    """Name of the release; empty where the file is no bundle, which the search at the end looks into."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = parse_json(archive.read(CARD))["release"]["name"]
    except (OSError, RuntimeError, *DAMAGED):
        return ""
    return name if isinstance(name, str) else ""
