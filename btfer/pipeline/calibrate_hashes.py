"""Which hash suits these photos: those of the imagehash package beside ours, on the same labelled pairs.

pdqhash joins where the package of that name is installed. Distances are of the whole pictures, straight or mirrored, in
parts of the hash's bits, so that hashes of different lengths stand in one plot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from btfer.errors import ImageError
from btfer.extras import installed
from btfer.images import Pixels, decode_rgb
from btfer.paths import thumbnail_path
from btfer.pipeline.calibrate_file import Labelled
from btfer.store import Store

NAMES = ("phash", "dhash", "whash", "colorhash", "crop_resistant_hash")
STEPS = tuple(n / 64 for n in range(25))  # of the bits
LEAST_PRECISION = 0.99


@dataclass(frozen=True)
class HashCurve:
    """Precision and recall of a hash alone, for each of STEPS; None where it calls no pair the same.

    best: the step that finds most pairs at a precision of 99 % and more; None where there is no such.
    """

    name: str
    precision: tuple[float | None, ...]
    recall: tuple[float, ...]
    best: float | None

    @property
    def found(self) -> float:
        """The share of copies that it finds at its best step."""
        return 0.0 if self.best is None else self.recall[STEPS.index(self.best)]


def compare_hashes(pairs: Sequence[Labelled], store: Store) -> list[HashCurve]:
    """A curve for each hash; [] where no two pictures are the same, or no thumbnail can be read."""
    pictures = _pictures({name for one in pairs for name in (one.one, one.other)}, store)
    pairs = [one for one in pairs if one.one in pictures and one.other in pictures]
    if not any(one.same for one in pairs):
        return []
    hashes = {name: _by_imagehash(name) for name in NAMES}
    if installed("pdqhash"):
        hashes["pdqhash"] = _pdq
    return [_curve(name, hash_of, pairs, pictures) for name, hash_of in hashes.items()]


def advice(curves: Sequence[HashCurve]) -> str:
    """The sentence which hash suits these photos."""
    fit = [one for one in curves if one.best is not None]
    if not fit:
        return (
            "No hash alone is precise enough on these pairs: keep phash, and let the faces decide."
        )
    best = max(fit, key=lambda one: one.found)
    ours = next((one for one in fit if one.name == "phash"), None)
    if ours and ours.found >= best.found - 0.005:
        return f"phash suits these photos: alone it finds {ours.found:.1%} at 99 % precision; no other finds more."
    beside = f"phash {ours.found:.1%}" if ours else "phash is not precise enough"
    name = best.name.removesuffix("_hash")
    how = f": btfer dedup --hash {name}" if name != "pdqhash" else ""
    return f"{best.name} alone finds {best.found:.1%} at 99 % precision ({beside}){how}"


def _pictures(photos: set[str], store: Store) -> dict[str, Pixels]:
    files = {name: thumbnail_path(store.folder, name) for name in photos}
    store.fetch_all(files.values())
    found = {}
    for name, file in files.items():
        try:
            found[name] = decode_rgb(file.read_bytes())
        except (OSError, ImageError):
            continue
    return found


def _curve(
    name: str,
    hash_of: Callable[[Pixels], Any],
    pairs: Sequence[Labelled],
    pictures: dict[str, Pixels],
) -> HashCurve:
    sides = {
        photo: (hash_of(pixels), hash_of(np.ascontiguousarray(pixels[:, ::-1])))
        for photo, pixels in pictures.items()
    }
    apart = np.array([_apart(sides[one.one], sides[one.other]) for one in pairs])
    weight = np.array([one.weight for one in pairs])
    same = np.array([one.same for one in pairs])
    precision: list[float | None] = []
    recall: list[float] = []
    for step in STEPS:
        called = apart <= step + 1e-9
        hit = float(weight[called & same].sum())
        precision.append(hit / float(weight[called].sum()) if called.any() else None)
        recall.append(hit / float(weight[same].sum()))
    fit = [n for n, one in enumerate(precision) if one is not None and one >= LEAST_PRECISION]
    best = STEPS[max(fit, key=lambda n: (recall[n], -n))] if fit else None
    return HashCurve(name, tuple(precision), tuple(recall), best)


def _apart(one: Any, other: Any) -> float:
    """The share of bits that differ, straight or mirrored; of several segments, of the nearest two."""
    (a, a_mirror), (b, b_mirror) = one, other
    return min(_nearest(*way) for way in ((a, b), (a, b_mirror), (a_mirror, b)))


def _nearest(one: Any, other: Any) -> float:
    return float(np.mean(one[:, None] != other[None], axis=2).min())


def _by_imagehash(name: str) -> Callable[[Pixels], Any]:
    def hash_of(pixels: Pixels) -> Any:
        import imagehash
        from PIL import Image

        found = getattr(imagehash, name)(Image.fromarray(pixels))
        return np.stack([np.ravel(one.hash) for one in getattr(found, "segment_hashes", [found])])

    return hash_of


def _pdq(pixels: Pixels) -> Any:
    import pdqhash

    return np.asarray(pdqhash.compute(pixels)[0])[None]
