"""What takes several writes is done whole or not at all, wherever the process dies in between."""

import importlib
import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from btfer import review
from btfer.catalogue import Catalogue, faces, open_catalogue, verdicts
from btfer.catalogue import gold as gold_rows
from btfer.catalogue.verdicts import StoredVerdict
from btfer.review import Judged, duplicates, gold
from review_app import log
from tests.drawn_catalogue import DIGEST, add_face, make

Action = Callable[[Catalogue, list[str]], object]
DEAD = 9


def _judge_anew(cat: Catalogue, _: list[str]) -> object:
    newest = _kept(cat)[0]
    return review.judge_anew(cat, [Judged(str(newest.id), "drop", "text")], "ben")


def _judge_both_rounds(cat: Catalogue, _: list[str]) -> object:
    of_face = next(row for row in verdicts.log(cat, rounds=("faces",)) if not row.undoes)
    of_photo = _kept(cat)[0]
    changes = [Judged(str(row.id), "relabel", "", "fear") for row in (of_photo, of_face)]
    return review.judge_anew(cat, changes, "ben")


def _log_page(cat: Catalogue, _: list[str]) -> object:
    new, old = _kept(cat)[:2]
    return log.judge_again(
        cat, [Judged(str(old.id), "undo"), Judged(str(new.id), "drop", "text")], "ben"
    )


def _undo_copy(cat: Catalogue, ids: list[str]) -> object:
    [row] = [one for one in verdicts.of_photo(cat, ids[2]) if one.decision == "drop"]
    return review.undo(cat, [row.id], "ben")


def _undo_page(cat: Catalogue, _: list[str]) -> object:
    return gold.undo_last(cat, "ann", "photos")


def _gold_page(cat: Catalogue, ids: list[str]) -> object:
    page = [Judged(ids[3]), Judged(ids[0], "drop", "text")]
    return gold.commit(
        cat, "photos", page, "cleo", {ids[0]: Judged(ids[0])}, hidden={ids[0]}, sent="x"
    )


def _kept(cat: Catalogue) -> list[StoredVerdict]:
    rows = verdicts.log(cat, rounds=("photos",))
    return [row for row in rows if row.decision == "keep"]


CASES: dict[str, tuple[Action, str]] = {
    "judged anew": (_judge_anew, "btfer.catalogue.votes.add_open"),
    "judged anew, second round": (_judge_both_rounds, "btfer.review.log.commit@2"),
    "a page of the log": (_log_page, "btfer.review.judge_anew"),
    "a copy undone": (_undo_copy, "btfer.catalogue.verdicts.add"),
    "a page undone, before its leases": (_undo_page, "btfer.catalogue.votes.lease_only"),
    "a page undone, before its gold": (_undo_page, "btfer.catalogue.gold.take_back"),
    "a page with gold": (_gold_page, "btfer.catalogue.gold.add"),
}


def _die_at(place: str) -> None:
    """The process is gone when it comes to a function; `@2` = for the second time."""
    path, _, times = place.partition("@")
    module, name = path.rsplit(".", 1)
    home = importlib.import_module(module)
    real, left = getattr(home, name), [int(times or 1)]

    def dying(*args: object, **named: object) -> object:
        left[0] -= 1
        if not left[0]:
            os._exit(DEAD)
        return real(*args, **named)

    setattr(home, name, dying)


def _in_child(url: str, case: str, ids: list[str]) -> None:
    action, place = CASES[case]
    _die_at(place)
    action(open_catalogue(url), ids)


def _state(cat: Catalogue) -> object:
    return verdicts.log(cat), gold_rows.answers(cat)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_process_that_dies_between_two_writes_leaves_nothing_half_done(
    tmp_path: Path, case: str
) -> None:
    cat, ids = make(tmp_path, 4)
    face = add_face(cat, tmp_path, ids[1])
    gold.commit(
        cat,
        "photos",
        [Judged(one) for one in ids[:2]],
        "ann",
        {ids[0]: Judged(ids[0])},
        hidden=(),
        sent="first",
    )
    review.commit(cat, "faces", [Judged(face)], "ann")
    said = verdicts.Verdict("dedup", ids[2], "drop", "dedup", reason="duplicate", keeper=ids[0])
    verdicts.add(cat, [said])
    assert faces.newest_settings(cat) == DIGEST
    before = _state(cat)
    url = f"sqlite:///{tmp_path / 'catalogue.db'}"
    child = get_context("fork").Process(target=_in_child, args=(url, case, ids))
    child.start()
    child.join()
    assert child.exitcode == DEAD  # it did come to the place
    assert _state(cat) == before
    action, _ = CASES[case]
    action(cat, ids)  # run again, it is done
    assert _state(cat) != before


def test_a_change_of_a_group_that_arrives_twice_is_written_once(tmp_path: Path) -> None:
    cat, ids = make(tmp_path, 3)
    for one in ids[1:]:
        said = verdicts.Verdict("dedup", one, "drop", "dedup", reason="duplicate", keeper=ids[0])
        verdicts.add(cat, [said])
    sendings: list[tuple[str, dict[str, Any]]] = [
        (ids[0], {"keep": ids[1]}),
        (ids[1], {"keep": ids[1], "not_copies": [ids[2]]}),
    ]
    for keeper, changes in sendings:
        assert duplicates.change(cat, keeper, "ann", page=keeper, **changes) > 0
        after = verdicts.log(cat)
        assert duplicates.change(cat, keeper, "ann", page=keeper, **changes) == 0
        assert verdicts.log(cat) == after
