"""Versions of a release, its opt-out page and what was withdrawn, and what cannot be told from it."""

import csv
import hashlib
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from btfer.catalogue import Catalogue, faces, open_catalogue, releases
from btfer.catalogue.secret_keys import RELEASES, secret_key
from btfer.catalogue.tables import release, sighting, verdict
from btfer.cli import context
from btfer.errors import Incomplete
from btfer.images import decode_rgb
from btfer.pipeline import build, verify
from btfer.pipeline.contact_sheet import NUMBER_PX, TILE_PX, class_sheet
from btfer.pipeline.forget import forget
from btfer.pipeline.optout_page import image_token
from btfer.pipeline.release_images import photo_pseudonym, pseudonym
from btfer.pipeline.release_metadata import read_credits, read_metadata, read_origins, read_rows
from btfer.pipeline.withdraw import withdraw
from btfer.release_record import ONLY, WITH, ReleaseRecord, read_record
from btfer.settings import Settings
from tests.pipeline.test_release import full

__all__ = ["full"]  # the fixture


def made(cat: Catalogue, settings: Settings, **plan: object) -> Path:
    folder = build.run(cat, settings, build.Plan(**{"per_class": 2} | plan)).path  # type: ignore[arg-type]
    assert [problem for check in verify.verify(folder) for problem in check.problems] == []
    return folder


def photo_of(cat: Catalogue, folder: Path, file: str) -> str:
    [face] = [one.face for one in releases.faces_in(cat, folder.name) if one.file == file]
    return faces.by_id(cat, [face])[face].photo


def version(folder: Path) -> tuple[str, str]:
    record = read_record(folder)
    return record.version, record.predecessor.name if record.predecessor else ""


def test_the_same_content_is_the_same_version(full: Catalogue, settings: Settings) -> None:
    first = made(full, settings)
    assert version(first) == ("1.0.0", "")
    assert made(full, settings) == first
    other = made(full, settings, per_class=3)
    assert version(other) == ("1.1.0", first.name)
    assert made(full, settings) == first
    assert made(full, settings, per_class=3) == other
    assert len(releases.every(full)) == 2
    apart = made(full, settings, per_class=1, name="other")
    assert version(apart) == ("1.0.0", "")


def test_a_version_says_what_changed_since_the_one_before(
    full: Catalogue, settings: Settings
) -> None:
    first = made(full, settings)
    second = made(full, settings, per_class=3)
    changes = read_record(second).changes
    assert "version 1.1.0: per_class: 2 -> 3" in changes
    assert "version 1.1.0: sad/sad-003.png was added" in changes
    text = (second / "README.md").read_text()
    assert f"follows {first.name} (version 1.0.0)" in text
    assert "- version 1.1.0: sad/sad-003.png was added" in text
    predecessor = read_record(second).predecessor
    assert predecessor is not None
    assert predecessor.digest == hashlib.sha256((first / "SHA256SUMS").read_bytes()).hexdigest()


def test_what_was_withdrawn_is_on_the_tombstone_list_of_the_next_version(
    full: Catalogue, settings: Settings
) -> None:
    first = made(full, settings)
    assert not (first / "tombstones.csv").exists()
    withdraw(full, [photo_of(full, first, "test/sad/sad-001.png")])
    second = made(full, settings)
    assert version(second) == ("1.0.1", first.name)
    [stone] = read_rows(second / "tombstones.csv")
    sums = dict(line.split("  ")[::-1] for line in (first / "SHA256SUMS").read_text().splitlines())
    token = image_token(secret_key(full, RELEASES), sums["images/test/sad/sad-001.png"])
    assert stone == {
        "release": first.name,
        "version": "1.0.0",
        "file_name": "images/test/sad/sad-001.png",
        "token": token,
        "date": read_record(second).date,
    }
    assert token in (first / "optout.html").read_text()
    assert token not in (second / "optout.html").read_text()
    withdraw(full, [photo_of(full, second, "test/happy/happy-001.png")])
    third = made(full, settings)
    assert len(read_rows(third / "tombstones.csv")) == 2
    assert version(third) == ("1.0.2", second.name)


def test_what_was_forgotten_is_on_the_tombstone_list_by_the_token_of_the_page_before(
    full: Catalogue, settings: Settings
) -> None:
    for sources in (WITH, ONLY):
        first = made(full, settings, sources=sources)
        page = (first / "optout.html").read_text()
        row = next(one for one in page.splitlines() if "images/test/sad/sad-001.png" in one)
        done = forget(full, settings, [f"{first.name}/sad-001.png"])
        second = first.parent / str(done.releases[first.name])
        [stone] = read_rows(second / "tombstones.csv")
        assert f">{stone['token']}<" in row
        assert (stone["release"], stone["version"]) == (first.name, "1.0.0")
        assert version(second) == ("1.0.1", first.name)
        assert [one for check in verify.verify(second) for one in check.problems] == []


