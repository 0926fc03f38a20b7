"""The funnel is counted over parts of a catalogue, and comes out as of the whole; on both databases."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from btfer.catalogue import Catalogue, open_catalogue, photos
from btfer.pipeline import funnel, overview
from btfer.pipeline.overview import Overview

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import many_photos

DIGEST = "0123abcd"
PHOTOS, AT_ONCE = 600, 100


@pytest.fixture
def filled(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    monkeypatch.setattr(many_photos, "WAITING", 50)
    many_photos.fill(empty_url, PHOTOS, DIGEST)
    cat = open_catalogue(empty_url)
    yield cat
    cat.close()


def test_parts_count_as_the_whole_and_none_is_large(
    filled: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = funnel.status(filled, DIGEST)
    assert whole.to_review
    assert whole.by_cell == photos.count_by_cell(filled)
    really, sizes = overview.parts_to_count, list[int]()

    def in_small_parts(cat: Catalogue, digest: str) -> Iterator[Overview]:
        for known in really(cat, digest, AT_ONCE):
            held = [known.labels, known.query_of, known.photo_of, *known.current.values()]
            sizes.append(max(map(len, held)))
            yield known

    monkeypatch.setattr(overview, "parts_to_count", in_small_parts)
    assert funnel.status(filled, DIGEST) == whole
    assert len(sizes) == -(-photos.count(filled) // AT_ONCE)
    assert max(sizes) < 3 * AT_ONCE  # crop judges a photo and its face
