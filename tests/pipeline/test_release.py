"""From kept faces to a verified release, without the detector: crops are drawn."""

import csv
import hashlib
import json
import shutil
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from btfer import review
from btfer.catalogue import (
    Catalogue,
    current_verdicts,
    faces,
    open_catalogue,
    releases,
    verdicts,
)
from btfer.catalogue.journal import Query
from btfer.catalogue.rows import Face
from btfer.catalogue.verdicts import Verdict
from btfer.csv_writer import as_csv
from btfer.errors import BtferError, Incomplete, UsageError
from btfer.expressions import EXPRESSIONS
from btfer.faces.cut import Cut, crop_record
from btfer.files import write_atomic
from btfer.images import decode_rgb, encode_png, metadata_in
from btfer.paths import face_path
from btfer.pipeline import build, crop, funnel, overview, verify
from btfer.pipeline.release_metadata import COLUMNS
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in


def add_face(cat: Catalogue, settings: Settings, sha256: str, seed: int) -> str:
    """A face as the crop stage would have left it."""
    digest = crop.crop_settings(settings).digest
    id_ = crop.face_id(sha256, digest, 0)
    write_atomic(
        face_path(settings.data_dir, id_), encode_png(np.asarray(draw_photo(seed, (256, 256))))
    )
    box = (10.0, 10.0, 60.0, 70.0)
    cut = asdict(crop_record(Cut(0, 0, 90, 100), crop.crop_settings(settings)))
    face = Face(id_, sha256, digest, 0, *box, 0.99, landmarks={}, crop=cut, hints={})
    judged = [Verdict("crop", sha256, "keep", "crop", one, digest) for one in ("", id_)]
    faces.add(cat, [face], judged)
    return id_


