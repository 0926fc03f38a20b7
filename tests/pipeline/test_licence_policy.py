"""What a release may hold by licence, on real releases; the crops are drawn."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from btfer.catalogue import Catalogue, journal, photos, statements, verdicts
from btfer.catalogue.journal import Query, Sighting
from btfer.catalogue.verdicts import Verdict
from btfer.errors import Incomplete
from btfer.expressions import EXPRESSIONS
from btfer.licences import Stated
from btfer.pipeline import build, crop, overview, verify
from btfer.pipeline.release_metadata import read_credits, read_metadata
from btfer.release_record import read_record
from btfer.review import badges
from btfer.review.queues import waiting
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in
from tests.pipeline.test_release import add_face

CC = "https://creativecommons.org"
ALL = ("local", "redistributable", "commercial")
KINDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("CC BY 4.0", ""): ALL,
    ("", f"{CC}/licenses/by-sa/3.0/de/"): ALL,
    ("CC0", ""): ALL,
    ("Public Domain Mark 1.0", ""): ALL,
    ("GFDL 1.2", ""): ALL,
    ("Attribution-NonCommercial 2.0 Generic", ""): ALL[:2],
    ("CC BY-NC-SA 4.0", ""): ALL[:2],
    ("", ""): ALL[:1],
    ("free for you", ""): ALL[:1],
    ("CC BY 4.0", f"{CC}/licenses/by-nc/4.0/"): ALL[:2],
    ("CC BY-ND 4.0", ""): (),
    ("CC BY", f"{CC}/licenses/by-nc-nd/2.0/"): (),
    ("All rights reserved", ""): (),
    ("Photo by Ann. All rights reserved", ""): (),
}
"""Name and address, and the kinds of release that may hold it."""


def add(
    cat: Catalogue,
    settings: Settings,
    number: int,
    label: str,
    *stated: Stated,
    judged: bool = True,
) -> str:
    """A photo that was seen once for each statement, and its face; the photo's sha256."""
    query = Query(f"{label} person", label, "en", "Asian", "female", "adult", "v1")
    data = as_bytes(draw_photo(number, (300, 200)), quality=95)
    first, *others = stated
    url = f"https://site{number}.example/{number}.jpg"
    sha256 = take_in(cat, settings.data_dir, data, query, url, **first._asdict())
    for n, one in enumerate(others):
        again = Query(f"{label} person {n}", label, "en", "Asian", "female", "adult", "v1")
        journal.add_found(cat, again, [Sighting(url, "bing", **one._asdict())])
    verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
    if judged:
        verdicts.add(cat, [Verdict("photos", sha256, "keep", "ann")])
        id_ = add_face(cat, settings, sha256, number)
        verdicts.add(cat, [Verdict("faces", sha256, "keep", "ann", face=id_)])
    return sha256


@pytest.fixture
def many(cat: Catalogue, settings: Settings) -> Catalogue:
    """Of one class a photo of every kind of licence."""
    for number, (name, url) in enumerate(KINDS):
        add(cat, settings, number, "sad", Stated(name, url, f"Author {number}"))
    return cat


@pytest.mark.parametrize("use", ALL)
def test_a_release_holds_what_its_use_allows_and_says_so(
    many: Catalogue, settings: Settings, use: str
) -> None:
    made = build.run(many, settings, build.Plan(per_class=50, allow_short=True, use=use))
    allowed = [kind for kind, uses in KINDS.items() if use in uses]
    rows = read_metadata(made.path)
    assert len(rows) == made.images == len(allowed)
    record = read_record(made.path)
    word = {"local": "none", "redistributable": "non-commercial", "commercial": "commercial"}[use]
    assert record.redistribution == word
    assert json.loads((made.path / "release.json").read_text())["redistribution"] == word
    assert f"**Redistribution: {word}.**" in (made.path / "README.md").read_text()
    assert (record.no_derivatives, record.reserved) == (2, 2)
    assert sum(record.withheld.values()) == len(KINDS) - len(allowed)
    assert record.withheld["CC BY-ND 4.0"] == 1
    assert record.settings.use == use
    assert [p for check in verify.verify(made.path) for p in check.problems] == []


