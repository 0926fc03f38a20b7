"""A face network in a process of its own, so that a server answers while faces are compared.

dlib's network holds Python's lock while it computes: in a thread it would stop every page for a tenth of a second at
a time. A line of JSON with crops goes in, a line with what the network makes of each comes back; nothing is stored.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from btfer.errors import BtferError
from btfer.faces.align import Floats
from btfer.faces.crops import CropToEmbed, embed
from btfer.faces.identity import choose_embedder
from btfer.parsing import parse_json

_PROGRAM = "from btfer.faces.network_process import answer; answer()"
_ROOT = Path(__file__).parents[2]


class NetworkProcess:
    """The network of `choose_embedder(file)`; its process begins with the first crops and ends with `close`."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "NetworkProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def embed(self, crops: Sequence[CropToEmbed]) -> dict[str, Floats]:
        """As `crops.embed`. Raises BtferError where the network cannot be used, or its process dies."""
        asked = [(one.face, str(one.path), one.landmarks, one.distortion) for one in crops]
        said = self._ask({"file": self._file, "crops": asked})
        if "error" in said:
            raise BtferError(said["error"])
        return {face: np.array(row, np.float32) for face, row in said["rows"].items()}

    def close(self) -> None:
        """End the process: without input it ends by itself."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.communicate()

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        process = self._process = self._process or _start()
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(what) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:  # a pipe whose other end has gone
            line = ""
        if not line:
            self.close()
            raise BtferError("the process of the face network died, perhaps for lack of memory")
        said: dict[str, Any] = parse_json(line)
        return said


def _start() -> "subprocess.Popen[str]":
    # btfer may be found by the path of the program that runs, as under `streamlit run`.
    paths = filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,  # Ctrl-C is for the server, at whose end this one's input ends
    )


def answer() -> None:
    """What the process runs: a line for each line, until there are no more."""
    if hasattr(os, "nice"):
        os.nice(10)  # the pages first
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        answers.write(json.dumps(_answer(parse_json(line))) + "\n")
        answers.flush()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        embedder = _embedder(asked["file"])
        crops = [
            CropToEmbed(face, Path(path), tuple(map(tuple, points)), distortion)
            for face, path, points, distortion in asked["crops"]
        ]
        rows = embed(embedder, crops)
    except BtferError as error:
        return {"error": str(error)}
    return {"rows": {face: row.tolist() for face, row in rows.items()}}


_embedder = cache(choose_embedder)
