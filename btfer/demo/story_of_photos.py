"""The story up to the faces: searched, refused, compared, judged, cut."""

from collections.abc import Iterator
from itertools import groupby

from btfer.catalogue import faces, journal, photos, verdicts
from btfer.catalogue.rows import LabelledFace
from btfer.catalogue.verdicts import StoredVerdict
from btfer.demo.line import QUERIES
from btfer.demo.pictures import ShownPicture, boxed_picture, face_picture, photo_picture
from btfer.demo.story import Chapter, Row, TextTable, Told
from btfer.expressions import EXPRESSIONS
from btfer.faces.modes import crop_settings
from btfer.paths import face_path, photo_path, thumbnail_path
from btfer.queries import load_plan
from btfer.sample import load_manifest

_CUT_SHOWN = 4  # photos
_WHY = {
    "robots": "robots.txt of the site asks robots to stay out of that folder",
    "opt-out": "the answer carries X-Robots-Tag: noai",
    "http 404": "the page lists it, and it is gone",
    "truncated": "the download broke off: the JPEG ends too early",
    "too small": "an icon of 24 x 24 pixels",
}


def chapters(told: Told) -> list[Chapter]:
    """The first five chapters."""
    return [_searched(told), _refused(told), _compared(told), _judged(told), _cut(told)]


def _searched(told: Told) -> Chapter:
    queries = load_plan(QUERIES).queries
    labels, counts = photos.labels(told.cat), photos.count_by_class(told.cat)
    first = {one.intended: one for one in reversed(labels.values())}
    shown = [
        _photo(told, first[name].sha256, f"a photo found for {name}", f"“{first[name].phrase}”")
        for name in EXPRESSIONS
        if name in first
    ]
    return Chapter(
        "searched",
        "What was searched",
        f"{len(queries)} searches, one for each class, gender, age and ethnicity of the query plan, on a site on this "
        f"machine in the shape of an image search. {sum(counts.values())} different photos came. Below: the first of "
        "each class, with the words that found it.",
        told.command("crawl"),
        pictures=shown,
        table=TextTable(list(EXPRESSIONS), [[str(counts.get(name, 0)) for name in EXPRESSIONS]]),
    )


def _refused(told: Told) -> Chapter:
    lost = [one for one in journal.losses(told.cat) if one.state != "kept"]
    rows = [[one.reason, str(one.n), _WHY.get(one.reason, "")] for one in lost]
    return Chapter(
        "refused",
        "What was refused, and why",
        "Nothing of these is on the disk but the address and the reason. The sample's site has one of each on purpose.",
        told.command("status"),
        table=TextTable(["reason", "addresses", "what that means"], rows),
    )


def _compared(told: Told) -> Chapter:
    made_by = {one.sha256: one.transform for one in load_manifest()}
    copies = sorted(
        photos.duplicates(told.cat), key=lambda one: (one.distance_bits or 0, one.photo)
    )
    rows = [
        Row(
            f"{made_by.get(one.photo) or 'a copy'}, {one.distance_bits} bits apart",
            [
                _photo(told, one.keeper, "the photo that was kept", "kept"),
                _photo(told, one.photo, "its near-duplicate, which was dropped", "dropped"),
            ],
        )
        for one in copies
    ]
    return Chapter(
        "duplicates",
        "Which near-duplicates fell",
        f"{len(rows)} photos are copies of another: resized, saved again, mirrored, cut at the edges, or listed under "
        "another class. The better copy stays, and keeps what was known of both.",
        told.command("dedup"),
        rows=rows,
    )


def _judged(told: Told) -> Chapter:
    dropped = [one for one in verdicts.current_in(told.cat, "photos") if one.decision == "drop"]
    of_faces = [one for one in verdicts.current_in(told.cat, "faces") if one.decision != "keep"]
    pictures = [_photo(told, one.photo, f"dropped: {one.reason}", one.reason) for one in dropped]
    labels = photos.labels(told.cat)
    faces_shown = [_judged_face(told, one, labels[one.photo].intended) for one in of_faces]
    return Chapter(
        "people",
        "What people dropped or named otherwise",
        f"Round 1 dropped {len(dropped)} photos, round 2 named {len(of_faces)} faces otherwise than the search "
        "that found them. Here the verdicts are those recorded with the sample; in your set they are yours.",
        told.command("app"),
        rows=[
            Row("photos dropped, and the reason", pictures),
            Row("faces named otherwise", faces_shown),
        ],
    )


def _judged_face(told: Told, one: StoredVerdict, intended: str) -> ShownPicture:
    says = one.reason if one.decision == "drop" else f"{intended} → {one.expression}"
    return face_picture(face_path(told.settings.data_dir, one.face), f"a face: {says}", says)


def _cut(told: Told) -> Chapter:
    settings = crop_settings(told.settings)
    found = faces.accepted_with_labels(told.cat, settings.digest)
    by_photo = [
        list(group) for _, group in groupby(sorted(found, key=_place), key=lambda one: one.photo)
    ]
    # Those of several people first: there is most to see.
    shown = sorted(by_photo, key=lambda one: -len(one))[:_CUT_SHOWN]
    return Chapter(
        "crop",
        "Faces before and after the cut",
        f"MTCNN found the boxes. Each face is cut out with {settings.margin_px} pixels around its box and becomes "
        f"{settings.size_px} x {settings.size_px} pixels. {len(found)} faces came from {len(by_photo)} photos.",
        told.command("crop"),
        rows=[Row(f"{len(one)} faces", list(_before_and_after(told, one))) for one in shown],
    )


def _place(face: LabelledFace) -> tuple[str, int]:
    return face.photo, face.number


def _before_and_after(told: Told, found: list[LabelledFace]) -> Iterator[ShownPicture]:
    sha256, data_dir = found[0].photo, told.settings.data_dir
    photo = photos.labels(told.cat)[sha256]
    file = photo_path(data_dir, sha256, photo.format)
    yield boxed_picture(file, [one.box for one in found], f"a photo with {len(found)} boxes")
    for one in found:
        yield face_picture(face_path(data_dir, one.id), f"a face: {one.expression}", one.expression)


def _photo(told: Told, sha256: str, alt: str, caption: str = "") -> ShownPicture:
    return photo_picture(thumbnail_path(told.settings.data_dir, sha256), alt, caption)
