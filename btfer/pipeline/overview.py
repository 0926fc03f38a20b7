"""The catalogue as a build and the funnel need it, read once: what holds of every photo and face, and who waits."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from btfer.catalogue import Catalogue, current_verdicts, statements
from btfer.catalogue.current_verdicts import CurrentVerdicts, FirstSighting, Slice
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.rows import KeptFace
from btfer.licences import PhotoRights, parse_licence
from btfer.queries import Cell, Query

OPEN_APP = "btfer app"
COUNTED_AT_ONCE = 250_000  # photos: about 300 MB
GROUP = ("ethnicity", "gender", "age")


def to_judge(waiting: int, what: str) -> str:
    """That people must judge first, and where. what: `photos` or `faces`, which the app's page is called by too."""
    are = f"{what[:-1]} waits" if waiting == 1 else f"{what} wait"
    return f"{waiting:,} {are} to be judged: {OPEN_APP}, page {what.capitalize()}"


@dataclass(frozen=True)
class Overview:
    """current: the verdicts that hold, by round, then by photo or face. photo_of: each face's photo. labels: of photos.

    query_of: the query that found each photo first. asked: the queries by id. Only where faces are to be drawn, seen:
    where each photo was found first, and rights: what the sightings of a photo that was seen more than once state
    together.
    """

    current: CurrentVerdicts
    photo_of: dict[str, str]
    query_of: dict[str, str]
    asked: dict[str, Query]
    labels: dict[str, str]
    seen: dict[str, FirstSighting] = field(default_factory=dict)
    rights: dict[str, PhotoRights] = field(default_factory=dict)

    def left_by_dedup(self) -> set[str]:
        """Photos that dedup kept: one of each group of near-duplicates."""
        return {
            photo for photo, verdict in self.current["dedup"].items() if verdict.decision == "keep"
        }

    def dropped_by_people(self) -> set[str]:
        """Photos that a person dropped."""
        return {
            photo for photo, verdict in self.current["photos"].items() if verdict.decision == "drop"
        }

    def photos_waiting(self) -> list[str]:
        """Photos that await round `photos`."""
        return [one for one in self.left_by_dedup() if one not in self.current["photos"]]

    def faces_cropped(self) -> Iterator[str]:
        """Faces that the crop stage took, of photos that still hold."""
        photos = self.left_by_dedup() - self.dropped_by_people()
        for face, photo in self.photo_of.items():
            verdict = self.current["crop"].get(face)
            if verdict and verdict.decision == "keep" and photo in photos:
                yield face

    def faces_waiting(self) -> list[str]:
        """Faces that await round `faces`."""
        return [one for one in self.faces_cropped() if one not in self.current["faces"]]

    def kept_faces(self, unreviewed: str = "") -> list[KeptFace]:
        """Faces that may be drawn: kept or relabelled by a person, or not judged where `unreviewed` is `keep`."""
        of_people = self.current["faces"]
        rows = []
        for face in self.faces_cropped():
            judged = of_people.get(face)
            if (judged.decision if judged else unreviewed) in ("keep", "relabel"):
                rows.append(self._kept_face(face, judged.expression if judged else ""))
        return rows

    def label(self, photo: str) -> str:
        """A photo's class, or `unlabelled`."""
        return self.labels.get(photo, UNLABELLED)

    def by_cell(self) -> dict[Cell, int]:
        """How many photos each cell has (`catalogue.photos.count_by_cell`)."""
        found = Counter[Cell]()
        # Of a million photos there are a few thousand pairs.
        pairs = Counter(zip(self.labels.values(), self.query_of.values(), strict=True))
        for (label, query), n in pairs.items():
            asked = self.asked[query]
            expression = "" if label == UNLABELLED else label
            who = (asked.language, asked.ethnicity, asked.gender, asked.age)
            found[Cell(expression, *who)] += n
        return dict(found)

    def _kept_face(self, face: str, relabel: str) -> KeptFace:
        photo = self.photo_of[face]
        seen = self.seen[photo]
        asked = self.asked[self.query_of[photo]]
        stated = self.rights.get(photo)
        conflict = stated.conflict if stated else _own_conflict(seen.licence, seen.licence_url)
        where = stated or seen
        return KeptFace(
            *(face, photo, relabel or self.label(photo)),
            *(asked.ethnicity, asked.gender, asked.age),
            *(where.page_url, where.author, where.licence, where.licence_url),
            conflict,
        )


def _own_conflict(licence: str, licence_url: str) -> str:
    return parse_licence(licence, licence_url).conflict


def read(cat: Catalogue, crop_digest: str) -> Overview:
    """Everything under one crop setting (its digest)."""
    seen = current_verdicts.first_seen(cat)
    known = _overview(cat, crop_digest, {sha256: one.query for sha256, one in seen.items()})
    return replace(known, seen=seen, rights=statements.rights_of_several(cat))


def parts_to_count(
    cat: Catalogue, crop_digest: str, size: int = COUNTED_AT_ONCE
) -> Iterator[Overview]:
    """As `read`, of so many photos at a time, and without what only faces to be drawn need: for what adds up.

    Whoever counts lets go of each before the next, so that a million photos take the memory of `size`.
    """
    for part in current_verdicts.slices(cat, size):
        yield _overview(cat, crop_digest, current_verdicts.first_queries(cat, part), part)


def _overview(
    cat: Catalogue, crop_digest: str, query_of: dict[str, str], part: Slice | None = None
) -> Overview:
    current = current_verdicts.current_verdicts(cat, crop_digest, part)
    asked = current_verdicts.queries(cat)
    labels = current_verdicts.labels(current, query_of, asked)
    faces = dict(sorted(current_verdicts.photo_of_each(cat, crop_digest, part).items()))
    return Overview(current, faces, query_of, asked, labels)
