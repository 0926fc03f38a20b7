"""Groups of near-duplicates: what is told of them, what a person changes, and what dedup makes of it after."""

import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps

from btfer import review
from btfer.catalogue import Catalogue, photos, verdicts
from btfer.catalogue.journal import Query, Sighting, add_found
from btfer.catalogue.tables import metadata
from btfer.catalogue.verdicts import Verdict
from btfer.duplicate_rules import PhotoFacts, decided_by
from btfer.errors import UsageError
from btfer.images.border import is_bordered
from btfer.paths import thumbnail_path
from btfer.pipeline import dedup
from btfer.review import Judged, duplicates
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in

HAPPY, SAD = Query("happy", "happy"), Query("sad", "sad")
SIZES = {"large": (640, 480), "middle": (480, 360), "small": (320, 240)}


@pytest.fixture
def ids(cat: Catalogue, settings: Settings) -> dict[str, str]:
    """One picture in three sizes, and another one, after dedup; sha256 by name."""
    found = {name: copy(cat, settings.data_dir, name, size) for name, size in SIZES.items()}
    other = as_bytes(draw_photo(2, (640, 480)))
    found["other"] = take_in(cat, settings.data_dir, other, HAPPY, "other")
    dedup.run(cat, settings)
    return found


def copy(cat: Catalogue, data_dir: Path, name: str, size: tuple[int, int], **more: object) -> str:
    """Take the first picture in at another size."""
    query = more.pop("query", HAPPY)
    body = as_bytes(draw_photo(1, (640, 480)).resize(size), quality=more.pop("quality", 90))
    return take_in(cat, data_dir, body, query, f"http://web/{name}", **more)  # type: ignore[arg-type]


def held(cat: Catalogue) -> dict[str, str]:
    """What dedup's round says of each photo now: '' = kept, else its keeper."""
    return {row.photo: row.keeper for row in verdicts.current_in(cat, "dedup")}


def only_group(cat: Catalogue) -> duplicates.DuplicateGroup:
    [[group]] = duplicates.current_groups(cat, duplicates.group_summaries(cat))
    return group


def test_a_group_tells_what_decided_between_the_keeper_and_each_copy(
    cat: Catalogue, settings: Settings, ids: dict[str, str]
) -> None:
    group = only_group(cat)
    assert group.keeper.photo == ids["large"]
    assert group.keeper.why == "larger (640 x 480 px, the copy 480 x 360 px)"
    told = {one.photo: one for one in group.copies}
    assert set(told) == {ids["middle"], ids["small"]}
    small = told[ids["small"]]
    assert small.why == "larger (640 x 480 px, the copy 320 x 240 px)"
    assert (small.width_px, small.height_px, small.format) == (320, 240, "jpg")
    assert small.n_bytes == len(
        (settings.data_dir / "photos").glob(f"*/{small.photo}.jpg").__next__().read_bytes()
    )
    assert small.distance_bits <= 8
    assert not small.mirrored
    assert small.licence == "none stated"
    assert small.about["phrase"] == "happy"
    assert small.labels == ("happy",)
    assert (group.conflicting, group.hidden) == (False, 0)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            {"size": (640, 480)},
            {"size": (320, 240), "licence": "CC0"},
            "its licence allows a release (CC0), the copy's licence does not mention a release (none stated)",
        ),
        (
            {"size": (640, 480), "licence": "CC BY-ND"},
            {"size": (320, 240)},
            "its licence does not mention a release (none stated), the copy's licence forbids a release (CC BY-ND)",
        ),
        ({"size": (640, 480), "quality": 30}, {"size": (640, 480)}, "less compressed"),
    ],
    ids=["licence", "forbidden", "compression"],
)
def test_the_rules_of_dedup_are_told_in_words(
    cat: Catalogue, settings: Settings, first: dict, second: dict, said: str
) -> None:
    copy(cat, settings.data_dir, "1", **first)
    stays = copy(cat, settings.data_dir, "2", **second)
    dedup.run(cat, settings)
    group = only_group(cat)
    assert group.keeper.photo == stays
    assert group.keeper.why.startswith(said)
    assert group.copies[0].why == group.keeper.why


def test_a_judgement_that_came_after_dedup_did_not_decide(
    cat: Catalogue, settings: Settings, ids: dict[str, str]
) -> None:
    review.commit(cat, "photos", [Judged(ids["large"], "drop", "text")], "ann")
    assert only_group(cat).keeper.why.startswith("larger")
    assert only_group(cat).keeper.judged == "text"
    copy(cat, settings.data_dir, "huge", (1280, 960))
    dedup.run(cat, settings)
    group = only_group(cat)
    assert group.keeper.photo == ids["large"]  # reviewed keepers stay
    huge = next(one for one in group.copies if one.width_px == 1280)
    assert huge.why == "people had judged it already"


