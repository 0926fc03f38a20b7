"""release.json: how a release was asked for, drawn and counted. Its only reader and its only writer."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NoReturn

from btfer.errors import UsageError
from btfer.faces.modes import CropSettings
from btfer.files import check_size, write_atomic
from btfer.licences import LOCAL, NONE
from btfer.parsing import parse_json

FILE = "release.json"
FIRST_VERSION = "1.0.0"
MOST = 1_000_000_000
"""No count of a release is larger: what says more is damaged."""
MOST_PX = 4_096
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
WITHOUT, WITH, ONLY = "without", "with", "only"
"""Whether a release names the addresses of its photos: not at all, beside the images, or in place of them."""


@dataclass(frozen=True)
class ExcludedLeaks:
    """A training set whose faces were not drawn.

    digest: over its names and bytes. pictures: in it that could be read. excluded: faces found in it.
    """

    digest: str
    pictures: int
    excluded: int


@dataclass(frozen=True)
class PersonCap:
    """At most `most` images of one person: those that a face network puts within max_distance of each other.

    embedder: the network and its version.
    """

    most: int
    embedder: str
    max_distance: float


@dataclass(frozen=True)
class FunnelLine:
    """One line of the funnel: a stage, what happened there, and how many of each class, in the order of CLASSES."""

    stage: str
    what: str
    per_class: tuple[int, ...]

    @property
    def total(self) -> int:
        """Over all classes."""
        return sum(self.per_class)


@dataclass(frozen=True)
class AgreementLine:
    """How far people agreed in a round: a statistic over n_items pictures, as text with its 95 % interval."""

    round: str
    statistic: str
    n_items: int
    value: str
    interval: str


@dataclass(frozen=True)
class Predecessor:
    """The release that another one follows. digest: of its SHA256SUMS."""

    name: str
    digest: str
    version: str


@dataclass(frozen=True)
class ReleaseSettings:
    """What a release was made with.

    max_hamming_bits: dedup's threshold. seed: key of the draw. strategy, max_per_site: how a
    class is drawn. unreviewed: what became of pictures that nobody judged ('' = there were none). use: what it is
    for, which decides on licences (`licences.USES`). excluded_leaks: training sets whose faces were not drawn, by name.
    per_person: how many images of one person there may be; None = any number.
    """

    crop: CropSettings
    seed: int
    max_hamming_bits: int = 6
    strategy: str = "equal"
    max_per_site: int = 0
    unreviewed: str = ""
    use: str = LOCAL
    excluded_leaks: Mapping[str, ExcludedLeaks] = field(default_factory=dict)
    per_person: PersonCap | None = None

    def as_json(self) -> dict[str, Any]:
        """As it stands in release.json; `per_place` is max_per_site."""
        leaks = {name: asdict(one) for name, one in self.excluded_leaks.items()}
        asked = {"excluded_leaks": leaks} if leaks else {}
        if self.per_person:
            asked["per_person"] = asdict(self.per_person)
        return {
            "crop": asdict(self.crop),
            "max_hamming_bits": self.max_hamming_bits,
            "seed": self.seed,
            "strategy": self.strategy,
            "per_place": self.max_per_site,
            "unreviewed": self.unreviewed,
            "use": self.use,
        } | asked


@dataclass(frozen=True)
class ReleaseRecord:
    """The content of release.json.

    per_class: faces that were asked for. counts, available: images, and faces to draw from, by class.
    no_derivatives, reserved: faces withheld because their licence forbids crops, or everything. withheld: all that
    were withheld for their licence, by its name. same_person: faces left out for
    settings.per_person. redistribution: what all its images together allow, none, non-commercial or commercial.
    licence_conflicts: images of photos whose sightings state different licences.
    version: 1.0.0, then counted up for each name; predecessor: the version before; changes: what each changed. date:
    the last day on which something was fetched or judged for it. contact: of who publishes it, '' = none is set.
    formats: packed forms. sources: WITHOUT, WITH or ONLY. btfer: the version of btfer that wrote it.
    """

    settings: ReleaseSettings
    per_class: int
    counts: Mapping[str, int]
    available: Mapping[str, int] = field(default_factory=dict)
    no_derivatives: int = 0
    reserved: int = 0
    withheld: Mapping[str, int] = field(default_factory=dict)
    same_person: int = 0
    redistribution: str = NONE
    licence_conflicts: int = 0
    version: str = FIRST_VERSION
    predecessor: Predecessor | None = None
    date: str = ""
    contact: str = ""
    changes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    sources: str = WITHOUT
    funnel: tuple[FunnelLine, ...] = ()
    agreement: tuple[AgreementLine, ...] = ()
    btfer: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is written; also what the texts of a release are filled in from."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        funnel = [
            {"stage": one.stage, "what": one.what, "total": one.total, "per_class": one.per_class}
            for one in self.funnel
        ]
        agreement = [asdict(one) for one in self.agreement]
        settings = self.settings.as_json()
        before = asdict(self.predecessor) if self.predecessor else None
        if not self.settings.per_person:
            del plain["same_person"]
        return plain | {
            "settings": settings,
            "funnel": funnel,
            "agreement": agreement,
            "predecessor": before,
        }


def version_key(version: str) -> tuple[int, ...]:
    """What versions are ordered by: (1, 0, 12) of `1.0.12`."""
    return tuple(int(part) for part in version.split("."))


def next_version(
    record: ReleaseRecord, name: str, digest: str, *, minor: bool = False
) -> ReleaseRecord:
    """The record of a release that follows this one, with nothing else changed yet.

    name, digest: of the release that the record is of. minor: more than some images changes, so that 1.0.4 is
    followed by 1.1.0, not by 1.0.5.
    """
    first, second, third = version_key(record.version)
    number = (first, second + 1, 0) if minor else (first, second, third + 1)
    return replace(
        record,
        version=".".join(map(str, number)),
        predecessor=Predecessor(name, digest, record.version),
        date="",
    )


def write_record(folder: Path, record: ReleaseRecord) -> None:
    """Write release.json; the same record gives the same bytes."""
    text = json.dumps(record.as_json(), indent=2, sort_keys=True, ensure_ascii=False)
    write_atomic(folder / FILE, f"{text}\n".encode())


def read_record(folder: Path) -> ReleaseRecord:
    """The record of a release. Raises UsageError, with the file and the reason, where there is none to be read."""
    content = _content(folder)
    try:
        return _record(content)
    except _DAMAGE as error:
        _refuse(folder, error)


def read_crop_settings(folder: Path) -> CropSettings | None:
    """How the faces of a release were cut; None where the folder has no release.json. Raises as `read_record`."""
    if not (folder / FILE).is_file():
        return None
    content = _content(folder)
    try:
        return _crop(content["settings"]["crop"])
    except _DAMAGE as error:
        _refuse(folder, error)


def _content(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} cannot be read: it is not a file")
    try:
        check_size(path)
        content = parse_json(path.read_text(encoding="utf-8"), parse_constant=_refuse_number)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is damaged, it is not JSON: it is not UTF-8 text") from None
    except ValueError as error:
        raise UsageError(f"{path} is damaged, it is not JSON: {error}") from None
    if (broken := broken_character(content)) is not None:
        raise UsageError(f"{path} is damaged: it has half of a character, {broken}")
    if not isinstance(content, dict):
        raise UsageError(f"{path} is not a release's: expected an object, got {content!r:.40}")
    return content


def broken_character(content: Any) -> str | None:
    """A lone surrogate in what JSON said, as it is written there (`\\ud800`): no file and no terminal can hold it."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return ascii(error.object[error.start])
    except RecursionError:
        return None
    return None


