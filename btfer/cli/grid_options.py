"""Options of `bench` and `bench plan`: which networks are trained, on what, and how."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from btfer.cli import choices, complete

Train = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[=FOLDER]",
        help="A training set, NAME=FOLDER or NAME in data/training [all there].",
        autocompletion=complete.training_sets,
    ),
]
Grid = Annotated[
    choices.Grid,
    typer.Option(help="Defaults of the options below; paper = Tables 2 and 3 of the paper."),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NETWORK",
        help="A network of btfer bench networks [resnet18, sequential_4conv].",
        autocompletion=complete.architectures,
    ),
]
Resolutions = Annotated[
    list[choices.Resolution] | None,
    typer.Option("--resolution", help="Side of the network's input, in pixels [48]."),
]
Balances = Annotated[
    list[choices.Balance] | None,
    typer.Option("--balance", help="How rare classes are weighted [conservative]."),
]
Weights = Annotated[
    list[choices.Weights] | None,
    typer.Option("--weights", help="Pretrained weights to begin with [none]."),
]
WeightsFile = Annotated[
    Path | None,
    typer.Option(help="File of pretrained weights, or folder of them [Keras's cache]."),
]
Protocol = Annotated[choices.Protocol, typer.Option(help="Rules of training and evaluation.")]
Split = Annotated[
    choices.Split | None,
    typer.Option(help="How training sets are split [as the protocol says]."),
]
Labels = Annotated[
    str,
    typer.Option(
        metavar="0=CLASS,...",
        help="Classes of numbered folders, for sets whose name does not say [by the name].",
    ),
]
Seeds = Annotated[
    list[int] | None,
    typer.Option("--seed", metavar="N", help="One run for each seed [setting seed]."),
]
Consecutive = Annotated[
    int, typer.Option("--seeds", min=1, help="Number of consecutive seeds, from each --seed.")
]
Epochs = Annotated[int | None, typer.Option(min=1, help="Most epochs per phase [the protocol's].")]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Most training images per class, for a quick trial.")
]
Folds = Annotated[
    int, typer.Option(min=2, help="Folds of cross-validation, without a training set.")
]
Augment = Annotated[choices.Augment, typer.Option(help="Where training images are augmented.")]
MixedPrecision = Annotated[
    bool, typer.Option("--mixed-precision", help="Compute in half precision.")
]
Replicas = Annotated[int, typer.Option(min=1, help="Number of GPUs that share each batch.")]
Shard = Annotated[
    str, typer.Option(metavar="I/N", help="Every N-th cell from the I-th on, for a job array.")
]
Expect = Annotated[
    bool,
    typer.Option(
        "--expect",
        help="Make btfer's own published numbers again (of --model) and compare: exit code 1 outside the noise.",
    ),
]


@dataclass(frozen=True)
class GridOptions:
    """What was asked for, in plain values; an empty list = the default of the grid."""

    release: str | None
    train: list[str] | None
    grid: str
    architectures: list[str]
    resolutions: list[int]
    balances: list[str]
    weights: list[str]
    weights_from: Path | None
    protocol: str
    split: str
    labels: str = ""
    first_seeds: list[int] = field(default_factory=list)
    consecutive_seeds: int = 1
    epochs: int | None = None
    limit: int | None = None
    folds: int = 3
    folds_given: bool = False
    augment: str = "auto"
    mixed_precision: bool = False
    replicas: int = 1
    shard: str = ""

    def seeds(self, default: int) -> list[int]:
        """Every seed, in order."""
        first = self.first_seeds or [default]
        return [one + more for one in first for more in range(self.consecutive_seeds)]
