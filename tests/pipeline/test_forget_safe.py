"""Forgetting the right person, all of it, and saying what is left."""

import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from PIL import Image, ImageOps
from typer.testing import CliRunner

from btfer.catalogue import Catalogue, erasures, open_catalogue, photos, releases, withdrawals
from btfer.catalogue import compact as compacting
from btfer.catalogue.tables import release as release_table
from btfer.catalogue.tables import release_face
from btfer.cli import app
from btfer.errors import Incomplete, UsageError
from btfer.paths import face_path, photo_path, thumbnail_path
from btfer.pipeline import build, verify
from btfer.pipeline.forget import Forgotten, forget, open_entries, preview
from btfer.pipeline.import_photos import import_folder
from btfer.release_record import ONLY, WITH
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo
from tests.pipeline.test_forget import photo_of, places, released
from tests.pipeline.test_release import full

__all__ = ["full"]  # the fixture


def make(full: Catalogue, settings: Settings, **plan: object) -> Path:
    return build.run(full, settings, build.Plan(**{"per_class": 2} | plan)).path  # type: ignore[arg-type]


def face_at(cat: Catalogue, made: Path, file: str) -> str:
    return next(one.face for one in releases.faces_in(cat, made.name) if one.file == file)


def all_photos(cat: Catalogue) -> set[str]:
    return {one.sha256 for one in photos.find(cat, "")}


def holds(settings: Settings, sha256: str) -> list[Path]:
    return [
        *places(settings.data_dir, sha256.encode()),
        *places(settings.data_dir, sha256[:24].encode()),
    ]


def orphan(cat: Catalogue, name: str) -> None:
    """As if the row had never been written, or an old database restored."""
    with cat.write() as connection:
        connection.execute(sa.delete(release_face).where(release_face.c.release == name))
        connection.execute(sa.delete(release_table).where(release_table.c.name == name))


def test_the_same_request_again_deletes_nobody_else(full: Catalogue, settings: Settings) -> None:
    """The name is another person's by then, who took the place."""
    made = make(full, settings)
    asked = ["sad-001.png"]
    assert forget(full, settings, asked).photos == 1
    rest = all_photos(full)
    again = forget(full, settings, asked)
    assert again.done_before
    assert again.photos == 0
    assert "already done on 20" in again.lines()[0]
    assert all_photos(full) == rest
    assert not made.exists()


def test_a_name_that_two_releases_have_must_name_one(full: Catalogue, settings: Settings) -> None:
    first, second = make(full, settings), make(full, settings, name="other", per_class=1)
    with pytest.raises(UsageError, match="is an image of 2 releases") as error:
        forget(full, settings, ["sad-001.png"])
    assert f"{first.name}/sad-001.png" in str(error.value)
    victim = photo_of(full, face_at(full, first, "test/sad/sad-002.png"))
    stays = photo_of(full, face_at(full, second, "test/sad/sad-001.png"))
    digest = first.name.rpartition("-")[2]
    assert forget(full, settings, [f"{digest}/sad-002.png"]).photos == 1
    assert victim not in all_photos(full)
    assert stays in all_photos(full)
    assert second.exists(), "it did not hold the face"


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        ("a", "8 or more"),
        ("abcdef0", "8 or more"),
        ("0000000000", "names no photo or face"),
        ("nobody.png", "no release has it"),
        ("what is this", "names no photo or face"),
    ],
)
def test_what_names_nobody_for_certain_is_refused(
    full: Catalogue, settings: Settings, thing: str, says: str
) -> None:
    before = all_photos(full)
    with pytest.raises(UsageError, match=says):
        forget(full, settings, [thing])
    assert all_photos(full) == before
    assert open_entries(settings.data_dir) == []


