"""Options of `bench` and `bench plan`: which networks are trained, on what, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from btfer.cli import arguments, choices, complete
from btfer.cli.groups import ignored
from btfer.errors import UsageError

MOST_SEED = 2**32 - 1  # of NumPy's generators

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
    typer.Option(
        help="Defaults of the options below; paper = Tables 2 and 3 of the paper, modern = networks since then."
    ),
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
Protocol = Annotated[
    choices.Protocol | None,
    typer.Option(help="Rules of training and evaluation [paper; in the grid modern, strict]."),
]
Split = Annotated[
    choices.Split | None,
    typer.Option(help="How training sets are split [as the protocol says]."),
]
Labels = Annotated[
    str,
    typer.Option(
        metavar="0=CLASS,...",
        help="What numbers of classes mean, for folders, lists, parquet and tars that do not say [by the name].",
    ),
]
Seeds = Annotated[
    list[int] | None,
    typer.Option("--seed", metavar="N", help="One run for each seed [setting seed]."),
]
Consecutive = Annotated[
    int,
    typer.Option(
        "--seeds", min=1, max=1_000, help="Number of consecutive seeds, from each --seed."
    ),
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
    bool,
    typer.Option(
        "--mixed-precision", help="Compute in half precision: float16 on GPUs, bfloat16 on CPUs."
    ),
]
Replicas = Annotated[int, typer.Option(min=1, help="Number of GPUs that share each batch.")]
LabelSmoothing = Annotated[
    float, typer.Option(help="Share of each target that is spread over all classes; 0 = none.")
]
Mixup = Annotated[
    float,
    typer.Option(help="Mix images and targets, by shares of Beta(this, this); 0 = not."),
]
FocalGamma = Annotated[
    float, typer.Option(help="Focal loss with this exponent; 0 = cross-entropy.")
]
ClassBalanced = Annotated[
    float,
    typer.Option(
        metavar="BETA",
        help="Weigh classes by their effective number of images, as 0.999, instead of --balance; 0 = not.",
    ),
]
SamRho = Annotated[
    float,
    typer.Option(help="Sharpness-aware minimisation that looks so far, as 0.05; 0 = not."),
]
SoftLabels = Annotated[
    bool, typer.Option("--soft-labels", help="Learn from the votes of FER+ or of a release.")
]
Cross = Annotated[
    bool,
    typer.Option(
        "--cross",
        help="Score each network on the held-out part of every other training set too.",
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        metavar="I/N", help="The I-th of N shares of the cells, for a job array (docs/cluster.md)."
    ),
]


RECIPE = (
    *("label_smoothing", "mixup", "focal_gamma"),
    *("class_balanced", "sam_rho", "soft_labels"),
)


@dataclass(frozen=True)
class GridOptions:
    """Each field is an option of the command line, as it was given; None = the default of the grid."""

    release: arguments.ReleaseOption = None
    train: Train = None
    grid: Grid = choices.Grid.quick
    model: Models = None
    resolution: Resolutions = None
    balance: Balances = None
    weights: Weights = None
    weights_file: WeightsFile = None
    protocol: Protocol = None
    split: Split = None
    labels: Labels = ""
    seed: Seeds = None
    seeds: Consecutive = 1
    epochs: Epochs = None
    limit: Limit = None
    folds: Folds = 3
    augment: Augment = choices.Augment.auto
    mixed_precision: MixedPrecision = False
    replicas: Replicas = 1
    label_smoothing: LabelSmoothing = 0.0
    mixup: Mixup = 0.0
    focal_gamma: FocalGamma = 0.0
    class_balanced: ClassBalanced = 0.0
    sam_rho: SamRho = 0.0
    soft_labels: SoftLabels = False
    cross: Cross = False
    shard: Shard = None

    @property
    def recipe(self) -> dict[str, Any]:
        """What is trained otherwise than the protocol says."""
        values = {name: getattr(self, name) for name in RECIPE}
        return {name: value for name, value in values.items() if value}

    def all_seeds(self, default: int) -> list[int]:
        """Every seed, in order."""
        first = self.seed or [default]
        if wrong := [one for one in first if not 0 <= one <= MOST_SEED - self.seeds + 1]:
            raise UsageError(
                f"--seed {wrong[0]}: seeds of training are whole numbers from 0 to {MOST_SEED:,}"
                + (f", the last of --seeds {self.seeds} too" if self.seeds > 1 else "")
            )
        return [one + more for one in first for more in range(self.seeds)]


def check(options: GridOptions, ctx: typer.Context) -> None:
    """Raise UsageError for an option that would be ignored."""
    if options.grid.value != "paper" and not set(arguments.values(options.weights)) - {"none"}:
        why = "no pretrained weights are asked for; add --weights imagenet or vggface"
        arguments.refuse(ctx, "weights_file", because=why)
    if options.shard == "":  # it would run the whole grid in every job
        raise UsageError("--shard is empty: write I/N, such as 3/8 (is a variable not set?)")
    if options.class_balanced and set(arguments.values(options.balance)) - {"none"}:
        raise UsageError("--class-balanced weighs the classes instead of --balance: leave one out")


def check_folds(options: GridOptions, ctx: typer.Context, sets: dict[str, Path]) -> None:
    """Raise UsageError where --folds is given and nothing is cross-validated."""
    paper = options.grid.value == "paper"
    if ignored(ctx, "folds") and (sets or paper):
        named = f"this trains on {', '.join(sets)}" if sets else "the paper's grid has none"
        raise UsageError(
            f"--folds has no effect here: cross-validation is for a release alone, and {named}"
        )
