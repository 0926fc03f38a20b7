"""An input card: what a network expects of a face and what its outputs mean, in a TOML file beside it.

A network scores far below its claim where it is fed otherwise than it was trained: colours in another
order, another range, another cut of the face. Nothing here is guessed: what the card leaves out has the
value that stands beside its name, and what it has too much or wrong is refused.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from btfer.bench.systems.prediction_columns import (
    NO_ANSWERS,
    OTHER_CLASSES,
    class_or_none,
    is_other_class,
)
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.parsing import parse_toml
from btfer.plain_files import read_plain_text

Channels = Literal["RGB", "BGR", "grey"]
Layout = Literal["NCHW", "NHWC"]
Filter = Literal["area", "nearest", "bilinear", "bicubic", "lanczos"]
Crop = Literal["release", "tight", "aligned-5pt"]
Outputs = Literal["logits", "probabilities", "sigmoid"]

FILTERS: tuple[str, ...] = get_args(Filter)

LEFT_OUT = (*OTHER_CLASSES, *NO_ANSWERS, "non-face", "other")
"""Outputs that a release has no class for: left out, and the rest made to sum to 1."""

Side = Annotated[int, Field(ge=8, le=2048)]
ByChannel = Annotated[tuple[FiniteFloat, ...], Field(min_length=1, max_length=3)]
Point = tuple[FiniteFloat, FiniteFloat]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ClaimedScore(_Table):
    """What its makers say. accuracy: 0 to 1. on: which set, with which protocol. source: where they say so."""

    accuracy: Annotated[FiniteFloat, Field(ge=0, le=1)]
    on: Annotated[str, Field(min_length=1)]
    source: str = ""


class InputCard(_Table):
    """How a network is fed and read.

    classes: names of its outputs, in their order. size: side of its square input in pixels; None = as the
    file says. resize_to: side to which the face is scaled before the middle `size` pixels are cut out; None =
    no such cut. layout: None = as the file says. range: values of black and white, before mean and std.
    mean, std: subtracted and divided by, per channel in the order of `channels`. template: of `aligned-5pt`,
    by name or as five points (left eye, right eye, nose, left and right corner of the mouth as they are seen,
    each x, y from 0 to 1 of the side). outputs: `sigmoid` = each from 0 to 1 by itself; None = as the numbers look.
    """

    classes: Annotated[tuple[str, ...], Field(min_length=len(EXPRESSIONS))]
    size: Side | None = None
    resize_to: Side | None = None
    channels: Channels = "RGB"
    layout: Layout | None = None
    range: tuple[FiniteFloat, FiniteFloat] = (0.0, 1.0)
    mean: ByChannel = (0.0,)
    std: ByChannel = (1.0,)
    resize: Filter = "area"
    crop: Crop = "release"
    template: Literal["arcface"] | tuple[Point, Point, Point, Point, Point] = "arcface"
    outputs: Outputs | None = None
    licence: str = ""
    claimed: ClaimedScore | None = None

    @model_validator(mode="after")
    def _fits(self) -> "InputCard":
        check_classes(self.classes)
        wanted = 1 if self.channels == "grey" else 3
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, wanted):
                raise ValueError(f"'{name}' has {len(values)} numbers: 1 or {wanted} are needed")
        if min(self.std) <= 0:
            raise ValueError("'std' must be above 0")
        if self.range[0] == self.range[1]:
            raise ValueError("'range' must be two different numbers")
        low, high = min(self.range), max(self.range)
        if not all(low <= one <= high for one in self.mean if one):
            raise ValueError(
                f"'mean' {list(self.mean)} lies outside of 'range' {list(self.range)}: a mean of pixels from 0 to 255 "
                "needs range = [0, 255]"
            )
        if high - low > 2 and (any(0 < abs(one) < 1 for one in self.mean) or min(self.std) < 1):
            raise ValueError(
                f"'mean' {list(self.mean)} and 'std' {list(self.std)} are of pixels from 0 to 1, and 'range' is "
                f"{list(self.range)}: they need range = [0, 1]"
            )
        if self.resize_to and self.resize_to < (self.size or 0):
            raise ValueError("'resize_to' must not be below 'size'")
        if self.template != "arcface" and self.crop != "aligned-5pt":
            raise ValueError("'template' is for crop = \"aligned-5pt\"")
        if self.template != "arcface" and not all(
            0 <= x <= 1 for one in self.template for x in one
        ):
            raise ValueError(
                "'template' is in shares of the side, from 0 to 1: divide pixels by the side that they are of"
            )
        if self.template != "arcface" and self.template[1][0] - self.template[0][0] < 0.05:
            raise ValueError(
                "'template' has its first eye not left of the second one: the points are left eye, right eye, nose, "
                "left and right corner of the mouth as they are seen, in shares of the side"
            )
        return self


def check_classes(names: tuple[str, ...]) -> None:
    """Each of the seven once, whatever its name; no name that means nothing. Raises ValueError with the list."""
    found = [_meaning(name) for name in names]
    unknown = [name for name, label in zip(names, found, strict=True) if not label]
    known = f"{', '.join(EXPRESSIONS)}, and what is left out: {', '.join(LEFT_OUT)}"
    if unknown:
        raise ValueError(f"'classes' has the unknown name '{unknown[0]}'; known are {known}")
    for label in EXPRESSIONS:
        if found.count(label) != 1:
            how = "no name" if label not in found else "two names"
            raise ValueError(f"'classes' has {how} for {label}: each of the seven needs one")


def _meaning(name: str) -> str:
    if label := class_or_none(name):
        return label
    return name if is_left_out(name) else ""


def is_left_out(name: str) -> bool:
    """Whether an output is of no class of ours, such as contempt: `7_contempt` too."""
    plain = name.strip().lower()
    return plain in LEFT_OUT or is_other_class(name)


def card_beside(file: Path) -> Path | None:
    """`net.toml` of `net.onnx`, or `card.toml` in a folder; None where there is none."""
    path = file / "card.toml" if file.is_dir() else file.with_suffix(".toml")
    return path if path.is_file() else None


def read_input_card(path: Path) -> InputCard:
    """The card of a TOML file. Raises UsageError that names the key, and what is allowed there."""
    if path.suffix.lower() in (".yaml", ".yml", ".json"):
        raise UsageError(f"{path}: a card is a TOML file: YAML reads the name 'no' as false")
    try:
        return input_card(parse_toml(read_plain_text(path, "utf-8-sig")), str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from None


def input_card(values: dict[str, Any], where: str) -> InputCard:
    """The card of parsed values. where: begins the message of the UsageError."""
    try:
        return InputCard.model_validate(_frozen(values), strict=True)
    except UnicodeEncodeError as error:  # JSON can hold what no text can
        broken = ascii(error.object[error.start])
        raise UsageError(f"{where} has half of a character, {broken}") from None
    except ValidationError as error:
        raise UsageError(f"{where}: {_first(error)}") from None


def _frozen(values: Any) -> Any:
    """Lists as tuples and whole numbers as they are, so that nothing else is taken for something similar."""
    if isinstance(values, dict):
        return {name: _frozen(one) for name, one in values.items()}
    return tuple(map(_frozen, values)) if isinstance(values, list) else values


def _first(error: ValidationError) -> str:
    """One line of the first thing that is wrong."""
    found = error.errors(include_url=False)[0]
    place = [str(step) for step in found["loc"]]
    key = place[0] if place else ""
    if found["type"] == "extra_forbidden":
        table = ClaimedScore if key == "claimed" else InputCard
        return f"unknown key '{'.'.join(place)}'; known are {', '.join(table.model_fields)}"
    if found["type"] == "missing":
        return f"'{'.'.join(place)}' is missing"
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    if key == "template":
        return "'template' must be \"arcface\" or five points [x, y]"
    if found["type"] == "model_type":
        return f"'{key}' must be a table: {key} = {{accuracy = 0.91, on = \"RAF-DB\"}}, got {_shown(found['input'])}"
    words = found["msg"].removeprefix("Input should be ").replace("a valid tuple", "a list")
    if found["type"] in ("too_short", "too_long"):
        of = found["ctx"]
        limit = (
            f"at least {of['min_length']}" if "min_length" in of else f"at most {of['max_length']}"
        )
        words = f"a list of {limit}, not {of['actual_length']}"
    return f"'{'.'.join(place)}' must be {words}, got {_shown(found['input'])}"


def _shown(value: Any) -> str:
    """As TOML writes it, cut where it is long."""
    return repr(list(value) if isinstance(value, tuple) else value)[:60]
