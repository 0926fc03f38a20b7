"""A running review app and a real Chromium for the browser tests."""

import importlib
import os
import random
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import running_chromium
from tests.forked import start_as_command, streamlit

ROOT = Path(__file__).resolve().parents[2]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


@pytest.fixture(autouse=True, scope="session")
def own_config() -> None:
    """Streamlit keeps the configuration that it read first, perhaps in the folder of another test."""
    from streamlit import config

    config.get_config_options(force_reparse=True)


PORTS = list(range(20_000, 30_000))  # below those that connections take by themselves
random.shuffle(PORTS)


def free_port() -> int:
    """The same one for each app in turn, while nobody else has it: the browser has its scripts compiled then."""
    while True:
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                free.bind(("127.0.0.1", PORTS[-1]))
            except OSError:
                PORTS.pop()
                continue
        return PORTS[-1]


class App:
    """`streamlit run` on a data folder; it can be killed and started again on the same port."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir, self.options = data_dir, options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        arguments = ("run", "review_app/app.py", "--server.port", str(self.port), "--")
        environment = os.environ | {"BTFER_DATA_DIR": str(self.data_dir), "USER": "tester"}
        self.process = start_as_command(
            streamlit,
            *arguments,
            *self.options,
            folder=ROOT,
            environment=environment | {"LOGNAME": "tester"},
            out=self.data_dir / "app.log",
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(4000):
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the app did not start: {(self.data_dir / 'app.log').read_text()}")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@pytest.fixture(autouse=True)
def scanned_once() -> None:
    """Import it where an app is to run, and nowhere else: Streamlit takes a second to load."""
    importlib.import_module("tests.scanned_once")


@pytest.fixture
def run_app() -> Iterator[Callable[..., App]]:
    """Starts the app on a data folder, and ends it after the test."""
    running: list[App] = []

    def start(data_dir: Path, *options: str) -> App:
        running.append(App(data_dir, *options))
        return running[-1]

    yield start
    for app in running:
        app.kill()


@pytest.fixture(scope="package")  # not longer: while it runs, this thread can run no other loop
def browser() -> Iterator[Any]:
    """A real Chromium."""
    with running_chromium(QUIET) as opened:
        yield opened


def window(browser: Any) -> Any:
    """A page of one more person, 1280 x 800, that knows nothing of the tests before.

    The contexts of earlier tests are used again, emptied: they have the app's scripts in their caches.
    """
    unused = (one for one in browser.contexts if not one.pages)
    context = next(unused, None) or browser.new_context(viewport={"width": 1280, "height": 800})
    return context.new_page()


def empty(context: Any) -> None:
    """Close its pages, and take out all that the app and the tests stored."""
    for one in context.pages[1:]:
        one.close()
    for one in context.pages:
        origin = "/".join(one.url.split("/")[:3])
        one.goto("about:blank")
        stored = {"origin": origin, "storageTypes": "cookies,local_storage,indexeddb"}
        context.new_cdp_session(one).send("Storage.clearDataForOrigin", stored)
        one.close()
    context.clear_cookies()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of the browser. An error in its scripts, or a word to another host, fails the test."""
    opened = window(browser)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.set_default_timeout(200_000)
    yield opened
    for context in browser.contexts:  # of other people too
        empty(context)
    assert errors == []
    ours = ("http://127.0.0.1:", "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []


@pytest.fixture
def page_with_clock(page: Any) -> Iterator[Any]:
    """A page whose clock the test turns; for the others it goes on as it was."""
    own = page.context.browser.new_context(viewport={"width": 1280, "height": 800})
    opened = own.new_page()
    opened.set_default_timeout(200_000)
    opened.clock.install()
    yield opened
    own.close()
