"""The images of a release, each with all that is stated about it: out of the catalogue, or out of a release."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from btfer.catalogue import Catalogue, faces, photos, verdicts
from btfer.catalogue.rows import DescribedPhoto, Face, KeptFace
from btfer.catalogue.secret_keys import RELEASES, secret_key
from btfer.faces.cut import read_cut
from btfer.licences import LOCAL, USES, licence_shown, parse_licence
from btfer.paths import face_path
from btfer.pipeline.release_metadata import (
    NO_AUTHOR,
    SPLIT,
    Credit,
    ImageMetadata,
    Origin,
    read_credits,
    read_metadata,
    read_origins,
)
from btfer.review.agreement_table import soft_labels


@dataclass(frozen=True)
class ReleaseImage:
    """One image of a release: its place below images/ (`test/sad/sad-001.png`; `sad/sad-001.png` in a release of
    an earlier btfer), the file of its pixels, its face id, its metadata.

    credit: None where the licence asks for none. origin: None where the release does not state it.
    """

    file: str
    pixels: Path
    face: str
    metadata: ImageMetadata
    credit: Credit | None
    origin: Origin | None


def may_be_cropped(face: KeptFace, use: str = LOCAL) -> bool:
    """Whether a release for this use may hold a face: never of a work that is reserved or may not be adapted."""
    return USES[use](parse_licence(face.licence, face.licence_url))


def release_images(
    cat: Catalogue,
    data_dir: Path,
    chosen: Mapping[str, Sequence[KeptFace]],
    earlier: Mapping[str, str] | None = None,
) -> list[ReleaseImage]:
    """The chosen faces of each class, numbered in their order; in the order of their numbers.

    earlier: the file that a face had in the release before: there an image keeps its name, and a face that is new
    takes a number that is free.
    """
    places = {
        face: (f"{SPLIT}/{label}/{label}-{number:03d}.png", label)
        for label, its in chosen.items()
        for number, face in sorted(numbered(label, [face.id for face in its], earlier or {}))
    }
    return images_at(cat, data_dir, places)


def numbered(label: str, ids: Sequence[str], earlier: Mapping[str, str]) -> list[tuple[int, str]]:
    """A number from 1 to N for each of N faces of a class: the one that it had, else the next that is free."""
    numbers = {f"{label}-{number:03d}.png": number for number in range(1, len(ids) + 1)}
    had_name = {id_: earlier[id_].rpartition("/")[2] for id_ in ids if id_ in earlier}
    taken = {numbers[name]: id_ for id_, name in had_name.items() if name in numbers}
    free = (number for number in numbers.values() if number not in taken)
    had = set(taken.values())
    return [*taken.items(), *zip(free, (id_ for id_ in ids if id_ not in had), strict=False)]


def images_at(
    cat: Catalogue, data_dir: Path, places: Mapping[str, tuple[str, str]]
) -> list[ReleaseImage]:
    """Faces as the images that they become. places: file and label by face id."""
    known = faces.by_id(cat, places)
    described = photos.described(cat, {known[id_].photo for id_ in places})
    labels = {sha256: photo.expression for sha256, photo in described.items()}
    judged = verdicts.current_on(cat, "faces", described)
    reviewed = {row.face for row in judged if row.decision != "drop"}
    votes = soft_labels(verdicts.votes(cat, "faces", described), labels)
    hidden = photo_pseudonyms(cat, described)
    found = []
    for id_, (file, label) in places.items():
        name, face = f"images/{file}", known[id_]
        photo = described[face.photo]
        counted = votes.get(id_, {})
        stated = _metadata(
            name, label, face, photo, hidden[face.photo], counted, reviewed=id_ in reviewed
        )
        size_px = face.crop.get("size_px", 256)
        credit = _credit(stated, photo, size_px) if stated.attribution_id else None
        origin = _origin(name, face, photo)
        found.append(ReleaseImage(file, face_path(data_dir, id_), id_, stated, credit, origin))
    return found


def read_images(folder: Path, data_dir: Path, face_of: Mapping[str, str]) -> list[ReleaseImage]:
    """The images of a release that is there. face_of: the face id of each file (`test/sad/sad-001.png`).

    A release that only names addresses has no images: its pixels are the crops of the data folder.
    """
    credits_, origins = read_credits(folder), read_origins(folder)
    found = []
    for one in read_metadata(folder):
        name, file = one.file_name, one.file_name.removeprefix("images/")
        stated = (one, credits_.get(name), origins.get(name))
        has_image = (folder / name).is_file()
        pixels = folder / name if has_image else face_path(data_dir, face_of[file])
        found.append(ReleaseImage(file, pixels, face_of[file], *stated))
    return found


def photo_pseudonyms(cat: Catalogue, photos: Iterable[str]) -> dict[str, str]:
    """The names of photos (sha256) in releases: 12 digits, keyed with a secret of the catalogue.

    Whoever holds a photo, and not the catalogue, cannot find out whether it is in a release. The same in all
    releases of a catalogue.
    """
    key = secret_key(cat, RELEASES)
    return {one: _pseudonym(key, one) for one in photos}


def photo_pseudonym(cat: Catalogue, photo: str) -> str:
    """The name of one photo (sha256) in releases."""
    return photo_pseudonyms(cat, [photo])[photo]


def _pseudonym(key: bytes, photo: str) -> str:
    return hmac.new(key, b"btfer photo\0" + photo.encode(), hashlib.sha256).hexdigest()[:12]


def pseudonym(photo: str, seed: int) -> str:
    """A photo's name in a release of an earlier btfer, where it was keyed with the seed, which is public."""
    return hashlib.blake2b(photo.encode(), key=str(seed).encode()[:64], digest_size=6).hexdigest()


