"""The notebooks, one after the other in one folder: each cell prints what the notebook shows."""

import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import notebooks  # noqa: E402


def test_every_notebook_is_run_and_is_a_page() -> None:
    assert {one.stem for one in notebooks.FOLDER.glob("*.ipynb")} == set(notebooks.ORDER)
    for name in notebooks.ORDER:
        assert f"notebooks/{name}" in (DOCS / "index.md").read_text(encoding="utf-8")
        assert "```python" in notebooks.as_page(name)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_notebooks_print_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTFER_ENGINE", "serial")
    for name in notebooks.ORDER:
        for cell, printed in notebooks.run(name, tmp_path):
            if notebooks.varies(cell):
                assert printed, name
            else:
                assert printed == notebooks.kept(cell), name
