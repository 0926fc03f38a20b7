"""A real Chromium, where there is one."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def running_chromium(arguments: Sequence[str] = ("--no-sandbox",)) -> Iterator[Any]:
    """Playwright's browser. Skips the test where playwright or Chromium is not installed."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if not program:
        pytest.skip("no Chromium in PATH (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(arguments))
        yield opened
        opened.close()
