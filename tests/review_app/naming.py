"""Choosing who judges, under AppTest."""

from streamlit.testing.v1 import AppTest


def rename(app: AppTest, name: str) -> None:
    """Press `change`, type a name and give it."""
    app.sidebar.button(key="change_reviewer").click().run()
    app.sidebar.text_input(key="reviewer_box").set_value(name)
    [give] = [one for one in app.sidebar.button if one.label == "Judge under this name"]
    give.click().run()
    assert not app.exception
