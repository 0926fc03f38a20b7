"""Counts the cases of each test, and looks that none of them filled the memory."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fuzz import driver

MOST_GROWTH_KB = 1_500_000
"""A picture of 50 megapixels is held as RGB and once more on its way there."""


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Write down how many cases a test tried."""
    before = driver.tried
    yield
    record_property("cases", driver.tried - before)


@pytest.fixture(autouse=True, scope="module")
def bounded_memory() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_GROWTH_KB, f"the memory grew by {grown // 1000} MB"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the file of a case, which the next case overwrites."""
    return tmp_path_factory.mktemp("case")
