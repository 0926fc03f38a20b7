"""A release of one picture a class, made by the stage that makes releases, without the detector."""

from pathlib import Path

from btfer.catalogue import Catalogue, open_catalogue, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.expressions import EXPRESSIONS
from btfer.pipeline import build
from btfer.queries import Query
from btfer.settings import Settings
from tests.conftest import as_bytes, draw_photo, take_in
from tests.pipeline.test_release import add_face


def small_release(folder: Path) -> Path:
    """Its folder: with sources, credits and packed forms."""
    settings = Settings(data_dir=folder / "data", engine="serial")
    cat = open_catalogue(settings.catalogue_url)
    for number, label in enumerate(EXPRESSIONS):
        _add(cat, settings, number, label)
    plan = build.Plan(per_class=1, formats=["parquet", "webdataset"], sources="with")
    made = build.run(cat, settings, plan).path
    cat.close()
    return made


def _add(cat: Catalogue, settings: Settings, number: int, label: str) -> None:
    query = Query(f"{label} person", label, "en", "Asian", "female", "adult", "v1")
    url, page = f"https://a.example/{number}.jpg", "https://a.example/page"
    data = as_bytes(draw_photo(number, (300, 200)), quality=95)
    seen = {"licence": "CC BY 4.0", "author": "A. Author", "page_url": page}
    sha256 = take_in(cat, settings.data_dir, data, query, url, **seen)
    verdicts.add(cat, [Verdict("dedup", sha256, "keep", "dedup")])
    verdicts.add(cat, [Verdict("photos", sha256, "keep", "ann")])
    id_ = add_face(cat, settings, sha256, number)
    verdicts.add(cat, [Verdict("faces", sha256, "keep", "ann", face=id_)])
