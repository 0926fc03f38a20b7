import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from btfer.bench.datasets import load_folder, pixels
from btfer.bench.datasets.pixels import load_pixels
from btfer.errors import BtferError, UsageError
from tests.bench.conftest import KeptLines, draw_folder


def _decode_and_stay(folder: Path, cache: Path) -> None:
    pixels.decode_chunk = lambda chunk: time.sleep(60)  # type: ignore[assignment, return-value]
    load_pixels(load_folder(folder), 48, cache)


def test_workers_and_one_process_make_the_same_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = load_folder(draw_folder(tmp_path / "set", 4))
    monkeypatch.setattr(pixels, "CHUNK", 5)
    alone = load_pixels(images, 48, tmp_path / "alone")
    monkeypatch.setattr(pixels, "WORTH_PROCESSES", 1)
    told = KeptLines()
    monkeypatch.setattr(pixels, "SECONDS_BETWEEN_LINES", 0)
    shared = load_pixels(images, 48, tmp_path / "shared", progress=told)
    assert np.array_equal(alone, shared)
    assert alone.std() > 0
    assert told.lines[0] == "set: decoding 28 images at 48x48"
    assert told.lines[-1] == "set: 28 of 28 images decoded"


def test_a_killed_build_leaves_nothing_that_counts_and_the_next_one_is_whole(
    tmp_path: Path,
) -> None:
    folder, cache = draw_folder(tmp_path / "set", 1), tmp_path / "cache"
    child = multiprocessing.get_context("fork").Process(
        target=_decode_and_stay, args=(folder, cache)
    )
    child.start()
    while not list(cache.glob(".part-*")):
        time.sleep(0.01)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert not list(cache.glob("[!.]*.npy"))
    assert load_pixels(load_folder(folder), 48, cache).std() > 0
    assert not list(cache.glob(".part-*"))


def test_a_cache_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(BtferError, match=r"cannot write .*-48-area-.*\.npy"):
        load_pixels(load_folder(draw_folder(tmp_path / "set", 1)), 48, tmp_path / "cache")


@pytest.mark.parametrize("format_", ["BMP", "TIFF"])
def test_training_sets_may_hold_bmp_and_tiff(tmp_path: Path, format_: str) -> None:
    folder = draw_folder(tmp_path / "set", 1)
    [first, *_] = sorted(folder.rglob("*.png"))
    expected = np.asarray(Image.open(first).convert("RGB"))
    Image.fromarray(expected).save(first, format_)  # by content, whatever its name says
    decoded = load_pixels(load_folder(folder), expected.shape[0], tmp_path / "cache")
    assert any(np.array_equal(one, expected) for one in decoded)
    first.write_bytes(first.read_bytes()[:40])
    with pytest.raises(UsageError, match=first.name):
        load_pixels(load_folder(folder), 48, tmp_path / "cache")