def test_what_the_rules_would_choose_otherwise_today_is_said(
    cat: Catalogue, ids: dict[str, str]
) -> None:
    add_found(cat, SAD, [Sighting("http://web/small", "folder", licence="CC BY 4.0")])
    why = {one.photo: one.why for one in only_group(cat).copies}
    assert why[ids["small"]].endswith("the copy would stay (licence)")


@pytest.mark.parametrize("edge", ["strip", "frame"])
def test_a_larger_copy_with_a_strip_or_a_frame_does_not_win(
    cat: Catalogue, settings: Settings, edge: str
) -> None:
    clean = draw_photo(6, (640, 480))
    if edge == "strip":
        other = Image.new("RGB", (960, 748), "white")
        other.paste(clean.resize((960, 720)))
        ImageDraw.Draw(other).text((20, 722), "AGENCY / A. Pen 1234", fill="black", font_size=20)
    else:
        other = ImageOps.expand(clean.resize((960, 720)), 25, "black")
    names = [
        take_in(cat, settings.data_dir, as_bytes(one, quality=92), HAPPY, f"http://web/{n}")
        for n, one in enumerate((other, clean))
    ]
    dedup.run(cat, settings)
    assert held(cat) == {names[0]: names[1], names[1]: ""}

    def bordered(sha256: str) -> bool:
        return is_bordered(thumbnail_path(settings.data_dir, sha256))

    summaries = duplicates.group_summaries(cat)
    [[group]] = duplicates.current_groups(cat, summaries, is_bordered=bordered)
    assert group.keeper.why == "without the strip or frame that the copy has"


def test_no_photo_is_a_copy_of_itself() -> None:
    one = PhotoFacts("a", False, [], width_px=9, height_px=9, n_bytes=9, at="")
    with pytest.raises(ValueError, match="one and the same"):
        decided_by(one, one)


def test_conflicting_groups_come_first_then_the_largest(cat: Catalogue, settings: Settings) -> None:
    def group(seed: int, queries: list[Query]) -> str:
        for n, query in enumerate(queries):
            body = as_bytes(draw_photo(seed, (640, 480)).resize((640 - 80 * n, 480 - 60 * n)))
            first = take_in(cat, settings.data_dir, body, query, f"{seed}-{n}")
            if not n:
                keeper = first
        return keeper

    pair, three, conflict = group(1, [HAPPY] * 2), group(2, [SAD] * 3), group(3, [HAPPY, SAD])
    dedup.run(cat, settings)
    places = duplicates.group_summaries(cat)
    assert [one.keeper for one in places] == [conflict, three, pair]
    assert [one.conflicting for one in places] == [True, False, False]
    groups = [one for [one] in duplicates.current_groups(cat, places)]
    assert [one.conflicting for one in groups] == [True, False, False]
    assert [len(one.copies) for one in groups] == [1, 2, 1]


def test_of_a_large_group_only_so_many_copies_are_read(cat: Catalogue, ids: dict[str, str]) -> None:
    [[group]] = duplicates.current_groups(cat, duplicates.group_summaries(cat), most=1)
    assert (len(group.copies), group.hidden) == (1, 1)


def test_a_mirrored_copy_is_told(cat: Catalogue, settings: Settings) -> None:
    take_in(cat, settings.data_dir, as_bytes(draw_photo(1, (640, 480))), HAPPY, "u")
    mirror = ImageOps.mirror(draw_photo(1, (640, 480)).resize((320, 240)))
    take_in(cat, settings.data_dir, as_bytes(mirror), HAPPY, "mirror")
    dedup.run(cat, settings)
    assert [one.mirrored for one in only_group(cat).copies] == [True]


# ---- changing


def test_another_keeper_takes_all_copies_and_awaits_review(
    cat: Catalogue, ids: dict[str, str]
) -> None:
    review.commit(cat, "photos", [Judged(ids["large"])], "ann")
    written = duplicates.change(cat, ids["large"], "ben", keep=ids["small"])
    assert written == 3
    small = ids["small"]
    assert held(cat) == {small: "", ids["large"]: small, ids["middle"]: small, ids["other"]: ""}
    group = only_group(cat)
    assert (group.keeper.photo, group.keeper.why) == (small, "chosen by ben")
    assert {one.why for one in group.copies} == {"chosen by ben"}
    assert {item.id for item in review.queue(cat, "photos")} == {small, ids["other"]}
    [judged] = verdicts.current_in(cat, "photos")  # the old keeper's verdict stays on it
    assert judged.photo == ids["large"]


