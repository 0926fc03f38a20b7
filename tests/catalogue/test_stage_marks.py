"""Where stages left off: a shorter way to the same queue, whatever happens meanwhile."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from btfer.catalogue import (
    Catalogue,
    erasure,
    pairs,
    photos,
    verdicts,
    versions,
    votes,
    withdrawals,
)
from btfer.catalogue.verdicts import Verdict
from btfer.pipeline import dedup
from btfer.settings import Settings
from tests.catalogue.test_store import SAD, add_photo, keep

DIGEST = "s1"
Change = Callable[[Catalogue, list[str]], object]


def _drop(round_: str, photo: str) -> Verdict:
    return Verdict(round_, photo, "drop", "ann", reason="duplicate")


def _undo_newest(cat: Catalogue, round_: str) -> None:
    verdicts.undo(cat, [verdicts.log(cat, rounds=[round_], limit=1)[0].id], "ann")


CHANGES: dict[str, Change] = {
    "nothing": lambda cat, ids: None,
    "kept by people": lambda cat, ids: verdicts.add(cat, [keep("photos", ids[2])]),
    "dropped by people": lambda cat, ids: verdicts.add(cat, [_drop("photos", ids[0])]),
    "taken back by people": lambda cat, ids: _undo_newest(cat, "photos"),
    "dropped by dedup": lambda cat, ids: verdicts.add(cat, [_drop("dedup", ids[0])]),
    "kept by dedup": lambda cat, ids: verdicts.add(cat, [keep("dedup", ids[3])]),
    "to be looked at again": lambda cat, ids: _undo_newest(cat, "crop"),
    "found": lambda cat, ids: verdicts.add(cat, [keep("dedup", add_photo(cat, "e"))]),
    "more votes asked": lambda cat, ids: votes.plan(cat, "photos", 2),
    "fewer votes asked": lambda cat, ids: votes.plan(cat, "photos", 1),
    "withdrawn": lambda cat, ids: withdrawals.add(cat, ["https://x.example/"]),
}


def _judged(cat: Catalogue) -> list[str]:
    """Photos in all states; the crop stage has ended."""
    ids = [add_photo(cat, name, **({"query": SAD} if name == "b" else {})) for name in "abcdf"]
    verdicts.add(cat, [keep("dedup", one) for one in ids if one != ids[3]])
    verdicts.add(cat, [keep("photos", ids[3]), keep("photos", ids[4]), keep("photos", ids[0])])
    for unreviewed in ("", "keep"):
        before = versions.version(cat)
        queue = photos.awaiting_crop(cat, DIGEST, unreviewed=unreviewed)
        assert queue
        verdicts.add(cat, [keep("crop", one.sha256, settings=DIGEST) for one in queue[:4]])
        photos.crop_ended(cat, DIGEST, before, unreviewed=unreviewed)
    return ids


def test_the_crop_queue_is_the_same_whether_or_not_it_is_known_where_the_stage_left_off(
    any_cat: Catalogue,
) -> None:
    ids = _judged(any_cat)
    marks = [versions.mark_of(any_cat, "crop", f"{DIGEST}{one}") for one in ("", "keep")]
    assert all(marks)
    for name, change in CHANGES.items():
        change(any_cat, ids)
        for unreviewed, mark in zip(("", "keep"), marks, strict=True):
            assert mark
            with any_cat.write() as connection:
                connection.execute(versions.stage_mark.delete())
            whole = photos.awaiting_crop(any_cat, DIGEST, unreviewed=unreviewed)
            versions.set_mark(any_cat, "crop", mark, f"{DIGEST}{unreviewed}")
            assert photos.awaiting_crop(any_cat, DIGEST, unreviewed=unreviewed) == whole, name


def test_who_forgets_a_photo_forgets_where_stages_left_off(any_cat: Catalogue) -> None:
    ids = _judged(any_cat)
    assert versions.mark_of(any_cat, "crop", DIGEST)
    erasure.erase(any_cat, [ids[1]])
    assert versions.mark_of(any_cat, "crop", DIGEST) is None


def test_rows_that_go_change_the_version_at_once_and_each_time(any_cat: Catalogue) -> None:
    ids = _judged(any_cat)
    known = [versions.version(any_cat)]
    for id_ in ids[1:3]:  # not the newest, which its number would tell
        erasure.erase(any_cat, [id_])
        known.append(versions.version(any_cat))
        assert known[-1] not in known[:-1]
        assert not known[-1].goes_on_from(known[-2])


def test_a_mark_is_read_as_it_was_written_and_the_newest_one_counts(any_cat: Catalogue) -> None:
    votes.plan(any_cat, "photos", 2)
    add_photo(any_cat, "a")
    first = versions.StageMark(versions.version(any_cat), {"dropped": 3})
    versions.set_mark(any_cat, "dedup", replace(first, found={}))
    versions.set_mark(any_cat, "dedup", first)
    assert versions.mark_of(any_cat, "dedup") == first
    assert versions.mark_of(any_cat, "dedup", "of other settings") is None


def test_photos_are_numbered_as_they_come(any_cat: Catalogue) -> None:
    assert versions.version(any_cat).photo == 0
    for n, name in enumerate("ab", start=1):
        add_photo(any_cat, name)
        assert versions.version(any_cat).photo == n
    add_photo(any_cat, "a", url="https://example.org/again.jpg")
    assert versions.version(any_cat).photo == 2


@pytest.mark.parametrize(
    "change",
    ["dropped by dedup", "kept by dedup", "found", "withdrawn", "answered"],
)
def test_dedup_looks_again_where_anything_has_changed_that_it_goes_by(
    any_cat: Catalogue, settings: Settings, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _judged(any_cat)
    verdicts.add(any_cat, [keep("dedup", ids[3]), _copy(ids[4], ids[3])])
    pairs.ask(any_cat, [(ids[0], ids[1])])
    first = dedup.run(any_cat, settings)
    looked: list[int] = []
    index = photos.hash_index
    monkeypatch.setattr(photos, "hash_index", lambda cat: looked.append(1) or index(cat))
    verdicts.add(any_cat, [keep("photos", ids[1]), keep("crop", ids[1], settings=DIGEST)])
    assert dedup.run(any_cat, settings) == first
    assert not looked  # what people and crop say is none of its affair
    monkeypatch.setattr(dedup.Engine, "of", lambda _: pytest.fail("compares pictures"))
    if change == "answered":
        [open_] = pairs.waiting(any_cat, 9)
        pairs.answer(any_cat, {open_.id: False}, "ann")
    elif change == "found":
        verdicts.add(any_cat, [keep("dedup", add_photo(any_cat, "e"))])
    else:
        CHANGES[change](any_cat, ids)
    again = dedup.run(any_cat, settings)
    assert looked
    assert again == replace(first, dropped=again.dropped, groups=again.groups, asked=again.asked)


@pytest.mark.parametrize("put_back", [False, True], ids=["", "and the clock put back"])
def test_dedup_looks_again_where_an_answer_was_taken_back(
    any_cat: Catalogue, settings: Settings, put_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _judged(any_cat)
    verdicts.add(any_cat, [keep("dedup", ids[3])])
    pairs.ask(any_cat, [(ids[0], ids[1]), (ids[0], ids[2])])
    one, other = pairs.waiting(any_cat, 9)
    pairs.answer(any_cat, {one.id: False}, "ann")
    pairs.answer(any_cat, {other.id: False}, "ben")
    assert dedup.run(any_cat, settings).asked == 0
    if put_back:
        monkeypatch.setattr(verdicts, "timestamp", lambda: "2001-01-01T00:00:00.000000+00:00")
    pairs.undo_last(any_cat, "ann")
    assert dedup.run(any_cat, settings).asked == 1


def _copy(photo: str, keeper: str) -> Verdict:
    return Verdict("dedup", photo, "drop", "dedup", reason="duplicate", keeper=keeper, distance=2)