def _refuse_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _refuse(folder: Path, error: Exception) -> NoReturn:
    reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)[:200]
    raise UsageError(f"{folder / FILE} is damaged or not a release's: {reason}") from None


def _record(content: Mapping[str, Any]) -> ReleaseRecord:
    texts = ("redistribution", "sources", "btfer", "date", "contact")
    plain: dict[str, Any] = {name: _text(content[name], name) for name in texts if name in content}
    numbers = ("no_derivatives", "reserved", "licence_conflicts", "same_person")
    plain |= {name: _number(content[name], name) for name in numbers if name in content}
    if plain.get("sources", WITHOUT) not in (WITHOUT, WITH, ONLY):
        raise ValueError(f"'sources' is {plain['sources']!r:.40}")
    return ReleaseRecord(
        settings=_settings(content["settings"]),
        per_class=_number(content["per_class"], "per_class"),
        counts=_counts(content["counts"]),
        available=_counts(content.get("available", {})),
        withheld=_counts(content.get("withheld", {})),
        changes=_texts(content.get("changes", []), "changes"),
        formats=_texts(content.get("formats", []), "formats"),
        funnel=tuple(
            FunnelLine(
                _text(one["stage"], "stage"), _text(one["what"], "what"), _numbers(one["per_class"])
            )
            for one in _list(content.get("funnel", []), "funnel")
        ),
        agreement=tuple(
            AgreementLine(**one) for one in _list(content.get("agreement", []), "agreement")
        ),
        version=_version(content.get("version", 1)),
        predecessor=_predecessor(content.get("predecessor")),
        **plain,
    )


