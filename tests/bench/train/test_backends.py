"""The whole of a run on Keras's other backends: trained, cut off, resumed, scored."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.bench.conftest import draw_folder, draw_release

ROOT = Path(__file__).parents[3]
XLA = (
    "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"  # compiles faster
)
SCRIPT = """
import json, sys
from pathlib import Path
import pytest
from tests.bench.conftest import put_tiny, run_tiny

class Killed(BaseException): ...

def kill(text):
    if "epoch 1 " in text:
        raise Killed

folder, replicas = Path(sys.argv[1]), int(sys.argv[2])
options = dict(training={"faces": folder / "faces"}, release=folder / "r", replicas=replicas)
told = []
with pytest.MonkeyPatch.context() as patch:
    put_tiny(patch)
    [whole] = run_tiny(folder / "whole", **options)
    try:
        run_tiny(folder / "cut", **options, on_progress=kill)
    except Killed:
        pass
    [cut] = run_tiny(folder / "cut", **options, on_progress=told.append)
    import keras
    network = keras.saving.load_model(folder / "cut" / "runs" / cut["id"] / "model.keras")
epochs = [text for text in told if "epoch" in text]
print(json.dumps([whole, cut, epochs, network.count_params(), "tensorflow" in sys.modules]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "replicas"), [("jax", 1), ("jax", 2), ("torch", 1)])
def test_a_run_is_trained_resumed_and_scored(tmp_path: Path, backend: str, replicas: int) -> None:
    if backend == "torch" and find_spec("torch") is None:
        pytest.skip("torch is not installed")
    draw_folder(tmp_path / "faces" / "train", 7)
    draw_folder(tmp_path / "faces" / "test", 3, first=50)
    draw_release(tmp_path / "r", 3)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(replicas)],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend, "XLA_FLAGS": XLA},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    whole, cut, epochs, parameters, tensorflow = json.loads(done.stdout.splitlines()[-1])
    assert (whole["state"], whole["backend"]) == ("done", backend)
    assert whole["definition"]["versions"]["backend"].startswith(f"{backend} ")
    assert [text.split(":")[1].split()[:2] for text in epochs] == [["epoch", "2"]]
    assert whole["id"] == cut["id"]
    for part in ("validation", "cross_domain"):
        one, other = (run["metrics"][part] for run in (whole, cut))
        assert one["images"] == other["images"] > 0
        assert one["accuracy"] == pytest.approx(other["accuracy"], abs=0.1)
    assert cut["parameters"] == parameters
    assert not tensorflow
