"""What all pages share: the catalogue, who judges, and the message of the last action."""

import argparse
import getpass
import secrets
import sys
from collections.abc import Callable

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue
from btfer.catalogue import photos as photo_rows
from btfer.errors import BtferError
from btfer.settings import Settings, load_settings


def opened_catalogue() -> tuple[Catalogue, Settings] | None:
    """The catalogue and the settings; None, and a sentence on the page, where there is nothing to judge."""
    try:
        settings = load_settings()
        if not settings.catalogue and not (settings.data_dir / "catalogue.db").exists():
            st.info(f"There is no catalogue in `{settings.data_dir}` yet: run `btfer crawl` first.")
            return None
        cat = _catalogue(settings.catalogue_url)
        if not photo_rows.count(cat):
            st.info("The catalogue has no photos yet: run `btfer crawl` first.")
            return None
        return cat, settings
    except BtferError as error:
        st.error(str(error))
        return None


@st.cache_resource
def _catalogue(url: str) -> Catalogue:
    cat = open_catalogue(url)
    asked = _reviewers_per_image(sys.argv[1:])
    if asked is not None:
        review.plan(cat, asked)
    return cat


def _reviewers_per_image(arguments: list[str]) -> int | None:
    """The option that follows `--` of `streamlit run`; it does the same as `btfer review plan`."""
    parser = argparse.ArgumentParser(prog="btfer app", add_help=False)
    parser.add_argument("--reviewers-per-image", type=int)
    asked: int | None = parser.parse_known_args(arguments)[0].reviewers_per_image
    return asked


def reviewer_name() -> str:
    """Who judges: the person who has logged in where that is set up, else the name in the sidebar.

    The sidebar begins with the name of this computer's user. The address keeps it (`?reviewer=ann`), so
    that loading the page again forgets nothing.
    """
    if st.secrets.load_if_toml_exists() and "auth" in st.secrets:
        return _logged_in()
    try:
        known = getpass.getuser()
    except (OSError, KeyError):  # a container without a user name
        known = ""
    # The widget's own state is dropped on pages that do not draw it; `reviewer` is kept.
    known = st.session_state.get("reviewer", st.query_params.get("reviewer", known))
    st.session_state.setdefault("reviewer_box", known)
    name = st.sidebar.text_input("Reviewer", key="reviewer_box").strip()
    st.session_state["reviewer"] = name
    if st.query_params.get("reviewer", "") != name:
        st.query_params["reviewer"] = name
    return name


def _logged_in() -> str:
    """The e-mail address or name that the OpenID provider of `.streamlit/secrets.toml` gives."""
    if not st.user.is_logged_in:
        st.sidebar.button("Log in", on_click=st.login)
        return ""
    st.sidebar.button("Log out", on_click=st.logout)
    name = str(st.user.get("email") or st.user.get("name") or st.user.get("sub") or "")
    st.sidebar.caption(name)
    return name


def session_id() -> str:
    """A name for this session that is new after a restart of the server."""
    return str(st.session_state.setdefault("session", secrets.token_hex(4)))


def describe(done: review.Committed) -> str:
    """The message after a page was judged."""
    if not done.skipped:
        return f"{done.written} judged."
    return f"{done.written} judged; {done.skipped} had been judged already and stay as they were."


def perform(action: Callable[[], str]) -> None:
    """Do it, and keep its message for the next drawing of the page."""
    try:
        st.session_state["message"] = ("done", action())
    except BtferError as error:
        st.session_state["message"] = ("error", str(error))


def last_message() -> str:
    """The message of the last action; an error is drawn here, at once."""
    kind, text = st.session_state.pop("message", ("", ""))
    if kind == "error":
        st.error(text)
        return ""
    return str(text)
