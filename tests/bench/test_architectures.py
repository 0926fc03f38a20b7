import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

from btfer.bench import list_architectures
from btfer.bench.architectures import ARCHITECTURES, BACKBONE, architecture
from btfer.bench.architectures.builders import BUILDERS
from btfer.bench.architectures.mobilenet import FILE
from btfer.errors import BtferError, UsageError

TABLE = [
    ("mobilenetv2", 48, 2_619_719),
    ("mobilenetv2", 224, 2_619_719),
    ("resnet18", 48, 11_710_919),
    ("resnet18", 224, 11_718_599),
    ("sequential_3conv", 48, 1_365_703),
    ("sequential_3conv", 224, 1_365_703),
    ("sequential_4conv", 48, 2_840_775),
    ("sequential_4conv", 224, 2_840_775),
]


@pytest.mark.parametrize(("name", "size", "parameters"), TABLE)
def test_parameters_are_those_the_authors_notebooks_print(
    name: str, size: int, parameters: int
) -> None:
    model = architecture(name).build((size, size, 3), 7)
    assert model.count_params() == parameters == architecture(name).parameters[size]
    assert model.output_shape == (None, 7)


def test_the_table_and_the_builders_have_every_architecture() -> None:
    assert {name for name, _, _ in TABLE} == set(ARCHITECTURES) == set(BUILDERS)


def test_unknown_names_sizes_and_weights_say_what_there_is() -> None:
    with pytest.raises(UsageError, match="resnet18, sequential_3conv"):
        architecture("resnet19")
    with pytest.raises(UsageError, match="48 or 224"):
        architecture("resnet18").build((64, 64, 3), 7)
    with pytest.raises(UsageError, match="weights 'imagenet': use none"):
        architecture("resnet18").build((48, 48, 3), 7, "imagenet")


def test_missing_weights_offline_name_the_file_and_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(BtferError, match=f"put the file {FILE} into {tmp_path / 'models'}"):
        architecture("mobilenetv2").build((48, 48, 3), 7, "imagenet")


def test_a_weight_file_in_the_cache_folder_is_really_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    source = keras.applications.MobileNetV2(
        input_shape=(96, 96, 3), weights=None, include_top=False, alpha=1.0
    )
    with h5py.File(tmp_path / "models" / FILE, "w") as file:  # the old form, as the published file
        save_weights_to_hdf5_group(file, source)
    model = architecture("mobilenetv2").build((48, 48, 3), 7, "imagenet")
    loaded = model.get_layer(BACKBONE).get_weights()
    assert all(map(np.array_equal, loaded, source.get_weights()))


def test_a_damaged_weight_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / FILE).write_bytes(b"nothing")
    with pytest.raises(BtferError, match="remove it"):
        architecture("mobilenetv2").build((48, 48, 3), 7, "imagenet")


def test_listing_loads_no_keras() -> None:
    code = (
        "import sys; from btfer import bench; rows = bench.list_architectures(); "
        "assert len(rows) > 3; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert list_architectures()[0]["parameters"] == {"48": 11_710_919, "224": 11_718_599}
