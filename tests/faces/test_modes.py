import dataclasses

import pytest

from btfer.errors import UsageError
from btfer.faces.modes import MODES, crop_settings, mode
from btfer.settings import Settings

CHANGES = {
    "crop": {"crop": "square"},
    "faces": {"faces": "single"},
    "probability": {"min_probability": 0.5},
    "size": {"min_face_px": 80},
    "cap": {"max_faces": 5},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_digest_changes_with_every_setting(change: dict[str, object]) -> None:
    changed = crop_settings(Settings(**change))  # type: ignore[arg-type]
    assert changed.digest != crop_settings(Settings()).digest


def test_the_digest_changes_with_the_detector_and_with_the_margin() -> None:
    paper = MODES["paper"]
    other = dataclasses.replace(paper, detector=f"{paper.detector}, another")
    wider = dataclasses.replace(paper, margin_px=21)
    assert len({paper.digest, other.digest, wider.digest}) == 3


def test_the_digest_of_equal_settings_is_equal() -> None:
    assert crop_settings(Settings()).digest == MODES["paper"].digest


def test_margins_and_ways_of_resizing_are_those_of_the_paper_and_of_the_authors_code() -> None:
    table = {
        name: (one.shape, one.margin_px, one.border, one.shrink_by, one.enlarge_by, one.size_px)
        for name, one in MODES.items()
    }
    assert table == {
        "paper": ("box", 20, "clipped", "area", "cubic", 256),
        "authors_code": ("box", 10, "clipped", "linear", "linear", 256),
        "square": ("square", 20, "reflected", "area", "cubic", 256),
    }


def test_an_unknown_mode_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="paper, authors_code, square"):
        mode("round")
