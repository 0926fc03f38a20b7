"""What the catalogue hands out: one frozen type for each kind of row, with units in the names of its fields.

Photos and faces are named by `sha256` and `id` everywhere; `expression` is a class, or `unlabelled`. Kinds that
are read by the hundred thousand are NamedTuples, which are made more quickly than dataclasses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from btfer.queries import Cell


class PhotoBox(NamedTuple):
    """A box in a photo: its upper left corner and its size, in the photo's pixels."""

    x_px: float
    y_px: float
    width_px: float
    height_px: float


class Photo(NamedTuple):
    """A photo as it is stored.

    width_px, height_px: of the file's pixels. n_bytes: of the file. phash, mirror_phash: int64, the bits of
    the 64-bit perceptual hash of the photo and of its mirror image. hints: measured at intake, by name.
    at: when it came, ISO 8601 in UTC.
    """

    sha256: str
    format: str
    width_px: int
    height_px: int
    n_bytes: int
    phash: int
    mirror_phash: int
    hints: Mapping[str, Any]
    at: str


class PhotoHashes(NamedTuple):
    """A photo and the bits of its two 64-bit perceptual hashes, as int64."""

    sha256: str
    phash: int
    mirror_phash: int


class IndexedHashes(NamedTuple):
    """A photo's hashes (int64, the bits of a uint64), and dedup's current decision on it ('' = not judged)."""

    sha256: str
    phash: int
    mirror_phash: int
    decision: str


class DuplicateCandidate(NamedTuple):
    """What decides which of several copies stays (`btfer.duplicate_rules`).

    at: when it came, ISO 8601. judged: whether people have judged it. decision, by, keeper: dedup's
    current verdict, who gave it, and of which photo it is a copy ('' = none). licences: name and address
    of every sighting's, sorted. bordered: whether it has a strip or a frame around it; the catalogue does not say.
    marked: whether it has see-through letters over what a copy shows plainly, as far as they were compared.
    """

    sha256: str
    width_px: int
    height_px: int
    n_bytes: int
    at: str
    judged: bool
    decision: str
    by: str
    keeper: str
    licences: tuple[tuple[str, str], ...] = ()
    bordered: bool = False
    marked: bool = False


class DuplicatePhoto(NamedTuple):
    """A photo that dedup dropped, the photo that is kept for it, and the distance of their hashes."""

    photo: str
    keeper: str
    distance_bits: int | None


class PhotoToReview(NamedTuple):
    """A photo that awaits round `photos`, with its label, its size and what intake measured."""

    sha256: str
    expression: str
    width_px: int
    height_px: int
    hints: Mapping[str, Any]


class PhotoTally(NamedTuple):
    """How many photos of a label have a decision in round `photos` ('' = they await one)."""

    expression: str
    decision: str
    n: int


