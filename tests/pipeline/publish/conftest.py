"""A small real release, built once, and its copies for each test."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from btfer.catalogue import open_catalogue, verdicts
from btfer.catalogue.journal import Query
from btfer.catalogue.verdicts import Verdict
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import build
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in
from tests.pipeline.test_release import add_face

LICENCES = ("CC BY 4.0", "CC0 1.0")


def build_release(folder: Path, licences: tuple[str, ...] = LICENCES, **plan: object) -> Path:
    """A release of one face a class, whose licences come in turn."""
    settings = Settings(data_dir=folder, engine="serial")
    cat = open_catalogue(settings.catalogue_url)
    for number, label in enumerate(EXPRESSIONS):
        query = Query(f"{label} person", label, "en", "Asian", "female", "adult", "v1")
        data = as_bytes(draw_photo(number, (300, 200)), quality=95)
        told = {"licence": licences[number % len(licences)], "author": "A. Author"}
        sha256 = take_in(cat, folder, data, query, f"https://a.example/{number}.jpg", **told)
        id_ = add_face(cat, settings, sha256, number)
        kept = [Verdict("dedup", sha256, "keep", "dedup"), Verdict("photos", sha256, "keep", "ann")]
        verdicts.add(cat, [*kept, Verdict("faces", sha256, "keep", "ann", face=id_)])
    made = build.run(cat, settings, build.Plan(per_class=1, **plan))  # type: ignore[arg-type]
    cat.close()
    return made.path


def reseal(folder: Path, record: Mapping[str, object] | None = None) -> Path:
    """Change release.json, and what repeats it, and write checksums and the folder's name anew."""
    if record:
        told = json.loads((folder / "release.json").read_text())
        for name in ("croissant.json", "README.md"):
            text = (folder / name).read_text()
            for word in ("redistribution: ", "Redistribution: "):
                new = record.get("redistribution", told["redistribution"])
                text = text.replace(f"{word}{told['redistribution']}", f"{word}{new}")
            (folder / name).write_text(text)
        (folder / "release.json").write_text(json.dumps(told | record))
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return folder.rename(folder.with_name(f"btfer-{digest[:12]}"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_release(tmp_path_factory.mktemp("built"))


@pytest.fixture
def release(built: Path, tmp_path: Path) -> Path:
    """A release of our own to change."""
    folder = tmp_path / "mine" / built.name
    shutil.copytree(built, folder)
    return folder


@pytest.fixture
def next_version(release: Path) -> Callable[[], Path]:
    """The version after it, with one image more or less."""

    def make() -> Path:
        folder = release.parent / "next" / release.name
        shutil.copytree(release, folder)
        (folder / "contact_sheets" / "sad.png").unlink()
        digest = hashlib.sha256((release / "SHA256SUMS").read_bytes()).hexdigest()
        return reseal(folder, {"version": "1.0.1", "predecessor": {"digest": digest}})

    return make
