"""What is asked of the benchmark, and the rows that it answers with. Importing this loads no Keras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """Which networks to train on what, and how. An empty list of an option is its default in the grid.

    data_dir: holds `training`, `runs` and `releases`. release: folder of the release to score on; None =
    none. training: folders of training sets by name; empty = all of data_dir/training; none there either =
    k-fold cross-validation on the release itself, named in-domain. architectures, resolutions (pixels),
    balances, weights: one run for each combination that exists. protocol: how networks are trained and
    scored; empty = `paper`, in the grid `modern` `strict`. seeds: one run for each. epochs: at most, per
    phase. folds: of an in-domain run. weights_from: file or folder of pretrained weights; None = Keras's
    cache. grid: `quick`, `modern` for networks after the paper's, or `paper` for the cells of Tables 2 and
    3. split: how training sets are split; empty = the protocol's way. limit: training images of a class, at
    most. part: `i/n` = the i-th of n shares of the cells that take about as long as each other. labels:
    what the numbers of numbered class folders mean, `0=angry,1=disgust,...`; empty = as the set's name
    says. augment: where training images are warped, `host`, `device` or `auto` = on the device where
    there is a GPU. mixed_precision: compute in half precision. replicas: GPUs of this machine that
    share each batch, 32 images on each and 64 at least.
    cross: score each run on the held-out part of every other training set too.
    recipe: what is trained otherwise than the protocol says, by the names of `train.recipe.Recipe`.
    """

    data_dir: Path
    release: Path | None = None
    training: Mapping[str, Path] = field(default_factory=dict)
    architectures: Sequence[str] = ()
    resolutions: Sequence[int] = ()
    balances: Sequence[str] = ()
    weights: Sequence[str] = ()
    protocol: str = ""
    seeds: Sequence[int] = (2024,)
    epochs: int | None = None
    folds: int = 3
    weights_from: Path | None = None
    grid: str = "quick"
    split: str = ""
    limit: int | None = None
    part: str = ""
    labels: str = ""
    augment: str = "auto"
    mixed_precision: bool = False
    replicas: int = 1
    recipe: Mapping[str, Any] = field(default_factory=dict)
    cross: bool = False

    @property
    def runs_dir(self) -> Path:
        """Where the runs are kept; what is finished there is not repeated."""
        return self.data_dir / "runs"


@dataclass(frozen=True)
class PlannedCell:
    """A run that a request asks for. parameters: of the network. state: of the run, `to do`, or `no set`.

    training: name of the training set, or `in-domain`. seconds: that it will take; None = unknown.
    """

    architecture: str
    weights: str
    resolution: int
    balance: str
    training: str
    seed: int
    parameters: int
    state: str
    seconds: float | None


@dataclass(frozen=True)
class NetworkRow:
    """A network that can be trained. parameters: total by side in pixels, seven classes."""

    name: str
    family: str
    parameters: dict[str, int]
    weights: list[str]