@pytest.fixture
def full(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Catalogue:
    """Three photos a class with a face each, all judged."""
    made = filled(tmp_path_factory.getbasetemp() / "full")
    shutil.copytree(made, settings.data_dir, dirs_exist_ok=True)
    found: Catalogue = request.getfixturevalue("cat")  # opened only now
    return found


@cache
def filled(home: Path) -> Path:
    """The data folder of `full`, made once."""
    settings = Settings(data_dir=home, engine="serial")
    cat = open_catalogue(settings.catalogue_url)
    fill(cat, settings)
    cat.close()
    return home


def fill(cat: Catalogue, settings: Settings) -> None:
    for number in range(3 * len(EXPRESSIONS)):
        label = EXPRESSIONS[number % len(EXPRESSIONS)]
        query = Query(f"{label} person", label, "en", "Asian", "female", "adult", "v1")
        url, page = f"https://secret.example/{number}.jpg", "https://secret.example/page"
        licence = (
            {"licence": "CC BY 4.0", "author": "A. Author", "page_url": page} if number == 0 else {}
        )
        data = as_bytes(draw_photo(number, (300, 200)), quality=95)
        sha256 = take_in(cat, settings.data_dir, data, query, url, **licence)
        verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
        verdicts.add(cat, [Verdict("photos", sha256, "keep", "ann")])
        id_ = add_face(cat, settings, sha256, number)
        verdicts.add(cat, [Verdict("faces", sha256, "keep", "ann", face=id_)])


def test_a_release_is_whole_and_verifies(full: Catalogue, settings: Settings) -> None:
    made = build.run(full, settings, build.Plan(per_class=2))
    assert made.images == 14
    problems = [problem for check in verify.verify(made.path) for problem in check.problems]
    assert problems == []
    names = {path.name for path in made.path.iterdir()}
    assert names >= {
        "images",
        "metadata.csv",
        "faces.jsonl",
        "croissant.json",
        "README.md",
        "contact_sheet.png",
        "contact_sheets",
    }
    assert {path.stem for path in (made.path / "contact_sheets").iterdir()} == set(EXPRESSIONS)
    newest = releases.newest(full)
    assert newest is not None
    assert newest.name == made.path.name
    text = (made.path / "README.md").read_text()
    assert "| happy | 2 | 3 |" in text
    assert "Article 5(1)(f)" in text


def test_the_same_catalogue_gives_the_same_bytes(full: Catalogue, settings: Settings) -> None:
    first = build.run(full, settings, build.Plan(per_class=2))
    kept = first.path.rename(first.path.with_name("aside"))
    second = build.run(full, settings, build.Plan(per_class=2))
    assert second.digest == first.digest
    for path in kept.rglob("*.*"):
        assert path.read_bytes() == (second.path / path.relative_to(kept)).read_bytes()


def test_nothing_that_identifies_anyone_leaves(full: Catalogue, settings: Settings) -> None:
    made = build.run(full, settings, build.Plan(per_class=3))
    for path in made.path.rglob("*"):
        if path.is_file() and path.name != "attribution.csv":
            assert b"secret.example" not in path.read_bytes(), path
    assert all(metadata_in(path) == [] for path in made.path.rglob("*.png"))
    credited = list(
        csv.DictReader((made.path / "attribution.csv").read_text(encoding="utf-8").splitlines())
    )
    assert [row["author"] for row in credited] == ["A. Author"]


def test_works_that_may_not_be_changed_stay_out(full: Catalogue, settings: Settings) -> None:
    query = Query("angry person", "angry", "en", "Asian", "female", "adult", "v1")
    data = as_bytes(draw_photo(99, (300, 200)))
    sha256 = take_in(full, settings.data_dir, data, query, "nd", licence="CC BY-NC-ND 2.0")
    verdicts.add(full, [Verdict("dedup", sha256, "keep", "dedup")])
    verdicts.add(full, [Verdict("photos", sha256, "keep", "ann")])
    id_ = add_face(full, settings, sha256, 99)
    verdicts.add(full, [Verdict("faces", sha256, "keep", "ann", face=id_)])
    made = build.run(full, settings, build.Plan(per_class=4, allow_short=True))
    assert "forbids derivatives: 1" in (made.path / "README.md").read_text()
    assert made.images == 21


def damage(release: Path, kind: str) -> None:
    victim = release / "images/test/happy/happy-001.png"
    metadata = release / "metadata.csv"
    if kind == "flipped bit":
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
    elif kind == "missing":
        victim.unlink()
    elif kind == "extra":
        shutil.copy(victim, release / "images/test/happy/happy-999.png")
    elif kind == "label":
        metadata.write_text(
            metadata.read_text().replace("happy-001.png,happy", "happy-001.png,sad")
        )
    elif kind == "text in an image":
        victim.write_bytes(as_bytes(Image.open(victim), "PNG", pnginfo=said("Ann")))
    elif kind == "same photo twice":
        rows = list(csv.DictReader(metadata.read_text(encoding="utf-8").splitlines()))
        rows[1]["photo_id"] = rows[0]["photo_id"]
        metadata.write_bytes(as_csv(COLUMNS, rows))
    elif kind == "an image of another size":
        victim.write_bytes(encode_png(np.zeros((255, 256, 3), np.uint8)))
    elif kind == "no column":
        metadata.write_text(metadata.read_text().replace("photo_id", "id", 1))
    elif kind == "swapped":
        other = release / "images/test/sad/sad-001.png"
        one, two = victim.read_bytes(), other.read_bytes()
        victim.write_bytes(two)
        other.write_bytes(one)


def said(text: str) -> PngInfo:
    info = PngInfo()
    info.add_text("Author", text)
    return info


def sign(release: Path) -> Path:
    """Cover the tracks: new sums and a new name. Now only the contents can tell."""
    files = sorted(p for p in release.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(release)}\n" for p in files
    ]
    (release / "SHA256SUMS").write_text("".join(lines))
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return release.rename(release.with_name(f"btfer-{digest[:12]}"))


