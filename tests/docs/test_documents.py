"""README and documentation: short enough, linked right, and every command in them exists with its options."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from btfer import cli

ROOT = Path(__file__).parents[2]
WRITTEN = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "data" / "README.md"}
    - {
        ROOT / "docs" / "reference" / f"{one}.md"
        for one in ("commands", "settings", "words", "files", "catalogue")
    }
)
MOST_WORDS = 900
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
MADE = {"commands.md", "settings.md", "words.md", "files.md", "catalogue.md"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands() -> Iterator[tuple[str, str]]:
    """Each line of a block that calls btfer, and where it stands."""
    for path in WRITTEN:
        for block in FENCED.findall(path.read_text(encoding="utf-8")):
            for line in block.splitlines():
                for part in re.split(r"&&|\|\||;", line.split(" # ")[0].split("  #")[0]):
                    found = re.search(r"(?:^|\s)(btfer(?:\s.*)?)$", part.strip())
                    if found and "btfer:" not in part:
                        yield named(path), found[1].strip()


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= MOST_WORDS


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target) or Path(target).name in MADE:
            continue
        file = path.parent / target
        notebook = file.with_suffix(".ipynb")  # its page is made with the site
        assert file.exists() or notebook.exists(), target


@pytest.mark.parametrize(("where", "line"), sorted(set(commands())))
def test_every_command_in_the_documents_exists(where: str, line: str) -> None:
    command: Any = typer.main.get_command(cli.app)
    words = shlex.split(line)[1:]
    options = {one for param in command.params for one in (*param.opts, *param.secondary_opts)}
    while words:
        word = words.pop(0)
        if word in getattr(command, "commands", {}):
            command = command.commands[word]
            options |= {
                one for param in command.params for one in (*param.opts, *param.secondary_opts)
            }
        elif word.startswith("-"):
            assert word.split("=")[0] in options | {"--help", "-h"}, f"{where}: {line}: {word}"


def test_the_pages_from_code_name_every_command_and_setting(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; sys.path.insert(0, 'docs'); import reference_pages\n"
        "reference_pages.write(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = {one.name for one in tmp_path.iterdir()}
    assert made == MADE
    shown = (tmp_path / "commands.md").read_text(encoding="utf-8")
    assert all(
        f"## btfer {name}" in shown
        for name in ("build", "bench external", "review export", "catalogue copy")
    )
    assert "`min_face_px` | `40`" in (tmp_path / "settings.md").read_text(encoding="utf-8")


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = re.findall(
        r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    )
    assert len(named) >= 12
    for file, test in named:
        assert (
            f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")
            if test
            else (ROOT / file).is_file()
        ), test or file
