"""The app runs from wherever it lies, on the settings of the folder it is started in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=120).run()
assert not app.exception, app.exception
import review_app
print(review_app.__file__)
print(*(one.value for one in app.info))
"""


def test_a_copy_of_the_app_runs_in_another_folder_with_its_own_settings(tmp_path: Path) -> None:
    bundled = tmp_path / "site" / "_bundled" / "review_app"
    shutil.copytree(ROOT / "review_app", bundled, ignore=shutil.ignore_patterns("__pycache__"))
    work = tmp_path / "work"
    work.mkdir()
    (work / "btfer.toml").write_text('data_dir = "faces_of_mine"\n')
    free = {name: value for name, value in os.environ.items() if not name.startswith("BTFER_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(bundled / "app.py")],
        cwd=work,
        env=free | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    module, *sentences = done.stdout.splitlines()
    assert module == str(bundled / "__init__.py")
    assert "There is no catalogue in `faces_of_mine` yet. Next, in a terminal" in sentences[0]
    assert any("`btfer import FOLDER` takes your own" in one for one in sentences)
    assert not (work / "faces_of_mine").exists()


SERVER = """
import runpy
import sys
runpy.run_path(sys.argv[1], run_name="app")
from streamlit import config
print(config.get_option("browser.gatherUsageStats"))
"""


def test_a_visit_is_reported_to_nobody_wherever_streamlit_runs_the_app(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVER, str(ROOT / "review_app" / "app.py")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["False"], done.stderr
