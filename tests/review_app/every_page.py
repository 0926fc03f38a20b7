"""The pages on which people judge, each with work to do, one mark and its sending: for tests that go over all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btfer import review
from btfer.catalogue import Catalogue, pairs, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.review import Judged
from tests.drawn_catalogue import DIGEST, make
from tests.review_app.test_duplicates_page import make_groups
from tests.review_app.test_pairs import make_pairs

Rows = list[tuple[object, ...]]


@dataclass(frozen=True)
class Judging:
    """A page. make: its catalogue. mark, send: keys. marked: what shows a mark. given: what people wrote, ever."""

    address: str
    title: str
    make: Callable[[Path], Catalogue]
    mark: tuple[str, ...]
    send: str
    marked: str
    given: Callable[[Catalogue], Rows]
    n_sent: int


def _photos(folder: Path) -> Catalogue:
    return make(folder, 30)[0]


def _faces(folder: Path) -> Catalogue:
    return make(folder, 30, with_faces=True)[0]


def _log(folder: Path) -> Catalogue:
    cat, ids = make(folder, 4)
    review.commit(cat, "photos", [Judged(one) for one in ids], "cleo")
    return cat


def _no_face(folder: Path) -> Catalogue:
    cat, ids = make(folder, 4)
    review.commit(cat, "photos", [Judged(one) for one in ids], "cleo")
    said = [Verdict("crop", one, "drop", "crop", settings=DIGEST, reason="no face") for one in ids]
    verdicts.add(cat, said)
    return cat


def _disputed(folder: Path) -> Catalogue:
    cat, ids = make(folder, 3)
    review.plan(cat, 2)
    review.commit(cat, "photos", [Judged(one) for one in ids], "cleo")
    review.commit(cat, "photos", [Judged(one, "drop", "text") for one in ids], "dora")
    return cat


def _groups(folder: Path) -> Catalogue:
    return make_groups(folder, [3, 2, 2])[0]


def _pairs(folder: Path) -> Catalogue:
    return make_pairs(folder, 10)


def _votes(cat: Catalogue) -> Rows:
    rows = verdicts.log(cat, rounds=("photos", "faces", "dedup"))
    people = [row for row in rows if row.reviewer not in ("dedup", "cleo", "dora")]
    return sorted((row.reviewer, row.photo, row.decision, row.reason) for row in people)


def _answers(cat: Catalogue) -> Rows:
    with cat.read() as connection:
        table = pairs.pair_verdict
        rows = connection.execute(table.select().where(table.c.same.is_not(None)))
        return sorted((row.reviewer, row.id, row.same) for row in rows)


TILE, ROLE = ".tile.drop", ".tile.stays:nth-child(2)"
PAGES = {
    "photos": Judging("photos", "Photos", _photos, ("t",), "Enter", TILE, _votes, 24),
    "faces": Judging("faces", "Faces", _faces, ("t",), "Enter", TILE, _votes, 24),
    "disagreements": Judging(
        "disagreements", "Disagreements", _disputed, ("t",), "Enter", TILE, _votes, 1
    ),
    "log": Judging("log", "Log", _log, ("t",), "Enter", TILE, _votes, 2),
    "no face": Judging("no-face", "No face", _no_face, ("t",), "Enter", TILE, _votes, 1),
    "duplicates": Judging(
        "duplicates", "Duplicates", _groups, ("ArrowRight", "k"), "Enter", ROLE, _votes, 3
    ),
    "pairs": Judging("pairs", "Pairs", _pairs, tuple("sdsdsds"), "d", ".count", _answers, 8),
}
"""Photos and faces are judged with 24 a page: `?per_page=24`."""


def open_page(page: Any, url: str, kind: Judging) -> None:
    """As a person opens it; the keys are the component's then."""
    page.goto(f"{url}/{kind.address}?per_page=24")
    ready(page)


def ready(page: Any) -> None:
    """Something to judge is shown."""
    page.locator(".tile img, .pairs img").first.wait_for()
    page.wait_for_function(FOCUSED)


FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return Boolean(at?.closest?.(".review, .gallery, .duplicates, .pairs"));
}"""


def await_marked(page: Any, kind: Judging) -> None:
    """What `mark` marked is there, and nothing else."""
    if kind.marked == ".count":
        page.locator(".count", has_text="7 of 8 on this page · last: same").wait_for()
    else:
        page.locator(kind.marked).first.wait_for()
        assert page.locator(kind.marked).count() == 1
    page.locator(".state", has_text="not sent").wait_for()
