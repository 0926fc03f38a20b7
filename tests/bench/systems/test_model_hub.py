"""Networks by name from a hub on loopback, through huggingface_hub itself: fetched once, and each failure one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from pytest_httpserver import HTTPServer

from btfer.bench.datasets import load_release
from btfer.bench.systems.model_file import answers_of
from btfer.bench.systems.model_hub import fetched
from btfer.bench.systems.networks import AskedNetwork, open_network
from btfer.errors import BtferError, NetworkError, UsageError
from btfer.expressions import EXPRESSIONS
from tests.bench.conftest import draw_release
from tests.bench.systems.fake_model_hub import ModelHub
from tests.bench.systems.test_same_probabilities import need_torch, vit_folder

constants = pytest.importorskip("huggingface_hub.constants")

FILES = {"config.json": b"{}", "preprocessor_config.json": b"[]", "model.safetensors": b"s" * 5000}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def hub(httpserver: HTTPServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> ModelHub:
    made = ModelHub(httpserver)
    at(made.url, monkeypatch)
    return made


def at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What HF_ENDPOINT says when the library is imported."""
    files = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + files)
    monkeypatch.setattr(constants, "ENDPOINT", url)


def test_a_network_is_fetched_once_and_its_folder_is_called_as_its_commit(hub: ModelHub) -> None:
    commit = hub.add("lab/vit", FILES)
    folder = fetched("lab/vit")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == FILES
    assert folder.name == commit
    assert hub.sent() == sorted(FILES)
    assert fetched("lab/vit") == fetched(f"lab/vit@{commit}") == folder
    assert hub.sent() == sorted(FILES)


def test_only_what_is_read_is_fetched(hub: ModelHub) -> None:
    more = {
        "checkpoint-500/model.safetensors": b"c" * 5000,
        "checkpoint-500/optimizer.bin": b"o" * 5000,
        "onnx/config.json": b"0",
        "pytorch_model.bin": b"p" * 5000,
        "training_args.bin": b"t",
        "README.md": b"# A network",
    }
    hub.add("lab/vit", FILES | more)
    fetched("lab/vit")
    assert hub.sent() == sorted(FILES)


def test_weights_in_a_checkpoint_are_fetched_where_there_are_no_others(hub: ModelHub) -> None:
    files = {"config.json": b"{}", "pytorch_model.bin": b"p" * 5000}
    hub.add("lab/old", files)
    assert {file.name for file in fetched("lab/old").iterdir()} == files.keys()


def test_without_a_network_the_cache_answers(
    hub: ModelHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("lab/vit", FILES)
    folder = fetched("lab/vit")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetched("lab/vit") == folder
    with pytest.raises(UsageError, match="hf:lab/other is not in the cache, and HF_HUB_OFFLINE is"):
        fetched("lab/other")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    at("http://127.0.0.1:1", monkeypatch)
    assert fetched("lab/vit") == folder
    with pytest.raises(NetworkError, match=r"hf:lab/other .*the connection failed \(.*refused"):
        fetched("lab/other")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lab/none", "the hub has no network hf:lab/none, or it is private.*HF_TOKEN"),
        ("lab/gated", "hf:lab/gated is given out only to those who accepted its terms"),
        ("lab/vit@v9", "the hub has no such revision of hf:lab/vit@v9"),
        ("vit", "'hf:vit': write hf:ORG/NAME"),
        ("lab/vit/tree/main", "write hf:ORG/NAME as in the address"),
        ("", "'hf:': write hf:ORG/NAME"),
        ("../../etc", "write hf:ORG/NAME"),
    ],
)
def test_what_the_hub_does_not_give_out_is_one_line(name: str, told: str, hub: ModelHub) -> None:
    hub.add("lab/vit", FILES)
    hub.add("lab/gated", FILES, gated=True)
    with pytest.raises(UsageError, match=told) as caught:
        fetched(name)
    assert "\n" not in str(caught.value)


def test_a_hub_that_is_down_is_one_line(hub: ModelHub) -> None:
    hub.busy = 503
    with pytest.raises(NetworkError, match=r"the hub answered 503: try again later$"):
        fetched("lab/vit")


def test_a_connection_that_breaks_off_is_one_line_and_the_next_try_fetches_the_rest(
    hub: ModelHub, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    hub.add("lab/vit", FILES)
    hub.cut["model.safetensors"] = 1000
    with pytest.raises(NetworkError, match=r"the connection failed \(peer closed .*\): run the"):
        fetched("lab/vit")
    told = capfd.readouterr().err
    assert "resume" not in told
    assert "Fetching" not in told
    hub.cut.clear()
    assert (fetched("lab/vit") / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_a_file_that_arrives_damaged_is_told(hub: ModelHub) -> None:
    hub.add("lab/vit", FILES)
    hub.spoilt.add("model.safetensors")
    with pytest.raises(BtferError, match=r"model\.safetensors arrived damaged.*delete ") as caught:
        fetched("lab/vit")
    hub.spoilt.clear()
    Path(str(caught.value).partition("delete ")[2].partition(" and run")[0]).unlink()
    assert (fetched("lab/vit") / "model.safetensors").read_bytes() == FILES["model.safetensors"]


@pytest.mark.filterwarnings("ignore")
def test_a_network_of_the_hub_is_scored_by_the_command_and_its_commit_is_kept(
    hub: ModelHub, tmp_path: Path
) -> None:
    need_torch()
    vit_folder(tmp_path / "own")
    release = draw_release(tmp_path / "release", 2)
    files = {file.name: file.read_bytes() for file in (tmp_path / "own").iterdir()}
    commit = hub.add("lab/vit", files)
    images = load_release(release)
    own = answers_of(open_network(AskedNetwork(tmp_path / "own")), images, tmp_path / "cache")

    def command(**more: str) -> str:
        line = [
            sys.executable,
            "-c",
            "from btfer.cli import main; main()",
            "bench",
            "external",
            "--release",
            str(release),
        ]
        env = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), **more}
        found = subprocess.run(
            [*line, "--model-file", "hf:lab/vit"], cwd=tmp_path, env=os.environ | env,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return found.stdout

    assert f"lab/vit is commit {commit} of the hub" in command()
    [file] = (tmp_path / "data" / "runs").glob("*/run.json")
    assert json.loads(file.read_text())["card"]["commit"] == commit
    [table] = file.parent.glob("predictions*.parquet")
    rows = pyarrow.parquet.read_table(table).to_pylist()
    said = [[row[f"p_{name}"] for name in EXPRESSIONS] for row in rows]
    assert np.abs(np.array(said) - own.probabilities).max() < 1e-5
    hub.busy = 503
    asked = len(hub.server.log)
    assert commit in command(HF_HUB_OFFLINE="1")
    assert len(hub.server.log) == asked
