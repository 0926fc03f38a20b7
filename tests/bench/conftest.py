"""Tiny drawn image sets, and a tiny network, so that training takes moments."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from btfer.bench.architectures import ARCHITECTURES, BACKBONE
from btfer.engine import SERIAL, Engine
from btfer.expressions import EXPRESSIONS
from tests.chromium import running_chromium


def draw_face(label: int, number: int, size_px: int = 52) -> Image.Image:
    """A picture whose colours and stripes tell the label."""
    rng = np.random.default_rng([label, number])
    pixels = rng.integers(0, 60, (size_px, size_px, 3))
    pixels[:, :, label % 3] += 100 + 10 * label
    pixels[:: label + 2] //= 2
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def draw_folder(path: Path, per_class: int, *, first: int = 0) -> Path:
    """Class folders with `per_class` pictures each."""
    for label, name in enumerate(EXPRESSIONS):
        (path / name).mkdir(parents=True)
        for number in range(first, first + per_class):
            draw_face(label, number).save(path / name / f"{number:03d}.png")
    return path


def draw_release(path: Path, per_class: int = 4, *, first: int = 100) -> Path:
    """A folder in the form of a release."""
    draw_folder(path / "images", per_class, first=first)
    lines = ["file_name,label,ethnicity,gender,age"]
    for file in sorted((path / "images").glob("*/*.png")):
        lines.append(f"images/{file.parent.name}/{file.name},{file.parent.name},,woman,adult")
    (path / "metadata.csv").write_text("\n".join(lines) + "\n")
    return path


def tiny_network(
    input_shape: tuple[int, int, int], classes: int, weights: str = "none"
) -> keras.Model:
    """A backbone with batch normalisation, and a head with dropout."""
    layers = keras.layers
    backbone = keras.Sequential(
        [
            keras.Input(input_shape),
            layers.AveragePooling2D(8),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
        ],
        name=BACKBONE,
    )
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(backbone(inputs))
    x = layers.Dropout(0.3)(layers.Dense(16, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def put_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the tiny network in the place of three architectures."""
    for name in ("sequential_4conv", "mobilenetv2", "mediapipe_vggnet"):
        monkeypatch.setitem(ARCHITECTURES, name, replace(ARCHITECTURES[name], builder=tiny_network))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny network stands in the place of three architectures."""
    put_tiny(monkeypatch)


class KeptLines:
    """Progress that keeps its lines, or gives each to a function."""

    def __init__(self, hear: Callable[[str], Any] | None = None) -> None:
        self.lines: list[str] = []
        self.hear = hear or self.lines.append

    def update(self, stage: str, done: int, total: int) -> None:
        """Ignore it."""

    def say(self, text: str) -> None:
        self.hear(text)


def run_tiny(
    folder: Path,
    *,
    on_progress: Callable[[str], Any] | None = None,
    dry: bool = False,
    leaks: Any = None,
    engine: Engine = SERIAL,
    **options: Any,
) -> list[dict[str, Any]]:
    """`bench`, or with `dry` `plan`, with small defaults; keywords override them; as JSON."""
    from btfer.bench import BenchRequest, bench, plan

    defaults: dict[str, Any] = {
        "data_dir": folder,
        "architectures": ["sequential_4conv"],
        "resolutions": [48],
        "balances": ["conservative"],
        "weights": ["none"],
        "seeds": [1],
        "epochs": 2,
        "folds": 2,
    }
    request = BenchRequest(**defaults | options)
    if dry:
        return [asdict(one) for one in plan(request, KeptLines(on_progress))]
    found = bench(request, KeptLines(on_progress), leaks=leaks, engine=engine)
    return [one.to_json() for one in found]


@pytest.fixture
def bench_tiny(tmp_path: Path, tiny: None) -> Callable[..., list[dict[str, Any]]]:
    """`run_tiny` in a data folder of the test's own."""
    return partial(run_tiny, tmp_path / "data")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium."""
    with running_chromium() as opened:
        yield opened
