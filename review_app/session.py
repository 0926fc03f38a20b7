"""What all pages share: the catalogue, who judges, what was chosen, and the message of the last action.

Streamlit drops the value of a widget when a page without it runs. What must last is kept under a name that no
widget owns: in the session over pages, in the address over a reload and over a restart of the server. Who judges
is never in the address, which may be sent to others: the browser keeps it, for each of its windows.
"""

import argparse
import getpass
import hashlib
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue, open_catalogue
from btfer.catalogue import photos as photo_rows
from btfer.catalogue.address import sqlite_file
from btfer.catalogue.sqlite import identity
from btfer.errors import BtferError, CatalogueError, UsageError
from btfer.passwords import without_password
from btfer.review import left
from btfer.review.gold import Gold, read_gold
from btfer.review.guidelines import NO_GUIDELINES, Guidelines, read_guidelines
from btfer.settings import Settings, load_settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FIRST_STEPS = """Next, in a terminal in the folder where this app was started:

1. `btfer crawl` searches the web for photos, or `btfer import FOLDER` takes your own.
2. `btfer dedup` looks for copies among them.
3. Load this page again, and judge them on the page *Photos*.

If your photos are in another work folder, start `btfer app` there.
"""
NAME_FIRST = (
    "Enter your name in the side bar first (on a telephone » opens it): what you judge carries it."
)
LONGEST_NAME = 80
HANDLED = 50  # requests of the browser that are remembered
NAME_COOKIE, SEVERAL_COOKIE = "btfer_reviewer", "btfer_reviewers"
# A new window of the same browser begins with the name that was used last, which the server reads from a cookie. Where
# several people have used the browser, each window says by itself who sits at it.
_identity = st.components.v2.component(
    "btfer_review_identity",
    js="""export default function ({ data, setStateValue }) {
  const kept = "btfer reviewer";
  const cookie = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict`; };
  const last = (document.cookie.split("; ").find((one) => one.startsWith(`${data.cookie}=`)) || "").split("=")[1];
  let here = "";
  try { here = sessionStorage.getItem(kept) || ""; } catch { /* the browser keeps nothing */ }
  if (!data.name) return setStateValue("here", here || decodeURIComponent(last || "") || " ");
  const name = encodeURIComponent(data.name);
  if (last && last !== name) cookie(data.several, "yes");
  cookie(data.cookie, name);
  try { sessionStorage.setItem(kept, data.name); } catch { /* asked again after a reload */ }
}""",
)


def opened_catalogue() -> tuple[Catalogue, Settings] | None:
    """The catalogue and the settings; None, and a sentence on the page, where there is nothing to judge."""
    try:
        settings = load_settings()
        url = settings.catalogue_url
        if not settings.catalogue and not (settings.data_dir / "catalogue.db").exists():
            st.info(f"There is no catalogue in `{settings.data_dir}` yet. {FIRST_STEPS}")
            return None
        cat = _catalogue(url, _file_of(settings))
        cat.check()
        gold_pictures()
        if not photo_rows.count(cat):
            st.info(f"The catalogue has no photos yet. {FIRST_STEPS}")
            return None
        return cat, settings
    except BtferError as error:
        tell_failure(error)
        return None


def tell_failure(error: BtferError) -> None:
    """In one sentence. Where the catalogue fails, nothing that was marked is lost."""
    kept_here = " What you marked and did not send is kept in this browser."
    st.error(str(error) + ("." + kept_here if isinstance(error, CatalogueError) else ""))


def _file_of(settings: Settings) -> tuple[int, int] | None:
    """Which file lies at the place of the catalogue now: another one is opened anew. None on PostgreSQL."""
    file = sqlite_file(settings.catalogue_url)
    return identity(file) if file else None


@st.cache_resource
def _catalogue(url: str, file: tuple[int, int] | None) -> Catalogue:
    cat = open_catalogue(url)
    asked = arguments().reviewers_per_image
    if asked is not None:
        review.plan(cat, asked)
    return cat


