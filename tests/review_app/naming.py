"""Choosing who judges, under AppTest and in a browser."""

from typing import Any
from urllib.parse import quote

from streamlit.testing.v1 import AppTest


def sit(page: Any, url: str, name: str) -> None:
    """The browser of a page is one that a person has judged in before."""
    page.context.add_cookies([{"name": "btfer_reviewer", "value": quote(name), "url": url}])


def rename(app: AppTest, name: str) -> None:
    """Press `change`, type a name and give it."""
    app.sidebar.button(key="change_reviewer").click().run()
    app.sidebar.text_input(key="reviewer_box").set_value(name)
    [give] = [one for one in app.sidebar.button if one.label == "Judge under this name"]
    give.click().run()
    assert not app.exception
