"""`btfer demo --review`: the demo at the point where people judge, in a data folder of its own."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from btfer.catalogue import open_catalogue
from btfer.demo.line import collect, demo_settings
from btfer.files import only_one
from btfer.progress import SILENT, Progress
from btfer.settings import Settings

FOLDER = "review"


def await_people(
    folder: Path, say: Callable[[str], None], progress: Progress = SILENT, **flags: Any
) -> Settings:
    """Settings of the data folder `folder`/review, in which everything is found and nobody has judged at first.

    It is another one than the demo's own, which stays as it is. What was crawled, compared or judged there before is
    kept. Raises Busy where another process prepares it.
    """
    settings = demo_settings(folder / FOLDER, **flags)
    with (
        only_one(settings.data_dir, "demo"),
        closing(open_catalogue(settings.catalogue_url)) as cat,
    ):
        collect(cat, settings, say, progress)
    return settings
