"""Files of PyTorch: what could run code is refused before it does, and weights are all in place or refused."""

import json
import pickle
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btfer.bench.systems.input_card import InputCard
from btfer.bench.systems.networks import AskedNetwork, open_network
from btfer.bench.systems.torch_networks import check_expressions, kind_of
from btfer.bench.systems.torch_weights import read_weights
from btfer.errors import MissingExtra, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.extras import installed
from tests.bench.systems.test_same_probabilities import export, need_torch, script, torch_network

CARD = InputCard(classes=EXPRESSIONS, size=24)


class Trap:
    """A pickle that makes a file when it is opened."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.made,)


def archive(path: Path, **members: bytes) -> Path:
    """A zip archive; a name's two underscores stand for a slash."""
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(f"net/{name.replace('__', '/').replace('_', '.')}", content)
    return path


def test_without_torch_its_extra_is_named(tmp_path: Path) -> None:
    if installed("torch"):
        pytest.skip("torch is installed")
    (tmp_path / "net.pt2").touch()
    for place in (tmp_path / "net.pt2", Path("hf:someone/network"), Path("timm:resnet18")):
        asked = AskedNetwork(place, CARD, weights=tmp_path / "w" if "timm" in str(place) else None)
        with pytest.raises(MissingExtra, match=r"pip install 'btfer\[torch\]'"):
            open_network(asked)


def test_what_an_archive_is_goes_by_what_lies_in_it(tmp_path: Path) -> None:
    assert kind_of(archive(tmp_path / "a", models__model_json=b"{}")) == "export"
    assert kind_of(archive(tmp_path / "b", code__net_py=b"", data_pkl=b"")) == "script"
    assert kind_of(archive(tmp_path / "c", data_pkl=b"")).startswith("a pickle of weights or of")
    assert kind_of(archive(tmp_path / "d", readme_txt=b"")).startswith("no network")
    (tmp_path / "e").write_bytes(pickle.dumps({}))
    assert kind_of(tmp_path / "e").startswith("no archive")
    (tmp_path / "f").write_bytes((tmp_path / "a").read_bytes()[:-30])
    assert kind_of(tmp_path / "f") == "a zip archive that is cut short or damaged"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Symbol('s77', positive=True, integer=True)", True),
        ("2*s0 + FloorDiv(s1, 16)", True),
        ("Max(1, s1 - 3)", True),
        ("__import__('os').system('true')", False),
        ("exec(chr(112))", False),
        ("Symbol('s77').__class__", False),
        ("s77[0]", False),
    ],
)
def test_sizes_of_a_program_are_arithmetic(text: str, plain: bool, tmp_path: Path) -> None:
    content = json.dumps({"graph": [{"as_expr": {"expr_str": text}}]}).encode()
    file = archive(tmp_path / "net.pt2", models__model_json=content)
    if plain:
        check_expressions(file)
        return
    with pytest.raises(UsageError, match="a size that is no arithmetic"):
        check_expressions(file)


@pytest.mark.filterwarnings("ignore")
def test_a_pickled_module_is_refused_and_not_opened(tmp_path: Path) -> None:
    need_torch()
    import torch

    torch.save(Trap(tmp_path / "made"), tmp_path / "net.pt")
    with pytest.raises(UsageError, match=r"is a pickle of weights or of a whole module.*\.pt2"):
        open_network(AskedNetwork(tmp_path / "net.pt", CARD))
    asked = AskedNetwork(Path("timm:test_resnet"), CARD, weights=tmp_path / "net.pt")
    with pytest.raises(UsageError, match="holds more than tensors"):
        open_network(asked)
    assert not (tmp_path / "made").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_program_with_a_pickle_or_code_inside_runs_neither(tmp_path: Path) -> None:
    need_torch()
    import torch

    whole = export(torch_network(), tmp_path / "any.pt2")
    torch.save(Trap(tmp_path / "made"), tmp_path / "trap")
    code = f"(__import__('pathlib').Path({str(tmp_path / 'made')!r}).touch() or True)"
    with zipfile.ZipFile(whole) as source:
        members = {name: source.read(name) for name in source.namelist()}
    for ending in ("sample_inputs/model.pt", "models/model.json"):
        [name] = [one for one in members if one.endswith(ending)]
        changed = (tmp_path / "trap").read_bytes()
        if ending.endswith("json"):
            model = json.loads(members[name])
            model["guards_code"] = [code]
            changed = json.dumps(model).encode()
        bad = tmp_path / "bad.pt2"
        with zipfile.ZipFile(bad, "w", zipfile.ZIP_STORED) as target:
            for one, content in members.items():
                target.writestr(one, changed if one == name else content)
        if ending.endswith("json"):
            open_network(AskedNetwork(bad, CARD))  # guards are left out
        else:
            with pytest.raises(UsageError, match="holds more than tensors"):
                open_network(AskedNetwork(bad, CARD))
        assert not (tmp_path / "made").exists(), ending


