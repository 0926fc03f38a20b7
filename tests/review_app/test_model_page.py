"""The page Model: a picture in, what a network sees and the nearest released faces out, nothing stored."""

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from btfer.bench.datasets import load_release
from btfer.sample import load_manifest, picture_path
from tests.bench.conftest import draw_release
from tests.bench.stored_runs import store


def script() -> None:
    from review_app import model

    model.page()


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    return tmp_path


def show() -> AppTest:
    app = AppTest.from_function(script, default_timeout=120).run()
    assert not app.exception
    return app


def html(app: AppTest) -> str:
    return " ".join(str(one.proto.body) for one in app.get("html"))


def test_without_the_benchmark_it_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)  # as where it is not installed
    app = show()
    assert [one.value for one in app.info] == [
        "This page needs the packages of the benchmark: `pip install 'btfer[bench]'`."
    ]


def test_without_a_network_it_names_the_next_command(data_dir: Path) -> None:
    assert "`btfer bench` trains" in show().info[0].value


def test_a_picture_is_looked_at_and_stored_nowhere(data_dir: Path) -> None:
    release = load_release(draw_release(data_dir / "releases" / "r1", 3))
    store(data_dir / "runs", release)
    single = next(one for one in load_manifest() if one.kind == "single")
    picture = picture_path(single.file).read_bytes()
    app = show()
    app.file_uploader(key="model_picture").upload("portrait.jpg", picture, "image/jpeg").run()
    assert not app.exception
    before = {path for path in data_dir.rglob("*") if path.is_file()}
    shown = html(app)
    assert "What the network sees" in shown
    assert shown.count("similarity") == 21  # three of each class
    assert any("Face 1" in one.value for one in app.markdown)
    assert not any(picture in path.read_bytes() for path in before)
    assert not [path for path in before if path.suffix == ".png" and "releases" not in path.parts]


@pytest.mark.slow
def test_a_file_that_is_no_picture_is_a_sentence(data_dir: Path) -> None:
    store(data_dir / "runs", load_release(draw_release(data_dir / "releases" / "r1", 1)))
    app = show()
    app.file_uploader(key="model_picture").upload("a.png", b"no picture", "image/png").run()
    assert "cannot be used" in app.error[0].value
