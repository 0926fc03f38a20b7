"""Runs the notebooks of docs/notebooks and keeps what they print in them: `make notebooks`.

Jupyter is not needed here: a cell is plain Python, and what it prints is its output. The site shows each as a page.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "notebooks"
ORDER = ("import_folder", "catalogue", "build", "bench")
"""Each goes on in the folder that the one before has left."""
VARIES = "nbval-ignore-output"
"""A cell with this tag prints another thing each time, such as seconds."""


def read(name: str) -> dict[str, Any]:
    """A notebook of docs/notebooks."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return found


def run(name: str, folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Each cell of code with what it printed, run in a folder; an error of a cell is raised."""
    variables: dict[str, Any] = {}
    for cell in read(name)["cells"]:
        if cell["cell_type"] != "code":
            continue
        printed = io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
            exec(compile("".join(cell["source"]), name, "exec"), variables)
        yield cell, printed.getvalue()


def kept(cell: dict[str, Any]) -> str:
    """The output that a cell of the notebook has."""
    return "".join(line for one in cell["outputs"] for line in one["text"])


def varies(cell: dict[str, Any]) -> bool:
    """Whether the cell says so of its output."""
    return VARIES in cell["metadata"].get("tags", ())


def renew(folder: Path) -> None:
    """Run all, and keep their outputs."""
    for name in ORDER:
        book, printed = read(name), [text for _, text in run(name, folder)]
        cells = [one for one in book["cells"] if one["cell_type"] == "code"]
        for cell, text in zip(cells, printed, strict=True):
            lines = text.splitlines(keepends=True)
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] * bool(
                lines
            )
        text = json.dumps(book, indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{name}.ipynb").write_text(text, encoding="utf-8")


def as_page(name: str) -> str:
    """A notebook in Markdown, for the site."""
    parts = []
    for cell in read(name)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            parts.append(f"```python\n{text}\n```")
            if output := kept(cell):
                parts.append(f"```text\n{output.rstrip()}\n```")
        else:
            parts.append(text)
    parts.append(f"This page is a notebook: {{download}}`{name}.ipynb`.")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, str(FOLDER.parents[1]))
    with tempfile.TemporaryDirectory() as scratch:
        renew(Path(scratch))