DAMAGE = {
    "flipped bit": "images are 256x256 RGB",
    "missing": "metadata and images are the same set",
    "extra": "metadata and images are the same set",
    "label": "labels are classes and match the folders",
    "swapped": "",
    "text in an image": "images carry no metadata",
    "same photo twice": "no image and no photo is there twice",
    "an image of another size": "images are 256x256 RGB",
    "no column": "metadata have the columns of a release",
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found(full: Catalogue, settings: Settings, kind: str) -> None:
    made = build.run(full, settings, build.Plan(per_class=2))
    damage(made.path, kind)
    wrong = {check.name for check in verify.verify(made.path) if check.problems}
    assert "no file is missing, changed or added" in wrong
    if kind != "swapped":  # a swap that is signed anew is another release, not a damaged one
        wrong = {check.name for check in verify.verify(sign(made.path)) if check.problems}
        assert DAMAGE[kind] in wrong, "found by sums alone"


def test_a_lost_crop_stops_the_release_and_leaves_nothing(
    full: Catalogue, settings: Settings
) -> None:
    for path in (settings.data_dir / "faces").rglob("*.png"):
        path.unlink()
    with pytest.raises(BtferError, match="has gone: run btfer crop repair"):
        build.run(full, settings, build.Plan(per_class=2))
    assert list((settings.data_dir / "releases").iterdir()) == []


def test_rebuild_makes_a_lost_crop_again_with_the_same_bytes(
    full: Catalogue, settings: Settings
) -> None:
    paths = sorted((settings.data_dir / "faces").rglob("*.png"))
    assert crop.rebuild(full, settings) == 0
    for path in paths:
        path.unlink()
    assert crop.rebuild(full, settings) == len(paths)
    first = [path.read_bytes() for path in paths]
    paths[0].unlink()
    crop.rebuild(full, settings)
    assert [path.read_bytes() for path in paths] == first
    assert decode_rgb(first[0]).shape == (256, 256, 3)


def test_build_stops_where_people_are_needed(cat: Catalogue, settings: Settings) -> None:
    with pytest.raises(Incomplete, match="no photos yet"):
        build.run(cat, settings, build.Plan())
    take_in(cat, settings.data_dir, as_bytes(draw_photo(1)), Query("sad", "sad"), "u")
    with pytest.raises(
        Incomplete, match="1 photo waits to be judged: btfer app, page Photos; then"
    ) as stop:
        build.run(cat, settings, build.Plan())
    assert stop.value.exit_code == 3


def test_the_funnel_adds_up(full: Catalogue, settings: Settings) -> None:
    digest = crop.crop_settings(settings).digest
    build.run(full, settings, build.Plan(per_class=2))
    lines = {(line.stage, line.what): line.total for line in funnel.funnel(full, digest)}
    assert lines["crawl", "photos"] == lines["photos", "kept by people"] == 21
    assert lines["crop", "faces cropped"] == lines["faces", "kept by people"] == 21
    assert [total for (stage, _), total in lines.items() if stage == "release"] == [14]


def test_explain_tells_the_life_of_a_released_face(full: Catalogue, settings: Settings) -> None:
    made = build.run(full, settings, build.Plan(per_class=2))
    text = "\n".join(funnel.explain(full, "happy-001.png"))
    for words in (
        "found",
        "'happy person'",
        "dedup: keep",
        "crop: keep",
        "faces: keep",
        made.path.name,
    ):
        assert words in text
    with pytest.raises(UsageError, match="names no photo or face"):
        funnel.explain(full, "ffffffffffff")


def test_verify_refuses_what_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a release"):
        verify.verify(tmp_path)


def test_release_json_tells_every_setting(full: Catalogue, settings: Settings) -> None:
    made = build.run(full, settings, build.Plan(per_class=2))
    record = json.loads((made.path / "release.json").read_text())
    assert record["settings"]["crop"]["margin_px"] == 20
    assert record["settings"]["seed"] == settings.seed


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("metadata.csv", "CC BY 4.0", "CC BY-ND 4.0", "forbids derivatives, and a crop is one"),
        ("attribution.csv", "images/", "image/", "asks for credit, attribution.csv gives none"),
        ("croissant.json", '"sha256": "', '"sha256": "0', "croissant.json says 0"),
        ("croissant.json", '"cr:FileSet"', '"cr:Files"', ""),
    ],
    ids=["licence", "credit", "another croissant", "no croissant"],
)
def test_what_was_signed_anew_but_cannot_be_right_is_found(
    full: Catalogue, settings: Settings, file: str, old: str, new: str, said: str
) -> None:
    made = build.run(full, settings, build.Plan(per_class=3))
    text = (made.path / file).read_text()
    assert old in text
    (made.path / file).write_text(text.replace(old, new, 1))
    problems = [p for check in verify.verify(sign(made.path)) for p in check.problems]
    assert any(said in problem for problem in problems), problems


def test_build_waits_for_the_last_word_on_what_people_dispute(
    full: Catalogue, settings: Settings
) -> None:
    [one, *_] = verdicts.current_in(full, "photos")
    verdicts.add(full, [Verdict("photos", one.photo, "drop", "ben", reason="text")])
    for unreviewed in ("", "keep", "drop"):
        with pytest.raises(Incomplete, match="judged 1 photos differently: settle them on"):
            build.run(full, settings, build.Plan(per_class=2, unreviewed=unreviewed))
    final = Verdict("photos", one.photo, "keep", "cleo", final=True)
    verdicts.add(full, [final])
    assert build.run(full, settings, build.Plan(per_class=2)).images == 14


