"""What an erasure did and what it left, without naming anybody: printed, and kept in `data/erasures`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from btfer.paths import erasures_dir
from btfer.store import Store


def one_line(text: str) -> str:
    """A text that may hold the name of any file: what no terminal can show, line breaks too, is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@dataclass(frozen=True)
class Forgotten:
    """What went. releases: each old one's name and its next version's, None = there is none.

    predictions, listed: rows of prediction tables and of CSV files. left: where something is left and why, a line
    each; empty = nothing is. unsearched: what could not be looked into, and why. notes: what a person should know
    (releases without a next version, networks that have learnt from one, what is out of reach). done_before:
    when the same request was done, '' = it was not. refused: somebody was asked and said no. report: its file.
    """

    photos: int = 0
    faces: int = 0
    releases: Mapping[str, str | None] = field(default_factory=dict)
    predictions: int = 0
    listed: int = 0
    left: tuple[str, ...] = ()
    unsearched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    done_before: str = ""
    refused: bool = False
    report: Path | None = None

    def lines(self) -> list[str]:
        """For people."""
        return [one_line(one) for one in self._lines()]

    def _lines(self) -> list[str]:
        if self.refused:
            return ["nothing was deleted"]
        notes = [f"note: {one}" for one in self.notes]
        if self.done_before and not self.report:
            before = (
                f"already done on {self.done_before}: nothing of it is here, nothing was deleted"
            )
            return [before, *notes]
        if not self.report:
            return ["nothing of it is here; it is refused from now on"]
        return [
            f"{self.photos} photos and {self.faces} faces forgotten",
            *(f"{old} -> {new or 'no next version'}" for old, new in self.releases.items()),
            *(f"{n} rows of predictions deleted" for n in [self.predictions] if n),
            *(f"{n} rows of lists deleted" for n in [self.listed] if n),
            *notes,
            *(f"not searched: {one}" for one in self.unsearched),
            *(f"left: {one}" for one in self.left),
            *(
                ["it is not finished: see to what is left, and run btfer forget"]
                if self.left
                else []
            ),
            *([f"report: {self.report}"] if self.report else []),
        ]

    def __add__(self, other: "Forgotten") -> "Forgotten":
        """Two erasures as one answer."""
        return Forgotten(
            self.photos + other.photos,
            self.faces + other.faces,
            {**self.releases, **other.releases},
            self.predictions + other.predictions,
            self.listed + other.listed,
            self.left + other.left,
            tuple(dict.fromkeys(self.unsearched + other.unsearched)),
            tuple(dict.fromkeys(self.notes + other.notes)),
            other.done_before,
            other.refused,
            other.report or self.report,
        )


def write_report(store: Store, id_: str, done: Forgotten) -> Path:
    """Write the report of an erasure as JSON; its file."""
    path = erasures_dir(store.folder) / f"erasure-{id_}.json"
    facts = asdict(done) | {"report": path.name, "finished": not done.left}
    store.write(path, f"{json.dumps(facts, indent=2)}\n".encode())
    return path
