"""The report in a real Chromium: three widths, light and dark, with names that are long, hostile or right to left."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from btfer.bench.report import write_report
from btfer.bench.report.drawing import short
from btfer.bench.submit import check_folder
from tests.bench.drawn_bundles import draw_bundle, draw_scored_run, drawn_answers, speck_release
from tests.bench.drawn_runs import draw_run

pytestmark = pytest.mark.slow

WIDTHS = (390, 768, 1280)
HOSTILE = '<img src=x onerror=alert(1)></td><script>alert(2)</script> & "quoted" name'
NAMES = ("Net" + "x" * 60, "شبكة التعرف على تعابير الوجه", "顔" * 40, "😀 set")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("report")
    images = speck_release(home / "specks-1", 20)
    for number, name in enumerate((*NAMES, HOSTILE)):
        draw_bundle(home / "theirs", images, name, 0.4 + number / 20, number, by=name)
    for name in (*NAMES, "rafdb", HOSTILE):
        draw_run(home / "runs", training=name, accuracy=0.5)
    draw_scored_run(home / "runs", images, drawn_answers(images, 0.6, 1))
    theirs = check_folder(home / "theirs", lambda _: images).checked
    return write_report(home / "runs", home / "reports", others=theirs)


def plots(page: Path) -> list[str]:
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page.read_text())
    return [base64.b64decode(one).decode() for one in found]


def test_the_labels_of_a_plot_are_numbers_and_names_that_fit_and_differ(page: Path) -> None:
    every = plots(page)
    assert not [one for one in every if "mathdefault" in one]
    [ranking] = [one for one in every if "chance" in one and "rafdb" in one]
    # Of one name, each in a second line what tells it from the other.
    assert re.search(r"ResNet18 48<.*rafdb<", ranking, re.DOTALL)
    assert re.search(r"ResNet18 48<.*Netx+…<", ranking, re.DOTALL)
    assert not [one for one in every if "x" * 45 in one]
    assert (short("顔" * 13), short("顔" * 12), short("x" * 24)) == (
        "顔" * 11 + "…",
        "顔" * 12,
        "x" * 24,
    )


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_fits_every_width_and_runs_nothing_of_a_name(
    browser: Any, page: Path, scheme: str
) -> None:
    shown = browser.new_context(color_scheme=scheme).new_page()
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("dialog", lambda dialog: wrong.append(dialog.message))
    shown.on(
        "request", lambda asked: wrong.append(asked.url) if asked.url.startswith("http") else None
    )
    for width in WIDTHS:
        shown.set_viewport_size({"width": width, "height": 900})
        shown.goto(page.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
    widest = shown.evaluate(
        "Math.max(...[...document.querySelectorAll('#ranking ~ .wide td')].map((one) => one.clientWidth))"
    )
    assert widest <= 330
    shown.context.close()
    assert wrong == []
