"""`index.html` of a demo: one file with its pictures inside, which opens without a server."""

from pathlib import Path

from btfer.bench.report.page import html_template
from btfer.demo.story import Story
from btfer.files import write_atomic
from btfer.pipeline.funnel import CLASSES


def write(path: Path, story: Story, *, judge: str) -> Path:
    """Write the page. judge: the command that opens the app on the demo."""
    html = html_template("btfer.demo", "demo.html.j2").render(
        story=story, classes=CLASSES, judge=judge
    )
    write_atomic(path, html.encode())
    return path