@pytest.mark.filterwarnings("ignore")
def test_weights_of_timm_are_all_in_place_or_refused(tmp_path: Path) -> None:
    need_torch()
    timm = pytest.importorskip("timm")
    import torch

    table = timm.create_model("test_resnet", num_classes=7).state_dict()
    first = next(iter(table))
    for changed, words in (
        ({n: v for n, v in table.items() if n != first}, f"lack {first}"),
        (table | {"more": torch.zeros(1)}, "have besides more"),
        (timm.create_model("test_resnet", num_classes=8).state_dict(), r"have .*\(8,.*not \(7,"),
        ({"epoch": 3}, "holds no table of tensors"),
    ):
        torch.save(changed, tmp_path / "w.pth")
        asked = AskedNetwork(Path("timm:test_resnet"), CARD, weights=tmp_path / "w.pth")
        with pytest.raises(UsageError, match=words):
            open_network(asked)
    with pytest.raises(UsageError, match="timm has no network 'resnett'"):
        open_network(AskedNetwork(Path("timm:resnett"), CARD, weights=tmp_path / "w.pth"))


def test_of_a_checkpoint_with_averaged_weights_these_are_taken_as_timm_does(tmp_path: Path) -> None:
    """Of `timm.models.load_checkpoint`, whose `use_ema` is on."""
    need_torch()
    import torch

    last, average = {"w": torch.zeros(2)}, {"w": torch.ones(2)}
    torch.save({"epoch": 3, "state_dict": last, "state_dict_ema": average}, tmp_path / "w.pth")
    assert read_weights(tmp_path / "w.pth")["w"].tolist() == [1, 1]
    torch.save({"state_dict": last}, tmp_path / "w.pth")
    assert read_weights(tmp_path / "w.pth")["w"].tolist() == [0, 0]


@pytest.mark.filterwarnings("ignore")
def test_names_that_mean_nothing_ask_for_a_card(tmp_path: Path) -> None:
    need_torch()
    transformers = pytest.importorskip("transformers")
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.ViTConfig(**small, intermediate_size=16, image_size=32, num_labels=7)
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / "vit")
    with pytest.raises(UsageError, match=r"has no preprocessor_config\.json"):
        open_network(AskedNetwork(tmp_path / "vit", InputCard(classes=EXPRESSIONS)))
    size = {"height": 32, "width": 32}
    transformers.ViTImageProcessor(size=size).save_pretrained(tmp_path / "vit")
    with pytest.raises(UsageError, match=r"unknown name 'LABEL_0'.*give --card"):
        open_network(AskedNetwork(tmp_path / "vit"))
    card = InputCard(classes=EXPRESSIONS)
    assert open_network(AskedNetwork(tmp_path / "vit", card)).answer is not None
    with pytest.raises(UsageError, match="--language is for networks that read prompts"):
        open_network(AskedNetwork(tmp_path / "vit", card, language="de"))


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("https://example.org/lab/vit", "is an address: give hf:ORG/NAME"),
        ("lab/vit", "is not a file or a folder; a network of Hugging Face is hf:ORG/NAME"),
        ("w.safetensors", "holds weights alone: give the folder in which its config.json lies"),
    ],
)
def test_a_place_that_is_no_network_says_what_would_be_one(
    place: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.safetensors").touch()
    with pytest.raises(UsageError, match=told):
        open_network(AskedNetwork(Path(place), CARD))


@pytest.mark.filterwarnings("ignore")
def test_what_torch_cannot_run_is_one_line_with_the_reason(tmp_path: Path) -> None:
    need_torch()
    file = script(torch_network(), tmp_path / "net.pt")
    network = open_network(AskedNetwork(file, CARD))
    with pytest.raises(
        UsageError, match=r"on images of \(1, 24, 24\): .*to have 3 channels"
    ) as told:
        network.runnable.run(np.zeros((2, 1, 24, 24), np.float32))
    assert "\n" not in str(told.value)


@pytest.mark.filterwarnings("ignore")
def test_weights_come_as_training_scripts_leave_them(tmp_path: Path) -> None:
    need_torch()
    timm = pytest.importorskip("timm")
    import torch

    table = timm.create_model("test_resnet", num_classes=7).state_dict()
    first, file = next(iter(table)), tmp_path / "w.pth.tar"

    def named(start: str) -> dict[str, Any]:
        return {start + name: value for name, value in table.items()}

    plain = {"args": Namespace(lr=0.1), "best": np.float64(0.8), "arch": "resnet", "epoch": 3}
    asked = AskedNetwork(Path("timm:test_resnet"), CARD, weights=file)
    for kept in (
        {"model_state_dict": table, "optimizer_state_dict": {"state": {}}},
        {"model": table},
        {"net": table, "acc": 90.1},
        {"state_dict": table} | plain,
        {"state_dict": named("module.")},
        named("_orig_mod."),
        named("module._orig_mod."),
        {"state_dict": named("model.") | {"loss.weight": torch.ones(7)}},
        {name: value.half() for name, value in table.items()},
    ):
        torch.save(kept, file)
        open_network(asked)
    torch.save(named("student.") | named("teacher."), file)
    with pytest.raises(UsageError, match=r"several times, as student\. and teacher\."):
        open_network(asked)
    torch.save({n: v for n, v in named("module.").items() if n != f"module.{first}"}, file)
    with pytest.raises(UsageError, match=f"lack {first}"):
        open_network(asked)
    file.write_bytes(file.read_bytes()[:-9000])
    with pytest.raises(UsageError, match="is a zip archive that is cut short or damaged: copy or"):
        open_network(asked)
    file.write_text("<html>404</html>")
    with pytest.raises(UsageError, match="is no checkpoint of PyTorch"):
        open_network(asked)
