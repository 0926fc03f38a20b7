"""The address of a bucket among the settings: what is taken, what is refused, and which folder here belongs to it."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from btfer.bench.runs.foreign import runs_folder
from btfer.bucket_url import bucket_url
from btfer.errors import UsageError
from btfer.settings import Settings, load_settings
from btfer.sources.folder import list_folder


def test_a_bucket_has_a_folder_of_its_own_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "here"))
    one = load_settings(data_dir="s3://pail/lab/")
    assert one.bucket_url == "s3://pail/lab"
    assert one.data_dir.parent == tmp_path / "here" / "btfer"
    assert load_settings(data_dir="s3://pail/lab").data_dir == one.data_dir
    others = [
        load_settings(data_dir="s3://pail/lab2"),
        load_settings(data_dir="gs://pail/lab"),
        load_settings(data_dir="s3://pail/lab", endpoint_url="http://127.0.0.1:9000"),
    ]
    assert len({one.data_dir, *(other.data_dir for other in others)}) == 4
    chosen = load_settings(data_dir="s3://pail/lab", local_dir=str(tmp_path / "faces ? 1"))
    assert chosen.data_dir.parent == tmp_path / "faces ? 1"
    sent: Settings = pickle.loads(pickle.dumps(one))
    assert (sent.bucket_url, sent.data_dir) == (one.bucket_url, one.data_dir)


def test_it_comes_from_the_file_and_from_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("btfer.toml").write_text('data_dir = "s3://pail/lab"\n')
    assert load_settings().bucket_url == "s3://pail/lab"
    monkeypatch.setenv("BTFER_DATA_DIR", "gs://other")
    assert load_settings().bucket_url == "gs://other"
    assert not load_settings(data_dir=Path("data")).bucket_url


WRONG = """
s3:/pail
s3:pail
S3://pail/lab
s3://
s3:///lab
s3://Pail
s3://p
s3://pail//lab
s3://pail/../lab
s3://pail/a b
s3://pail/lab?x=1
s3://pail/\x1b[31m
 s3://pail
s3n://pail
gs:/x
http://pail/lab
""".strip("\n").split("\n")


@pytest.mark.parametrize("place", WRONG)
def test_a_wrong_spelling_is_refused_with_the_right_one(place: str) -> None:
    with pytest.raises(UsageError, match=r"write s3://BUCKET/PREFIX or gs://BUCKET/PREFIX") as told:
        load_settings(data_dir=place)
    assert str(told.value).isprintable()


@pytest.mark.parametrize("place", ["s3://AKIA123:s3cr3t@pail/lab", "s3://pail/lab?token=s3cr3t"])
def test_a_key_in_the_address_is_not_shown(place: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a bucket") as told:
        load_settings(data_dir=place)
    assert "s3cr3t" not in str(told.value)
    assert "AKIA" not in str(told.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:9000",
        "ftp://x",
        "http://k:s3cr3t@x",
        "http://x/y",
        "http://x:port",
        "http://x:99999",
        "http://[::1",
        "http://:9000",
    ],
)
def test_a_wrong_server_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"endpoint_url.*: write http://HOST:PORT") as told:
        load_settings(data_dir="s3://pail", endpoint_url=address)
    assert "s3cr3t" not in str(told.value)


def test_a_folder_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data", "s3", "gs folder", "s3-photos/x", "faces ? 1", "a:b"):
        found = load_settings(data_dir=name)
        assert (found.data_dir, found.bucket_url) == (Path(name), "")


def test_a_bucket_needs_a_catalogue_elsewhere() -> None:
    with pytest.raises(UsageError, match="name one with the setting catalogue"):
        _ = load_settings(data_dir="s3://pail/lab").catalogue_url
    with pytest.raises(UsageError, match="a SQLite catalogue cannot be in a bucket"):
        _ = load_settings(catalogue="sqlite:///s3://pail/lab/c.db").catalogue_url
    cache = load_settings(data_dir="s3://pail/lab").data_dir
    with pytest.raises(UsageError, match="nor in its folder here"):
        _ = load_settings(
            data_dir="s3://pail/lab", catalogue=f"sqlite:///{cache}/c.db"
        ).catalogue_url
    own = load_settings(data_dir="s3://pail/lab", catalogue="sqlite:////tmp/c.db")
    assert own.catalogue_url == "sqlite:////tmp/c.db"


def test_a_prefix_leaves_room_for_names_in_a_key_of_1024_bytes() -> None:
    assert bucket_url(f"s3://pail/{'a' * 512}")
    with pytest.raises(UsageError, match="has 513 letters: use at most 512"):
        bucket_url(f"s3://pail/{'a' * 513}")


@pytest.mark.parametrize("refuses", [runs_folder, lambda path: list_folder(path, None, path)])
def test_a_bucket_that_is_named_as_a_folder_is_told_as_it_was_written(
    refuses: Callable[[Path], object],
) -> None:
    with pytest.raises(UsageError, match=r"^s3://pail/runs is not a folder"):
        refuses(Path("s3://pail/runs"))