def test_a_chosen_keeper_stays_whatever_copies_come(
    cat: Catalogue, settings: Settings, ids: dict[str, str]
) -> None:
    review.commit(cat, "photos", [Judged(ids["large"])], "ann")
    duplicates.change(cat, ids["large"], "ben", keep=ids["small"])
    new = [
        copy(cat, settings.data_dir, "huge", (1280, 960), licence="CC0"),
        copy(cat, settings.data_dir, "tiny", (200, 150)),
    ]
    before = held(cat)
    dedup.run(cat, settings)
    assert held(cat) == before | dict.fromkeys(new, ids["small"])
    assert dedup.run(cat, settings).new == 0
    assert held(cat) == before | dict.fromkeys(new, ids["small"])


def test_what_is_no_copy_is_kept_whatever_copies_come(
    cat: Catalogue, settings: Settings, ids: dict[str, str]
) -> None:
    assert duplicates.change(cat, ids["large"], "ann", not_copies=[ids["small"]]) == 1
    assert {one.photo for one in only_group(cat).copies} == {ids["middle"]}
    tiny = copy(cat, settings.data_dir, "tiny", (200, 150))
    dedup.run(cat, settings)
    assert held(cat)[ids["small"]] == ""
    assert held(cat)[tiny] == ids["large"]
    assert ids["small"] in {item.id for item in review.queue(cat, "photos")}


def test_the_old_keeper_may_be_no_copy_of_the_new_one(
    cat: Catalogue, settings: Settings, ids: dict[str, str]
) -> None:
    duplicates.change(cat, ids["large"], "ann", keep=ids["middle"], not_copies=[ids["large"]])
    expected = {ids["large"]: "", ids["middle"]: "", ids["small"]: ids["middle"]}
    assert held(cat) == expected | {ids["other"]: ""}
    tiny = copy(cat, settings.data_dir, "tiny", (200, 150))
    dedup.run(cat, settings)
    assert held(cat) == expected | {ids["other"]: "", tiny: ids["middle"]}


def test_a_second_person_may_choose_again(
    cat: Catalogue, settings: Settings, ids: dict[str, str]
) -> None:
    duplicates.change(cat, ids["large"], "ann", keep=ids["small"])
    duplicates.change(cat, ids["small"], "ben", keep=ids["middle"])
    new = copy(cat, settings.data_dir, "tiny", (200, 150))
    dedup.run(cat, settings)
    middle = ids["middle"]
    assert {name for name, keeper in held(cat).items() if keeper == middle} == {
        ids["large"],
        ids["small"],
        new,
    }
    assert only_group(cat).keeper.why == "chosen by ben"


# ---- taking back


def test_changes_are_taken_back_one_after_the_other_after_a_restart(
    settings: Settings, cat: Catalogue, ids: dict[str, str]
) -> None:
    from btfer.catalogue import open_catalogue

    first = held(cat)
    duplicates.change(cat, ids["large"], "ann", keep=ids["small"])
    second = held(cat)
    duplicates.change(cat, ids["small"], "ann", not_copies=[ids["middle"]])
    cat.close()
    again = open_catalogue(settings.catalogue_url)
    assert duplicates.undo_last(again, "ann") == [ids["middle"]]
    assert held(again) == second
    assert set(duplicates.undo_last(again, "ann")) == {ids["large"], ids["middle"], ids["small"]}
    assert held(again) == first
    assert duplicates.undo_last(again, "ann") == []
    assert duplicates.undo_last(again, "ben") == []
    before = len(verdicts.log(again))
    dedup.run(again, settings)
    assert len(verdicts.log(again)) == before
    again.close()


def test_copies_that_came_to_a_keeper_that_was_taken_back_go_to_the_old_group(
    cat: Catalogue, settings: Settings, ids: dict[str, str]
) -> None:
    duplicates.change(cat, ids["large"], "ann", keep=ids["small"])
    tiny = copy(cat, settings.data_dir, "tiny", (200, 150))
    dedup.run(cat, settings)
    duplicates.undo_last(cat, "ann")
    assert held(cat)[tiny] == ids["small"]  # which is dropped now
    group = only_group(cat)
    assert group.keeper.photo == ids["large"]
    assert tiny in {one.photo for one in group.copies}
    outcome = dedup.run(cat, settings)
    assert (outcome.new, outcome.dropped, outcome.groups) == (0, 3, 1)
    assert held(cat)[tiny] == ids["large"]


