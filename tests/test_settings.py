from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.paths import bundled
from btfer.queries import load_plan
from btfer.settings import load_settings, unknown_variables


def test_flags_beat_the_environment_which_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("btfer.toml").write_text("workers = 1\nseed = 1\nmin_face_px = 50\n")
    monkeypatch.setenv("BTFER_SEED", "2")
    monkeypatch.setenv("BTFER_MIN_FACE_PX", "60")
    settings = load_settings(min_face_px=70, engine=None)
    assert (settings.workers, settings.seed, settings.min_face_px) == (1, 2, 70)
    assert settings.catalogue_url == "sqlite:///data/catalogue.db"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers = -1", "workers.*greater than or equal to 0.*-1"),
        ("workers = 100_000_000_000", "workers.*less than or equal to 10000"),
        ("colour = 'red'", "unknown setting 'colour' in btfer.toml; choose one of data_dir"),
        ("min_face = 50", "unknown setting 'min_face' in btfer.toml; did you mean 'min_face_px'"),
        ("workers =", "btfer.toml cannot be read"),
        ("crop = 'round'", "crop.*'paper', 'authors_code' or 'square'"),
    ],
)
def test_a_wrong_setting_is_named(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("btfer.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        load_settings()


def test_a_wrong_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BTFER_WORKERS", "many")
    with pytest.raises(UsageError, match=r"'workers' \(variable BTFER_WORKERS\): .*whole number"):
        load_settings()


def test_a_file_may_begin_with_a_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("btfer.toml").write_bytes(b"\xef\xbb\xbfworkers = 3\n")
    assert load_settings().workers == 3


def test_a_settings_file_that_is_no_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("btfer.toml").mkdir()
    with pytest.raises(UsageError, match=r"btfer\.toml cannot be read: Is a directory"):
        load_settings()


def test_the_query_plan_is_the_one_here_or_the_bundled_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings().queries_dir == bundled("queries")
    assert load_plan(load_settings().queries_dir).queries
    Path("queries").mkdir()
    assert load_settings().queries_dir == Path("queries")


def test_what_is_bundled_lies_in_the_package_where_there_is_no_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btfer.paths.PACKAGE", tmp_path / "site-packages" / "btfer")
    assert bundled("queries") == tmp_path / "site-packages" / "btfer" / "_bundled" / "queries"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "BTFER_WORKERZ",
            "unknown variable BTFER_WORKERZ is ignored; did you mean 'BTFER_WORKERS'?",
        ),
        ("BTFER_XYZ", "unknown variable BTFER_XYZ is ignored; choose one of BTFER_DATA_DIR, "),
    ],
)
def test_an_unknown_variable_names_the_nearest(name: str, sentence: str) -> None:
    (told,) = unknown_variables({name: "1", "BTFER_SEED": "2", "btfer_engine": "serial"})
    assert told.startswith(sentence)


def test_classes_are_known_by_the_names_that_datasets_use() -> None:
    assert [parse_expression(name) for name in ("Anger", " HAPPINESS ", "surprised")] == [
        "angry",
        "happy",
        "surprise",
    ]
    assert tuple(sorted(EXPRESSIONS)) == EXPRESSIONS
    with pytest.raises(UsageError, match="unknown expression class 'contempt'"):
        parse_expression("contempt")


@pytest.mark.parametrize("name", ["flickr_key", "openverse_client_secret", "proxy", "catalogue"])
def test_a_key_of_another_type_is_refused_without_its_value(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_settings(**{name: ["S3cret"]})
    assert name in str(refused.value)
    assert "S3cret" not in str(refused.value)


def test_a_long_wrong_value_is_shortened() -> None:
    with pytest.raises(UsageError) as refused:
        load_settings(seed="x" * 10_000)
    assert len(str(refused.value)) < 300
