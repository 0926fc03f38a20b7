"""What may leave, and what may not; the servers are in test_hf and test_zenodo."""

import csv
import hashlib
import io
import json
import os
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from btfer.errors import UsageError
from btfer.pipeline.publish import Access, open_target, publish, rights
from btfer.pipeline.publish.archive import write_zip
from btfer.pipeline.publish.parcel import read_parcel
from tests.pipeline.publish.conftest import build_release, reseal
from tests.pipeline.publish.fake_hub import TOKEN, Hub


@pytest.fixture
def hub(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("HF_ENDPOINT", httpserver.url_for(""))
    return Hub(httpserver)


def refused(folder: Path, hub: Hub) -> str:
    """The line with which it is refused; nothing may have been sent."""
    with pytest.raises(UsageError) as error:
        publish(folder, open_target("hf://lab/faces", token=TOKEN), access=Access(public=True))
    assert hub.server.log == []
    assert "\n" not in str(error.value)
    return str(error.value)


def change_licences(folder: Path, licence: str) -> Path:
    rows = list(csv.DictReader(io.StringIO((folder / "metadata.csv").read_text())))
    # One that asks for no credit, so that verify finds nothing and the licence alone decides.
    row = next(one for one in rows if one["licence"].startswith("CC0"))
    row |= {"licence": licence, "spdx": ""}
    lines = [json.loads(line) for line in (folder / "faces.jsonl").read_text().splitlines()]
    for line in lines:
        if line["file_name"] == row["file_name"]:
            line |= {"licence": licence, "spdx": ""}
    (folder / "faces.jsonl").write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    )
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    (folder / "metadata.csv").write_text(text.getvalue())
    croissant = (folder / "croissant.json").read_text()
    old = next(
        line.split("  ")[0]
        for line in (folder / "SHA256SUMS").read_text().splitlines()
        if line.endswith("  metadata.csv")
    )
    new = hashlib.sha256(text.getvalue().encode()).hexdigest()
    (folder / "croissant.json").write_text(croissant.replace(old, new))
    return reseal(folder)


def test_a_dry_run_lists_everything_and_asks_no_server(release: Path, hub: Hub) -> None:
    done = publish(release, open_target("hf://lab/faces"), dry_run=True)
    plan = "\n".join(done.plan)
    digest = hashlib.sha256((release / "SHA256SUMS").read_bytes()).hexdigest()
    assert done.state == "dry run"
    for words in ("private", "CC BY 4.0 4, CC0 1.0 3", digest, "version 1", "7 images", " bytes"):
        assert words in plan
    assert hub.server.log == []


def test_a_person_may_say_no(release: Path, hub: Hub) -> None:
    shown: list[str] = []
    target = open_target("hf://lab/faces", token=TOKEN)
    done = publish(release, target, agree=lambda plan: bool(shown.extend(plan)))
    assert done.state == "stopped"
    assert shown
    assert hub.server.log == []


def test_a_release_with_a_problem_stays(release: Path, hub: Hub) -> None:
    next((release / "images").rglob("*.png")).write_bytes(b"other")
    assert "btfer verify" in refused(release, hub)


@pytest.mark.parametrize(
    "licence",
    ["not stated", "All rights reserved", "CC BY-ND 4.0", "photo by Getty", "CC BY-NC-ND"],
)
def test_an_image_that_may_not_be_redistributed_keeps_all_of_it_here(
    release: Path, hub: Hub, licence: str
) -> None:
    folder = change_licences(release, licence)
    try:
        line = refused(folder, hub)
    finally:
        assert hub.sent() == []
    assert "nothing was sent" in line


def test_the_refusal_counts_the_images_of_each_licence(tmp_path: Path, hub: Hub) -> None:
    line = refused(build_release(tmp_path / "data", ("CC0 1.0", "")), hub)
    assert "images by licence: not stated 3" in line
    assert "--sources-only" in line


def test_the_word_of_the_release_counts_before_its_licences(release: Path, hub: Hub) -> None:
    folder = reseal(release, {"redistribution": "none"})
    assert "may not be redistributed" in refused(folder, hub)
    folder = reseal(folder, {"redistribution": "whatever"})
    assert "nothing was sent" in refused(folder, hub)
    folder = reseal(folder, {"redistribution": "non-commercial"})
    assert "non-commercial purposes only" in "\n".join(read_parcel(folder).lines())


def test_addresses_may_be_published_where_images_may_not(tmp_path: Path) -> None:
    folder = build_release(tmp_path / "data", ("",), sources="only")
    parcel = read_parcel(folder)
    assert parcel.images == 0
    assert "addresses and hashes only" in "\n".join(parcel.lines())
    assert not [one.name for one in parcel.files if one.name.endswith(".png")]


@pytest.mark.parametrize(
    "name", [".secret", "images/.hidden.png", "../outside.txt", "/etc/hostname"]
)
def test_only_plain_files_of_the_release_are_sent(release: Path, hub: Hub, name: str) -> None:
    path = release / name
    if not path.exists():
        path.write_text("secret")
    line = f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n"
    with (release / "SHA256SUMS").open("a") as sums:
        sums.write(line)
    assert name in refused(release, hub)


@pytest.mark.parametrize("linked", ["README.md", "images", "optout.html"])
def test_links_are_never_followed(release: Path, hub: Hub, linked: str, tmp_path: Path) -> None:
    place = release / linked
    aside = tmp_path / "aside"
    if place.exists():
        place.rename(aside)
    else:
        aside.write_text("secret")
    os.symlink(aside, place)
    assert "a link" in refused(release, hub)


def test_the_public_list_and_page_of_a_release_go_with_it(release: Path) -> None:
    (release / "optout.html").write_text("<p>")
    (release / "tombstones.csv").write_text("release\n")
    names = {one.name for one in read_parcel(reseal(release)).files}
    assert names >= {"optout.html", "tombstones.csv", "SHA256SUMS", "metadata.csv"}


def test_the_same_release_is_the_same_zip(release: Path, tmp_path: Path) -> None:
    write_zip(read_parcel(release), tmp_path / "a.zip")
    for path in release.rglob("*"):
        os.utime(path, (1, 1))
    write_zip(read_parcel(release), tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize(
    ("licence", "use"),
    [
        ("CC BY 4.0", "commercial"),
        ("CC-BY-SA-3.0", "commercial"),
        ("cc by-nc-sa 2.0", "non-commercial"),
        ("Creative Commons Attribution-NonCommercial 4.0 International", "non-commercial"),
        ("CC0-1.0", "commercial"),
        ("Public Domain Mark 1.0", "commercial"),
        ("CC BY-NC-ND 2.0", "none"),
        ("CC BY-ND 4.0", "none"),
        ("Attribution-NoDerivs", "none"),
        ("All rights reserved", "none"),
        ("by a friend", "none"),
        ("not stated", "none"),
        ("", "none"),
        ("CC BY 4.0, for review only", "none"),
        ("CC BY 4.0 только для чтения", "none"),
    ],
)
def test_what_an_unknown_licence_allows_is_nothing(licence: str, use: str) -> None:
    assert rights.allowed(licence) == use


@pytest.mark.parametrize(
    "to", ["hf://faces", "hf://lab/faces/x", "s3://x", "", "hf://../x", "hf://lab/.x"]
)
def test_an_unknown_target_is_named_with_those_that_exist(to: str) -> None:
    with pytest.raises(UsageError, match="hf://ORG/NAME"):
        open_target(to)
