"""The review app on a bucket: pictures are fetched for the page that shows them, once, and a failure is a sentence."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from btfer.catalogue import Catalogue, photos
from btfer.catalogue import faces as face_rows
from btfer.catalogue.verdicts import Verdict
from btfer.faces.modes import crop_settings
from btfer.review.drawn_face import add_drawn_face
from btfer.settings import Settings
from btfer.store import store_of
from tests.bucket_server import Pail
from tests.drawn_catalogue import make

PHOTOS = 6


@pytest.fixture
def filled(
    kept: Settings, pail: Pail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Catalogue:
    """Photos and faces in the bucket, nothing in the cache, and the app's settings in the environment."""
    cat, _ = make(tmp_path / "made", PHOTOS, with_faces=True)
    store = store_of(kept)
    for folder in ("photos", "thumbnails", "faces"):
        for path in (tmp_path / "made" / folder).rglob("*.*"):
            pail.write(f"lab/one/{path.relative_to(tmp_path / 'made')}", path.read_bytes())
    monkeypatch.setenv("BTFER_DATA_DIR", kept.bucket_url)
    monkeypatch.setenv("BTFER_CATALOGUE", f"sqlite:///{tmp_path / 'made' / 'catalogue.db'}")
    monkeypatch.setenv("BTFER_ENDPOINT_URL", pail.endpoint)
    monkeypatch.setenv("BTFER_LOCAL_DIR", kept.local_dir)
    store.listed(
        "photos"
    )  # the library is loaded: AppTest leaves the page little of the processor's time
    assert not store.folder.exists()
    pail.log.clear()
    return cat


def show(page: str) -> AppTest:
    def script(name: str) -> None:
        from btfer.errors import BtferError
        from review_app import model, overview, rounds, session

        pages = {"overview": overview.page, "photos": rounds.photos, "faces": rounds.faces}
        try:
            (pages | {"model": model.page})[name]()
        except BtferError as error:  # as pages.draw does
            session.tell_failure(error)

    app = AppTest.from_function(script, kwargs={"name": page}, default_timeout=200)
    app.session_state["kept"] = {"reviewer": "ann"}
    app.run()
    assert not app.exception
    return app


def errors_on(page: str) -> str:
    return " ".join(one.value for one in show(page).error)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "folder"), [("photos", "thumbnails"), ("faces", "faces")])
@pytest.mark.usefixtures("filled")
def test_a_page_fetches_its_pictures_once(
    kept: Settings, pail: Pail, page: str, folder: str
) -> None:
    show(page)
    fetched = [key for method, key in pail.log if method == "GET"]
    assert len(fetched) == len(set(fetched)) == PHOTOS
    assert all(key.startswith(f"lab/one/{folder}/") for key in fetched)
    assert all((kept.data_dir / key.removeprefix("lab/one/")).is_file() for key in fetched)
    pail.log.clear()
    show(page)
    assert not pail.log


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
def test_a_bucket_that_fails_is_a_sentence(pail: Pail) -> None:
    pail.fault = lambda method, key: "403"
    assert "no permission for s3://pail/lab/one" in errors_on("photos")
    pail.fault = lambda method, key: ""
    assert not show("photos").error  # a picture that did not come is asked for again


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
def test_the_page_of_models_looks_for_networks_in_the_folder_here(kept: Settings) -> None:
    page = show("model")
    assert not page.error
    assert str(kept.data_dir / "runs") in page.info[0].value


def test_without_a_catalogue_it_is_said_how_to_name_one(
    kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTFER_DATA_DIR", kept.bucket_url)
    assert "name one with the setting catalogue" in errors_on("overview")


def test_a_face_that_a_person_draws_is_in_the_bucket_before_its_row(
    filled: Catalogue, kept: Settings, pail: Pail
) -> None:
    chosen, [photo, *_] = crop_settings(kept), [one.sha256 for one in photos.find(filled, "")]
    nothing = Verdict("crop", photo, "drop", "crop", settings=chosen.digest, reason="no face")
    face_rows.add(filled, [], [nothing])
    id_ = add_drawn_face(filled, store_of(kept), chosen, photo, (0.2, 0.2, 0.5, 0.6), "ann")
    assert f"lab/one/faces/{id_[:2]}/{id_}.png" in pail.names()
