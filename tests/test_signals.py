"""How a command ends that is asked to: with a sentence, the shell's exit code, and nothing lost."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
PHOTOS = 30
COMMAND = [sys.executable, "-c", "from btfer.cli import main; main()"]
SLOW_IMPORT = """
import time
from btfer.cli import main
from btfer.pipeline.crawl_writer import Writer

write = Writer._write_photos


def write_slowly(self, files):
    for one in files:
        time.sleep(0.2)
        write(self, [one])


Writer._write_photos = write_slowly
if __name__ == "__main__":
    main()
"""
"""An import that is in its middle for some seconds, however fast the computer is."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("signals") / "photos"
    made.mkdir()
    pixels = np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    for number in range(PHOTOS):
        Image.fromarray(np.roll(pixels, number, 0)).save(made / f"{number}.jpg")
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.reliability("SIGTERM, SIGHUP, Ctrl-C")
def test_an_import_ends_with_a_sentence_and_goes_on_later(
    folder: Path, tmp_path: Path, asked: signal.Signals, code: int
) -> None:
    script = tmp_path / "waiting.py"
    script.write_text(SLOW_IMPORT)
    options = ["--data-dir", str(tmp_path / "data"), "--workers", "1", "import", str(folder)]
    job = subprocess.Popen(
        [sys.executable, str(script), *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, asked, signal.SIG_DFL),  # ignored in background jobs
    )
    stored = tmp_path / "data" / "photos"
    while not any(stored.glob("*/*.jpg")) and job.poll() is None:
        time.sleep(0.05)
    job.send_signal(asked)
    _, err = job.communicate(timeout=200)
    assert job.returncode == code, err
    assert "run the same command again" in err
    assert "Traceback" not in err
    again = subprocess.run(
        [*COMMAND, *options, "--json"], capture_output=True, text=True, timeout=600, check=False
    )
    assert again.returncode == 0, again.stderr
    assert 0 < json.loads(again.stdout)["kept"] <= PHOTOS
    assert len(list(stored.glob("*/*.jpg"))) == PHOTOS


@pytest.mark.reliability("SIGTERM, SIGHUP, Ctrl-C")
def test_a_stage_ends_with_a_sentence(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    code = f"""
import time
from pathlib import Path
from btfer.pipeline import dedup
from btfer.cli import main

def run(*_, **__):
    Path({str(begun)!r}).touch()
    time.sleep(60)

dedup.run = run
main()
"""
    job = subprocess.Popen(
        [sys.executable, "-c", code, "--data-dir", str(tmp_path), "dedup"],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not begun.exists() and job.poll() is None:
        time.sleep(0.05)
    job.terminate()
    _, err = job.communicate(timeout=200)
    assert job.returncode == 143
    assert err.endswith("stopped; what was done is kept: run the same command again to continue\n")