def test_the_command_asks_first_and_refuses_where_nobody_can_answer(
    full: Catalogue, settings: Settings
) -> None:
    sha256 = min(all_photos(full))
    run = CliRunner()
    base = ["--data-dir", str(settings.data_dir), "forget"]
    looked = run.invoke(app, [*base, sha256, "--dry-run"])
    assert looked.exit_code == 0, looked.output
    assert f"photo {sha256} https://secret.example/" in looked.output
    refused = run.invoke(app, [*base, sha256])
    assert isinstance(refused.exception, UsageError)
    assert "add --yes" in str(refused.exception)
    assert sha256 in all_photos(full)
    short = run.invoke(app, [*base, "a", "--yes"])
    assert isinstance(short.exception, UsageError)
    done = run.invoke(app, [*base, sha256[:12], "--yes", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["photos"] == 1
    assert sha256 not in all_photos(full)


def test_a_look_lists_everything_and_deletes_nothing(full: Catalogue, settings: Settings) -> None:
    made = make(full, settings)
    face = face_at(full, made, "test/sad/sad-001.png")
    run = scored(settings, made)
    (settings.data_dir / "reports").mkdir()
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    lines = "\n".join(preview(full, settings, [face]).lines())
    for told in (
        photo_of(full, face),
        f"face {face}",
        f"release {made.name}: test/sad/sad-001.png",
    ):
        assert told in lines
    assert f"{run / 'predictions_btfer.parquet'}: 1 rows" in lines
    assert "reports, all of it" in lines
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before
    assert open_entries(settings.data_dir) == []


def scored(settings: Settings, made: Path, run: str = "0123456789ab") -> Path:
    """A run whose predictions on a release are there."""
    folder = settings.data_dir / "runs" / run
    folder.mkdir(parents=True)
    pd.DataFrame({"file": list(released(made)), "p": 0.5}).to_parquet(
        folder / "predictions_btfer.parquet", index=False
    )
    record = {"id": run, "release": {"name": made.name, "digest": "0"}, "metrics": {"a": 1}}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def test_predictions_lose_the_rows_of_the_face_also_those_on_earlier_versions(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    run = scored(settings, made)
    first = forget(full, settings, ["sad-001.png"])
    table = pd.read_parquet(run / "predictions_btfer.parquet")
    assert (first.predictions, len(table)) == (1, 13)
    assert "images/test/sad/sad-001.png" not in set(table["file"])
    record = json.loads((run / "run.json").read_text())
    assert (record["forgotten"], record["metrics"]) == (1, {"a": 1})
    new = first.releases[made.name]
    forget(full, settings, [f"{new}/happy-002.png"])
    table = pd.read_parquet(run / "predictions_btfer.parquet")
    assert len(table) == 12
    assert json.loads((run / "run.json").read_text())["forgotten"] == 2


def test_bundles_of_the_release_are_deleted_and_named_and_others_stay(
    full: Catalogue, settings: Settings
) -> None:
    made, other = make(full, settings), make(full, settings, name="other", per_class=1)
    folder = settings.data_dir / "bundles"
    folder.mkdir()
    for release in (made, other):
        with zipfile.ZipFile(folder / f"{release.name}.zip", "w") as archive:
            archive.writestr("card.json", json.dumps({"release": {"name": release.name}}))
    (folder / "strange.zip").write_bytes(b"no zip")
    looked = "\n".join(preview(full, settings, [f"{made.name}/sad-002.png"]).lines())
    assert f"{made.name}.zip" in looked
    done = forget(full, settings, [f"{made.name}/sad-002.png"])
    assert sorted(one.name for one in folder.iterdir()) == [f"{other.name}.zip", "strange.zip"]
    [note] = [one for one in done.notes if "bundles" in one and "is deleted" in one]
    assert "btfer bench submit" in note


def test_predictions_on_a_release_as_another_training_set_lose_the_row_too(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    run = scored(settings, made)
    table = (run / "predictions_btfer.parquet").rename(run / "predictions_set-0123.parquet")
    others = {made.name: {"digest": "0123", "predictions": table.name, "scores": {}}}
    (run / "run.json").write_text(json.dumps({"id": run.name, "other_sets": others}))
    assert forget(full, settings, ["sad-001.png"]).predictions == 1
    assert "images/test/sad/sad-001.png" not in set(pd.read_parquet(table)["file"])


def test_a_release_of_addresses_gets_a_next_version_too_without_any_crop(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings, sources=ONLY)
    victim = face_at(full, made, "test/sad/sad-001.png")
    for one in releases.faces_in(full, made.name):
        if one.face != victim:
            face_path(settings.data_dir, one.face).unlink()
    done = forget(full, settings, [victim])
    new = made.with_name(str(done.releases[made.name]))
    assert (done.left, made.exists()) == ((), False)
    assert [problem for check in verify.verify(new) for problem in check.problems] == []
    assert released(new).keys() == {
        f"images/test/{label}/{label}-00{n}.png"
        for label in set(released(new).values())
        for n in (1, 2)
    }


def damage_record(made: Path) -> None:
    (made / "release.json").write_text("{")


def damage_metadata(made: Path) -> None:
    path = made / "metadata.csv"
    path.write_bytes(b"\xff\xfe" + path.read_bytes())


def damage_metadata_rows(made: Path) -> None:
    path = made / "metadata.csv"
    path.write_bytes(path.read_bytes().replace(b"happy", b"h\xe4ppy"))


def lose_an_image(made: Path) -> None:
    (made / "images/test/happy/happy-001.png").write_bytes(b"other")


def lose_sums(made: Path) -> None:
    (made / "SHA256SUMS").unlink()


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["recorded", "orphan"])
@pytest.mark.parametrize("sources", [WITH, "without"])
@pytest.mark.parametrize(
    "damage", [damage_record, damage_metadata, damage_metadata_rows, lose_sums, lose_an_image]
)
def test_a_damaged_release_loses_the_face_all_the_same_and_is_named(
    full: Catalogue, settings: Settings, damage: object, sources: str, *, known: bool
) -> None:
    made = make(full, settings, sources=sources, formats=["parquet"])
    face = face_at(full, made, "test/sad/sad-001.png")
    if damage is lose_an_image:  # the crop would do instead
        face_path(settings.data_dir, face_at(full, made, "test/happy/happy-001.png")).unlink()
    damage(made)  # type: ignore[operator]
    if not known:
        orphan(full, made.name)
    sha256, others = photo_of(full, face), all_photos(full)
    done = forget(full, settings, [sha256])
    assert done.left == ()
    assert all_photos(full) == others - {sha256}
    assert not (made / "images/test/sad/sad-001.png").exists()
    assert (made / "images/test/sad/sad-002.png").exists(), "others stay"
    assert not (made / "contact_sheet.png").exists()
    assert holds(settings, sha256) == []
    assert places(made, b"images/test/sad/sad-001.png") == []
    assert any(one.startswith(f"{made.name} has no next version") for one in done.notes)
    assert open_entries(settings.data_dir) == []


def test_a_folder_that_the_catalogue_does_not_know_loses_the_face_and_gets_a_next_version(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    face = face_at(full, made, "test/sad/sad-001.png")
    orphan(full, made.name)
    sha256 = photo_of(full, face)
    with pytest.raises(UsageError, match="no release has it"):
        forget(full, settings, ["sad-099.png"])
    done = forget(full, settings, [f"{made.name}/sad-001.png"])
    assert sha256 not in all_photos(full)
    new = made.with_name(str(done.releases[made.name]))
    assert (done.left, made.exists()) == ((), False)
    assert [problem for check in verify.verify(new) for problem in check.problems] == []


def test_what_fails_after_deletion_keeps_no_byte_and_a_rerun_ends_it(
    full: Catalogue, settings: Settings
) -> None:
    """The crop of the face that is to take the place is missing."""
    made = make(full, settings)
    face = face_at(full, made, "test/sad/sad-001.png")
    sha256 = photo_of(full, face)
    spare = next(
        one
        for one in (settings.data_dir / "faces").rglob("*.png")
        if one.stem not in {each.face for each in releases.faces_in(full, made.name)}
        and photos.labels(full)[photo_of(full, one.stem)].expression == "sad"
    )
    kept = spare.rename(spare.with_name("aside"))
    done = forget(full, settings, [face])
    assert len(done.left) == 1
    assert made.name in done.left[0]
    assert "btfer crop repair" in done.left[0]
    assert not (made / "images/test/sad/sad-001.png").exists()
    [entry] = open_entries(settings.data_dir)
    assert {path.name for path in holds(settings, sha256)} == {f"open-{entry.id}.json"}
    with pytest.raises(Incomplete, match="run btfer forget"):
        build.run(full, settings, build.Plan(per_class=2))
    kept.rename(spare)
    again = forget(full, settings)
    assert again.left == ()
    new = made.with_name(str(again.releases[made.name]))
    assert len(released(new)) == 14
    assert holds(settings, sha256) == []
    with pytest.raises(UsageError, match="nothing to forget"):
        forget(full, settings)


def test_a_reader_of_the_catalogue_is_named_and_nothing_is_called_done(
    full: Catalogue, settings: Settings
) -> None:
    sha256 = min(all_photos(full))
    app_ = open_catalogue(settings.catalogue_url)
    with app_.read() as reader:
        reader.execute(sa.select(release_table)).all()
        done = forget(full, settings, [sha256], wait_s=0.1)
        assert any(compacting.READER in one for one in done.left)
        assert erasures.done_at(full, [sha256]) == ""
    app_.close()
    again = forget(full, settings, [sha256], wait_s=0.1)
    assert again.left == ()
    assert holds(settings, sha256) == []


def test_what_is_left_elsewhere_in_the_data_folder_is_named(
    full: Catalogue, settings: Settings
) -> None:
    log = settings.data_dir / "btfer.log"
    log.write_text("fetched https://secret.example/4.jpg\n")
    done = forget(full, settings, ["https://secret.example/4.jpg"])
    assert [one for one in done.left if one.startswith(str(log))] == list(done.left)
    log.unlink()
    assert forget(full, settings, ["https://secret.example/4.jpg"]).left == ()


def test_an_address_that_is_not_here_is_refused_from_now_on_and_nothing_else_changes(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    report = settings.data_dir / "reports" / "index.html"
    report.parent.mkdir()
    report.write_text("of other photos")
    url = "https://elsewhere.example/me.jpg"
    assert forget(full, settings, [url]) == Forgotten()
    assert withdrawals.among(full, [url]) == {url}
    assert made.exists()
    assert report.exists()
    assert forget(full, settings, [url]).done_before


@pytest.mark.parametrize(
    "change", [("https://", "http://www."), ("/7.jpg", "/7.JPG"), (".jpg", ".jpg/")]
)
def test_an_address_that_is_nearly_here_is_not_called_gone(
    full: Catalogue, settings: Settings, change: tuple[str, str]
) -> None:
    """A person copies an address from the browser: deleted is only what it names, but it is not said to be nowhere."""
    make(full, settings, sources=WITH)
    before = all_photos(full)
    url = "https://secret.example/7.jpg"
    asked = url.replace(*change)
    with pytest.raises(UsageError, match="give it as it stands here") as why:
        forget(full, settings, [asked])
    assert url in str(why.value)
    assert all_photos(full) == before
    assert withdrawals.since(full, [asked]) == {}
    assert forget(full, settings, [url.replace("https://", "HTTPS://")]).photos == 1


def test_a_look_at_an_address_that_is_not_here_says_so(
    full: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTFER_DATA_DIR", str(settings.data_dir))
    seen = CliRunner().invoke(app, ["forget", "https://nowhere.example/a.jpg", "--dry-run"])
    assert seen.output.strip() == "nothing of it is here; it would be refused from now on"


def test_a_name_that_others_have_too_is_not_called_left(
    full: Catalogue, settings: Settings
) -> None:
    """In a release from elsewhere, of whose photos the catalogue knows nothing."""
    foreign = settings.data_dir / "releases" / "foreign"
    foreign.mkdir(parents=True)
    (foreign / "sources.csv").write_text(
        "file_name,url,page_url\nimages/test/sad/sad-001.png,https://secret.example/0.jpg2,https://secret.example/page\n"
    )
    assert forget(full, settings, ["https://secret.example/0.jpg"]).left == ()
    assert "0.jpg2" in (foreign / "sources.csv").read_text()


def test_the_report_names_nobody(full: Catalogue, settings: Settings) -> None:
    make(full, settings)
    sha256 = photos.shown_at(full, ["https://secret.example/4.jpg"])
    done = forget(full, settings, ["https://secret.example/4.jpg"])
    assert done.report is not None
    text = done.report.read_text()
    assert json.loads(text)["finished"] is True
    assert "secret.example" not in text
    assert not any(one in text for one in sha256)


def copies(tmp_path: Path, original: Image.Image) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir()
    kinds = {
        "re-encoded.jpg": as_bytes(original, quality=60),
        "resized.jpg": as_bytes(original.resize((210, 140)), quality=90),
        "other-format.png": as_bytes(original, "PNG"),
        "mirrored.jpg": as_bytes(ImageOps.mirror(original), quality=90),
        "grey.jpg": as_bytes(original.convert("L"), quality=90),
    }
    for name, data in kinds.items():
        (folder / name).write_bytes(data)
    (folder / "somebody-else.jpg").write_bytes(as_bytes(draw_photo(77, (300, 200)), quality=90))
    return folder


def test_changed_copies_of_a_forgotten_photo_are_refused(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    forget(full, settings, ["https://secret.example/4.jpg"])
    outcome = import_folder(full, settings, copies(tmp_path, draw_photo(4, (300, 200))))
    assert outcome.refused == {"withdrawn": 5}
    [new] = photos.shown_at(full, [(tmp_path / "copies/somebody-else.jpg").as_uri()])
    assert photo_path(settings.data_dir, new, "jpg").exists()
    assert thumbnail_path(settings.data_dir, new).exists()


def test_building_anew_changes_one_image_and_no_number(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    made = make(full, settings)
    before = {path.name: path.read_bytes() for path in (made / "images").rglob("*.png")}
    done = forget(full, settings, [f"{made.name}/sad-001.png"])
    next_version = made.with_name(str(done.releases[made.name]))
    anew = make(full, settings)
    after = {path.name: path.read_bytes() for path in (anew / "images").rglob("*.png")}
    assert {name for name in before if before[name] != after[name]} == {"sad-001.png"}
    assert (anew / "metadata.csv").read_bytes() == (next_version / "metadata.csv").read_bytes()


def test_a_training_set_that_is_a_copy_of_a_release_loses_the_face(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    copy = settings.data_dir / "training" / "ours"
    shutil.copytree(made, copy)
    done = forget(full, settings, [f"{made.name}/sad-001.png"])
    assert done.left == ()
    assert not (copy / "images/test/sad/sad-001.png").exists()
    assert (copy / "images/test/sad/sad-002.png").exists()
    assert any("training set" in one for one in done.notes)


def test_two_erasures_are_one_answer() -> None:
    both = Forgotten(1, 2, {"a": "b"}) + Forgotten(2, 2, {"c": None}, left=("x",))
    assert (both.photos, both.releases, both.left) == (3, {"a": "b", "c": None}, ("x",))