def test_a_release_tells_how_many_people_gave_each_label(
    full: Catalogue, settings: Settings
) -> None:
    face = faces.accepted_with_labels(full, crop.crop_settings(settings).digest)[0]
    more = [Verdict("faces", face.photo, "keep", "ben", face=face.id)]
    verdicts.add(full, more)
    made = build.run(full, settings, build.Plan(per_class=3))
    rows = list(
        csv.DictReader((made.path / "metadata.csv").read_text(encoding="utf-8").splitlines())
    )
    votes = {row["votes"] for row in rows if row["label"] == face.expression}
    assert votes == {f"{face.expression}:1", f"{face.expression}:2"}
    assert {row["crop_distortion"] for row in rows} == {"0.900"}


def test_copies_of_one_photo_give_one_face_though_all_were_cropped_and_kept(
    full: Catalogue, settings: Settings
) -> None:
    """They were crawled and judged apart, before dedup saw that they are one picture."""
    digest = crop.crop_settings(settings).digest
    happy = [
        row.photo for row in faces.accepted_with_labels(full, digest) if row.expression == "happy"
    ]
    copies = [
        Verdict("dedup", photo, "drop", "dedup", reason="duplicate", keeper=happy[0], distance=3)
        for photo in happy[1:]
    ]
    verdicts.add(full, copies)
    with pytest.raises(Incomplete, match=r"happy +1 +1 missing"):
        build.run(full, settings, build.Plan(per_class=2))


def test_credit_goes_to_who_is_owed_it_by_an_id(full: Catalogue, settings: Settings) -> None:
    made = build.run(full, settings, build.Plan(per_class=3))
    rows = list(
        csv.DictReader((made.path / "metadata.csv").read_text(encoding="utf-8").splitlines())
    )
    [credit] = csv.DictReader(
        (made.path / "attribution.csv").read_text(encoding="utf-8").splitlines()
    )
    assert [r["file_name"] for r in rows if r["attribution_id"]] == [credit["file_name"]]
    assert credit["attribution_id"] in {row["attribution_id"] for row in rows}


def test_addresses_are_told_only_where_somebody_asked_for_them(
    full: Catalogue, settings: Settings
) -> None:
    made = build.run(full, settings, build.Plan(per_class=2, sources="with"))
    rows = list(
        csv.DictReader((made.path / "sources.csv").read_text(encoding="utf-8").splitlines())
    )
    assert len(rows) == 14
    assert all(row["url"].startswith("https://secret.example/") for row in rows)
    for path in made.path.rglob("*"):
        if path.is_file() and path.name not in ("sources.csv", "attribution.csv"):
            assert b"secret.example" not in path.read_bytes(), path
    assert [p for check in verify.verify(made.path) for p in check.problems] == []


def test_the_datasheet_tells_how_far_people_agreed(full: Catalogue, settings: Settings) -> None:
    more = [
        Verdict("photos", row.photo, "keep", "ben") for row in verdicts.current_in(full, "photos")
    ]
    verdicts.add(full, more)
    made = build.run(full, settings, build.Plan(per_class=2))
    text = (made.path / "README.md").read_text()
    assert "| photos | percent agreement | 21 | 1.000 |" in text
    assert "ben" not in text
    assert "No picture was judged by two people" not in text


def test_what_holds_in_one_pass_is_what_holds_one_by_one(
    full: Catalogue, settings: Settings
) -> None:
    """Judged twice, taken back, settled, under other crop settings."""
    digest = crop.crop_settings(settings).digest
    rows = verdicts.current_in(full, "photos")
    verdicts.undo(full, [rows[0].id], "ann")
    verdicts.undo(full, [rows[1].id], "ann")
    verdicts.add(full, [Verdict("photos", rows[1].photo, "drop", "ann", reason="text")])
    verdicts.add(full, [Verdict("photos", rows[2].photo, "drop", "ben", reason="text")])
    verdicts.add(full, [Verdict("photos", rows[3].photo, "relabel", "ben", expression="sad")])
    settled = Verdict("photos", rows[3].photo, "keep", "cleo", final=True)
    other = Verdict("crop", rows[4].photo, "drop", "crop", settings="other", reason="no face")
    verdicts.add(full, [settled, other])
    for votes in (1, 2):
        review.plan(full, votes, "")
        held = current_verdicts.current_verdicts(full, digest)
        for round_ in current_verdicts.ROUNDS:
            expected = {
                row.face or row.photo: tuple(
                    getattr(row, name) for name in current_verdicts.CurrentVerdict._fields
                )
                for row in verdicts.current_in(full, round_)
                if row.settings in ("", digest)
            }
            assert held[round_] == expected, (votes, round_)
        kept = {row.id for row in overview.read(full, digest).kept_faces()}
        taken = faces.accepted_with_labels(full, digest)
        assert kept == {row.id for row in taken if row.decision in ("keep", "relabel")}
