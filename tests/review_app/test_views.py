"""What the pages say, under Streamlit's own AppTest; the grid itself needs a browser (test_browser.py)."""

import getpass
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from btfer import review
from btfer.catalogue import photos, verdicts
from btfer.catalogue.verdicts import Verdict
from btfer.review import Judged
from review_app.rounds import QUESTION
from tests.drawn_catalogue import DIGEST, make
from tests.review_app.naming import rename

ROOT = Path(__file__).resolve().parents[2]


def show(page: str, **address: str) -> AppTest:
    def script(name: str) -> None:
        from review_app import log, no_face, overview, rounds

        pages = {"overview": overview.page, "log": log.page, "no face": no_face.page}
        pages |= {"photos": rounds.photos, "faces": rounds.faces}
        (pages | {"disagreements": rounds.disagreements})[name]()

    app = AppTest.from_function(script, kwargs={"name": page}, default_timeout=200)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def sentences(app: AppTest) -> str:
    return " ".join(e.value for kind in (app.info, app.success, app.error) for e in kind)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BTFER_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("page", ["overview", "photos", "faces", "no face", "disagreements", "log"])
def test_without_a_catalogue_each_page_names_the_next_command(data_dir: Path, page: str) -> None:
    said = sentences(show(page))
    assert all(
        one in said for one in ("1. `btfer crawl`", "`btfer import FOLDER`", "2. `btfer dedup`")
    )
    assert not (data_dir / "catalogue.db").exists()


def test_a_broken_setting_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTFER_MIN_FACE_PX", "many")
    assert "setting 'min_face_px'" in sentences(show("overview"))


@pytest.mark.parametrize("round_", ["photos", "faces"])
def test_the_question_of_a_round_is_asked_until_somebody_has_answered_a_page(
    data_dir: Path, round_: str
) -> None:
    cat, _ = make(data_dir, 3, with_faces=True)
    asked = QUESTION[round_]
    assert any(asked in one.value for one in show(round_).markdown)
    page = review.Queue(cat, round_, getpass.getuser(), DIGEST).page(1)
    review.commit(cat, round_, [Judged(one.id) for one in page.items], getpass.getuser())
    assert not any(asked in one.value for one in show(round_).markdown)


def test_the_app_opens_on_the_overview_with_what_awaits(data_dir: Path) -> None:
    cat, ids = make(data_dir, 9, with_faces=True)
    review.commit(cat, "faces", [Judged(ids[0], "drop", "cut off")], "ann")
    app = AppTest.from_file(str(ROOT / "review_app" / "app.py"), default_timeout=200).run()
    assert not app.exception
    assert [metric.value for metric in app.metric] == ["9", "8"]
    yields, funnel, numbers, drops = (one.proto.body for one in app.get("html")[:4])
    angry = '<th scope="row">angry</th>'
    assert f'{angry}<td class="n">0</td>' in yields
    assert "<td></td><td>too few judged to tell</td>" in yields  # and not the word None
    assert 'aria-label="0 kept, 2 waiting, 0 dropped"' in funnel
    assert "**Next:** 9 photos are waiting to be judged." in [one.value for one in app.markdown]
    assert app.button(key="next_step").label == "Judge photos"
    assert "per minute" not in " ".join(metric.delta for metric in app.metric)
    assert f'{angry}<td class="n">2</td>' in numbers
    assert '<td class="n">8</td><td class="n">0</td><td class="n">1</td></tr></tbody>' in numbers
    assert '<th scope="row">faces</th><td>cut off</td><td class="n">1</td>' in drops


def test_the_next_step_is_what_this_person_can_do(data_dir: Path) -> None:
    cat, _ = make(data_dir, 2, with_faces=True)
    photos_ = [item.id for item in review.queue(cat, "photos", DIGEST)]
    overview = show("overview")
    rename(overview, "ann")
    page = [Judged(photos_[0], unsure=True), *map(Judged, photos_[1:])]
    review.commit(cat, "photos", page, "ann")
    said = [one.value for one in overview.run().markdown]
    assert "**Next:** 2 faces are waiting to be judged." in said  # the photo awaits somebody else
    rename(overview, "ben")
    assert "**Next:** 1 photo is waiting to be judged." in [one.value for one in overview.markdown]


def test_a_next_step_outside_the_app_has_no_button(data_dir: Path) -> None:
    cat, ids = make(data_dir, 1)
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text")], "ann")
    app = AppTest.from_file(str(ROOT / "review_app" / "app.py"), default_timeout=200).run()
    assert any("run `btfer crawl`" in one.value for one in app.markdown)
    assert [one.label for one in app.main.button] == []


def test_photos_that_dedup_has_not_seen_are_told_and_nothing_is_said_to_be_done(
    data_dir: Path,
) -> None:
    cat, ids = make(data_dir, 3)
    by_dedup = verdicts.log(cat, rounds=("dedup",))
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text")], "ann")
    verdicts.undo(cat, [row.id for row in by_dedup if row.photo in ids[1:]], "ann")
    app = show("photos")
    assert "2 new photos wait for the search of duplicates: run `btfer dedup`" in sentences(app)
    assert not app.success
    assert [one for one in app.button if "Undo" in one.label] == []  # ben has judged nothing
    said = " ".join(one.value for one in show("overview").markdown)
    assert "2 new photos are waiting for the search of duplicates: run `btfer dedup`" in said


@pytest.mark.parametrize(
    ("page", "judge", "said"),
    [
        ("photos", lambda ids: [Judged(id_) for id_ in ids], "Next: run `btfer build`"),
        ("faces", lambda ids: [], "then run `btfer build`"),
    ],
    ids=["all photos judged", "no face yet"],
)
def test_an_empty_queue_names_the_next_step(
    data_dir: Path, page: str, judge: Callable[[list[str]], list[Judged]], said: str
) -> None:
    cat, ids = make(data_dir, 3)
    review.commit(cat, "photos", judge(ids), "ann")
    assert said in sentences(show(page))


