"""Import, dedup and crop on every engine: the same catalogue, and the same bytes of every file."""

import hashlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from btfer.catalogue import open_catalogue
from btfer.catalogue.tables import metadata
from btfer.pipeline import crop, dedup, import_photos, second_opinions, view_hashes
from btfer.sample import load_manifest, picture_path
from btfer.settings import Settings

OWN = {"id", "uid", "at", "sighting", "number"}  # numbers in the order of arrival, times
SECRET = {"secret"}  # a key of each catalogue
PICTURES = 6


def folder_of_pictures(into: Path) -> Path:
    """Pictures of the sample with copies of them, in class folders, and one that is no picture."""
    every = load_manifest()
    copied = [one for one in every if one.kind == "duplicate"][: PICTURES // 2]
    originals = [one for one in every if one.file in {copy.original for copy in copied}]
    for one in (*copied, *originals):
        path = into / one.expression / one.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture_path(one.file).read_bytes())
    (into / "happy").mkdir(exist_ok=True)
    (into / "happy" / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    return into


def run_line(settings: Settings, folder: Path) -> None:
    cat = open_catalogue(settings.catalogue_url)
    import_photos.import_folder(cat, settings, folder)
    dedup.run(cat, settings)
    crop.run(cat, settings, unreviewed="keep")
    cat.close()


def rows_of(settings: Settings) -> dict[str, list[str]]:
    """All rows of all tables, without what each catalogue has of its own."""
    cat = open_catalogue(settings.catalogue_url)
    found = {}
    for table in metadata.sorted_tables:
        if table.name not in SECRET:
            columns = [one for one in table.c if one.name not in OWN]
            rows = cat.rows(sa.select(*columns))
            found[table.name] = sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
    cat.close()
    return found


def files_of(settings: Settings) -> dict[str, str]:
    """The sha256 of every photo, thumbnail and face, by its path."""
    return {
        str(path.relative_to(settings.data_dir)): hashlib.sha256(path.read_bytes()).hexdigest()
        for kind in ("photos", "thumbnails", "faces")
        for path in (settings.data_dir / kind).rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_every_engine_gives_the_same_rows_and_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(view_hashes, "IN_PROCESSES_FROM", 0)
    monkeypatch.setattr(second_opinions, "WORKERS_FROM_PAIRS", 0)
    folder = folder_of_pictures(tmp_path / "faces ? 1")
    found = {}
    for engine in ("serial", "processes", "ray"):
        settings = Settings(data_dir=Path(engine), engine=engine, workers=2)  # type: ignore[arg-type]
        run_line(settings, folder)
        found[engine] = rows_of(settings), files_of(settings)
    rows, files = found["serial"]
    assert len(rows["photo"]) == PICTURES
    assert len(rows["face"]) >= PICTURES // 2
    assert any('"duplicate"' in row for row in rows["verdict"])
    assert {Path(name).parts[0] for name in files} == {"photos", "thumbnails", "faces"}
    assert found["processes"] == found["serial"]
    assert found["ray"] == found["serial"]
