"""Forgetting all of it, by every name that it has, and saying what was done by whichever run of the command."""

import csv
import json
import os
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from btfer.catalogue import Catalogue, erasures, photos
from btfer.catalogue.journal import Query
from btfer.cli import app
from btfer.errors import Busy, UsageError
from btfer.files import only_one
from btfer.paths import face_path
from btfer.pipeline.forget import (
    ErasurePlan,
    Forgotten,
    check_forgotten,
    erase,
    forget,
    open_entries,
    preview,
)
from btfer.pipeline.import_photos import import_folder
from btfer.pipeline.release_images import photo_pseudonym
from btfer.release_record import ONLY
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in
from tests.pipeline.test_forget import photo_of
from tests.pipeline.test_forget_safe import all_photos, face_at, holds, make, scored
from tests.pipeline.test_release import full

__all__ = ["full"]  # the fixture

SAD = "test/sad/sad-001.png"


def token_of(made: Path, file: str = SAD) -> str:
    page = (made / "optout.html").read_text()
    found = re.search(rf"<code>images/{file}</code></th><td>(\w+)</td>", page)
    assert found
    return found[1]


@pytest.mark.parametrize("kind", ["released image", "crop"])
def test_an_image_of_a_release_that_was_imported_as_a_photo_goes_too(
    full: Catalogue, settings: Settings, kind: str
) -> None:
    made = make(full, settings)
    face = face_at(full, made, SAD)
    path = made / "images" / SAD if kind == "released image" else face_path(settings.data_dir, face)
    original, others = photo_of(full, face), all_photos(full)
    copy = take_in(full, settings.data_dir, path.read_bytes(), Query("sad"), "file:///mine/a.png")
    done = forget(full, settings, [f"{made.name}/sad-001.png"])
    assert (done.photos, done.left) == (2, ())
    assert all_photos(full) == others - {original}
    assert holds(settings, copy) == []


