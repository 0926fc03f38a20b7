"""Cards: what is left out has its default, and whatever is wrong is refused with its key and what is allowed."""

from pathlib import Path
from typing import Any

import pytest

from btfer.bench.systems.input_card import (
    InputCard,
    card_beside,
    check_classes,
    input_card,
    read_input_card,
)
from btfer.errors import UsageError

CLASSES = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise", "contempt"]
WHOLE = """
classes = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
size = 224
resize_to = 256
channels = "BGR"
layout = "NHWC"
range = [0, 255]
mean = [103.9, 116.8, 123.7]
std = [1, 1, 1]
resize = "bilinear"
crop = "aligned-5pt"
template = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]
outputs = "logits"
licence = "MIT"

[claimed]
accuracy = 0.92
on = "RAF-DB test, aligned by its makers"
source = "their README"
"""


def test_a_whole_card_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text("\ufeff" + WHOLE, encoding="utf-8")  # Windows puts a mark first
    card = read_input_card(path)
    assert (card.size, card.channels, card.range, card.std) == (224, "BGR", (0, 255), (1, 1, 1))
    assert card.template[1] == (0.7, 0.4)
    assert card.claimed is not None
    assert card.claimed.accuracy == 0.92


def test_a_class_that_is_left_out_of_predictions_is_left_out_of_a_card() -> None:
    check_classes((*CLASSES, "boredom", "NF"))


def test_only_classes_are_needed() -> None:
    card = input_card({"classes": CLASSES}, "net.toml")
    assert card == InputCard(classes=tuple(CLASSES))
    assert (card.channels, card.range, card.crop, card.resize) == ("RGB", (0, 1), "release", "area")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sizes": 3}, "unknown key 'sizes'; known are classes, size, resize_to"),
        ({"size": 224.0}, "'size' must be a valid integer, got 224.0"),
        ({"size": True}, "'size' must be a valid integer"),
        ({"size": 0}, "'size' must be greater than or equal to 8"),
        ({"mean": [0.1, float("nan"), 0.2]}, "'mean.1' must be a finite number, got nan"),
        ({"mean": 0.5}, "'mean' must be a list, got 0.5"),
        ({"mean": [1, 2]}, "'mean' has 2 numbers: 1 or 3 are needed"),
        ({"mean": []}, "'mean' must be a list of at least 1, not 0"),
        ({"channels": "grey", "mean": [1, 2, 3]}, "'mean' has 3 numbers: 1 or 1"),
        ({"std": [0, 1, 1]}, "'std' must be above 0"),
        ({"channels": "rgb"}, "'channels' must be 'RGB', 'BGR' or 'grey', got 'rgb'"),
        ({"layout": "CHW"}, "'layout' must be 'NCHW' or 'NHWC'"),
        ({"resize": "cubic"}, "'resize' must be 'area', 'nearest', 'bilinear', 'bicubic' or 'lan"),
        ({"crop": "aligned"}, "'crop' must be 'release', 'tight' or 'aligned-5pt'"),
        ({"range": [1, 1]}, "'range' must be two different numbers"),
        ({"range": [0]}, "'range.1' is missing"),
        ({"template": "ffhq"}, "'template' must be \"arcface\" or five points"),
        ({"template": [[0.1, 0.2]] * 5, "crop": "aligned-5pt"}, "first eye not left of"),
        (
            {"template": [[0.7, 0.4], [0.3, 0.4], *[[0.5, 0.6]] * 3], "crop": "aligned-5pt"},
            "first eye not left of",
        ),
        ({"range": [0, 255], "mean": [0.485, 0.456, 0.406]}, "they need range = [0, 1]"),
        ({"range": [0, 255], "std": [0.229, 0.224, 0.225]}, "they need range = [0, 1]"),
        (
            {"template": [[38, 52], [74, 52], *[[56, 72]] * 3], "crop": "aligned-5pt"},
            "divide pixels by the side",
        ),
        ({"template": [[0.1, 0.2], [0.9, 0.2], *[[0.5, 0.5]] * 3]}, 'is for crop = "aligned-5pt"'),
        ({"size": 200, "resize_to": 100}, "'resize_to' must not be below 'size'"),
        ({"claimed": {"accuracy": 92, "on": "x"}}, "'claimed.accuracy' must be less than or equal"),
        ({"claimed": {"accuracy": 0.9}}, "'claimed.on' is missing"),
        (
            {"claimed": {"accuracy": 0.9, "on": "x", "at": 1}},
            "unknown key 'claimed.at'; known are a",
        ),
        ({"classes": "angry"}, "'classes' must be a list"),
        ({"classes": CLASSES[:6]}, "'classes' must be a list of at least 7, not 6"),
        ({"classes": [*CLASSES, "sneezing"]}, "unknown name 'sneezing'; known are angry, disgust"),
        ({"classes": [*CLASSES, "Angry"]}, "two names for angry"),
        ({"classes": ["none", *CLASSES[1:]]}, "no name for angry"),
    ],
)
def test_whatever_is_wrong_is_refused_in_one_line(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=r"net[.]toml: ") as caught:
        input_card({"classes": CLASSES} | given, "net.toml")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.toml", b"size = ", "is not TOML"),
        ("a.toml", b"licence = '\xff'", "is not UTF-8"),
        ("a.toml", b"size = 224", "'classes' is missing"),
        ("a.yaml", b"size: 224", "a card is a TOML file"),
    ],
)
def test_a_file_that_is_no_card_is_told(
    name: str, content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_input_card(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read"):
        read_input_card(tmp_path / "none.toml")


def test_a_card_lies_beside_its_network(tmp_path: Path) -> None:
    assert card_beside(tmp_path / "net.onnx") is None
    for name in ("net.toml", "card.toml"):
        (tmp_path / name).write_text(WHOLE)
    assert card_beside(tmp_path / "net.onnx") == tmp_path / "net.toml"
    assert card_beside(tmp_path) == tmp_path / "card.toml"


def test_half_of_a_character_is_told() -> None:
    with pytest.raises(UsageError, match=r"net.tflite has half of a character, '\\ud800'"):
        input_card({"classes": ["\ud800", *CLASSES[1:]]}, "net.tflite")


def test_a_mean_of_bytes_beside_a_range_of_shares_is_refused() -> None:
    given = {"classes": CLASSES, "mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]}
    with pytest.raises(UsageError, match=r"lies outside of 'range' .* needs range = \[0, 255\]"):
        input_card(given, "net.toml")
    assert input_card(given | {"range": [0, 255]}, "net.toml").mean[0] == 123.7
    assert input_card({"classes": CLASSES, "range": [-1, 1]}, "net.toml").mean == (0,)