def test_metadata_have_the_name_as_stated_and_its_id(many: Catalogue, settings: Settings) -> None:
    made = build.run(many, settings, build.Plan(per_class=50, allow_short=True))
    found = Counter((one.licence, one.spdx) for one in read_metadata(made.path))
    assert found["CC BY 4.0", "CC-BY-4.0"] == 1
    assert found["CC BY-SA 3.0 DE", "CC-BY-SA-3.0-DE"] == 1
    assert found["CC BY-NC 4.0", "CC-BY-NC-4.0"] == 1  # the address is stricter than the name
    assert found["GFDL 1.2", "GFDL-1.2-only"] == 1
    assert found["Attribution-NonCommercial 2.0 Generic", "CC-BY-NC-2.0"] == 1
    assert found["not stated", ""] == found["free for you", ""] == 1


def test_credit_is_given_wherever_it_is_asked_for(many: Catalogue, settings: Settings) -> None:
    add(
        many,
        settings,
        90,
        "sad",
        Stated("Free Art License 1.3", "", "unknown", "T", "https://f.example/1"),
    )
    add(many, settings, 91, "sad", Stated("Open Government Licence v3.0", "", "Crown"))
    made = build.run(many, settings, build.Plan(per_class=50, allow_short=True))
    by_licence = {one.licence: one for one in read_credits(made.path).values()}
    assert set(by_licence) == {
        *("CC BY 4.0", "CC BY-SA 3.0 DE", "GFDL 1.2", "Attribution-NonCommercial 2.0 Generic"),
        *(
            "CC BY-NC-SA 4.0",
            "CC BY-NC 4.0",
            "Free Art License 1.3",
            "Open Government Licence v3.0",
        ),
    }
    art = by_licence["Free Art License 1.3"]
    assert (art.author, art.title) == ("author not stated", "T")
    assert art.page_url == "https://f.example/1"
    assert by_licence["CC BY 4.0"].licence_url == f"{CC}/licenses/by/4.0/"
    assert {one.change for one in by_licence.values()} == {"cropped and resized to 256x256"}


CONFLICTS: list[tuple[Sequence[tuple[str, str]], str, bool]] = [
    ([("CC BY 4.0", ""), ("", "")], "CC BY 4.0", False),
    ([("CC BY 4.0", ""), ("CC BY", "")], "CC BY 4.0", False),
    ([("CC BY 4.0", ""), ("CC BY-NC 4.0", "")], "CC BY-NC 4.0", True),
    ([("CC0", ""), ("what you like", "")], "what you like", True),
    ([("CC BY 2.0", f"{CC}/licenses/by-nc/2.0/")], "CC BY-NC 2.0", True),
]


@pytest.mark.parametrize(("stated", "held", "apart"), CONFLICTS, ids=lambda one: str(one)[:40])
def test_of_all_sightings_the_strictest_holds_and_a_conflict_is_shown(
    cat: Catalogue,
    settings: Settings,
    stated: Sequence[tuple[str, str]],
    held: str,
    apart: bool,
) -> None:
    sightings = [Stated(*one) for one in stated]
    sha256 = add(cat, settings, 1, "sad", *sightings)
    assert statements.statements(cat) == {sha256: tuple(sightings)}
    assert bool(photos.described(cat, [sha256])[sha256].licence_conflict) == apart
    made = build.run(cat, settings, build.Plan(per_class=1, allow_short=True))
    assert [one.licence for one in read_metadata(made.path)] == [held]
    assert read_record(made.path).licence_conflicts == apart
    add(cat, settings, 2, "sad", *sightings, judged=False)
    [entry] = waiting(cat, "photos")
    assert (badges.LICENCE_CONFLICT in entry.badges) == apart


def test_a_later_sighting_that_reserves_a_work_keeps_it_out(
    cat: Catalogue, settings: Settings
) -> None:
    add(cat, settings, 1, "sad", Stated("CC BY 4.0", ""), Stated("All rights reserved", ""))
    add(cat, settings, 2, "sad", Stated("CC BY 4.0", ""))
    made = build.run(cat, settings, build.Plan(per_class=2, allow_short=True))
    assert made.images == read_record(made.path).reserved == 1


