from pathlib import Path

import pytest

from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS, parse_expression
from btfer.settings import load_settings


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
        ("colour = 'red'", "colour"),
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


def test_classes_are_known_by_the_names_that_datasets_use() -> None:
    assert [parse_expression(name) for name in ("Anger", " HAPPINESS ", "surprised")] == [
        "angry",
        "happy",
        "surprise",
    ]
    assert tuple(sorted(EXPRESSIONS)) == EXPRESSIONS
    with pytest.raises(UsageError, match="unknown expression class 'contempt'"):
        parse_expression("contempt")
