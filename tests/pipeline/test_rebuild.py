"""A release of addresses only, made whole again from the web: a loopback site that still has most of its pictures."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from btfer.catalogue import Catalogue, open_catalogue, releases, verdicts, withdrawals
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.csv_writer import as_csv
from btfer.errors import Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.paths import face_path
from btfer.pipeline import build, crop, release, verify
from btfer.pipeline.diff import diff
from btfer.pipeline.forget import forget
from btfer.pipeline.rebuild import rebuild
from btfer.pipeline.release_images import read_images
from btfer.release_record import ONLY, WITH, WITHOUT, read_record
from btfer.settings import Settings
from btfer.sources.web import Web
from tests.conftest import as_bytes, draw_photo, take_in
from tests.loopback import FAST
from tests.pipeline.test_older_layout import as_older
from tests.pipeline.test_release import add_face, sign


def photo(number: int) -> bytes:
    return as_bytes(draw_photo(number, (300, 200)), quality=95)


@pytest.fixture
def site(httpserver: HTTPServer) -> HTTPServer:
    httpserver.no_handler_status_code = 404
    return httpserver


@pytest.fixture
def full(cat: Catalogue, settings: Settings, site: HTTPServer) -> Catalogue:
    """A judged photo of each class, found on the site; its crop was cut out of it."""
    for number, label in enumerate(EXPRESSIONS):
        query = Query(f"{label} person", label, "en", "Asian", "female", "adult", "v1")
        url = site.url_for(f"/{number}.jpg")
        stated = {"licence": "CC BY 4.0", "author": "A. Author"} if number == 0 else {}
        sha256 = take_in(cat, settings.data_dir, photo(number), query, url, **stated)
        verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
        verdicts.add(cat, [Verdict("photos", sha256, "keep", "ann")])
        id_ = add_face(cat, settings, sha256, number)
        verdicts.add(cat, [Verdict("faces", sha256, "keep", "ann", face=id_)])
        face_path(settings.data_dir, id_).unlink()
    crop.rebuild(cat, settings)
    return cat


def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})


def made(cat: Catalogue, settings: Settings, sources: str) -> Path:
    return build.run(cat, settings, build.Plan(per_class=1, sources=sources)).path


def serve(site: HTTPServer, *numbers: int, **answer: object) -> None:
    for number in numbers:
        page = site.expect_request(f"/{number}.jpg")
        page.respond_with_data(photo(number), content_type="image/jpeg", **answer)  # type: ignore[arg-type]


def test_addresses_and_hashes_leave_and_no_pixels(full: Catalogue, settings: Settings) -> None:
    folder = made(full, settings, ONLY)
    assert list(folder.rglob("*.png")) == []
    assert {path.name for path in folder.iterdir()} == {
        *("metadata.csv", "faces.jsonl", "attribution.csv", "sources.csv", "release.json"),
        *("README.md", "LICENSE.md", "croissant.json", "optout.html", "SHA256SUMS"),
    }
    assert [problem for check in verify.verify(folder) for problem in check.problems] == []
    rows = list(csv.DictReader((folder / "sources.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["url"].rpartition("/")[2] for row in rows} == {f"{n}.jpg" for n in range(7)}
    assert "This folder has no images" in (folder / "README.md").read_text()


def test_what_is_all_there_still_becomes_the_same_release_byte_for_byte(
    full: Catalogue, settings: Settings, site: HTTPServer, tmp_path: Path
) -> None:
    listed, whole = made(full, settings, ONLY), made(full, settings, WITH)
    serve(site, *range(7))
    other = elsewhere(settings, tmp_path)
    cat = open_catalogue(other.catalogue_url)
    done = rebuild(cat, other, listed, web=Web(FAST))
    assert done.gone == {}
    assert done.made.path.name == whole.name
    asked = len(site.log)
    assert rebuild(cat, other, listed, web=Web(FAST)).made == done.made
    assert len(site.log) == asked, "what is here is not fetched again"
    erased = forget(cat, other, [site.url_for("/4.jpg")])
    again = done.made.path.with_name(str(erased.releases[done.made.path.name]))
    assert [problem for one in verify.verify(again) for problem in one.problems] == []
    assert diff(whole, again).only_first == [
        f"images/test/{EXPRESSIONS[4]}/{EXPRESSIONS[4]}-001.png"
    ]
    cat.close()


def test_a_release_of_the_older_layout_is_rebuilt_in_it(
    full: Catalogue, settings: Settings, site: HTTPServer, tmp_path: Path
) -> None:
    new = made(full, settings, WITH)
    face_of = {one.file: one.face for one in releases.faces_in(full, new.name)}
    moved = [as_older(one) for one in read_images(new, settings.data_dir, face_of)]
    old = release.write(full, settings, moved, replace(read_record(new), version="0.9.0")).path
    serve(site, *range(7))
    other = elsewhere(settings, tmp_path)
    cat = open_catalogue(other.catalogue_url)
    done = rebuild(cat, other, old, web=Web(FAST))
    assert done.gone == {}
    assert (done.made.path / "images/sad/sad-001.png").is_file()
    assert [text for one in verify.verify(done.made.path) for text in one.problems] == []
    assert diff(old, done.made.path).empty
    cat.close()


def test_what_has_gone_is_told_by_its_reason_and_left_out(
    full: Catalogue, settings: Settings, site: HTTPServer, tmp_path: Path
) -> None:
    listed = made(full, settings, ONLY)
    serve(site, 0, 1)
    serve(site, 2, headers={"X-Robots-Tag": "noai"})
    site.expect_request("/3.jpg").respond_with_data(photo(33), content_type="image/jpeg")
    serve(site, 5, 6)
    other = elsewhere(settings, tmp_path)
    cat = open_catalogue(other.catalogue_url)
    withdrawals.add(cat, [site.url_for("/6.jpg")])
    done = rebuild(cat, other, listed, web=Web(FAST))
    assert {name.split("/")[2]: why for name, why in done.gone.items()} == {
        EXPRESSIONS[2]: "opt-out",
        EXPRESSIONS[3]: "other bytes",
        EXPRESSIONS[4]: "http 404",
        EXPRESSIONS[6]: "withdrawn",
    }
    assert "/6.jpg" not in {request.path for request, _ in site.log}
    assert [problem for one in verify.verify(done.made.path) for problem in one.problems] == []
    record = json.loads((done.made.path / "release.json").read_text())
    assert (record["version"], len(record["changes"])) == ("1.1.0", 4)
    assert any(f"{EXPRESSIONS[4]}-001.png has gone (http 404)" in one for one in record["changes"])
    cat.close()


def test_what_cannot_be_rebuilt_is_said(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    other = elsewhere(settings, tmp_path)
    cat = open_catalogue(other.catalogue_url)
    with pytest.raises(UsageError, match=r"has no sources\.csv"):
        rebuild(cat, other, made(full, settings, WITHOUT))
    listed = made(full, settings, ONLY)
    with pytest.raises(
        Incomplete,
        match=r"none of the 7 photos could be downloaded; .* reason: http 404",
    ):
        rebuild(cat, other, listed, web=Web(FAST))
    text = (listed / "sources.csv").read_text()
    (listed / "sources.csv").write_text(text.replace(".jpg", ".png"))
    with pytest.raises(UsageError, match="is damaged"):
        rebuild(cat, other, listed)
    cat.close()


def hostile(folder: Path, column: str, value: str) -> Path:
    """A release with another value in the first row of sources.csv, signed anew."""
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    rows[0][column] = value
    (folder / "sources.csv").write_bytes(as_csv(list(rows[0]), rows))
    return sign(folder)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("face", "../../../../outside"),
        ("face", "/tmp/outside"),
        ("face", "0" * 24 + "-" + "0" * 8 + "-00"),
        ("file_name", "images/../../outside.png"),
        ("photo_sha256", "../../outside"),
        ("url", "file:///etc/passwd"),
        ("right", "100000000"),
    ],
)
def test_a_hostile_release_writes_nothing(
    full: Catalogue, settings: Settings, tmp_path: Path, column: str, value: str
) -> None:
    listed = hostile(made(full, settings, ONLY), column, value)
    other = elsewhere(settings, tmp_path)
    cat = open_catalogue(other.catalogue_url)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="is damaged"):
        rebuild(cat, other, listed, web=Web(FAST))
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
    cat.close()


def test_a_face_of_other_settings_is_refused(full: Catalogue, settings: Settings) -> None:
    listed = made(full, settings, ONLY)
    with (listed / "sources.csv").open(encoding="utf-8", newline="") as text:
        face = next(csv.DictReader(text))["face"]
    photo_part, _, number = face.split("-")
    signed = hostile(listed, "face", f"{photo_part}-00000000-{number}")
    with pytest.raises(UsageError, match=r"was not cut with the settings of release\.json"):
        rebuild(full, settings, signed)


def test_a_crop_of_the_catalogue_is_never_written_over(full: Catalogue, settings: Settings) -> None:
    """The release says that a face, which is here, is another part of its photo."""
    listed = made(full, settings, ONLY)
    with (listed / "sources.csv").open(encoding="utf-8", newline="") as text:
        row = next(csv.DictReader(text))
    crop_file = face_path(settings.data_dir, row["face"])
    before = crop_file.read_bytes()
    signed = hostile(listed, "right", str(int(row["right"]) - 5))
    done = rebuild(full, settings, signed)
    assert done.gone == {row["file_name"]: "other crop"}
    assert crop_file.read_bytes() == before
    assert not (settings.data_dir / ".rebuilding").exists()


def test_a_huge_crop_is_refused(full: Catalogue, settings: Settings) -> None:
    listed = made(full, settings, ONLY)
    text = (listed / "release.json").read_text()
    for size, words in (("100000", "no whole number from 0 to 4,096"), ("4000", "256 px are")):
        (listed / "release.json").write_text(text.replace('"size_px": 256', f'"size_px": {size}'))
        listed = sign(listed)
        with pytest.raises(UsageError, match=words):
            rebuild(full, settings, listed)


def test_private_addresses_are_not_fetched(
    full: Catalogue, settings: Settings, site: HTTPServer, tmp_path: Path
) -> None:
    listed = made(full, settings, ONLY)
    serve(site, *range(7))
    other = elsewhere(settings, tmp_path).model_copy(update={"allow_private_hosts": False})
    cat = open_catalogue(other.catalogue_url)
    with pytest.raises(Incomplete, match="none of the 7 photos could be downloaded"):
        rebuild(cat, other, listed)
    assert site.log == []
    cat.close()
