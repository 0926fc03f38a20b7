"""What `btfer bench external --model-file` does: score other people's networks, or show how they want to be fed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from btfer.cli import context, output
from btfer.errors import UsageError
from btfer.extras import require

if TYPE_CHECKING:
    from btfer.bench.runs.record import RunRecord
    from btfer.bench.systems.networks import AskedNetwork


@dataclass(frozen=True)
class AskedFile:
    """The options about a network, as they were given."""

    place: Path
    card: Path | None
    weights: Path | None
    labels: str
    pixels: str
    bgr: bool


def score_networks(
    asked: AskedFile, release: str | None, languages: Sequence[str], name: str = ""
) -> "list[RunRecord]":
    """Score a network; one that reads prompts, in each language."""
    from btfer.bench.datasets import load_release
    from btfer.bench.systems.model_file import score_network

    networks = _asked_networks(asked, languages)
    runs_dir = context.settings().data_dir / "runs"
    images = load_release(context.release_folder(release))
    with output.progress() as progress:
        return [score_network(runs_dir, one, name, images, progress) for one in networks]


def show_preprocessing(
    asked: AskedFile, release: str | None, languages: Sequence[str], as_json: bool
) -> None:
    """Print what the usual ways of feeding score on a tenth of a release; nothing is kept as a run."""
    from btfer.bench.datasets import load_release
    from btfer.bench.systems.networks import open_network
    from btfer.bench.systems.try_preprocessing import try_preprocessing

    settings = context.settings()
    network = open_network(_asked_networks(asked, languages[:1])[0])
    images = load_release(context.release_folder(release))
    cache = settings.data_dir / "runs" / "_cache"
    with output.progress() as progress:
        trial = try_preprocessing(network, images, cache, settings.seed, progress)
    if as_json:
        print(json.dumps(asdict(trial) | {"noise": trial.noise}, indent=2))
        return
    rows = [[r.preprocessing, f"{r.accuracy:.3f}", f"{r.cost:.3f}"] for r in trial.rows]
    output.table(["preprocessing", "accuracy", "below the best"], rows)
    if trial.without_landmarks:
        print(f"{trial.without_landmarks} faces have no landmarks: they were not cut anew")
    print(
        f"{trial.images} faces: differences below {trial.noise} may be chance. Nothing was scored: write into the "
        "card what the network's own code does, not what scores best here."
    )


def print_beside_claims(found: "list[RunRecord]", as_json: bool) -> None:
    """The runs' rows, and what their makers claim beside what was measured."""
    from btfer.bench.report import print_table, results_table

    rows = results_table(found)
    if as_json:
        cards = [{"card": one.card} for one in found]
        told = [asdict(row) | card for row, card in zip(rows, cards, strict=True)]
        print(json.dumps(told, indent=2, default=str))
        return
    print_table(rows)
    for one in found:
        card = one.card or {}
        if claim := card.get("claimed"):
            measured = one.cross_scores["accuracy"]
            print(
                f"claimed {claim['accuracy']:.3f} on {claim['on']}; measured {measured:.3f} on {one.release_name}"
            )
        if commit := card.get("commit"):
            print(f"{one.definition.architecture} is commit {commit} of the hub")
        if missed := card.get("cut_otherwise"):
            print(f"{missed} faces have no landmarks: they were given as the release has them")


def _asked_networks(asked: AskedFile, languages: Sequence[str]) -> "list[AskedNetwork]":
    """One for each language. Raises UsageError for a card beside labels, or one that cannot be right."""
    require("bench", "btfer bench external")
    from btfer.bench.systems.input_card import card_beside, read_input_card
    from btfer.bench.systems.model_file import card_of_labels
    from btfer.bench.systems.networks import AskedNetwork
    from btfer.bench.systems.prompts import read_prompts

    if asked.card and asked.labels:
        raise UsageError("give --card or --labels, not both: a card has the names as 'classes'")
    path = asked.card or (None if asked.labels else card_beside(asked.place))
    card = read_input_card(path) if path else None
    card = card or card_of_labels(asked.labels, asked.pixels, bgr=asked.bgr)
    queries = context.settings().queries_dir
    return [
        AskedNetwork(
            asked.place, card, asked.weights, partial(read_prompts, queries, one or "en"), one
        )
        for one in languages or [""]
    ]
