"""A core-only install: what needs the benchmark's packages says so in one line, and the rest works without them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from btfer import extras
from btfer.errors import MissingExtra
from btfer.pipeline import calibrate

ROOT = Path(__file__).parents[1]
WITHOUT = """
import sys
for name in ("tensorflow", "keras", "h5py", "matplotlib", "cleanlab", "sklearn"):
    sys.modules[name] = None  # an import fails as if it were not installed
"""
MAIN = WITHOUT + "from btfer.cli import main\nmain()"


def _python(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "feature"),
    [
        ("bench", "btfer bench"),
        ("report", "btfer report"),
        ("export 3f2a", "btfer export"),
        ("bench plan", "btfer bench"),
        ("bench external --system fer", "btfer bench external"),
        ("predict 3f2a face.png", "btfer predict"),
        ("demo", "btfer demo"),
        ("build --format tfrecord", "--format tfrecord"),
    ],
)
def test_a_missing_extra_is_one_line_with_the_command(
    command: str, feature: str, tmp_path: Path
) -> None:
    done = _python(MAIN, *command.split(), folder=tmp_path)
    line = f"btfer: {feature} needs the extra 'bench': pip install 'btfer[bench]'\n"
    assert (done.returncode, done.stderr) == (1, line), done.stdout


@pytest.mark.parametrize("command", ["--help", "build --help", "queries", "bench networks"])
def test_the_dataset_half_starts_without_the_benchmark(command: str, tmp_path: Path) -> None:
    done = _python(MAIN, *command.split(), folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_stages_and_the_app_are_imported_without_the_benchmark(tmp_path: Path) -> None:
    code = WITHOUT + (
        "import btfer.pipeline.build, btfer.pipeline.calibrate, btfer.pipeline.verify, btfer.demo\n"
        "from review_app import agreement, duplicates, log, model, no_face, overview, pairs, rounds\n"
        "print('imported')"
    )
    done = _python(code, folder=tmp_path)
    assert done.stdout == "imported\n", done.stderr


def test_a_network_is_asked_for_its_packages_before_its_files(tmp_path: Path) -> None:
    code = WITHOUT + (
        "from btfer.bench.predict.predictor import Predictor\n"
        "from btfer.errors import MissingExtra\n"
        "try: Predictor(None)\n"
        "except MissingExtra as error: print(error)"
    )
    done = _python(code, folder=tmp_path)
    assert done.stdout == "a trained network needs the extra 'bench': pip install 'btfer[bench]'\n"


def test_another_backend_of_keras_does_not_want_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingExtra, match=r"btfer\[bench\]"):
        extras.require("bench", "btfer bench")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    extras.require("bench", "btfer bench")


def test_a_calibration_without_matplotlib_has_no_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert calibrate._plotted(tmp_path / "calibration.png", [], None) is None
    assert list(tmp_path.iterdir()) == []
