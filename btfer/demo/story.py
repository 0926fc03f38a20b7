"""What a demo did, chapter by chapter, as the page shows it."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from btfer.bench.runs.record import RunRecord
from btfer.catalogue import Catalogue
from btfer.demo.benchmark import SmallFile
from btfer.demo.pictures import ShownPicture
from btfer.pipeline.release import Release
from btfer.release_record import FunnelLine
from btfer.settings import Settings

if TYPE_CHECKING:
    from btfer.bench.report.drawing import Panel


@dataclass(frozen=True)
class Row:
    """Pictures that belong together, with what they have in common."""

    title: str
    pictures: Sequence[ShownPicture]


@dataclass(frozen=True)
class TextTable:
    """Rows of texts under titles."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Link:
    """A file that the page leads to: its address relative to the page, and its name."""

    address: str
    name: str


@dataclass(frozen=True)
class Chapter:
    """One step of the line: what happened, what made it, and the pictures of it. The parts stand in this order."""

    id: str
    title: str
    text: str
    command: str
    plots: "Sequence[Panel]" = ()
    sheet: ShownPicture | None = None
    pictures: Sequence[ShownPicture] = ()
    rows: Sequence[Row] = ()
    table: TextTable | None = None
    links: Sequence[Link] = ()


@dataclass(frozen=True)
class Story:
    """All chapters, in order. headline: what came of it, in one sentence. funnel: as the terminal shows it."""

    headline: str
    chapters: Sequence[Chapter]
    funnel: Sequence[FunnelLine]


@dataclass(frozen=True)
class Told:
    """Where a story is read from. folder: of the page. report: page of the report."""

    cat: Catalogue
    settings: Settings
    folder: Path
    release: Release
    trained: Sequence[RunRecord] = field(default=())
    edge: SmallFile | None = None
    report: Path | None = None

    def command(self, words: str) -> str:
        """A command as it is typed for this demo's data folder."""
        return f"btfer --data-dir {shlex.quote(str(self.settings.data_dir))} {words}"

    def link(self, path: Path, name: str) -> Link:
        """A link from the page to a file."""
        return Link(quote(Path(os.path.relpath(path, self.folder)).as_posix()), name)


def gather(told: Told, lines: Sequence[FunnelLine]) -> Story:
    """The story of a finished demo, from the catalogue, the release and the runs."""
    from btfer.demo import story_of_networks, story_of_photos, story_of_release

    chapters = [
        *story_of_photos.chapters(told),
        *story_of_release.chapters(told),
        *story_of_networks.chapters(told),
    ]
    return Story(story_of_networks.headline(told), chapters, lines)
