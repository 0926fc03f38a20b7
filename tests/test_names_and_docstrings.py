"""Names mean one thing, and public functions that take or return arrays say what is in them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "btfer"
ARRAYS = re.compile(r"\b(ndarray|NDArray|Array|Pixels|Indices|Grey|Floats|Hashes|Keys)\b")
SAID = re.compile(
    r"\[[^\]]+\]|\b(u?int(8|16|32|64)|float(32|64)|bool)\b|\bpixels?\b|\bhash(es)?\b", re.IGNORECASE
)


def public_functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function of a module that another module may call, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{path.relative_to(PACKAGE)}:{node.name}", node


def has_arrays(function: ast.FunctionDef) -> bool:
    hints = [one.annotation for one in (*function.args.args, *function.args.kwonlyargs)]
    return any(hint and ARRAYS.search(ast.unparse(hint)) for hint in (*hints, function.returns))


def test_arrays_have_a_shape_a_type_or_a_unit_in_the_docstring() -> None:
    silent = [
        place
        for place, function in public_functions()
        if has_arrays(function) and not SAID.search(ast.get_docstring(function) or "")
    ]
    assert not silent, f"{len(silent)} docstrings without shape, dtype or unit: {silent}"


def test_every_public_function_has_a_docstring() -> None:
    bare = [place for place, function in public_functions() if not ast.get_docstring(function)]
    assert not bare


def test_a_public_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.with_name("review_app").rglob("*.py"))):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.name)
    assert not {name: where for name, where in places.items() if len(where) > 1}