def arguments() -> argparse.Namespace:
    """The options that follow `--` of `streamlit run`: `reviewers_per_image` (as of `btfer review plan`), `gold`."""
    parser = argparse.ArgumentParser(prog="btfer app", add_help=False)
    parser.add_argument("--reviewers-per-image", type=int)
    parser.add_argument("--gold", type=Path)
    return parser.parse_known_args(sys.argv[1:])[0]


def place(settings: Settings) -> str:
    """A name for this catalogue, under which the browser keeps what was marked and not sent."""
    return hashlib.sha256(without_password(settings.catalogue_url).encode()).hexdigest()[:12]


@st.cache_resource
def gold_pictures() -> Gold:
    """The right answers of `--gold FILE`; none without it. Raises UsageError."""
    file = arguments().gold
    return read_gold(file) if file else {}


def guidelines(settings: Settings) -> Guidelines:
    """The team's guidelines; none, and a sentence on the page, where they cannot be read."""
    try:
        return read_guidelines(settings.queries_dir)
    except BtferError as error:
        st.error(str(error))
        return NO_GUIDELINES


def kept(name: str, first: str = "", options: Sequence[str] = ()) -> str:
    """What was chosen under a name, else `first`: the same on every page, after a reload and after a restart."""
    chosen = _kept()
    if name not in chosen:
        chosen[name] = st.query_params.get(name, first)
    if options and chosen[name] not in options:
        chosen[name] = first
    wanted = chosen[name] if chosen[name] != first else None
    if st.query_params.get(name) != wanted:
        st.query_params[name] = wanted or []
    return chosen[name]


def keep(name: str, value: str) -> None:
    """Keep a choice from now on."""
    _kept()[name] = value


def select(
    label: str, name: str, options: Sequence[str], first: str, *, explained: str = ""
) -> str:
    """A select box in the sidebar whose choice is kept. explained: what stands behind its question mark."""
    box = f"box_{name}"
    st.session_state[box] = kept(name, first, options)
    st.sidebar.selectbox(
        label,
        options,
        key=box,
        help=explained or None,
        on_change=lambda: keep(name, st.session_state[box]),
    )
    return kept(name, first, options)


def toggle(label: str, name: str, explained: str) -> bool:
    """A switch in the sidebar, off at first, that is kept."""
    box = f"box_{name}"
    st.session_state[box] = kept(name, "", ("", "on")) == "on"
    st.sidebar.toggle(
        label,
        key=box,
        help=explained,
        on_change=lambda: keep(name, "on" if st.session_state[box] else ""),
    )
    return kept(name, "", ("", "on")) == "on"


def _kept() -> dict[str, str]:
    chosen: dict[str, str] = st.session_state.setdefault("kept", {})
    return chosen


def reviewer_name() -> str:
    """Who judges: the person who has logged in where that is set up, else the name that was chosen once.

    On this computer alone that begins as the name of its user. A name is changed by a button, never by
    typing into an open box: a stray letter would give a page to somebody else.
    """
    if (
        "reviewer" in st.query_params
    ):  # a link of an earlier version: who sent it does not judge here
        del st.query_params["reviewer"]
    if st.secrets.load_if_toml_exists() and "auth" in st.secrets:
        return _logged_in()
    name = _known_name()
    if not name or st.session_state.get("naming"):
        _ask_name(name)
        return name if not st.session_state.get("naming") else ""
    with st.sidebar:
        st.markdown(f"Reviewer: **{_plain(name)}**")
        st.button("change", key="change_reviewer", on_click=_rename, type="tertiary")
        _window(name)
    return name


def _window(name: str) -> str:
    """Tell this window who sits at it; without a name, ask it: '' = it has not answered yet."""
    data = {"name": name, "cookie": NAME_COOKIE, "several": SEVERAL_COOKIE}
    key = "identity" if name else "identity_asked"
    said = _identity(key=key, data=data, on_here_change=lambda: None)
    return str(said.get("here") or "")