def test_forgetting_an_imported_image_forgets_the_photo_that_it_was_cut_from(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    original, others = photo_of(full, face_at(full, made, SAD)), all_photos(full)
    image = (made / "images" / SAD).read_bytes()
    take_in(full, settings.data_dir, image, Query("sad"), "https://mine.example/a.png")
    done = forget(full, settings, ["https://mine.example/a.png"])
    assert (done.photos, done.left) == (2, ())
    assert all_photos(full) == others - {original}


def test_the_token_of_the_opt_out_page_names_its_image(full: Catalogue, settings: Settings) -> None:
    made = make(full, settings)
    original, others = photo_of(full, face_at(full, made, SAD)), all_photos(full)
    token = token_of(made)
    assert forget(full, settings, [token.lower()]).photos == 1
    assert all_photos(full) == others - {original}
    assert forget(full, settings, [token]).done_before
    with pytest.raises(UsageError, match="is the token of no image"):
        forget(full, settings, ["A" * 15 + "Q"])


def test_a_token_of_a_release_that_was_made_elsewhere_is_read_from_its_page(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    page = made / "optout.html"
    page.write_text(page.read_text().replace(token_of(made), "ZZZZZZZZ22222222"))
    original = photo_of(full, face_at(full, made, SAD))
    found = preview(full, settings, ["ZZZZZZZZ22222222"])
    assert isinstance(found, ErasurePlan)
    assert found.entry.photos == (original,)


def test_a_report_says_what_a_run_did_that_was_stopped(
    full: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(full, settings)
    run = scored(settings, made)
    copy = shutil.copytree(made, settings.data_dir / "training" / "ours")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erase.compact, "compact", stop)
        with pytest.raises(KeyboardInterrupt):
            forget(full, settings, ["sad-001.png"])
    done = forget(full, settings)
    assert (done.photos, done.faces, done.predictions, done.left) == (1, 1, 1, ())
    assert any(str(copy) in one for one in done.notes)
    assert done.report is not None
    report = json.loads(done.report.read_text())
    assert (report["photos"], report["predictions"], report["notes"]) == (1, 1, list(done.notes))
    assert json.loads((run / "run.json").read_text())["forgotten"] == 1


def test_the_same_photo_by_another_name_was_done_before_and_is_told_when(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    face = face_at(full, made, SAD)
    sha256 = photo_of(full, face)
    [seen] = photos.sightings(full, sha256)
    others = [
        sha256.upper(),
        sha256[:10],
        face,
        seen.url,
        f"{made.name}/images/{SAD}",
        photo_pseudonym(full, sha256),
        token_of(made),
    ]
    forget(full, settings, [f"{made.name}/sad-001.png"])
    rest = all_photos(full)
    for other in others:
        done = forget(full, settings, [other])
        assert done.lines()[0].startswith("already done on 20"), other
        assert not isinstance(preview(full, settings, [other]), ErasurePlan), other
    assert all_photos(full) == rest


def test_a_look_at_a_bare_name_that_was_forgotten_shows_nobody_else(
    full: Catalogue, settings: Settings
) -> None:
    make(full, settings)
    forget(full, settings, ["sad-001.png"])
    found = preview(full, settings, ["sad-001.png"])
    assert isinstance(found, Forgotten)
    assert found.done_before


def test_what_somebody_packed_or_linked_is_found_and_named(
    full: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    made = make(full, settings)
    outside = tmp_path / "outside"
    shutil.copytree(made / "images", outside)
    exports = settings.data_dir / "exports"
    (exports / "deeper").mkdir(parents=True)
    (exports / "deeper" / "link").symlink_to(outside)
    (exports / "all").symlink_to(settings.data_dir)  # round and round
    (exports / "nowhere").symlink_to(exports / "gone")
    shared = settings.data_dir / "training" / "shared"
    shared.parent.mkdir()
    shared.symlink_to(shutil.copytree(outside, tmp_path / "of everybody"))
    with zipfile.ZipFile(exports / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(made / "images" / SAD, "any name.png")
    with zipfile.ZipFile(exports / "listed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", f"see {photo_of(full, face_at(full, made, SAD))}")
    with tarfile.open(exports / "set.tgz", "w:gz") as archive:
        archive.add(made / "images" / SAD, "x.png")
    with zipfile.ZipFile(exports / "others.zip", "w") as archive:
        archive.write(made / "images/test/sad/sad-002.png", "sad-002.png")
    done = forget(full, settings, [f"{made.name}/sad-001.png"])
    named = {"deeper/link/test/sad/sad-001.png", "set.zip", "listed.zip", "set.tgz"}
    assert len(done.left) == 5
    assert (shared / SAD).exists(), "what lies elsewhere is other people's too"
    assert all(any(str(exports / name) in one for one in done.left) for name in named)
    assert [one.split(":")[0] for one in done.unsearched] == [str(exports / "all")]
    shutil.rmtree(exports)
    shared.unlink()
    assert (forget(full, settings).left, open_entries(settings.data_dir)) == ((), [])


def test_an_archive_that_cannot_be_read_is_named_and_the_exit_code_says_so(
    full: Catalogue, settings: Settings
) -> None:
    (settings.data_dir / "old.7z").write_bytes(b"7z")
    (settings.data_dir / "broken.zip").write_bytes(b"PK\x03\x04")
    (settings.data_dir / "empty.tar.gz").write_bytes(b"")
    with zipfile.ZipFile(settings.data_dir / "nested.zip", "w") as archive:
        archive.writestr("inner.zip", b"PK")
    odd = os.fsdecode(b"\xff\n.rar")
    (settings.data_dir / odd).write_bytes(b"")
    words = ["--data-dir", str(settings.data_dir), "forget", min(all_photos(full)), "--yes"]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 1, found.output
    assert found.output.count("not searched: ") == 5
    assert open_entries(settings.data_dir) == [], "it is done: nothing is known to be left"


def test_images_in_a_training_folder_without_any_table_are_deleted(
    full: Catalogue, settings: Settings
) -> None:
    made = make(full, settings)
    mine = settings.data_dir / "training" / "mine" / "sad"
    mine.mkdir(parents=True)
    shutil.copy(made / "images" / SAD, mine / "a.png")
    shutil.copy(made / "images/test/sad/sad-002.png", mine / "b.png")
    assert forget(full, settings, [f"{made.name}/sad-001.png"]).left == ()
    assert [one.name for one in mine.iterdir()] == ["b.png"]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_an_image_in_a_compressed_table_of_a_training_set_is_found_and_named(
    full: Catalogue, settings: Settings, kind: str
) -> None:
    made = make(full, settings)
    shown = [(made / "images" / one).read_bytes() for one in (SAD, "test/sad/sad-002.png")]
    training = settings.data_dir / "training"
    for name, images in (("theirs", shown[:1]), ("others", shown[1:])):
        (training / name).mkdir(parents=True)
        # Before each, what makes even bytes that are compressed already other ones.
        rows = [{"bytes": one, "path": "x.png"} for one in (b"0" * 5_000, *images)]
        table = pa.table({"image": rows, "label": [0] * len(rows)})
        to = training / name / f"train-00000-of-00001.{kind}"
        if kind == "parquet":
            pq.write_table(table, to, compression="gzip")
        else:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_stream(to, table.schema, options=options) as writer:
                writer.write_table(table)
    done = forget(full, settings, [f"{made.name}/sad-001.png"])
    file = training / "theirs" / f"train-00000-of-00001.{kind}"
    assert done.left == (f"{file}: names or shows it",)
    shutil.rmtree(training)
    assert forget(full, settings).left == ()


@pytest.mark.slow
@pytest.mark.parametrize("sources", ["without", ONLY])
@pytest.mark.parametrize("way", ["URL", "FILE", "BARE"])
def test_a_release_that_came_back_from_a_backup_is_found_by_every_name(
    full: Catalogue, settings: Settings, tmp_path: Path, way: str, sources: str
) -> None:
    made = make(full, settings, sources=sources)
    sha256 = photo_of(full, face_at(full, made, SAD))
    [seen] = photos.sightings(full, sha256)
    kept = shutil.copytree(made, tmp_path / "backup")
    asked = {"URL": seen.url, "FILE": f"{made.name}/sad-001.png", "BARE": "sad-001.png"}[way]
    forget(full, settings, [asked])
    rest = all_photos(full)
    assert check_forgotten(full, settings).problems == []
    shutil.copytree(kept, made)
    [problem] = check_forgotten(full, settings).problems
    assert f"run btfer forget {made.name}/sad-001.png" in problem
    done = forget(full, settings, [asked])
    assert (done.done_before, done.left) == ("", ())
    assert SAD not in "".join(path.as_posix() for path in made.rglob("*"))
    assert all_photos(full) == rest
    assert forget(full, settings, [asked]).done_before


def test_rows_of_pairs_and_exports_go_and_the_plot_that_was_made_of_them(
    full: Catalogue, settings: Settings
) -> None:
    url = "https://secret.example/4.jpg"
    [sha256] = photos.shown_at(full, [url])
    one, other = sorted(all_photos(full) - {sha256})[:2]
    pairs = settings.data_dir / "pairs.csv"
    lines = ["a;b;same", f"{one[:8]};4.jpg;no", f"{sha256[:7]};{other};no", f"{one};{other};no"]
    pairs.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    export = settings.data_dir / "lists" / "verdicts.csv"
    export.parent.mkdir()
    export.write_text(f"photo,decision\n{sha256},keep\n{one},keep\n")
    plot = settings.data_dir / "calibration.png"
    plot.write_bytes(b"")
    found = preview(full, settings, [url])
    assert f"list {pairs}: 2 rows" in list(found.lines())
    assert f"{plot}, all of it" in list(found.lines())
    done = forget(full, settings, [url])
    assert (done.listed, done.left) == (3, ())
    assert pairs.read_bytes().decode("utf-8-sig") == f"a;b;same\r\n{one};{other};no\r\n"
    assert list(csv.reader(export.read_text().splitlines())) == [
        ["photo", "decision"],
        [one, "keep"],
    ]
    assert not plot.exists()


def test_a_table_that_a_spreadsheet_saved_as_utf_16_loses_the_row_and_a_note_in_it_is_found(
    full: Catalogue, settings: Settings
) -> None:
    url = "https://secret.example/4.jpg"
    [sha256] = photos.shown_at(full, [url])
    other = min(all_photos(full) - {sha256})
    export = settings.data_dir / "verdicts.csv"
    text = "photo\tnote\r\n{}{}\tschön\r\n"
    export.write_bytes(text.format(f"{sha256}\tweg\r\n", other).encode("utf-16"))
    note = settings.data_dir / "notes.txt"
    note.write_bytes(f"see {sha256}".encode("utf-16"))
    done = forget(full, settings, [url])
    assert export.read_bytes() == text.format("", other).encode("utf-16")
    assert done.left == (f"{note}: names or shows it",)


def test_the_plot_of_a_calibration_on_other_photos_stays(
    full: Catalogue, settings: Settings
) -> None:
    plot = settings.data_dir / "calibration.png"
    plot.write_bytes(b"")
    forget(full, settings, ["https://secret.example/4.jpg"])
    assert plot.exists()


def test_a_crawl_is_locked_out_while_deletion_runs_and_is_told_by_whom(
    full: Catalogue, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def import_meanwhile(cat: Catalogue, settings: Settings, entry: object) -> object:
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "a.jpg").write_bytes(b"")
        with pytest.raises(Busy) as error:
            import_folder(cat, settings, tmp_path / "more")
        heard.append(str(error.value))
        return really(cat, settings, entry)

    really = erase.delete
    monkeypatch.setattr(erase, "delete", import_meanwhile)
    forget(full, settings, ["https://secret.example/4.jpg"])
    assert heard == [
        f"'btfer forget' is working in {settings.data_dir}: wait until it ends, or stop it"
    ]


def test_forgetting_waits_for_a_crawl_and_says_that_it_is_written_down(
    full: Catalogue, settings: Settings
) -> None:
    before = all_photos(full)
    with only_one(settings.data_dir, "crawl"), pytest.raises(Busy, match="run btfer forget then"):
        forget(full, settings, ["https://secret.example/4.jpg"])
    assert all_photos(full) == before
    assert len(open_entries(settings.data_dir)) == 1
    assert forget(full, settings).photos == 1


def test_an_erasure_of_an_earlier_version_is_known_and_what_is_not_known_of_it_is_said(
    full: Catalogue, settings: Settings
) -> None:
    url = "https://secret.example/gone.jpg"
    erasures.begin(full, "0123456789ab", erasures.mark_of(full, [url]), [url, "ab" * 32], [])
    erasures.finish(full, "0123456789ab", {})
    for asked in (url, "ab" * 32):
        done = forget(full, settings, [asked])
        assert done.done_before
        assert "were done by an earlier btfer" in "\n".join(done.lines())
    assert "were done by an earlier btfer" in check_forgotten(full, settings).notes[0]


def test_a_name_that_a_tombstone_has_is_refused_also_without_marks_of_images(
    full: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(full, settings)
    forget(full, settings, [f"{made.name}/sad-001.png"])
    monkeypatch.setattr(erasures, "has_lost", lambda *_: False)
    rest = all_photos(full)
    with pytest.raises(UsageError, match="name the release"):
        forget(full, settings, ["sad-001.png"])
    assert all_photos(full) == rest


def test_a_photo_id_of_a_release_names_its_photo(full: Catalogue, settings: Settings) -> None:
    made = make(full, settings)
    sha256 = photo_of(full, face_at(full, made, SAD))
    rows = list(csv.DictReader((made / "metadata.csv").read_text().splitlines()))
    [photo_id] = [row["photo_id"] for row in rows if row["file_name"] == f"images/{SAD}"]
    found = preview(full, settings, [photo_id])
    assert isinstance(found, ErasurePlan)
    assert found.entry.photos == (sha256,)
    assert forget(full, settings, [photo_id]).photos == 1


def test_an_address_that_is_nowhere_is_not_called_forgotten_photos(
    full: Catalogue, settings: Settings
) -> None:
    assert forget(full, settings, ["https://elsewhere.example/a.jpg"]).lines() == [
        "nothing of it is here; it is refused from now on"
    ]


@pytest.mark.parametrize("record", ["[]", '{"release": [], "training": [1], "definition": 3}'])
def test_a_run_with_an_odd_record_stops_no_erasure(
    full: Catalogue, settings: Settings, record: str
) -> None:
    run = scored(settings, make(full, settings))
    (run / "run.json").write_text(record)
    done = forget(full, settings, ["sad-001.png"])
    assert done.photos == 1


def test_a_link_to_itself_is_named_and_stops_nothing(full: Catalogue, settings: Settings) -> None:
    (settings.data_dir / "odd").mkdir()
    (settings.data_dir / "odd" / "self").symlink_to("self")
    done = forget(full, settings, ["https://secret.example/4.jpg"])
    assert (done.photos, done.left, len(done.unsearched)) == (1, (), 1)


def test_answers_of_pairs_are_not_taken_for_names(full: Catalogue, settings: Settings) -> None:
    url = "https://other.example/no"
    take_in(full, settings.data_dir, as_bytes(draw_photo(91)), Query("sad"), url)
    one, other = sorted(all_photos(full) - photos.shown_at(full, [url]))[:2]
    pairs = settings.data_dir / "pairs.csv"
    pairs.write_text(f"a,b,same\n{one},{other},no\n")
    assert forget(full, settings, [url]).listed == 0
    assert other in pairs.read_text()


def test_first_digits_are_known_again_but_nothing_is_deleted_by_them(full: Catalogue) -> None:
    erasures.remember(full, "0123456789ab", ["ab" * 32])
    for digits in ("ab" * 32, "ab" * 20, "ab" * 5, "ab" * 4):
        assert digits in erasures.forgotten_at(full, [digits])
    assert erasures.forgotten_at(full, ["ab" * 5 + "cd", "abcdabcd"], exact=True) == {}
    assert erasures.forgotten_at(full, ["ab" * 3, "cd" * 32]) == {}