def _version(stated: Any) -> str:
    """Releases of an earlier btfer counted 1, 2, 3."""
    text = f"{stated}.0.0" if isinstance(stated, int) else str(stated)
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6}){2}", text, re.ASCII):
        raise ValueError(f"version '{text[:40]}' is not of the form 1.0.0")
    return text


def _predecessor(stated: Mapping[str, str] | None) -> Predecessor | None:
    if stated is None:
        return None
    return Predecessor(stated.get("name", ""), stated["digest"], stated.get("version", ""))


def _number(value: Any, name: str, most: int = MOST) -> int:
    """A whole number from 0. Raises ValueError for anything else, also for `true` and for what is absurdly large."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"'{name}' is {value!r:.40}, no whole number from 0 to {most:,}")
    return value


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(_number(one, "per_class") for one in _list(value, "per_class"))


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"'{name}' is {value!r:.40}, no text")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"'{name}' is {value!r:.40}, no list")
    return value


def _texts(value: Any, name: str) -> tuple[str, ...]:
    return tuple(_text(one, name) for one in _list(value, name))


def _counts(content: Mapping[str, Any]) -> dict[str, int]:
    return {label: _number(n, label) for label, n in content.items()}


def _settings(content: Mapping[str, Any]) -> ReleaseSettings:
    known: dict[str, Any] = {
        name: _text(content[name], name)
        for name in ("strategy", "unreviewed", "use")
        if name in content
    }
    if "max_hamming_bits" in content:
        known["max_hamming_bits"] = _number(content["max_hamming_bits"], "max_hamming_bits")
    leaks = content.get("excluded_leaks", {})
    return ReleaseSettings(
        crop=_crop(content["crop"]),
        seed=_seed(content["seed"]),
        max_per_site=_number(content.get("per_place", 0), "per_place"),
        excluded_leaks={name: ExcludedLeaks(**one) for name, one in leaks.items()},
        per_person=_person_cap(content["per_person"]) if "per_person" in content else None,
        **known,
    )


def _person_cap(content: Mapping[str, Any]) -> PersonCap:
    distance = content["max_distance"]
    if type(distance) not in (int, float) or not 0 < distance < MOST:
        raise ValueError(f"'max_distance' is {distance!r:.40}, no number above 0")
    most = _number(content["most"], "most")
    return PersonCap(most, _text(content["embedder"], "embedder"), float(distance))


def _seed(value: Any) -> int:
    """Any whole number."""
    if type(value) is not int:
        raise ValueError(f"'seed' is {value!r:.40}, no whole number")
    return value


def _crop(content: Mapping[str, Any]) -> CropSettings:
    """Without what a newer version may have added."""
    plain = CropSettings()
    known = {}
    for one in fields(CropSettings):
        if one.name in content:
            known[one.name] = _like(getattr(plain, one.name), content[one.name], one.name)
    crop = CropSettings(**known)
    _number(crop.size_px, "size_px", MOST_PX)
    _number(crop.margin_px, "margin_px", MOST_PX)
    ways = ("area", "cubic", "linear")
    choices = {"shape": ("box", "square"), "border": ("clipped", "reflected")}
    for name, allowed in (choices | dict.fromkeys(("shrink_by", "enlarge_by"), ways)).items():
        if getattr(crop, name) not in allowed:
            raise ValueError(f"'{name}' is {getattr(crop, name)!r:.40}")
    return crop


def _like(default: Any, value: Any, name: str) -> Any:
    """A value of the type that the default has. Raises ValueError for another."""
    if isinstance(default, str):
        return _text(value, name)
    if isinstance(default, int):
        return _number(value, name)
    if type(value) not in (int, float):
        raise ValueError(f"'{name}' is {value!r:.40}, no number")
    return value
