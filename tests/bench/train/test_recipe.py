"""Each way of training against its formula, written by hand in numpy."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from btfer.bench.datasets import load_release, load_training
from btfer.bench.experiments import run
from btfer.bench.experiments.run import Experiment, run_id
from btfer.bench.runs.record import RunDefinition
from btfer.bench.train.batches import ImageBatches
from btfer.bench.train.losses import SharpnessAware, check_recipe, loss_of
from btfer.bench.train.protocol import STRICT, Augmentation
from btfer.bench.train.recipe import PLAIN, Recipe, effective_weights, in_words
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import draw_release

Array = np.ndarray[Any, Any]
LABELS = np.array([0, 3, 3, 5])
PIXELS = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)


def batch(**options: Any) -> tuple[Any, ...]:
    return ImageBatches(PIXELS, LABELS, np.arange(4), classes=7, **options)[0]


def softmax(values: Array) -> Array:
    found: Array = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
    return found


def test_label_smoothing_spreads_a_share_over_all_classes() -> None:
    _, targets = batch(recipe=Recipe(label_smoothing=0.1))
    assert targets[1] == pytest.approx([0.1 / 7] * 3 + [0.9 + 0.1 / 7] + [0.1 / 7] * 3)
    assert targets.sum(axis=1) == pytest.approx(1)


def test_mixup_mixes_each_image_and_its_target_by_the_same_share() -> None:
    plain, one_hot = batch(augmentation=Augmentation(), seed=5)
    images, targets = batch(augmentation=Augmentation(), seed=5, recipe=Recipe(mixup=0.4))
    rng = np.random.default_rng([5, 0, 0, 1])
    share, other = rng.beta(0.4, 0.4), rng.permutation(4)
    np.testing.assert_allclose(images, share * plain + (1 - share) * plain[other], atol=1e-6)
    np.testing.assert_allclose(targets, share * one_hot + (1 - share) * one_hot[other], atol=1e-6)
    again, _ = batch(augmentation=Augmentation(), seed=5, recipe=Recipe(mixup=0.4))
    np.testing.assert_array_equal(images, again)


def test_an_image_weighs_what_the_classes_of_its_target_weigh() -> None:
    weight = {label: float(label + 1) for label in range(7)}
    soft = np.full((4, 7), 0.0, np.float32)
    soft[:, 1], soft[:, 6] = 0.75, 0.25
    smooth = Recipe(label_smoothing=0.2)
    assert batch(recipe=smooth, class_weight=weight)[2] == pytest.approx([1, 4, 4, 6])
    assert batch(targets=soft, class_weight=weight)[2] == pytest.approx([0.75 * 2 + 0.25 * 7] * 4)


def test_the_focal_loss_is_that_of_its_paper() -> None:
    answers = softmax(np.random.default_rng(2).normal(size=(4, 7)))
    found = float(loss_of(Recipe(focal_gamma=2))(np.eye(7)[LABELS], answers))
    right = answers[np.arange(4), LABELS]
    assert found == pytest.approx(float(np.mean((1 - right) ** 2 * -np.log(right))), rel=1e-5)
    assert loss_of(PLAIN) == "categorical_crossentropy"


def test_classes_weigh_by_their_effective_number_of_images() -> None:
    counts, beta = [1, 10, 100, 1000, 5, 50, 500], 0.99
    raw = [(1 - beta) / (1 - beta**count) for count in counts]
    found = effective_weights(counts, beta)
    assert list(found.values()) == pytest.approx([7 * one / sum(raw) for one in raw])
    with pytest.raises(UsageError, match="no training image of fear"):
        effective_weights([1, 1, 0, 1, 1, 1, 1], beta)


def test_sam_steps_by_the_gradient_at_the_worst_place_near_by() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(6, 3)).astype(np.float32), np.eye(4)[rng.integers(0, 4, 6)]
    inputs = keras.Input((3,))
    layer = keras.layers.Dense(4, activation="softmax", use_bias=False)
    model = SharpnessAware(inputs, layer(inputs), rho=0.5)
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", metrics=["accuracy"])
    weights = layer.get_weights()[0]

    def gradient(at: Array) -> Array:
        found: Array = x.T @ (softmax(x @ at) - y) / 6
        return found

    uphill = gradient(weights)
    expected = weights - 0.1 * gradient(weights + 0.5 * uphill / np.linalg.norm(uphill))
    loss = -np.mean(np.log((softmax(x @ weights) * y).sum(axis=1)))
    done = model.fit(x, y, batch_size=6, epochs=1, verbose=0, shuffle=False)
    np.testing.assert_allclose(layer.get_weights()[0], expected, atol=1e-5)
    assert done.history["loss"] == pytest.approx([loss], rel=1e-4)


def test_sam_counts_the_averages_of_batch_normalisation_once_and_at_the_weights_themselves() -> (
    None
):
    x = np.random.default_rng(4).normal(size=(8, 3)).astype(np.float32)
    inputs = keras.Input((3,))
    dense, norm = keras.layers.Dense(2), keras.layers.BatchNormalization(momentum=0.9)
    model = SharpnessAware(inputs, keras.layers.Softmax()(norm(dense(inputs))), rho=5.0)
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy")
    kernel, bias = dense.get_weights()
    model.fit(x, np.eye(2)[[0, 1] * 4], batch_size=8, epochs=1, verbose=0)
    moving_mean = norm.get_weights()[2]
    np.testing.assert_allclose(moving_mean, 0.1 * (x @ kernel + bias).mean(axis=0), atol=1e-5)


def test_votes_are_the_targets_of_soft_labels(tmp_path: Path) -> None:
    folder = draw_release(tmp_path / "r", 2)
    assert load_release(folder).soft is None
    table = folder / "metadata.csv"
    head, first, *rest = table.read_text().splitlines()
    lines = [f"{head},votes", f"{first},angry:3 sad:1", *(f"{one}," for one in rest)]
    table.write_text("\n".join(lines) + "\n")
    images = load_release(folder)
    assert images.soft is not None
    assert images.soft[0] == pytest.approx([0.75, 0, 0, 0, 0, 0.25, 0])
    np.testing.assert_array_equal(images.soft[1:], np.eye(7)[images.labels[1:]])
    assert images.digest == load_release(folder).digest
    table.write_text("\n".join([lines[0], f"{first},angry:x", *lines[2:]]) + "\n")
    with pytest.raises(UsageError, match=r"metadata.csv, line 2: votes 'angry:x' are not as"):
        load_release(folder)


def test_votes_of_fer_plus_are_counted_without_single_ones_and_without_contempt(
    tmp_path: Path,
) -> None:
    pixels = " ".join(["7"] * 48 * 48)
    rows = [f"{label},{pixels},{usage}" for label, usage in ((3, "Training"), (4, "PublicTest"))]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    (tmp_path / "fer2013new.csv").write_text(
        f"Usage,Image name,{names}\n"
        "Training,fer0000000.png,0,6,1,0,0,0,0,3,0,0\n"
        "PublicTest,fer0000001.png,3,0,0,7,0,0,0,0,0,0\n"
    )
    found = load_training(tmp_path, "fer", 0, "official", tmp_path / "cache").train
    assert found.soft is not None
    happy, sad, neutral = (EXPRESSIONS.index(name) for name in ("happy", "sad", "neutral"))
    assert found.soft[0, happy] == 1
    assert found.soft[1, [sad, neutral]] == pytest.approx([0.7, 0.3])


def test_what_is_off_does_not_change_the_id_of_a_run_and_what_is_on_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "versions", dict)
    plain = Experiment("lenet5", "none", 48, "none", 1, STRICT)
    assert "recipe" not in plain.definition("d", "s", "votes").values
    recipes = [
        *({name: 0.5} for name, value in asdict(PLAIN).items() if value is not False),
        {"soft_labels": True},
    ]
    changed = [
        Experiment("lenet5", "none", 48, "none", 1, STRICT, recipe=Recipe(**one)) for one in recipes
    ]
    ids = [run_id(one.definition("d", "s", "votes")) for one in (plain, *changed)]
    assert len(set(ids)) == 7
    assert run_id(changed[-1].definition("d", "s", "other")) != ids[-1]
    assert changed[0].definition("d", "s").protocol_name == "strict + label smoothing 0.5"
    assert plain.definition("d", "s").protocol_name == "strict"
    assert in_words({"mixup": 0.2, "soft_labels": "1a2b"}) == "mixup 0.2, soft labels"
    assert isinstance(plain.definition("d", "s"), RunDefinition)


@pytest.mark.parametrize(
    "wrong",
    [{"label_smoothing": 1.0}, {"mixup": -1.0}, {"class_balanced": 1.5}, {"sam_rho": float("nan")}],
    ids=str,
)
def test_numbers_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    name = next(iter(wrong)).replace("_", "-")
    with pytest.raises(UsageError, match=f"--{name} .*: it is a number above 0 and"):
        Recipe(**wrong)


def test_what_does_not_go_together_is_refused() -> None:
    plain: dict[str, Any] = {"mixed_precision": False, "replicas": 1, "augment": "auto"}
    check_recipe(Recipe(sam_rho=0.05, mixup=0.2), **plain)
    with pytest.raises(UsageError, match="leave --augment device out"):
        check_recipe(Recipe(mixup=0.2), **plain | {"augment": "device"})
    with pytest.raises(UsageError, match="leave --mixed-precision out"):
        check_recipe(Recipe(sam_rho=0.05), **plain | {"mixed_precision": True})
