"""What the kills and the full disks share: a process that starts commands at once, and folders to start them in."""

from collections.abc import Iterator

import pytest

from btfer.sample.site import serve_sample
from tests.reliability.house import House
from tests.reliability.zygote import Zygote

IMPORTED_ONCE = (
    "btfer.demo.line",
    "btfer.cli.dataset",
    "btfer.pipeline.forget",
    "btfer.review",
    "btfer.leaks",
    "alembic.command",
    "alembic.config",
    "btfer.faces.detector",
    "btfer.jit",
    "numba",
    "btfer.pipeline.import_photos",
    "openvino",
    "pyarrow.dataset",
)
TRAINING = ("tensorflow", "keras", "btfer.bench.edge.measure", "btfer.bench.report", "cleanlab")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Work folders, and commands that may train."""
    zygote = Zygote(*IMPORTED_ONCE, *TRAINING)
    with serve_sample() as site:
        yield House(tmp_path_factory.mktemp("house"), zygote, site.url)
    zygote.close()


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Commands that train nothing."""
    made = Zygote(*IMPORTED_ONCE)
    yield made
    made.close()
