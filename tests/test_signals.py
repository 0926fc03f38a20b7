"""How a command ends that is asked to: with a sentence, the shell's exit code, and nothing lost."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PHOTOS = 350
COMMAND = [sys.executable, "-c", "from btfer.cli import main; main()"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough photos that an import of them lasts until the signal has come."""
    made = tmp_path_factory.mktemp("signals") / "photos"
    made.mkdir()
    pixels = np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    for number in range(PHOTOS):
        Image.fromarray(np.roll(pixels, (number, number // 200), (0, 1))).save(
            made / f"{number}.jpg"
        )
    return made


def start(work: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [*COMMAND, "--data-dir", str(work), "--workers", "1", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_import_ends_with_a_sentence_and_goes_on_later(
    folder: Path, tmp_path: Path, asked: signal.Signals, code: int
) -> None:
    job = start(tmp_path / "data", "import", str(folder))
    while not any((tmp_path / "data").glob("photos/*/*")) and job.poll() is None:
        time.sleep(0.05)
    job.send_signal(asked)
    _, err = job.communicate(timeout=60)
    assert job.returncode == code, err
    assert "Traceback" not in err
    again = start(tmp_path / "data", "import", str(folder))
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert len(list((tmp_path / "data" / "photos").glob("*/*.jpg"))) == PHOTOS


def test_a_stage_ends_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    waiting = "import time\nfrom btfer.pipeline import dedup\ndedup.run = lambda *a, **k: time.sleep(60)\n"
    command = [sys.executable, "-c", waiting + "from btfer.cli import main; main()"]
    job = subprocess.Popen(
        [*command, "--data-dir", str(tmp_path), "dedup"], stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "catalogue.db").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    job.terminate()
    _, err = job.communicate(timeout=30)
    assert job.returncode == 143
    assert err.endswith("stopped; what was done is kept: run the same command again to continue\n")
