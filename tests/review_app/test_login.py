"""Who judges where people log in (OpenID): the name of the login, and no other."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from btfer import review
from tests.drawn_catalogue import make

AUTH = {"redirect_uri": "http://localhost:8501/oauth2callback", "cookie_secret": "x" * 32}


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    return tmp_path


def show(user: dict[str, Any]) -> AppTest:
    def script() -> None:
        from review_app import rounds

        rounds.photos()

    app = AppTest.from_function(script, default_timeout=200)
    app.secrets["auth"] = AUTH
    app.user = user
    app.query_params["reviewer"] = "cleo"  # a link is no login
    app.run()
    assert not app.exception
    return app


def leased(cat: Any, who: str) -> int:
    """How many of three pictures are before a person, so that nobody else gets them."""
    return 3 - len(review.Queue(cat, "photos", f"not {who}", "").page(3).items)


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"email": "ann@example.org", "name": "Ann", "sub": "7"}, "ann@example.org"),
        ({"name": "Ann Dê", "sub": "7"}, "Ann Dê"),
        ({"sub": "auth0|7"}, "auth0|7"),
        ({"email": "", "name": "*Ann* [x](http://y)"}, "*Ann* [x](http://y)"),
    ],
    ids=["e-mail", "name", "subject", "Markdown"],
)
def test_the_name_of_a_login_is_who_judges(data_dir: Path, user: dict[str, Any], name: str) -> None:
    cat, _ = make(data_dir, 3)
    app = show({"is_logged_in": True} | user)
    assert [one.value.replace("\\", "") for one in app.sidebar.caption] == [name]
    assert [one.label for one in app.sidebar.button] == ["Log out"]  # and no `change`
    assert not app.sidebar.text_input
    assert leased(cat, name) == 3
    assert len(review.Queue(cat, "photos", name, "").page(3).items) == 3  # they are this person's


def test_who_has_not_logged_in_sees_no_picture(data_dir: Path) -> None:
    cat, _ = make(data_dir, 3)
    app = show({"is_logged_in": False})
    assert [one.label for one in app.sidebar.button] == ["Log in"]
    assert leased(cat, "tester") == 0
    assert any("Enter your name" in one.value for one in app.info)