def test_the_opt_out_page_names_every_image_and_whom_to_write_to(
    full: Catalogue, settings: Settings
) -> None:
    folder = made(full, settings)
    page = (folder / "optout.html").read_text()
    assert len(re.findall(r"images/test/\w+/\w+-\d+\.png</code></th><td>[A-Z2-7]{16}<", page)) == 14
    assert "no contact address was set" in page
    assert "  optout.html\n" in (folder / "SHA256SUMS").read_text()
    reachable = settings.model_copy(update={"contact": "faces@lab.example"})
    other = made(full, reachable)
    assert version(other) == ("1.0.1", folder.name)
    assert "mailto:faces@lab.example" in (other / "optout.html").read_text()
    assert "Contact: faces@lab.example." in (other / "README.md").read_text()


def test_who_holds_a_photo_cannot_find_out_whether_it_is_in_a_release(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    folder = made(full, settings)
    rows = {one.file_name: one.photo_id for one in read_metadata(folder)}
    photo = photo_of(full, folder, "test/sad/sad-001.png")
    assert rows["images/test/sad/sad-001.png"] == photo_pseudonym(full, photo)
    assert pseudonym(photo, settings.seed) not in rows.values()
    other = open_catalogue(f"sqlite:///{tmp_path / 'other.db'}")
    assert photo_pseudonym(other, photo) != photo_pseudonym(full, photo)
    other.close()
    key = secret_key(full, RELEASES).hex().encode()
    assert not [path for path in folder.rglob("*") if path.is_file() and key in path.read_bytes()]


@pytest.mark.reliability("umask 077")
def test_the_folder_is_as_open_as_the_umask_says(full: Catalogue, settings: Settings) -> None:
    before = os.umask(0o027)
    try:
        folder = made(full, settings)
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o750 if path.is_dir() else 0o640), path


def test_each_tile_of_a_class_sheet_has_its_number() -> None:
    tile = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    one, other = (decode_rgb(class_sheet([(number, tile)] * 21)) for number in ("007", "012"))
    assert one.shape == (2 * (TILE_PX + NUMBER_PX), 20 * TILE_PX, 3)
    assert (one[:TILE_PX] == 0).all()
    below = np.s_[TILE_PX : TILE_PX + NUMBER_PX, :TILE_PX]
    assert (one[below] != 255).any()
    assert (one[below] != other[below]).any()


def test_no_text_of_a_stranger_is_a_formula_and_we_read_it_as_it_was(
    full: Catalogue, settings: Settings
) -> None:
    evil = '=HYPERLINK("https://secret.example","A. Author")'
    with full.write() as connection:
        connection.execute(sa.update(sighting).values(author=evil, title="-1+1;=2"))
    folder = made(full, settings, per_class=3, sources=WITH, max_per_site=0)
    for name in ("attribution.csv", "sources.csv"):
        text = (folder / name).read_text()
        assert "'=HYPERLINK" in text
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert {one.author for one in read_credits(folder).values()} == {evil}
    assert {(one.author, one.title) for one in read_origins(folder).values()} == {(evil, "-1+1;=2")}


def words(folder: Path) -> str:
    return (folder / "README.md").read_text() + (folder / "croissant.json").read_text()


def test_the_texts_of_an_import_that_nobody_judged_claim_no_search_and_no_judgement(
    full: Catalogue, settings: Settings
) -> None:
    with full.write() as connection:
        connection.execute(sa.delete(verdict).where(verdict.c.reviewer == "ann"))
    text = words(made(full, settings, unreviewed="keep"))
    assert "14 images were imported from folders" in text
    assert "Nobody judged these images" in text
    assert "Pictures that nobody judged were kept: 14 of 14 images." in text
    for claim in (
        "search phrase",
        "Web Scraping",
        "Manual",
        "two rounds",
        "by people,",
        "Search engines",
    ):
        assert claim not in text, claim


def test_the_texts_of_a_crawl_say_where_it_searched(full: Catalogue, settings: Settings) -> None:
    with full.write() as connection:
        connection.execute(sa.update(sighting).values(source="commons"))
    text = words(made(full, settings))
    assert "14 images were found by search phrases (commons 14)." in text
    assert "14 of 14 labels were confirmed or given by a person" in text
    assert "Groups are what a search phrase asked for" in text
    assert "imported" not in text


def test_a_release_of_addresses_is_a_line_of_its_own(full: Catalogue, settings: Settings) -> None:
    listed = made(full, settings, sources=ONLY)
    whole = made(full, settings, sources=WITH)
    assert version(listed) == version(whole) == ("1.0.0", "")


def test_without_a_name_the_newest_release_that_has_images_is_meant(
    full: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(context.flags, "data_dir", settings.data_dir)
    listed = made(full, settings, sources=ONLY)
    with pytest.raises(
        Incomplete, match=f"no release has images here .*btfer rebuild {listed.name}"
    ):
        context.release_folder(None)
    assert context.release_folder(None, any_kind=True) == listed
    whole = made(full, settings)
    with full.write() as connection:
        connection.execute(
            sa.update(release).where(release.c.name == whole.name).values(at="2020-01-01")
        )
    assert context.release_folder(None) == whole


def test_the_record_of_a_release_names_when_its_content_is_from(
    full: Catalogue, settings: Settings
) -> None:
    record: ReleaseRecord = read_record(made(full, settings))
    assert record.date == releases.date_of_content(full)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record.date)
