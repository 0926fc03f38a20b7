"""What a fresh server shows before it has read everything."""

import getpass
from pathlib import Path

import pytest

from btfer import review
from btfer.catalogue import Catalogue, votes
from btfer.review import Judged, head, part_index, serving
from btfer.review.index import ReviewIndex, shared
from tests.drawn_catalogue import DIGEST, make
from tests.review_app.test_views import data_dir as data_dir
from tests.review_app.test_views import show


@pytest.fixture
def left_head(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """A catalogue of nine faces, one of them judged, with the head that another server left."""
    monkeypatch.setattr(head, "LEAST", 0)
    monkeypatch.setattr(part_index, "FEW", 3)
    monkeypatch.setattr(serving, "_in_background", lambda *given: None)
    cat, ids = make(data_dir, 9, with_faces=True)
    for round_ in review.ROUNDS:
        review.Queue(cat, round_, "dan", DIGEST).page(3, review.FIRST_ORDER[round_])
        review.end_leases(cat, round_, "dan")
    serving.keep_now(cat, shared(cat, DIGEST))
    review.commit(cat, "faces", [Judged(ids[0], "drop", "cut off")], "ann")
    return cat


@pytest.mark.parametrize("page", ["overview", "photos", "faces", "disagreements"])
def test_no_page_that_comes_first_waits_until_everything_is_read(
    left_head: Catalogue, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = ReviewIndex._read

    def in_part(index: ReviewIndex, photos: set[str] | None, *more: object) -> None:
        assert photos is not None, "everything is read"
        read(index, photos, *more)

    monkeypatch.setattr(ReviewIndex, "_read", in_part)
    app = show(page)
    if page == "overview":
        assert [metric.value for metric in app.metric] == ["9", "8"]
    if page in review.ROUNDS:
        shown = votes.leased_to(left_head, page, getpass.getuser())
        assert len(shown) == {"photos": 9, "faces": 8}[page]