@pytest.mark.slow
def test_photos_without_a_face_are_shown_by_reason_and_counted(data_dir: Path) -> None:
    cat, ids = make(data_dir, 60)
    assert "No photo has been looked at for faces yet" in sentences(show("no face"))
    why = ["no face"] * 50 + ["no usable face", "out of memory"]
    verdicts.add(
        cat,
        [
            Verdict("crop", photo, "drop", "crop", settings=DIGEST, reason=reason)
            for photo, reason in zip(ids, why, strict=False)
        ],
    )
    app = show("no face")
    assert app.selectbox(key="no_face_reason").options == [
        "any",
        "no face (50)",
        "no usable face (1)",
        "out of memory (1)",
    ]
    [older] = [one for one in app.button if one.label == "Older"]
    older.click().run()
    assert not app.exception
    assert "before" in app.query_params
    app.selectbox(key="no_face_reason").set_value("out of memory").run()
    assert not app.exception
    assert "before" not in app.query_params
    assert app.selectbox(key="no_face_verdict").options == ["any", "not judged (1)"]
    app.selectbox(key="no_face_by").set_value("").run()
    app.text_input(key="no_face_find").set_value("no such file").run()
    assert "No photo is as chosen" in sentences(app)
    drops = show("overview").get("html")[-1].proto.body
    assert '<th scope="row">crop</th><td>no face</td><td class="n">50</td>' in drops


@pytest.mark.parametrize("before", ["²", "9" * 40, "-1", "x", "\0"])
@pytest.mark.parametrize("page", ["log", "no face"])
def test_an_address_that_means_nothing_shows_the_newest(
    data_dir: Path, page: str, before: str
) -> None:
    cat, [photo] = make(data_dir, 1)
    review.commit(cat, "photos", [Judged(photo)], "ann")
    verdicts.add(cat, [Verdict("crop", photo, "drop", "crop", settings=DIGEST, reason="no face")])
    app = show(page, before=before, find="\0")
    assert sentences(app) == ""


def test_a_reviewer_without_a_name_is_asked_for_one(data_dir: Path) -> None:
    make(data_dir, 2)
    app = show("photos")
    rename(app, "  ")
    assert "Enter your name" in sentences(app)


def test_the_last_page_can_be_undone_from_an_empty_queue(data_dir: Path) -> None:
    cat, ids = make(data_dir, 2)
    app = show("photos")
    rename(app, "ann")
    review.commit(cat, "photos", [Judged(id_) for id_ in ids], "ann")
    app.run()
    app.button[0].click().run()
    assert not app.exception
    assert [item.id for item in review.queue(cat, "photos", DIGEST)] == ids


def test_the_log_shows_and_filters_every_verdict(data_dir: Path) -> None:
    cat, ids = make(data_dir, 3)
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text")], "ann")
    review.undo_last(cat, "ann", "photos")
    review.commit(cat, "photos", [Judged(ids[1])], "ben")
    rows = review.visible_log(cat, "ann", limit=9)
    assert [row.decision for row in rows] == ["keep", "undo", "drop"]
    assert review.visible_log(cat, "ann", limit=9, before=rows[1].id) == rows[2:]
    shown = review.with_pictures(cat, rows)
    assert [(one.item.photo, one.undone) for one in shown] == [
        (ids[1], False),
        (ids[0], False),
        (ids[0], True),
    ]
    app = show("log")
    assert app.selectbox(key="log_by").options == ["any", "ann (2)", "ben (1)"]
    app.selectbox(key="log_by").set_value("ben").run()
    assert not app.exception
    assert app.query_params["by"] in ("ben", ["ben"])
    assert app.selectbox(key="log_verdict").options[1:] == ["unsure", "with a note", "keep (1)"]
    app.selectbox(key="log_verdict").set_value("unsure").run()
    assert "No verdict is as chosen" in sentences(app)


@pytest.mark.slow
def test_a_name_may_be_changed_again_and_again(data_dir: Path) -> None:
    make(data_dir, 2)
    app = show("photos")
    for name in ("ann", "bob", "cleo"):
        rename(app, name)
        assert f"Reviewer: **{name}**" in [one.value for one in app.sidebar.markdown]


@pytest.mark.slow
def test_what_is_filtered_is_in_the_address_and_comes_from_it(data_dir: Path) -> None:
    cat, ids = make(data_dir, 9)
    app = show("photos")
    rename(app, "ann")
    app.sidebar.toggle(key="filter_photos").set_value(True).run()
    assert app.selectbox(key="photos_source").options == ["any", "folder (9)"]
    assert not app.exception
    app.text_input(key="photos_find").set_value("3.png").run()
    assert app.query_params["find"] in ("3.png", ["3.png"])
    leased = {one.id for one in review.Queue(cat, "photos", "ann", "").page(1).items}
    assert leased == {ids[3]}  # the one picture that is before ann
    app.text_input(key="photos_find").set_value("no such file").run()
    assert "choose something else" in sentences(app)
    app.sidebar.toggle(key="filter_photos").set_value(False).run()
    assert "find" not in app.query_params


@pytest.mark.parametrize("text", ["start", "URL", "file", "page of nobody"])
def test_a_picture_is_found_by_what_people_have_of_it(data_dir: Path, text: str) -> None:
    cat, ids = make(data_dir, 3)
    said = {"start": ids[1][:10], "URL": "http://pictures.example/1.png", "file": "1.png"}
    found = photos.findable(cat, said.get(text, "http://elsewhere.example/"))
    assert found == ({ids[1]} if text in said else set())