def test_nothing_but_verdicts_of_the_group_is_added(cat: Catalogue, ids: dict[str, str]) -> None:
    def rows() -> dict[str, list]:
        tables = (table for name, table in metadata.tables.items() if name != "verdict")
        return {table.name: cat.rows(table.select()) for table in tables}

    before, log = rows(), verdicts.log(cat)
    duplicates.change(cat, ids["large"], "ann", keep=ids["small"])
    duplicates.undo_last(cat, "ann")
    assert rows() == before
    after = verdicts.log(cat)
    assert after[-len(log) :] == log
    added = after[: -len(log)]
    assert {row.round for row in added} == {"dedup"}
    assert {row.reviewer for row in added} == {"ann"}
    assert ids["other"] not in {row.photo for row in added}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_and_dedup_do_in_turn_every_copy_has_a_keeper(
    cat: Catalogue, settings: Settings, seed: int
) -> None:
    rng, people, come = random.Random(seed), ("ann", "ben"), 0
    for _ in range(25):
        places = duplicates.group_summaries(cat)
        step = rng.choice(["come", "dedup", "choose", "choose", "no copy", "undo"])
        if step == "come":
            come += 1
            copy(cat, settings.data_dir, f"{come}", (320 + 8 * rng.randrange(40), 240 + come))
        elif step == "dedup":
            dedup.run(cat, settings)
        elif step == "undo":
            duplicates.undo_last(cat, rng.choice(people))
        elif places:
            place, by = rng.choice(places), rng.choice(people)
            one = rng.choice(place.copies)
            say = {"keep": one} if step == "choose" else {"not_copies": [one]}
            duplicates.change(cat, place.keeper, by, **say)
            assert held(cat)[one] == ""
            if step == "choose":
                others = {place.keeper, *place.copies} - {one}
                assert {held(cat)[name] for name in others} == {one}
        now = held(cat)
        dropped = {name for name, keeper in now.items() if keeper}
        in_groups = [name for one in duplicates.group_summaries(cat) for name in one.copies]
        assert sorted(in_groups) == sorted(dropped)  # each in one group, and none is lost
        assert not {one.keeper for one in duplicates.group_summaries(cat)} & dropped
    dedup.run(cat, settings)
    now = held(cat)
    assert all(now[keeper] == "" for keeper in now.values() if keeper)


# ---- what cannot be


@pytest.mark.parametrize(
    ("keeper", "keep", "not_copies", "said"),
    [
        ("nobody", "", [], "has no copies now"),
        ("' OR 1=1 --", "", [], "has no copies now"),
        ("other", "", [], "has no copies now"),
        ("small", "", [], "has no copies now"),
        ("large", "other", [], "is not in this group now"),
        ("large", "../../etc/passwd", [], "is not in this group now"),
        ("large", "", ["other"], "is not in this group now"),
        ("large", "", ["large"], "choose another one to stay first"),
        ("large", "small", ["small"], "choose another one to stay first"),
    ],
)
def test_what_is_not_of_the_group_is_an_error_and_writes_nothing(
    cat: Catalogue, ids: dict[str, str], keeper: str, keep: str, not_copies: list[str], said: str
) -> None:
    before = verdicts.log(cat)
    named = [ids.get(name, name) for name in not_copies]
    with pytest.raises(UsageError, match=said):
        duplicates.change(
            cat, ids.get(keeper, keeper), "ann", keep=ids.get(keep, keep), not_copies=named
        )
    assert verdicts.log(cat) == before


@pytest.mark.parametrize(("name", "said"), [(" ", "name of its reviewer"), ("dedup", "of a stage")])
def test_a_change_needs_a_persons_name(
    cat: Catalogue, ids: dict[str, str], name: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        duplicates.change(cat, ids["large"], name, keep=ids["small"])
    with pytest.raises(UsageError, match=said):
        duplicates.undo_last(cat, name)


def test_groups_stand_on_both_databases(any_cat: Catalogue, tmp_path: Path) -> None:
    sizes = SIZES.items()
    ids = {name: copy(any_cat, tmp_path, name, size) for name, size in sizes}
    kept = Verdict("dedup", ids["large"], "keep", "dedup")
    drops = [
        Verdict("dedup", ids[name], "drop", "dedup", reason="duplicate", keeper=ids["large"])
        for name in ("middle", "small")
    ]
    verdicts.add(any_cat, [kept, *drops])
    assert only_group(any_cat).keeper.photo == ids["large"]
    duplicates.change(any_cat, ids["large"], "ann", keep=ids["small"])
    assert only_group(any_cat).keeper.photo == ids["small"]
    duplicates.undo_last(any_cat, "ann")
    assert only_group(any_cat).keeper.photo == ids["large"]
    assert photos.with_copies(any_cat) == {ids["large"]}
