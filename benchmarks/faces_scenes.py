"""Scenes for `benchmarks/faces.py`: the sample's people on textured grounds, as large as photos on the web."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from btfer.sample import load_manifest, picture_path

SIZES = [
    *((640, 480), (800, 600), (1024, 683), (1080, 1080), (1200, 800), (1200, 800)),
    *((1280, 720), (1280, 853), (1600, 1067), (1920, 1080), (2000, 1333)),
]
UPRIGHT_SHARE = 0.25
QUALITIES = (80, 85, 90, 95)
GRAIN = 9  # levels: so that JPEG and PNet have work on the ground as well


def draw_scenes(folder: Path, count: int, seed: int = 7) -> list[Path]:
    """So many JPEGs: one large portrait, or a few people, or some small pictures on a page."""
    rng = np.random.default_rng(seed)
    people = [picture_path(one.file) for one in load_manifest() if one.kind in ("single", "group")]
    paths = [folder / f"scene-{n:04d}.jpg" for n in range(count)]
    for path in paths:
        scene = _scene(people, rng)
        scene.save(path, quality=int(rng.choice(QUALITIES)))
    return paths


def _scene(people: list[Path], rng: np.random.Generator) -> Image.Image:
    size = SIZES[rng.integers(len(SIZES))]
    if rng.random() < UPRIGHT_SHARE:
        size = size[::-1]
    scene = _ground(_one_of(people, rng), size, rng)
    kind = rng.random()
    number = 1 if kind < 0.45 else rng.integers(2, 9) if kind < 0.8 else rng.integers(1, 4)
    for _ in range(number):
        one = _one_of(people, rng)
        fits = min(size[0] / one.width, size[1] / one.height)
        if kind < 0.45:
            factor = fits * rng.uniform(0.7, 1)
        elif kind < 0.8:
            factor = fits * rng.uniform(0.15, 0.55)
        else:
            factor = min(1, 0.9 * fits)
        _paste(scene, one, factor, rng)
    return scene


def _one_of(people: list[Path], rng: np.random.Generator) -> Image.Image:
    return Image.open(people[rng.integers(len(people))]).convert("RGB")


def _ground(of: Image.Image, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A blurred picture with grain: colours of a photo, and no face."""
    soft = of.resize((size[0] // 8, size[1] // 8)).filter(ImageFilter.GaussianBlur(6)).resize(size)
    grain = rng.normal(0, GRAIN, (size[1], size[0], 1))
    return Image.fromarray((np.asarray(soft) + grain).clip(0, 255).astype(np.uint8))


def _paste(
    scene: Image.Image, picture: Image.Image, factor: float, rng: np.random.Generator
) -> None:
    width, height = (max(round(side * factor), 1) for side in picture.size)
    left, top = rng.integers(scene.width - width + 1), rng.integers(scene.height - height + 1)
    scene.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (int(left), int(top)))
