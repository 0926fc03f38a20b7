"""The demo's page: every word is escaped, links survive odd folders, and pictures are inside."""

import base64
import io
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from btfer.bench.report.drawing import Panel
from btfer.catalogue import Catalogue
from btfer.catalogue.rows import PhotoBox
from btfer.demo import page
from btfer.demo.benchmark import SmallFile
from btfer.demo.line import demo_settings
from btfer.demo.pictures import FACE_PX, PHOTO_PX, ShownPicture, boxed_picture, face_picture
from btfer.demo.story import Chapter, Row, Story, TextTable, Told
from btfer.images import encode_jpeg
from btfer.pipeline.funnel import CLASSES
from btfer.pipeline.release import Release
from btfer.release_record import FunnelLine

EVIL = "<script>alert(1)</script> & \"q\" 'a' {{ 7 * 7 }}"


def test_every_word_is_escaped(tmp_path: Path) -> None:
    one = ShownPicture("data:image/png;base64,AA==", EVIL, EVIL)
    told = Told(cast(Catalogue, None), demo_settings(tmp_path), tmp_path, Release(tmp_path, "", 0))
    chapter = Chapter(
        "a",
        EVIL,
        EVIL,
        EVIL,
        plots=[Panel("data:image/svg+xml;base64,AA==", EVIL)],
        sheet=one,
        pictures=[one],
        rows=[Row(EVIL, [one])],
        table=TextTable([EVIL], [[EVIL]]),
        links=[told.link(tmp_path / EVIL, EVIL)],
    )
    line = FunnelLine(EVIL, EVIL, (1,) * len(CLASSES))
    path = page.write(tmp_path / "index.html", Story(EVIL, [chapter], [line]), judge=EVIL)
    html = path.read_text()
    assert "<script" not in html
    assert "49" not in html
    soup = BeautifulSoup(html, "lxml")
    assert soup.select_one("h2").text == EVIL
    assert {image["alt"] for image in soup.select("img")} == {EVIL}
    assert not [tag for tag in soup.find_all() if any(name.startswith("on") for name in tag.attrs)]


@pytest.mark.parametrize("folder", ["demo", "faces ? 1", "a#b%41"])
def test_links_lead_to_files_in_odd_folders(tmp_path: Path, folder: str) -> None:
    told = Told(
        cast(Catalogue, None), demo_settings(tmp_path / folder), tmp_path, Release(tmp_path, "", 0)
    )
    link = told.link(tmp_path / folder / "data" / "read me.md", "datasheet")
    assert not link.address.startswith("/")
    parts = urlsplit(link.address)
    assert (parts.scheme, parts.query, parts.fragment) == ("", "", "")
    assert unquote(parts.path) == f"{folder}/data/read me.md"


def picture(folder: Path) -> Path:
    path = folder / "photo.jpg"
    path.write_bytes(encode_jpeg(np.full((480, 640, 3), 128, np.uint8)))
    return path


def opened(one: ShownPicture) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(one.uri.partition(",")[2])))


def test_pictures_are_small_and_boxes_are_drawn(tmp_path: Path) -> None:
    path = picture(tmp_path)
    assert opened(face_picture(path, "")).size == (FACE_PX, FACE_PX * 3 // 4)
    boxed = opened(boxed_picture(path, [PhotoBox(100, 100, 200, 200)], "a face"))
    assert boxed.size == (2 * PHOTO_PX, 2 * PHOTO_PX * 3 // 4)
    pixels = np.asarray(boxed).astype(int)
    assert (pixels[:, :, 0] - pixels[:, :, 2]).max() > 100  # the box's colour
    assert abs(pixels[10, 10] - 128).max() < 4


def test_what_was_not_run_says_why() -> None:
    made = SmallFile("lenet5 48 (3f2a)", Path("model.tflite"), 0.68, 126, remark="not run: why")
    assert made.in_words() == "lenet5 48 (3f2a) as TFLite, 0.7 MB; not run: why"
