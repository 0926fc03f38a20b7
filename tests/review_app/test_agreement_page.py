"""What the page Agreement says (AppTest), and that its charts are drawn from here alone (Chromium)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from btfer import review
from btfer.catalogue import Catalogue
from btfer.review import Judged
from tests.drawn_catalogue import make
from tests.review_app.naming import sit


def script() -> None:
    from review_app import agreement

    agreement.page()


def show() -> AppTest:
    app = AppTest.from_function(script, default_timeout=200).run()
    assert not app.exception
    return app


def judge(cat: Catalogue, who: str, ids: list[str], **said: str) -> None:
    review.commit(cat, "photos", [Judged(id_, **said) for id_ in ids], who)


def judged_twice(data_dir: Path, people: tuple[str, str] = ("ann", "ben")) -> list[str]:
    """14 photos: two people differ on three of the last four, as the fourth is happy anyway."""
    cat, ids = make(data_dir, 14)
    review.plan(cat, 2)
    judge(cat, people[0], ids)
    judge(cat, people[1], ids[:10])
    judge(cat, people[1], ids[10:], decision="relabel", expression="happy")
    return ids


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    return tmp_path


def test_without_a_second_vote_it_says_how_to_ask_for_one(data_dir: Path) -> None:
    cat, ids = make(data_dir, 2)
    judge(cat, "ann", ids)
    app = show()
    assert "`btfer review plan --reviewers-per-image 2`" in app.info[0].value
    assert not app.metric
    assert not charts(app)


def test_without_a_catalogue_it_names_the_next_command(data_dir: Path) -> None:
    assert "`btfer crawl`" in show().info[0].value


def test_it_shows_each_statistic_with_its_interval_and_what_it_means(data_dir: Path) -> None:
    judged_twice(data_dir)
    app = show()
    assert [one.label for one in app.metric] == [
        "percent agreement",
        "Fleiss' kappa",
        "Krippendorff's alpha",
    ]
    assert app.metric[0].value == f"{11 / 14:.3f}"
    low, high = (float(text) for text in app.metric[0].delta.split(" to "))
    assert low < 11 / 14 < high
    told = app.markdown[0].value
    assert all(name in told for name in ("percent", "Cohen", "Fleiss", "Krippendorff"))
    pairs, parts, confusion = (one.value for one in app.dataframe)
    assert list(pairs["votes"]) == ["ann and ben"]
    assert set(parts["items"]) == {14}
    assert confusion.loc["sad", "happy"] == confusion.loc["happy", "sad"] == 1
    assert len(charts(app)) == 2


@pytest.mark.slow
def test_parts_and_statistic_can_be_chosen(data_dir: Path) -> None:
    judged_twice(data_dir)
    app = show()
    app.selectbox(key="agreement_by").set_value("language").run()
    app.selectbox(key="agreement_statistic").set_value("percent agreement").run()
    assert not app.exception
    assert list(app.dataframe[1].value["group"].unique()) == ["en"]
    assert charts(app)[0]["layer"][1]["encoding"]["x"]["title"] == "percent agreement"


def test_a_new_vote_shows_at_once(data_dir: Path) -> None:
    cat, ids = make(data_dir, 2)
    review.plan(cat, 2)
    judge(cat, "ann", ids)
    app = show()
    assert not app.metric
    judge(cat, "ben", ids)
    assert app.run().metric[0].value == "1.000"


def test_it_names_no_picture_and_shows_names_as_text(data_dir: Path) -> None:
    ids = judged_twice(data_dir, ("![ann](http://elsewhere.example/a.png)", "ben"))
    app = show()
    said = " ".join(one.value for kind in (app.markdown, app.caption, app.info) for one in kind)
    assert "elsewhere.example" not in said
    tables = " ".join(one.value.to_csv() for one in app.dataframe)
    drawn = b"".join(chart.proto.SerializeToString() for chart in app.get("vega_lite_chart"))
    everything = said + tables + " ".join(one.value for one in app.text)
    assert "elsewhere.example" in everything
    assert not any(id_[:12] in everything or id_[:12].encode() in drawn for id_ in ids)


@pytest.mark.browser
@pytest.mark.slow
def test_both_charts_are_drawn_in_the_browser(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any
) -> None:
    judged_twice(tmp_path)
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/agreement")
    drawn = page.locator("[data-testid=stVegaLiteChart] svg")
    drawn.nth(1).wait_for()
    assert "Fleiss' kappa" in drawn.first.text_content()
    assert "surprise" in drawn.nth(1).text_content()
