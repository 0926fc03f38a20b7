"""Faces of one person together: with dlib's network, in a real Chromium."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import streamlit as st

from btfer import review
from btfer.catalogue import Catalogue
from btfer.catalogue.tables import face as face_table
from btfer.faces.cut import crop_record
from btfer.faces.find import find_faces
from btfer.faces.modes import MODES
from btfer.files import write_atomic
from btfer.images import Pixels, decode_rgb, encode_png
from btfer.paths import face_path
from btfer.sample import load_manifest, picture_path
from tests.drawn_catalogue import make
from tests.faces.test_identity import needs_faces
from tests.review_app.test_browser import await_count, open_round, until
from tests.review_app.test_right_votes import choose
from tests.review_app.test_views import show

LIGHTS = (1.0, 0.9, 0.8, 0.7)


def people_of_the_sample() -> Iterator[tuple[Pixels, dict[str, Any]]]:
    """The crop of each, as the crop stage cuts it, and what the catalogue has of it."""
    for one in load_manifest():
        if one.kind != "single" or one.original:
            continue
        pixels = decode_rgb(picture_path(one.file).read_bytes())
        [face, *more] = find_faces(pixels, MODES["paper"])
        if face.cut and not more:
            crop = asdict(crop_record(face.cut, MODES["paper"]))
            yield decode_rgb(face.png), {"landmarks": face.box.landmarks, "crop": crop}


def show_the_sample(cat: Catalogue, data_dir: Path, ids: list[str]) -> dict[str, int]:
    """Let the faces show people of the sample in turn, each in several lights; who each shows."""
    people = list(islice(people_of_the_sample(), len(ids) // len(LIGHTS)))
    shown = {id_: n % len(people) for n, id_ in enumerate(ids)}
    with cat.write() as connection:
        for n, id_ in enumerate(ids):
            pixels, row = people[shown[id_]]
            lit = (pixels * LIGHTS[n // len(people)]).astype(np.uint8)
            write_atomic(face_path(data_dir, id_), encode_png(lit))
            this = sa.update(face_table).where(face_table.c.id == id_)
            connection.execute(this.values(**row))
    return shown


@needs_faces
@pytest.mark.slow
@pytest.mark.browser
def test_faces_of_one_person_stand_together_when_they_have_been_compared(
    tmp_path: Path, run_app: Callable[[Path], Any], page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, ids = make(tmp_path, 48, with_faces=True)
    person = show_the_sample(cat, tmp_path, sorted(ids))
    monkeypatch.setenv("BTFER_MAX_PERSON_DISTANCE", "0.25")  # drawn people are like each other
    app = run_app(tmp_path)
    open_round(page, app.url, "faces?per_page=24")
    choose(page, "Order", "same person")
    page.get_by_text("Comparing faces").wait_for()
    page.locator(".tile:focus").wait_for()  # the grid has the keys again
    before = shown(page)
    page.keyboard.press(next(iter(review.DROP_REASONS["faces"].values())))  # it can be judged
    await_count(page, "1 of 24 marked")
    page.get_by_text("48 faces are sorted by person").wait_for()
    assert shown(page) == before  # nothing moves under a hand
    page.get_by_role("button", name="Show them now").click()
    until(page, lambda: by_person(shown(page), person))
    page.get_by_role("button", name="Show them now").wait_for(state="detached")
    page.reload()
    page.locator(".tile").first.wait_for()
    assert by_person(shown(page), person)
    choose(page, "Order", "as found")
    until(page, lambda: shown(page) == sorted(ids)[:24])


def shown(page: Any) -> list[str]:
    return [str(one.get_attribute("data-id")) for one in page.locator(".tile").all()]


def by_person(faces: list[str], person: dict[str, int]) -> bool:
    """Whether they stand in fours, each of one person."""
    fours = [{person[one] for one in faces[n : n + 4]} for n in range(0, len(faces), 4)]
    return len(faces) == 24 and all(len(one) == 1 for one in fours)


@pytest.mark.slow
@pytest.mark.parametrize(("round_", "said"), [("faces", "missing.onnx"), ("photos", "")])
def test_without_a_face_network_the_order_is_not_offered_and_help_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, round_: str, said: str
) -> None:
    make(tmp_path, 3, with_faces=True)
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BTFER_FACE_EMBEDDER", str(tmp_path / "missing.onnx"))
    box = show(round_).selectbox(key=f"box_order_{round_}")
    assert "same person together" not in box.options
    assert said in box.help
    assert bool(box.help) == (round_ == "faces")


def test_without_the_extra_help_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, 3, with_faces=True)
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("btfer.faces.dlib_embedder.installed", lambda _: False)
    st.cache_resource.clear()  # another test may have found it
    box = show("faces").selectbox(key="box_order_faces")
    assert "pip install 'btfer[faces]', or set `face_embedder` to an ONNX file" in box.help
