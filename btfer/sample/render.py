"""Render the whole sample: pictures, and the manifest that holds the truth about them.

The same data, seed and libraries give the same bytes. JPEG bytes also depend on the build of Pillow,
and text on the font in it; another build gives pictures that look alike and have other hashes.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from btfer.engine import PROCESSES, map_unordered
from btfer.files import sha256_file, write_atomic
from btfer.sample import SampleFace, SamplePicture, junk, load_manifest
from btfer.sample.copies import copy_of
from btfer.sample.mesh import Shapes, fetch_assets
from btfer.sample.plan import COPIES, CopySpec, PictureSpec, picture_specs
from btfer.sample.scene import draw_scene

__all__ = ["check_rendered", "fetch_assets", "render_one", "render_sample"]

SEED = 2024
LICENCE, AUTHOR = "CC0-1.0", "btfer sample"
NOTE = "Synthetic, rendered faces of nobody. Not for benchmark claims."
Made = tuple[bytes, tuple[SampleFace, ...]]


def render_sample(
    out: Path,
    *,
    data: Path,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> list[SamplePicture]:
    """Write `out/pictures/` and `out/manifest.json`; takes minutes.

    data: the folder of `fetch_assets`. progress: called with the number of pictures drawn, and of all.
    """
    Shapes(data)  # raises now, not in a worker
    specs = picture_specs(seed)
    made: dict[str, Made] = {}
    work = partial(_render_in_worker, data=data, seed=seed)
    for file, one in map_unordered(work, specs, engine=PROCESSES):
        made[file] = one
        write_atomic(out / "pictures" / file, one[0])
        if progress:
            progress(len(made), len(specs))
    listed = {spec.file: _described(spec, made[spec.file]) for spec in specs}
    pictures = [*listed.values(), *_copies(out, listed, made), *_junk(out, seed, made)]
    _write_manifest(out / "manifest.json", pictures, seed)
    return pictures


def render_one(shapes: Shapes, one: PictureSpec, *, seed: int = SEED) -> Made:
    """The JPEG of one picture with people, and its faces."""
    at = int.from_bytes(hashlib.sha256(one.file.encode()).digest()[:4])
    width_px, height_px = one.size_px
    scene = draw_scene(
        shapes, list(one.cast), seed=[seed, at], width_px=width_px, height_px=height_px
    )
    return junk.as_jpeg(scene.image), scene.faces


def check_rendered(out: Path) -> list[str]:
    """Names of the built-in pictures that are missing in `out`, or whose bytes differ there."""

    def differs(one: SamplePicture) -> bool:
        path = out / "pictures" / one.file
        return not path.is_file() or sha256_file(path) != one.sha256

    return [one.file for one in load_manifest() if differs(one)]


@cache
def _shapes(data: Path) -> Shapes:
    return Shapes(data)


def _render_in_worker(one: PictureSpec, *, data: Path, seed: int) -> tuple[str, Made]:
    """A picture's file name and what it became."""
    return one.file, render_one(_shapes(data), one, seed=seed)


def _described(one: PictureSpec, made: Made) -> SamplePicture:
    expression, gender, age, ethnicity = one.cast[0]
    return SamplePicture(
        file=one.file,
        kind=one.kind,
        title=one.title,
        licence=LICENCE,
        author=AUTHOR,
        expression=expression,
        ethnicity=ethnicity,
        gender=gender,
        age=age,
        sha256=hashlib.sha256(made[0]).hexdigest(),
        decision=one.decision,
        reason=one.reason,
        faces=made[1],
    )


def _copies(
    out: Path, listed: dict[str, SamplePicture], made: dict[str, Made]
) -> Iterator[SamplePicture]:
    for copy in COPIES:
        yield _copied(out, copy, listed[copy.original], made[copy.original])


def _copied(out: Path, copy: CopySpec, original: SamplePicture, made: Made) -> SamplePicture:
    data, faces = copy_of(*made, copy.transform)
    write_atomic(out / "pictures" / copy.file, data)
    return replace(
        original,
        file=copy.file,
        kind="duplicate",
        title=f"{original.title} (copy)",
        expression=copy.listed_as or original.expression,
        sha256=hashlib.sha256(data).hexdigest(),
        decision="drop",
        reason="duplicate",
        original=copy.original,
        transform=copy.transform,
        faces=faces,
    )


def _junk(out: Path, seed: int, made: dict[str, Made]) -> Iterator[SamplePicture]:
    """One of each kind, listed under a class and under people of every group."""
    rng = np.random.default_rng([seed, 1])
    whole = junk.as_jpeg(junk.no_face(rng))
    kinds = (
        ("no_face.jpg", "A place without people, rendered", "neutral", "no face"),
        ("smiley.jpg", "Cartoon smiley", "happy", "drawing"),
        ("words.jpg", "Words on a board", "happy", "text"),
        ("truncated.jpg", "A download that broke off", "sad", "too poor"),
        ("tiny.jpg", "An icon", "surprise", "too poor"),
    )
    data = (
        whole,
        junk.as_jpeg(junk.smiley()),
        junk.as_jpeg(junk.words()),
        junk.truncated(made["sad_12.jpg"][0]),
        junk.as_jpeg(junk.tiny(junk.smiley())),
    )
    for (file, title, expression, reason), bytes_ in zip(kinds, data, strict=True):
        write_atomic(out / "pictures" / file, bytes_)
        digest = hashlib.sha256(bytes_).hexdigest()
        yield SamplePicture(
            *(file, "junk", title, LICENCE, AUTHOR, expression, "", "", "", digest, "drop", reason)
        )


def _write_manifest(path: Path, pictures: list[SamplePicture], seed: int) -> None:
    known = {"note": NOTE, "seed": seed, "pictures": [_plain(one) for one in pictures]}
    text = json.dumps(known, indent=1, ensure_ascii=False)
    write_atomic(path, (text + "\n").encode())


def _plain(one: SamplePicture) -> dict[str, object]:
    """A picture as the manifest has it, without what is empty; a box is [x, y, width, height]."""
    plain = {key: value for key, value in asdict(one).items() if value != "" or key in _INTENT}
    plain["faces"] = [
        {
            "box": [face.x, face.y, face.width, face.height],
            "label": face.label,
            "gender": face.gender,
            "age": face.age,
            "ethnicity": face.ethnicity,
        }
        for face in one.faces
    ]
    return plain


_INTENT = ("expression", "ethnicity", "gender", "age")
