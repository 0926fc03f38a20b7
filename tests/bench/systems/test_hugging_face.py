"""Folders of Hugging Face and timm as people share them: read as their own code reads them, or refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btfer.bench.datasets import ImageSet
from btfer.bench.systems.input_card import InputCard, read_input_card
from btfer.bench.systems.model_file import answers_of
from btfer.bench.systems.networks import AskedNetwork, open_network
from btfer.errors import UsageError
from tests.bench.conftest import KeptLines
from tests.bench.systems.test_same_probabilities import (
    CLASSES,
    LABELS,
    check,
    images,
    need_torch,
    of_classes,
    opened,
    vit_folder,
)

__all__ = ["images"]

pytestmark = pytest.mark.filterwarnings("ignore")
Change = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need_torch()
    vit_folder(tmp_path / "vit")
    return tmp_path / "vit"


def changed(folder: Path, file: str, **values: Any) -> None:
    """Keys of a JSON file set, or taken out where they are None."""
    path = folder / file
    found = json.loads(path.read_text()) | values
    path.write_text(json.dumps({name: one for name, one in found.items() if one is not None}))


def own(folder: Path, images: ImageSet) -> Any:
    """What transformers says itself, logits."""
    import torch
    import transformers

    network = transformers.AutoModelForImageClassification.from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    with torch.inference_mode():
        given = processor(images=opened(images), return_tensors="pt")["pixel_values"]
        return network(pixel_values=given.to(network.dtype)).logits.float()


PREPARATIONS: dict[str, dict[str, Any]] = {
    "size as a number": {"size": 32},
    "shortest edge and cut": {
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": 40},
        "crop_size": {"height": 32, "width": 32},
        "do_center_crop": True,
    },
    "no normalisation": {"do_normalize": False},
    "to -1 and 1 by the factor": {"rescale_factor": 1 / 127.5},
    "no rescaling": {"do_rescale": False, "image_mean": [127.5] * 3, "image_std": [127.5] * 3},
    "no mean": {"image_mean": None, "image_std": None},
    "an old name": {"image_processor_type": None, "feature_extractor_type": "ViTFeatureExtractor"},
}


@pytest.mark.parametrize("values", PREPARATIONS.values(), ids=PREPARATIONS)
def test_a_folder_is_prepared_as_its_own_code_does(
    values: dict[str, Any], folder: Path, images: ImageSet, tmp_path: Path
) -> None:
    changed(folder, "preprocessor_config.json", **values)
    said = of_classes(own(folder, images).numpy())
    check(AskedNetwork(folder), images, tmp_path / "cache", said)


def in_halves(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    halves = {name: value.half() for name, value in load_file(file).items()}
    save_file(halves, file, metadata={"format": "pt"})
    changed(folder, "config.json", dtype="float16")


def in_pieces(folder: Path) -> None:
    import transformers

    network = transformers.ViTForImageClassification.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    network.save_pretrained(folder, max_shard_size="20KB")
    assert (folder / "model.safetensors.index.json").is_file()


def in_a_checkpoint(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    file = folder / "model.safetensors"
    torch.save(load_file(file), folder / "pytorch_model.bin")
    file.unlink()


def with_numbered_names(folder: Path) -> None:
    names = {str(n): f"{n}_{name.upper()}" for n, name in enumerate(CLASSES)}
    changed(folder, "config.json", id2label=names, label2id={v: int(k) for k, v in names.items()})


@pytest.mark.parametrize("change", [in_halves, in_pieces, in_a_checkpoint, with_numbered_names])
def test_weights_and_names_come_in_several_forms(
    change: Change, folder: Path, images: ImageSet, tmp_path: Path
) -> None:
    change(folder)
    said = of_classes(own(folder, images).numpy())
    check(AskedNetwork(folder), images, tmp_path / "cache", said)


def test_a_grey_network_is_given_grey_faces(images: ImageSet, tmp_path: Path) -> None:
    need_torch()
    import torch

    folder = tmp_path / "grey"
    network, _ = vit_folder(folder, num_channels=1)
    changed(folder, "preprocessor_config.json", image_mean=[0.5], image_std=[0.25])
    grey = [np.asarray(one.convert("L").resize((32, 32), 2), np.float32) for one in opened(images)]
    with torch.inference_mode():
        given = torch.from_numpy((np.stack(grey)[:, None] / 255 - 0.5) / 0.25)
        said = of_classes(network(pixel_values=given).logits.numpy())
    found = answers_of(open_network(AskedNetwork(folder)), images, tmp_path / "cache")
    # torchvision's resizing of a tensor rounds otherwise than Pillow's
    assert np.abs(found.probabilities - said).max() < 0.03
    assert (found.probabilities.argmax(axis=1) == said.argmax(axis=1)).all()


def test_a_network_of_several_labels_a_picture_has_sigmoids(
    folder: Path, images: ImageSet, tmp_path: Path
) -> None:
    changed(folder, "config.json", problem_type="multi_label_classification")
    said = own(folder, images).sigmoid().numpy()[:, LABELS]
    lines = KeptLines()
    network = open_network(AskedNetwork(folder))
    found = answers_of(network, images, tmp_path / "cache", lines)
    assert np.abs(found.probabilities - said / said.sum(axis=1, keepdims=True)).max() < 1e-5
    assert lines.lines == []


def test_a_card_feeds_a_folder_at_its_own_size_and_it_is_told(
    folder: Path, images: ImageSet, tmp_path: Path
) -> None:
    (folder / "card.toml").write_text(f"classes = {list(CLASSES)}\nchannels = 'BGR'\n")
    card = read_input_card(folder / "card.toml")
    network = open_network(AskedNetwork(folder, card))
    assert "is fed as its card says; what its own files say" in network.note
    fed = answers_of(network, images, tmp_path / "cache")
    assert fed.side_px == 32
    (folder / "preprocessor_config.json").unlink()
    alone = open_network(AskedNetwork(folder, card))
    assert alone.note == ""
    found = answers_of(alone, images, tmp_path / "cache")
    assert np.array_equal(found.probabilities, fed.probabilities)
    with pytest.raises(UsageError, match=r"has no preprocessor_config\.json, which says how it is"):
        open_network(AskedNetwork(folder, InputCard(classes=CLASSES)))
    network = open_network(AskedNetwork(folder, card.model_copy(update={"size": 48})))
    with pytest.raises(UsageError, match=r"cannot be run on images of \(3, 48, 48\): ValueError"):
        answers_of(network, images, tmp_path / "cache")


def a_pickle(folder: Path) -> None:
    import torch

    (folder / "model.safetensors").unlink()
    torch.save({"x": Path.touch}, folder / "pytorch_model.bin")


def a_pointer(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")


def cut_short(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-3000])


def without_a_piece(folder: Path) -> None:
    in_pieces(folder)
    max(folder.glob("model-*.safetensors")).unlink()


def with_another_head(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    table = load_file(folder / "model.safetensors")
    table["classifier.weight"] = table["classifier.weight"][:7].clone()
    save_file(table, folder / "model.safetensors", metadata={"format": "pt"})


def of_other_things(folder: Path) -> None:
    vit_folder(folder, num_labels=1000, id2label={n: f"thing {n}" for n in range(1000)})


def with_code(folder: Path) -> None:
    (folder / "net.py").write_text("raise SystemExit('it ran')")
    where = {"AutoModelForImageClassification": "net.Net"}
    changed(folder, "config.json", auto_map=where, model_type="my_net")


REFUSED: dict[str, tuple[Change, str]] = {
    "a pickle": (a_pickle, "hold more than tensors .*: save them as safetensors"),
    "a pointer of Git LFS": (a_pointer, "model.safetensors is only a pointer of Git LFS"),
    "cut short": (cut_short, "cannot be read: SafetensorError"),
    "a piece is missing": (without_a_piece, "cannot be read: .*model-0000"),
    "another head": (with_another_head, r"have another shape of classifier.weight \(1 such"),
    "a network of photos": (of_other_things, "has 1000 classes .*, and none is an expression"),
    "its own code": (with_code, "cannot be read: ValueError"),
}


@pytest.mark.parametrize(("change", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_one_line(change: Change, told: str, folder: Path) -> None:
    change(folder)
    with pytest.raises(UsageError, match=told) as caught:
        open_network(AskedNetwork(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("named", [True, False], ids=["names in it", "names in a card"])
def test_a_folder_that_timm_saved_is_fed_as_timm_does(
    named: bool, images: ImageSet, tmp_path: Path
) -> None:
    need_torch()
    timm = pytest.importorskip("timm")
    import torch
    from timm.models import save_for_hf

    torch.manual_seed(3)
    network = timm.create_model("test_vit", num_classes=8).eval()
    more: dict[str, Any] = {"label_names": list(CLASSES)} if named else {}
    save_for_hf(network, tmp_path / "net", model_config=more, safe_serialization=True)
    changed(tmp_path / "net", "config.json", model_args={"checkpoint_path": "/not/there"})
    transform = timm.data.create_transform(**timm.data.resolve_data_config(model=network))
    with torch.inference_mode():
        given = torch.stack([transform(one) for one in opened(images)])
        said = of_classes(network(given).numpy())
    asked = AskedNetwork(tmp_path / "net", None if named else InputCard(classes=CLASSES))
    check(asked, images, tmp_path / "cache", said)
    if not named:
        with pytest.raises(UsageError, match=r"unknown name 'LABEL_0'.*give --card"):
            open_network(AskedNetwork(tmp_path / "net"))


def test_a_folder_of_timm_that_transformers_saved_is_fed_as_timm_does(
    images: ImageSet, tmp_path: Path
) -> None:
    need_torch()
    timm = pytest.importorskip("timm")
    import torch
    import transformers

    torch.manual_seed(3)
    config = transformers.TimmWrapperConfig(
        architecture="test_vit", num_labels=8, id2label=dict(enumerate(CLASSES)),
        pretrained_cfg=dict(timm.create_model("test_vit", num_classes=8).pretrained_cfg),
    )  # fmt: skip
    network = transformers.TimmWrapperForImageClassification(config).eval()
    network.save_pretrained(tmp_path / "net")
    transform = timm.data.create_transform(
        **timm.data.resolve_data_config(pretrained_cfg=config.pretrained_cfg)
    )
    with torch.inference_mode():
        given = torch.stack([transform(one) for one in opened(images)])
        said = of_classes(network(pixel_values=given).logits.numpy())
    check(AskedNetwork(tmp_path / "net"), images, tmp_path / "cache", said)
