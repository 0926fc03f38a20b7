"""The photos from which the crop stage took no face, as a person chooses among them."""

from dataclasses import dataclass

from btfer.catalogue import Catalogue, faces, photos
from btfer.catalogue.rows import PhotoWithoutFace
from btfer.review import choices
from btfer.review.choices import NOT_JUDGED, Known
from btfer.review.index import shared


@dataclass(frozen=True)
class NoFaceFilter:
    """Which photos without a face are shown; '' = any.

    reason: of the crop stage. by, verdict: whose word holds in round `photos`, and what it says. label: the photo's
    class now. date: the day it came (UTC). find: as of `Filter`.
    """

    reason: str = ""
    by: str = ""
    verdict: str = ""
    label: str = ""
    source: str = ""
    query: str = ""
    date: str = ""
    find: str = ""


@dataclass(frozen=True)
class PhotosWithoutFace:
    """Those that are as chosen, the newest verdict of the crop stage first, and how many each choice would leave."""

    photos: list[PhotoWithoutFace]
    counts: dict[str, dict[str, int]]
    total: int


def photos_without_face(cat: Catalogue, chosen: NoFaceFilter) -> PhotosWithoutFace:
    """Under the newest crop settings. total: whatever is chosen."""
    rows = faces.photos_without_face(cat, faces.newest_settings(cat))
    rows.sort(key=lambda row: -row.verdict)
    named = photos.findable(cat, chosen.find) if chosen.find else None
    known = {one: its for one, its in _known(cat, rows).items() if named is None or one in named}
    asked = {name: value for name, value in vars(chosen).items() if name != "find"}
    left = set(choices.matching(known, asked))
    counts = choices.counted(known, asked)
    counts["date"] = dict(sorted(counts["date"].items(), reverse=True))
    return PhotosWithoutFace([row for row in rows if row.sha256 in left], counts, len(rows))


def _known(cat: Catalogue, rows: list[PhotoWithoutFace]) -> dict[str, Known]:
    index = shared(cat)
    with index.lock:
        index.refresh()
        return {
            row.sha256: {
                "reason": (row.reason,),
                "by": (row.reviewer,) if row.reviewer else (),
                "verdict": (row.expression or row.decision or NOT_JUDGED,),
                "label": (index.label(row.sha256),),
                "source": (index.found[row.sha256].source,),
                "query": (index.queries[index.found[row.sha256].query].phrase,),
                "date": (row.at[:10],),
            }
            for row in rows
            if row.sha256 in index.found
        }
