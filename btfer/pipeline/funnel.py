"""The funnel: for every class, how many pictures each stage took in, kept, dropped and why; and one picture's life."""

from collections import Counter
from dataclasses import dataclass

from btfer.catalogue import Catalogue, faces, journal, photos, releases, verdicts
from btfer.catalogue import funnel as counts
from btfer.catalogue.photos import UNLABELLED
from btfer.catalogue.store import Row
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS

CLASSES = (*EXPRESSIONS, UNLABELLED)


@dataclass(frozen=True)
class Line:
    """One line of the funnel: a stage, what happened there, and how many per class (order of CLASSES)."""

    stage: str
    what: str
    per_class: tuple[int, ...]

    @property
    def total(self) -> int:
        """Over all classes."""
        return sum(self.per_class)


def funnel(cat: Catalogue, settings: str) -> list[Line]:
    """The whole funnel under one crop setting, first stage first; a line for each reason that occurred."""
    of_photo = photos.labels(cat)
    rows = _reached(counts.standing_verdicts(cat, settings))
    lines = [_line("crawl", "photos", [row["expression"] for row in of_photo.values()])]
    lines += _round(rows, "dedup", "photos, no duplicate")
    lines += _round(rows, "photos", "kept by people")
    waiting = [row["expression"] for row in photos.awaiting_review(cat)]
    lines += _some("photos", "await review", waiting)
    found = [row for row in rows if row["round"] == "crop"]
    lines += _round([row for row in found if not row["face"]], "crop", "photos with a face")
    lines += _round([row for row in found if row["face"]], "crop", "faces cropped", "face: ")
    lines += _round(rows, "faces", "kept by people")
    waiting = [row["expression"] for row in faces.awaiting_review(cat, settings)]
    lines += _some("faces", "await review", waiting)
    newest = releases.newest(cat)
    if newest:
        released = [row["expression"] for row in releases.faces_in(cat, newest["name"])]
        lines.append(_line("release", newest["name"], released))
    return lines


def before_release(cat: Catalogue, settings: str) -> list[Line]:
    """The funnel as a release tells it: without the release itself."""
    return [one for one in funnel(cat, settings) if one.stage != "release"]


def crawl_losses(cat: Catalogue) -> list[Row]:
    """What became of every URL found: source, state, reason, n."""
    return journal.losses(cat)


def _reached(rows: list[Row]) -> list[Row]:
    """Without verdicts on what an earlier stage dropped since, or before: a funnel only narrows."""
    left: set[str] | None = None
    reached = []
    for round_ in ("dedup", "photos", "crop"):
        here = [row for row in rows if row["round"] == round_]
        here = [row for row in here if left is None or row["photo"] in left]
        reached += here
        left = {r["photo"] for r in here if not r["face"] and r["decision"] != "drop"}
    cropped = {r["face"] for r in reached if r["face"] and r["decision"] == "keep"}
    return reached + [r for r in rows if r["round"] == "faces" and r["face"] in cropped]


def _round(rows: list[Row], round_: str, kept: str, prefix: str = "") -> list[Line]:
    here = [row for row in rows if row["round"] == round_]
    if not here:
        return []
    stays = [row["expression"] for row in here if row["decision"] != "drop"]
    lines = [_line(round_, kept, stays)]
    relabelled = [row["expression"] for row in here if row["decision"] == "relabel"]
    lines += _some(round_, "of them relabelled to", relabelled)
    for reason in sorted({row["reason"] for row in here if row["decision"] == "drop"}):
        gone = [
            row["expression"]
            for row in here
            if row["decision"] == "drop" and row["reason"] == reason
        ]
        lines.append(_line(round_, f"- {prefix}{reason}", gone))
    return lines


def _some(stage: str, what: str, labels: list[str]) -> list[Line]:
    return [_line(stage, what, labels)] if labels else []


def _line(stage: str, what: str, labels: list[str]) -> Line:
    counted = Counter(labels)
    return Line(stage, what, tuple(counted[label] for label in CLASSES))


def explain(cat: Catalogue, id_: str) -> list[str]:
    """The life of one photo or face, from query to release, a line each.

    id_: the first digits of a photo's sha256 or of a face id, or a file name of the newest release.
    Raises UsageError where it names nothing, or more than one photo.
    """
    sha256, face = resolve(cat, id_)
    lines = [f"photo {sha256}"]
    lines += _found(cat, sha256)
    for copy in photos.duplicates(cat):
        if copy["keeper"] == sha256:  # its sightings are the group's
            lines.append(f"  copy {copy['photo']} at {copy['distance']} bits")
            lines += _found(cat, copy["photo"])
    boxes = faces.of_photo(cat, sha256)
    for box in boxes:
        if face in ("", box["id"]):
            lines.append(
                f"  face {box['id']}: {box['width']:.0f}x{box['height']:.0f} px at "
                f"({box['x']:.0f}, {box['y']:.0f}), probability {box['probability']:.3f}"
            )
    for one in verdicts.of_photo(cat, sha256):
        if not face or one["face"] in ("", face):
            lines.append(_verdict_line(one))
    for box in boxes:
        for held in releases.with_face(cat, box["id"]):
            lines.append(f"  released in {held['release']} as {held['file']}")
    return lines


def _found(cat: Catalogue, sha256: str) -> list[str]:
    """Where a photo was seen, by which query, and under which licence."""
    lines = []
    for seen in photos.sightings(cat, sha256):
        where = seen["page_url"] or seen["url"]
        lines.append(
            f"  found {seen['at']} by {seen['source']} for '{seen['phrase']}' "
            f"({seen['expression'] or UNLABELLED}), rank {seen['rank']}: {where}"
        )
        licence = seen["licence"] or "not stated"
        lines.append(f"    licence {licence}, author {seen['author'] or 'not stated'}")
    return lines


def _verdict_line(one: Row) -> str:
    words = [one["reason"], one["expression"]]
    if one["keeper"]:
        words.append(f"of {one['keeper'][:12]} at {one['distance']} bits")
    if one["undoes"]:
        words.append(f"verdict {one['undoes']}")
    about = f" face {one['face'][-2:]}" if one["face"] else ""
    text = " ".join(word for word in words if word)
    return f"  {one['at']} {one['round']}: {one['decision']}{about} {text} (by {one['reviewer']})"


def resolve(cat: Catalogue, id_: str) -> tuple[str, str]:
    """The photo's sha256, and the face id where one is meant, by the first digits of either or a released file.

    Raises UsageError where it names nothing, or more than one photo.
    """
    newest = releases.newest(cat)
    if newest:
        for row in releases.faces_in(cat, newest["name"]):
            if id_.removeprefix("images/") in (row["file"], row["file"].split("/")[-1]):
                return faces.find(cat, row["face"])[0]["photo"], row["face"]
    found_faces = faces.find(cat, id_) if "-" in id_ else []
    if len(found_faces) == 1:
        return found_faces[0]["photo"], found_faces[0]["id"]
    found = photos.find(cat, id_)
    if len(found) == 1:
        return found[0]["sha256"], ""
    several = "more than one picture" if found or found_faces else "no picture"
    raise UsageError(f"'{id_}' names {several}: give more digits of a photo or face id")
