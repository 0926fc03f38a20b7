"""The recipes of CONTRIBUTING.md, each followed on a copy in the files that it names and in no other."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COUNTS = {
    "Add a source": 4,
    "Add a network": 2,
    "Add a drop reason": 1,
    "Add a packed format": 3,
}


@dataclass(frozen=True)
class Recipe:
    """What a recipe says of its files. new: those that it makes, with NAME for the name of the new thing."""

    title: str
    count: int
    files: tuple[str, ...]
    new: tuple[str, ...]

    def code(self, name: str) -> set[str]:
        """Its files but the tests."""
        return {one.replace("NAME", name) for one in self.files if not one.startswith("tests/")}


def _recipes() -> dict[str, Recipe]:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Recipes")[2].partition("\n## ")[0]
    found = re.findall(r"^### (.+)\n\nFiles \((\d+)\): (.+)$", text, flags=re.MULTILINE)
    return {
        title: Recipe(
            title,
            int(count),
            tuple(re.findall(r"`([^`]+)`", line)),
            tuple(re.findall(r"`([^`]+)` \(new\)", line)),
        )
        for title, count, line in found
    }


RECIPES = _recipes()


def test_there_are_four_recipes() -> None:
    assert {one.title: one.count for one in RECIPES.values()} == COUNTS


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_recipe_names_files_that_exist_and_counts_them(recipe: Recipe) -> None:
    assert len(recipe.files) == recipe.count
    for file in set(recipe.files) - set(recipe.new):
        assert (ROOT / file).is_file(), file
    for file in recipe.new:
        assert "NAME" in file
        assert (ROOT / file).parent.is_dir(), file


def _follow(
    title: str, name: str, folder: Path, edits: dict[str, tuple[str, str]], then: str
) -> str:
    """Do the edits on a copy, ask `then` about it in a process of its own; what that prints.

    edits: for each file the line to find ('' = the end) and the text to put behind it.
    """
    assert set(edits) == RECIPES[title].code(name)
    shutil.copytree(
        ROOT / "btfer", folder / "btfer", ignore=shutil.ignore_patterns("__pycache__", "pictures")
    )
    for file, (line, text) in edits.items():
        path = folder / file
        before = path.read_text() if path.exists() else ""
        assert line in before, f"{file} has no line {line!r} any more"
        path.write_text(before.replace(line, line + text, 1) if line else before + text)
    done = subprocess.run(
        [sys.executable, "-c", then],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_new_source_is_one_file_and_one_row(tmp_path: Path) -> None:
    file = """
from btfer.sources.search import ImageResult, SearchFeeder, SearchParser, Source


class WallFeeder(SearchFeeder):
    def first_page(self, asked):
        return f"{self.source.base_url}/{asked.phrase}"


class WallParser(SearchParser):
    def parse(self, response, **_):
        yield from self.each([response.body.decode()], ImageResult)


def wall(base_url="https://wall.example"):
    return Source("wall", base_url, WallFeeder, WallParser)
"""
    row = (
        '\n    "wall": lambda _: nullcontext('
        '__import__("btfer.sources.wall", fromlist=["wall"]).wall()),'
    )
    edits = {
        "btfer/sources/wall.py": ("", file),
        "btfer/cli/choices.py": ('Source = StrEnum("Source", "bing', " wall"),
        "btfer/sources/__init__.py": ('    "bing": lambda _: nullcontext(bing()),', row),
    }
    then = """
from btfer.cli import choices
from btfer.settings import Settings
from btfer.sources import SOURCES, open_source
with open_source("wall", Settings()) as source:
    print(source.name, set(SOURCES) == set(choices.Source))
"""
    assert _follow("Add a source", "wall", tmp_path, edits, then) == "wall True"


def test_a_new_drop_reason_is_one_line(tmp_path: Path) -> None:
    edits = {"btfer/review/rules.py": ('    "too poor": "p",', '\n    "sunglasses": "h",')}
    then = """
from btfer.review.rules import DROP_REASONS, Judged, check_judged
for round_, reasons in DROP_REASONS.items():
    check_judged(round_, Judged("a", "drop", "sunglasses"))
    assert len(set(reasons.values())) == len(reasons)
    print(round_, reasons["sunglasses"])
"""
    assert _follow("Add a drop reason", "", tmp_path, edits, then) == "photos h\nfaces h"


def test_a_new_packed_format_is_a_writer_a_reader_and_a_row(tmp_path: Path) -> None:
    text = """

def _write_lines(path, rows, images):
    lines = [f"{row['file_name']} {row['label']} {data.hex()}" for row, data in zip(rows, images)]
    path.write_text("\\n".join(lines))


def _read_lines(path):
    for line in path.read_text().splitlines():
        name, label, data = line.split()
        yield {"file_name": name, "label": label}, bytes.fromhex(data)


FORMATS["lines"] = Format("txt", _write_lines, _read_lines)
"""
    then = """
from pathlib import Path
from types import SimpleNamespace
from btfer.cli.choices import RELEASE_FORMATS
from btfer.pipeline.formats import FORMATS, check_formats, pack, unpack
assert set(RELEASE_FORMATS) == {"folder", *FORMATS}
Path("a.png").write_bytes(b"face")
row = {"file_name": "a.png", "label": "happy"}
pack(Path(), check_formats(["lines"]), [SimpleNamespace(as_json=lambda: row)])
print(*unpack(Path(), "lines"))
"""
    edits = {
        "btfer/pipeline/formats.py": ("", text),
        "btfer/cli/choices.py": ('RELEASE_FORMATS = ("folder", ', '"lines", '),
    }
    found = _follow("Add a packed format", "", tmp_path, edits, then)
    assert found == "('a.png', 'happy', b'face')"


@pytest.mark.slow
def test_a_new_network_is_one_decorated_function(tmp_path: Path) -> None:
    text = '''

@network(family="classic", parameters={48: 48_391}, multiply_adds={48: 0.1})
def tinynet(input_shape: Shape, classes: int, weights: str = "none") -> keras.Model:
    """One layer. Reference: none. Pixels 0 to 1, RGB."""
    dense = layers.Dense(classes, activation="softmax")
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), dense], name="tinynet")
'''
    then = """
import sys
from btfer.bench import list_architectures
assert "tinynet" in [one.name for one in list_architectures()]
assert "keras" not in sys.modules
from btfer.bench.architectures import architecture
print(architecture("tinynet").build((48, 48, 3), 7).count_params())
"""
    edits = {"btfer/bench/architectures/classic.py": ("", text)}
    assert _follow("Add a network", "tinynet", tmp_path, edits, then) == "48391"
