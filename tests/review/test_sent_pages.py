"""A page as the browser sends it: once, however often it arrives, with what is known of it."""

from pathlib import Path

import pytest

from btfer import review
from btfer.catalogue import review_pages, verdicts, votes
from btfer.errors import BtferError
from btfer.review import Judged, PageFacts, badges
from btfer.review.guidelines import read_guidelines
from tests.drawn_catalogue import make


def test_a_page_that_arrives_twice_is_written_once_and_stays_undone(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 3)
    judged = [Judged(ids[0], "drop", "text"), Judged(ids[1])]
    for _ in range(2):
        done = review.commit(cat, "photos", judged, "ann", page="one")
        assert done == review.Committed(2, 0)
    assert len(verdicts.log(cat, rounds=("photos",))) == 2
    review.undo_last(cat, "ann", "photos")
    review.commit(cat, "photos", judged, "ann", page="one")  # it was under way for long
    assert verdicts.current_in(cat, "photos") == []
    review.commit(cat, "photos", judged, "ann", page="two")
    assert len(verdicts.current_in(cat, "photos")) == 2


def test_a_last_word_that_arrives_twice_is_written_once_and_is_no_voters(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 1)
    review.plan(cat, 2)
    review.commit(cat, "photos", [Judged(ids[0])], "ann")
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text")], "ben")
    last = [Judged(ids[0], "drop", "unclear")]
    assert review.settle(cat, "photos", last, "ann") == review.Committed(0, 1)
    assert review.disputes(cat, "photos", settled_by="ben") == []
    assert len(review.disputes(cat, "photos", settled_by="cleo")) == 1
    for _ in range(2):
        assert review.settle(cat, "photos", last, "cleo", page="x") == review.Committed(1, 0)
    assert [row.final for row in verdicts.log(cat, rounds=("photos",))] == [True, False, False]


def test_what_is_known_of_a_page_is_kept_with_it(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 1)
    facts = PageFacts(seconds=12.5, unseen=1, guidelines="0123456789ab")
    review.commit(cat, "photos", [Judged(ids[0])], "ann", facts=facts)
    [row] = verdicts.log(cat, rounds=("photos",))
    assert review_pages.guidelines_of(cat, "photos") == {("ann", row.at): "0123456789ab"}
    assert review_pages.unseen_times(cat, "ann") == {row.at}
    assert review_pages.unseen_times(cat, "ben") == set()


def test_pictures_come_back_where_nobody_else_has_them(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 4)
    votes.lease_only(cat, "photos", ids[:2], "ben", minutes=20)
    review.commit(cat, "photos", [Judged(ids[2])], "ben")
    assert review.recall(cat, "photos", [*ids, "unknown"], "ann") == 1
    assert votes.leased_to(cat, "photos", "ann") == {ids[3]}
    assert review.recall(cat, "photos", ids[:2], "ann") == 0


def test_the_strongest_hint_comes_first_and_each_is_explained() -> None:
    hints = ("unlabelled", "several faces", "blurred", "odd landmarks")
    assert badges.strongest_first(hints)[:2] == ("odd landmarks", "blurred")
    assert badges.strongest_first(hints)[-1] == "unlabelled"
    assert set(badges.FIRST.values()) < set(badges.EXPLAINED)


@pytest.mark.parametrize("written", ["# Ours\r\n\r\ntext", "\ufeff# Ours\n\ntext\n"])
def test_guidelines_are_the_teams_else_the_bundled_ones(tmp_path: Path, written: str) -> None:
    bundled = read_guidelines(tmp_path)
    assert "Fear or surprise" in bundled.text
    (tmp_path / "guidelines.md").write_bytes(written.encode())
    own = read_guidelines(tmp_path)
    assert own.text == "# Ours\n\ntext"  # so that its version is the same on every system
    assert len(own.version) == 12
    assert own.version != bundled.version
    (tmp_path / "guidelines.md").unlink()
    (tmp_path / "guidelines.md").mkdir()  # what cannot be read is not taken for none
    with pytest.raises(BtferError, match="cannot be read"):
        read_guidelines(tmp_path)


def test_every_reason_for_a_drop_is_explained_in_the_guidelines(tmp_path: Path) -> None:
    text = read_guidelines(tmp_path).text
    for reasons in review.DROP_REASONS.values():
        for reason, key in reasons.items():
            assert f"**{reason}** ({key.upper()}" in text
    for label in review.RELABEL_KEYS.values():
        assert f"**{label}**" in text