def test_the_sighting_with_author_and_page_gives_the_credit(
    cat: Catalogue, settings: Settings
) -> None:
    bare = Stated("CC BY-SA 4.0", "", "", "a repost", "https://repost.example/1")
    full = Stated("CC BY 4.0", "", "Ann", "The work", "https://ann.example/1")
    sha256 = add(cat, settings, 1, "sad", bare, full)
    made = build.run(cat, settings, build.Plan(per_class=1, allow_short=True))
    [credit] = read_credits(made.path).values()
    assert (credit.author, credit.title, credit.page_url) == full[2:]
    assert credit.licence == "CC BY-SA 4.0"
    [kept] = overview.read(cat, crop.crop_settings(settings).digest).kept_faces()
    assert (kept.photo, kept.author, kept.licence) == (sha256, "Ann", "CC BY-SA 4.0")


def test_too_few_says_what_each_licence_holds_back_and_what_else_can_be_done(
    many: Catalogue, settings: Settings
) -> None:
    with pytest.raises(Incomplete, match=r"sad +5 +45 missing") as stop:
        build.run(many, settings, build.Plan(per_class=50, use="commercial"))
    text = str(stop.value)
    assert "hold back (asked for: --commercial)" in text
    assert "  sad            9   " in text
    assert "not stated 1" in text
    for way in ("--sources-only", "--redistributable", "--licences free", "commons", "openverse"):
        assert way in text
    with pytest.raises(Incomplete) as stop:
        build.run(many, settings, build.Plan(per_class=50))
    assert "  sad            4   " in str(stop.value)
    assert "--licences derivatives" in str(stop.value)


def test_photos_of_which_nothing_is_stated_make_a_local_release_as_in_the_paper(
    cat: Catalogue, settings: Settings
) -> None:
    for number, label in enumerate(EXPRESSIONS * 2):
        add(cat, settings, number, label, Stated("", ""))
    made = build.run(cat, settings, build.Plan(per_class=2))
    assert made.images == 14
    assert read_record(made.path).redistribution == "none"
    assert "Redistribution: none" in (made.path / "README.md").read_text().split("##")[0]
    with pytest.raises(Incomplete, match=r"sad +2   not stated 2"):
        build.run(cat, settings, build.Plan(per_class=2, use="redistributable"))


@pytest.mark.parametrize("unreviewed", ["", "keep"])
def test_an_empty_release_is_refused(cat: Catalogue, settings: Settings, unreviewed: str) -> None:
    query = Query("any person", "", "en")
    data = as_bytes(draw_photo(1, (300, 200)), quality=95)
    sha256 = take_in(cat, settings.data_dir, data, query, "https://a.example/1.jpg")
    verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
    verdicts.add(cat, [Verdict("photos", sha256, "keep", "ann")])
    id_ = add_face(cat, settings, sha256, 1)
    if not unreviewed:
        verdicts.add(cat, [Verdict("faces", sha256, "keep", "ann", face=id_)])
    plan = build.Plan(per_class=1, allow_short=True, unreviewed=unreviewed)
    with pytest.raises(Incomplete, match="none of 1 faces has a class: label the photos") as stop:
        build.run(cat, settings, plan)
    assert stop.value.exit_code == 3
    assert not list((settings.data_dir / "releases").glob("btfer-*"))


def test_a_release_of_reserved_works_alone_is_refused(cat: Catalogue, settings: Settings) -> None:
    add(cat, settings, 1, "sad", Stated("All rights reserved", ""))
    with pytest.raises(Incomplete, match="no face with a class may be in it"):
        build.run(cat, settings, build.Plan(per_class=1, allow_short=True))


def test_a_release_of_0_1_without_the_new_columns_is_read(
    many: Catalogue, settings: Settings
) -> None:
    made = build.run(many, settings, build.Plan(per_class=50, allow_short=True))
    for name, column in (("metadata.csv", "spdx"), ("attribution.csv", "change")):
        _drop_column(made.path / name, column)
    assert {one.spdx for one in read_metadata(made.path)} == {""}
    assert {one.change for one in read_credits(made.path).values()} == {""}
    names = [check.name for check in verify.verify(made.path) if check.problems]
    assert "metadata have the columns of a release" not in names


def _drop_column(path: Path, column: str) -> None:
    rows = list(csv.DictReader(path.open(newline="", encoding="utf-8")))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [name for name in rows[0] if name != column])
        table.writeheader()
        table.writerows({k: v for k, v in row.items() if k != column} for row in rows)
