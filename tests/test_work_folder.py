"""`btfer init`: what it writes, and that it overwrites nothing."""

import re
import tomllib
from pathlib import Path

import pytest

from btfer.paths import bundled
from btfer.queries import load_plan
from btfer.settings import Settings, load_settings
from btfer.work_folder import make_work_folder, settings_as_toml


def uncommented() -> str:
    return "\n".join(re.findall("^# ([a-z_]+ = .*)$", settings_as_toml(), re.MULTILINE))


def test_every_setting_stands_in_the_file_with_its_default() -> None:
    keys = tomllib.loads(uncommented())
    assert keys.keys() == Settings.model_fields.keys()
    assert tomllib.loads(settings_as_toml()) == {}
    for name, field in Settings.model_fields.items():
        assert str(field.description)[1:] in settings_as_toml()
        if name != "queries_dir":
            assert keys[name] == (
                str(field.default) if isinstance(field.default, Path) else field.default
            )


def test_the_file_loads_as_it_is_and_with_every_setting_switched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_work_folder(tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    as_it_is = load_settings()
    Path("btfer.toml").write_text(uncommented())
    assert load_settings() == as_it_is
    assert as_it_is.queries_dir == Path("queries")
    assert load_plan(Path("queries")).version == load_plan(bundled("queries")).version
    assert Path("queries/blocked.txt").is_file()


def test_twice_is_as_good_as_once_and_nothing_is_overwritten(tmp_path: Path) -> None:
    assert [made for _, made in make_work_folder(tmp_path)] == [True, True, True]
    (tmp_path / "btfer.toml").write_text("workers = 2\n")
    (tmp_path / "queries/languages/es.toml").unlink()
    assert [made for _, made in make_work_folder(tmp_path)] == [False, False, False]
    assert (tmp_path / "btfer.toml").read_text() == "workers = 2\n"
    assert not (tmp_path / "queries/languages/es.toml").exists()