def _known_name() -> str:
    """The name; '' where none was chosen."""
    if "reviewer" in _kept():
        return _kept()["reviewer"]
    name = _cookie(NAME_COOKIE)
    if name and _cookie(SEVERAL_COOKIE):
        name = _window("")
        if not name:
            st.stop()
    name = name.strip()[:LONGEST_NAME] or _user_of_computer()
    if name:
        keep("reviewer", name)
    return name


def _cookie(name: str) -> str:
    value = st.context.cookies.get(name, "")
    return unquote(value) if isinstance(value, str) else ""


def _user_of_computer() -> str:
    """Whoever is logged in here, where the app serves this computer only; a server's user is no reviewer."""
    if st.get_option("server.address") not in LOOPBACK:
        return ""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user name
        return ""


def _rename() -> None:
    st.session_state["naming"] = True


def _ask_name(before: str) -> None:
    with st.sidebar.form("reviewer_form"):
        st.text_input("Your name", value=before, max_chars=LONGEST_NAME, key="reviewer_box")
        st.form_submit_button("Judge under this name", on_click=_name_given)


def _name_given() -> None:
    name = str(st.session_state.get("reviewer_box", "")).strip()
    if name:
        keep("reviewer", name)
        st.session_state["naming"] = False


def _plain(name: str) -> str:
    """A name as text: what Markdown would read as more is written out."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()<>#+-.!|~:$" else one for one in name)


def _logged_in() -> str:
    """The e-mail address or name that the OpenID provider of `.streamlit/secrets.toml` gives."""
    if not st.user.is_logged_in:
        st.sidebar.button("Log in", on_click=st.login)
        return ""
    st.sidebar.button("Log out", on_click=st.logout)
    name = str(st.user.get("email") or st.user.get("name") or st.user.get("sub") or "")
    st.sidebar.caption(_plain(name))
    return name


def session_id() -> str:
    """A name for this session that is new after a restart of the server."""
    return str(st.session_state.setdefault("session", secrets.token_hex(4)))


def describe(done: review.Committed) -> str:
    """The message after a page was judged."""
    if not done.skipped:
        return f"{done.written} judged."
    why = left.in_words(done.left) or f"{done.skipped} judged already"
    return f"{done.written} judged; what was not open any more stays as it is: {why}."


def perform(action: Callable[[], str]) -> bool:
    """Do it, and keep its message for the next drawing of the page; whether it was done."""
    try:
        st.session_state["message"] = ("done", action())
    except BtferError as error:
        st.session_state["message"] = ("error", str(error))
        return False
    return True


def perform_once(number: str, action: Callable[[], str]) -> bool:
    """As `perform`, for a request of the browser, by its number: one may arrive twice."""
    handled: dict[str, bool] = st.session_state.setdefault("handled", {})
    if number not in handled:
        handled[number] = perform(action)
        for old in list(handled)[:-HANDLED]:
            del handled[old]
    return handled[number]


def check_sender(sent: Mapping[str, Any], reviewer: str) -> None:
    """Raises UsageError where somebody else sits here by now than who judged this page."""
    if sent.get("reviewer") != reviewer:
        raise UsageError(
            f"this page was judged by {sent.get('reviewer')}, and you are {reviewer}: nothing was saved"
        )


def keep_undone(page: str, reviewer: str, number: str, **came_back: Any) -> None:
    """Keep what came back when somebody took back a page, until the browser has it. number: of the request."""
    st.session_state[f"undone_{page}"] = {"reviewer": reviewer, "number": number, **came_back}


def undone(page: str, reviewer: str) -> dict[str, Any]:
    """What came back last on a page, for who took it back only: it is no mark of who sits here next. Else {}."""
    kept: dict[str, Any] = st.session_state.get(f"undone_{page}", {})
    return kept if kept.get("reviewer") == reviewer else {}


def last_message() -> str:
    """The message of the last action; an error is drawn here, at once."""
    kind, text = st.session_state.pop("message", ("", ""))
    if kind == "error":
        st.error(text)
        return ""
    return str(text)
