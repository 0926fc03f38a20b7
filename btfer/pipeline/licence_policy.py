"""What a release may hold by licence: which faces are withheld, why, and how to come by more."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from btfer.catalogue.rows import KeptFace
from btfer.expressions import EXPRESSIONS
from btfer.licences import LOCAL, USES, Licence, forbids_derivatives, may_be_released, parse_licence

_SHOWN = 10


@dataclass(frozen=True)
class Sorted:
    """Faces by what their licences allow. withheld: how many faces of each class each licence holds back, by name."""

    free: list[KeptFace]
    withheld: Mapping[str, Counter[str]]
    no_derivatives: int
    reserved: int

    def by_licence(self) -> dict[str, int]:
        """How many faces each licence holds back, over all classes, the most first."""
        total: Counter[str] = Counter()
        for of_class in self.withheld.values():
            total.update(of_class)
        return dict(sorted(total.items(), key=lambda one: (-one[1], one[0])))

    def lines(self, use: str) -> list[str]:
        """What the licences hold back of each class, and what can be done; [] where they hold nothing back."""
        if not self.withheld:
            return []
        asked = f" (asked for: --{use})" if use != LOCAL else ""
        labels = [label for label in (*EXPRESSIONS, *self.withheld) if label in self.withheld]
        rows = [
            f"  {label:9} {self.withheld[label].total():6}   {_counts(self.withheld[label])}"
            for label in dict.fromkeys(labels)
        ]
        return [f"faces that their licences hold back{asked}:", *rows, *_alternatives(use)]


def sort_by_licence(faces: Iterable[KeptFace], use: str = LOCAL) -> Sorted:
    """Which faces a release for this use may hold (`licences.USES`)."""
    free: list[KeptFace] = []
    withheld: dict[str, Counter[str]] = {}
    no_derivatives = reserved = 0
    for face in faces:
        licence = licence_of(face)
        if USES[use](licence):
            free.append(face)
            continue
        withheld.setdefault(face.expression, Counter())[licence.name] += 1
        no_derivatives += forbids_derivatives(licence)
        reserved += not may_be_released(licence) and not forbids_derivatives(licence)
    return Sorted(free, withheld, no_derivatives, reserved)


def licence_of(face: KeptFace) -> Licence:
    """The licence that holds for a face's photo."""
    return parse_licence(face.licence, face.licence_url)


def _counts(of_class: Counter[str]) -> str:
    """`not stated 120, CC BY-ND 4.0 3`, and how many more there are."""
    most = sorted(of_class.items(), key=lambda one: (-one[1], one[0]))
    rest = sum(n for _, n in most[_SHOWN:])
    shown = [f"{name} {n}" for name, n in most[:_SHOWN]]
    return ", ".join([*shown, *([f"{len(most) - _SHOWN} other licences {rest}"] if rest else [])])


def _alternatives(use: str) -> list[str]:
    rule = "free" if use == "commercial" else "derivatives"
    more = (
        "more that may be used: btfer crawl --source commons --source flickr --source openverse "
        f"--licences {rule}"
    )
    if use == LOCAL:
        return [more]
    lines = [
        more,
        f"a release for use on this machine only: btfer build without --{use}",
        "addresses instead of images, which may be handed on: "
        f"btfer build --sources-only without --{use}",
    ]
    if use == "commercial":
        lines.append("a release for non-commercial use: btfer build --redistributable")
    return lines