class PhotoToCrop(NamedTuple):
    """A photo that awaits the crop stage."""

    sha256: str
    format: str


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo with its label, what the query that found it first intends, and where that was.

    expression: the label of people, else `intended`, else `unlabelled`. intended: the query's class.
    phrase: of the query; ethnicity, gender, age and language are its intent too, no facts about a person
    ('' = not asked). source ... rank: of the first sighting.
    """

    sha256: str
    format: str
    expression: str
    intended: str
    phrase: str
    ethnicity: str
    gender: str
    age: str
    language: str
    source: str
    page_url: str
    title: str
    licence: str
    licence_url: str
    author: str
    rank: int


@dataclass(frozen=True, slots=True)
class DescribedPhoto(LabelledPhoto):
    """A labelled photo with its size, what intake measured, and the address it was fetched from.

    licence, licence_url: the strictest that any sighting states. author, title, page_url: of the sighting that
    gives the credit. needs_credit: whether any statement asks for it. licence_conflict: '' = the sightings agree.
    """

    width_px: int
    height_px: int
    hints: Mapping[str, Any]
    url: str
    needs_credit: bool = False
    licence_conflict: str = ""


class PhotoSighting(NamedTuple):
    """Where a photo was seen once, with the query that asked for it.

    at: when, ISO 8601. plan: the version of the query plan. rank: its place in the answer.
    url: as the source gave it; final_url: after redirects. phrase, expression, language: of the query.
    """

    at: str
    plan: str
    source: str
    page_url: str
    title: str
    licence: str
    licence_url: str
    author: str
    rank: int
    url: str
    final_url: str
    phrase: str
    expression: str
    language: str


class PhotoTrace(NamedTuple):
    """An address that leads to a photo; page_url and title are None where no sighting of it is left."""

    photo: str
    url: str
    final_url: str
    page_url: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Face:
    """A face that the detector found in a photo, under one crop setting.

    number: among the photo's faces, from left to right. x_px ... height_px: its box in pixels of the
    photo. probability: the detector's, 0 to 1. landmarks: x and y by name, in pixels of the photo. crop: the
    rectangle that was cut and how (`faces.cut.crop_record`), empty where none was. hints: what may be wrong, by
    name; never a verdict.
    """

    id: str
    photo: str
    crop_digest: str
    number: int
    x_px: float
    y_px: float
    width_px: float
    height_px: float
    probability: float
    landmarks: dict[str, Any]
    crop: Mapping[str, Any]
    hints: Mapping[str, Any]

    @property
    def box(self) -> PhotoBox:
        """Where it is in the photo."""
        return PhotoBox(self.x_px, self.y_px, self.width_px, self.height_px)


@dataclass(frozen=True, slots=True)
class AcceptedFace(Face):
    """A face that the crop stage accepted, and what people said of it in round `faces` ('' = not judged).

    relabel: the class that they gave instead of the photo's ('' = none).
    """

    decision: str
    relabel: str
    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True)
class LabelledFace(AcceptedFace):
    """An accepted face with its label: the class that people gave it, else its photo's."""

    expression: str


class KeptFace(NamedTuple):
    """A face that may be drawn for a release.

    ethnicity, gender, age: what the query asked for ('' = nothing). licence, licence_url: the strictest that any
    sighting of the photo states. page_url, author: of the sighting that gives the credit. licence_conflict: a
    sentence where the sightings contradict each other.
    """

    id: str
    photo: str
    expression: str
    ethnicity: str
    gender: str
    age: str
    page_url: str
    author: str
    licence: str
    licence_url: str
    licence_conflict: str = ""


class PhotoWithoutFace(NamedTuple):
    """A photo from which the crop stage accepted no face, why, its size, and the id of that verdict.

    at: when it was first fetched, ISO time in UTC. decision, expression, reviewer: what people said of it in round
    `photos`, and who ('' = nobody did).
    """

    sha256: str
    reason: str
    width_px: int
    height_px: int
    verdict: int
    at: str
    decision: str
    expression: str
    reviewer: str


class FetchTask(NamedTuple):
    """A URL that is still to be fetched, and where it was seen first.

    state: `found`, or what became of it before. sighting: its number, which the next page starts after.
    language, expression, ethnicity, gender, age: of the query. copy_url: a copy that the source keeps.
    width, height: as the source states them in pixels, 0 = it does not.
    """

    id: str
    url: str
    state: str
    sighting: int
    page_url: str
    source: str
    licence: str
    licence_url: str
    language: str
    expression: str
    copy_url: str = ""
    width: int = 0
    height: int = 0
    ethnicity: str = ""
    gender: str = ""
    age: str = ""

    @property
    def cell(self) -> Cell:
        """What its query was meant to find."""
        return Cell(self.expression, self.language, self.ethnicity, self.gender, self.age)


class FetchState(NamedTuple):
    """What became of one URL (found, kept, refused, failed), and why."""

    state: str
    reason: str


class UrlCount(NamedTuple):
    """How many URLs of a source ended in one state for one reason."""

    source: str
    state: str
    reason: str
    n: int


class FetchTally(NamedTuple):
    """What was asked of one source or host, and what came of it; `name` is its name.

    asked: requests. kept, refused, failed, waiting: URLs. n_bytes: of the photos kept.
    """

    name: str
    asked: int
    kept: int
    refused: int
    failed: int
    waiting: int
    n_bytes: int


class ReleasedFace(NamedTuple):
    """A face of a release: the file below `images/` that shows it, and its class there."""

    face: str
    file: str
    expression: str


class RecordedRelease(NamedTuple):
    """A release as the catalogue knows it: `settings` as in its release.json, `at` when it was made."""

    name: str
    digest: str
    settings: dict[str, Any]
    at: str
