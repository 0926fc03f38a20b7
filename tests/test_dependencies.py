"""Every declared dependency is imported by code, every import is declared, and the locks agree."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = ("requirements.lock", "requirements-dev.lock")
NOT_IMPORTED = {
    "lxml": "the parser that BeautifulSoup is given by name",
    "mtcnn": "its weight files are read, found by name",
}
OWN = {"btfer", "review_app"}
OTHER_SYSTEMS = {
    *("deepface", "emotiefflib", "feat", "hsemotion_onnx", "rmn", "torch", "jax"),
    *("dlib", "open_clip", "pdqhash", "safetensors", "timm", "transformers"),
}
"""Named by an extra each, a backend of Keras, or what a user may have beside; tests run without them."""


def _plain(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(lines: list[str]) -> set[str]:
    found = [re.match(r"[\w.-]+", line) for line in lines]
    return {_plain(one.group()) for one in found if one} - {"btfer"}


def _imported() -> Iterator[str]:
    for folder in ("btfer", "review_app"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from (one.name.partition(".")[0] for one in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module.partition(".")[0]


DISTRIBUTIONS = {
    module: {_plain(name) for name in names} for module, names in packages_distributions().items()
}
IMPORTED = set(_imported()) - set(sys.stdlib_module_names) - OWN - OTHER_SYSTEMS
CORE, BENCH = _names(PROJECT["dependencies"]), _names(EXTRAS["bench"])


def test_every_declared_dependency_is_imported() -> None:
    used = {name for module in IMPORTED for name in DISTRIBUTIONS[module]}
    assert CORE - used == NOT_IMPORTED.keys()
    assert used >= BENCH
    assert used >= _names(EXTRAS["export"])


def test_every_import_is_declared() -> None:
    parts = ("export", "publish", "heif", "jxl", "ray", "s3", "gcs")
    declared = CORE | BENCH | set().union(*(_names(EXTRAS[one]) for one in parts))
    undeclared = {one for one in IMPORTED if not DISTRIBUTIONS[one] & declared}
    assert undeclared == set()


def test_every_extra_but_those_of_other_systems_is_known() -> None:
    systems = {"deepface", "emotiefflib", "hsemotion", "pyfeat", "rmn"}
    assert set(EXTRAS) - systems == {
        "bench",
        "cuda",
        "dev",
        "docs",
        "export",
        "faces",
        "gcs",
        "heif",
        "jax",
        "jxl",
        "peers",
        "postgres",
        "publish",
        "ray",
        "s3",
        "torch",
    }


def _locked(file: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / file).read_text(), re.MULTILINE)
    return dict(found)


def test_the_locks_hold_the_same_versions() -> None:
    product, everything = map(_locked, LOCKS)
    assert product.keys() >= CORE | BENCH
    assert everything.keys() >= _names(EXTRAS["dev"]) | _names(EXTRAS["export"])
    assert {name: everything.get(name) for name in product} == product


@pytest.mark.parametrize("file", LOCKS)
def test_a_lock_names_no_host_and_no_folder(file: str) -> None:
    for line in (ROOT / file).read_text().splitlines():
        assert re.fullmatch(
            r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^/]+)? \\| {4}--hash=sha256:[0-9a-f]{64}( \\)?", line
        ), line
