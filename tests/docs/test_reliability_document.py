"""docs/reliability.md and the README say what was saved, and that nothing was lost."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import reliability  # noqa: E402


def test_the_table_and_the_readme_are_made_of_the_saved_figures() -> None:
    found = reliability.saved()
    page, readme = (one.read_text() for one in (reliability.PAGE, reliability.README))
    assert page == reliability.made(page, reliability.page_table(found))
    assert readme == reliability.made(readme, reliability.readme_table(found))


def test_nothing_was_lost() -> None:
    assert [name for name, one in reliability.saved().items() if one.lost] == []