def _metadata(
    file_name: str,
    label: str,
    face: Face,
    photo: DescribedPhoto,
    photo_id: str,
    votes: Mapping[str, int],
    *,
    reviewed: bool,
) -> ImageMetadata:
    cut = read_cut(face.crop)
    scale = face.crop.get("size_px", 256) / min(cut.height, cut.width)
    return ImageMetadata(
        file_name=file_name,
        label=label,
        votes=votes,
        ethnicity=photo.ethnicity,
        gender=photo.gender,
        age=photo.age,
        language=photo.language,
        source=photo.source,
        licence=licence_shown(photo.licence, photo.licence_url),
        spdx=parse_licence(photo.licence, photo.licence_url).spdx,
        attribution_id=Path(file_name).stem if photo.needs_credit else "",
        face_probability=round(face.probability, 4),
        face_width_px=round(face.width_px),
        face_height_px=round(face.height_px),
        crop_scale=round(scale, 3),
        crop_distortion=round(cut.width / cut.height, 3),
        crop_clipped=cut.clipped,
        photo_id=photo_id,
        reviewed=reviewed,
    )


def _credit(stated: ImageMetadata, photo: DescribedPhoto, size_px: int) -> Credit:
    return Credit(
        stated.attribution_id,
        stated.file_name,
        photo.author or NO_AUTHOR,
        photo.title,
        stated.licence,
        parse_licence(photo.licence, photo.licence_url).url or photo.licence_url,
        photo.page_url,
        f"cropped and resized to {size_px}x{size_px}",
    )


def _origin(file_name: str, face: Face, photo: DescribedPhoto) -> Origin:
    """No address and no phrase for a photo that came from a disk."""
    on_web = photo.url.startswith(("http://", "https://"))
    return Origin(
        file_name=file_name,
        image_sha256="",
        photo_sha256=face.photo,
        face=face.id,
        url=photo.url if on_web else "",
        page_url=photo.page_url,
        query=photo.phrase if on_web else "",
        intended=photo.intended,
        title=photo.title,
        author=photo.author,
        licence=photo.licence,
        licence_url=photo.licence_url,
        cut=read_cut(face.crop),
    )
