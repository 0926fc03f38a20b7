"""What holds, read in one pass, is what `verdicts.current` says one by one; on both databases."""

import pytest

from btfer.catalogue import Catalogue, current_verdicts, releases, verdicts, votes
from btfer.catalogue.rows import ReleasedFace
from btfer.catalogue.verdicts import Verdict
from tests.catalogue.test_store import HAPPY, add_photo


@pytest.mark.parametrize("asked", [1, 2])
def test_one_pass_says_what_holds(any_cat: Catalogue, asked: int) -> None:
    """Alone, twice by one person, by two who agree or not, taken back, settled, under other crop settings."""
    ids = [add_photo(any_cat, name) for name in "abcdefg"]
    votes.plan(any_cat, "photos", asked)
    told = [Verdict("dedup", one, "keep", "dedup") for one in ids]
    told += [
        Verdict("dedup", ids[6], "drop", "dedup", reason="duplicate", keeper=ids[0], distance=2)
    ]
    told += [Verdict("photos", one, "keep", "ann") for one in ids[:6]]
    told += [
        Verdict("photos", ids[1], "drop", "ann", reason="text"),
        Verdict("photos", ids[2], "keep", "ben"),
        Verdict("photos", ids[3], "drop", "ben", reason="text"),
        Verdict("photos", ids[4], "relabel", "cleo", expression="sad", final=True),
        Verdict("crop", ids[0], "keep", "crop", settings="here"),
        Verdict("crop", ids[0], "keep", "crop", face=f"{ids[0]}-here-00", settings="here"),
        Verdict("crop", ids[0], "drop", "crop", settings="other", reason="no face"),
        Verdict("faces", ids[0], "relabel", "ann", face=f"{ids[0]}-here-00", expression="fear"),
    ]
    given = verdicts.add(any_cat, told)
    verdicts.undo(any_cat, [given[13]], "ann")  # the only vote on the sixth
    held = current_verdicts.current_verdicts(any_cat, "here")
    for round_ in current_verdicts.ROUNDS:
        assert held[round_] == {
            row.face or row.photo: tuple(
                getattr(row, name) for name in current_verdicts.CurrentVerdict._fields
            )
            for row in verdicts.current_in(any_cat, round_)
            if row.settings in ("", "here")
        }, round_
    assert held["dedup"][ids[6]].decision == "drop"
    assert ids[5] not in held["photos"]
    assert (ids[0] in held["photos"]) is (asked == 1)


def test_labels_are_what_people_agreed_on_else_what_was_searched_for(any_cat: Catalogue) -> None:
    ids = [add_photo(any_cat, name) for name in "ab"]
    relabel = Verdict("photos", ids[1], "relabel", "ann", expression="sad")
    verdicts.add(any_cat, [relabel])
    seen, asked = current_verdicts.first_seen(any_cat), current_verdicts.queries(any_cat)
    query_of = current_verdicts.first_queries(any_cat)
    assert query_of == {name: one.query for name, one in seen.items()}
    labels = current_verdicts.labels(
        current_verdicts.current_verdicts(any_cat, ""), query_of, asked
    )
    assert labels == {ids[0]: HAPPY.expression, ids[1]: "sad"}
    assert seen[ids[0]].page_url == "https://example.org/a"


def test_faces_of_a_photo_are_found_in_releases_by_their_names(any_cat: Catalogue) -> None:
    held = [ReleasedFace(f"{'a' * 24}-s-00", "sad/sad-001.png", "sad")]
    held += [ReleasedFace(f"{'b' * 24}-s-00", "sad/sad-002.png", "sad")]
    releases.add(any_cat, "one", "d", {}, held)
    assert releases.faces_of(any_cat, ["a" * 64]) == {held[0].face}
    assert releases.named(any_cat, "one")
    assert not releases.named(any_cat, "two")
