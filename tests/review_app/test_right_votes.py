"""Votes are right, and of the person who gave them: over pages, reloads, restarts, names and windows."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from btfer import review
from btfer.catalogue import Catalogue, verdicts, votes
from btfer.catalogue.tables import lease, review_page
from btfer.review import Judged
from tests.drawn_catalogue import make
from tests.review_app.naming import sit
from tests.review_app.test_browser import (
    another,
    await_count,
    await_said,
    given,
    open_round,
    send,
    tiles,
    until,
)

pytestmark = pytest.mark.browser
Start = Callable[[Path], Any]


def rows(cat: Catalogue) -> list[tuple[str, str]]:
    """Every vote ever written, by whom."""
    return [(row.photo, row.reviewer) for row in verdicts.log(cat, rounds=("photos",))]


def visit(page: Any, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def rename(page: Any, name: str, *then: str) -> None:
    box = page.get_by_label("Your name")
    while box.count() == 0:  # Streamlit loses a click that comes before a new server's first run
        change = page.get_by_role("button", name="change", exact=True)
        # At once: on a slow computer the box of the click before may come, and the button go, while one waits.
        change.evaluate_all("all => all[0]?.click()")
        page.wait_for_timeout(1500)
    box.fill(name)
    box.press("Enter")
    for key in then:
        page.keyboard.press(key)
    page.get_by_text(f"Reviewer: {name}").wait_for()


def choose(page: Any, box: str, option: str) -> None:
    page.get_by_role("combobox", name=box).click()
    page.keyboard.type(option)
    page.keyboard.press("Enter")


def marked(page: Any) -> dict[str, str]:
    found = page.locator(".tile.drop, .tile.relabel").all()
    return {one.get_attribute("data-id"): one.locator(".mark").inner_text() for one in found}


def restart(app: Any, page: Any) -> None:
    """Kill the server under an open page and start it again; the page finds it by itself."""
    app.kill()
    page.locator(".stApp:not([data-test-connection-state=CONNECTED])").wait_for()
    app.start()
    page.locator(".stApp[data-test-connection-state=CONNECTED]").wait_for()
    page.wait_for_timeout(1500)  # Streamlit knows no button before its first run


@pytest.mark.slow
def test_the_keys_come_back_with_the_grid(tmp_path: Path, run_app: Start, page: Any) -> None:
    """Whatever was clicked to get there: a link or button of Streamlit keeps the focus for a while, or for ever."""
    _, ids = make(tmp_path, 3)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    visit(page, "Overview")
    page.get_by_role("heading", name="Overview").wait_for()
    visit(page, "Photos")
    page.locator(".tile").first.wait_for()
    page.keyboard.press("n")
    assert marked(page) == {ids[0]: "✕ non-human"}
    send(page)
    undo = page.get_by_role("button", name="Undo my last page")
    undo.wait_for()
    undo.evaluate("""button => {  // as on a slow computer, where it goes after the grid has come
        const stays = button.cloneNode(true);
        button.onclick = () => { document.body.append(stays); stays.focus(); };
    }""")
    undo.click()
    await_count(page, "1 of 3 marked")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("t")
    assert marked(page) == {ids[0]: "✕ non-human", ids[1]: "✕ text"}


@pytest.mark.slow
def test_name_and_choices_hold_over_pages_reload_and_restart(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 140)
    app = run_app(tmp_path)

    def holds() -> None:
        await_count(page, "20 photos waiting")
        page.get_by_text("Reviewer: Dr. Ann_B").wait_for()
        page.locator(".grid.veiled").wait_for()
        assert page.locator(".tile").count() == 20
        boxes = ("Order", "Class", "Pictures per page")
        chosen = [page.get_by_role("combobox", name=box).input_value() for box in boxes]
        assert chosen == ["suspicious last", "sad", "24"]

    open_round(page, app.url, "photos")
    rename(page, "Dr. Ann_B")
    choose(page, "Order", "suspicious last")
    choose(page, "Class", "sad")
    await_count(page, "20 photos waiting")
    choose(page, "Pictures per page", "24")
    page.locator("[data-testid=stSidebar] label", has_text="Blur").click()
    holds()
    for name in ("Overview", "Log", "Photos"):
        visit(page, name)
        page.get_by_text("Reviewer: Dr. Ann_B").wait_for()
    holds()
    page.reload()
    holds()
    restart(app, page)
    holds()
    fresh = page.context.new_page()
    fresh.goto(app.url)
    fresh.get_by_text("Reviewer: Dr. Ann_B").wait_for()  # another window of this browser begins so


@pytest.mark.slow
def test_a_link_carries_what_was_chosen_and_never_who_judges(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, _ = make(tmp_path, 21)
    review.plan(cat, 2)  # so that the same pictures await both
    app = run_app(tmp_path)
    open_round(page, app.url, "photos?reviewer=cleo&class=sad", "ann")
    page.get_by_text("Reviewer: ann").wait_for()
    choose(page, "Order", "suspicious last")
    await_count(page, "3 photos waiting")
    page.wait_for_function("location.search.includes('suspicious')")
    assert "reviewer" not in page.url
    assert "ann" not in page.url
    stranger = another(page)
    stranger.goto(page.url)
    stranger.get_by_text("Reviewer: tester").wait_for()  # who has logged in on that computer
    await_count(stranger, "3 photos waiting")
    assert stranger.get_by_role("combobox", name="Order").input_value() == "suspicious last"


@pytest.mark.slow
def test_two_windows_of_a_browser_keep_their_own_names_over_reload_and_restart(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 100)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.get_by_text("Reviewer: ann").wait_for()
    second = page.context.new_page()
    open_round(second, app.url, "photos")
    rename(second, "ben")
    second.locator(".tile").first.wait_for()
    for again in (lambda: page.reload(), lambda: restart(app, page)):
        again()
        page.get_by_text("Reviewer: ann").wait_for()
        page.locator(".tile").first.wait_for()
    second.get_by_text("Reviewer: ben").wait_for()
    second.reload()
    second.get_by_text("Reviewer: ben").wait_for()
    fresh = page.context.new_page()
    fresh.goto(app.url)
    fresh.get_by_text("Reviewer: ben").wait_for()


@pytest.mark.slow
def test_stray_keys_after_a_name_judge_no_page(tmp_path: Path, run_app: Start, page: Any) -> None:
    cat, _ = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    rename(page, "benno", "f", "i", "Enter")
    page.locator(".tile").first.wait_for()
    page.wait_for_timeout(1500)
    assert rows(cat) == []
    page.get_by_text("Reviewer: benno").wait_for()
    assert "benno" not in page.url


@pytest.mark.slow
def test_keys_in_a_select_box_are_not_judgements_and_the_grid_has_them_after_the_choice(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    page.get_by_role("combobox", name="Class").click()
    page.keyboard.type("fear")
    assert marked(page) == {}
    page.keyboard.press("Enter")
    await_count(page, "9 photos waiting")
    page.keyboard.press("t")
    await_count(page, "1 of 9 marked")
    page.locator("[data-testid=stSidebar]").click(position={"x": 90, "y": 700})
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")  # the focus is elsewhere
    assert list(marked(page).values()) == ["✕ text"]


@pytest.mark.slow
def test_marks_are_the_reviewers_own_and_outlast_everything_but_sending(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    for key in ("t", "ArrowRight", "4", "ArrowRight", "n"):
        page.keyboard.press(key)
    expected = {ids[0]: "✕ text", ids[1]: "→ happy", ids[2]: "✕ non-human"}
    assert marked(page) == expected

    def still() -> None:
        page.get_by_text("3 of").wait_for()
        assert marked(page) == expected

    page.reload()
    still()
    visit(page, "Overview")
    page.get_by_text("Faces wanted").wait_for()
    visit(page, "Photos")
    still()
    choose(page, "Pictures per page", "24")
    await_count(page, "3 of 24 marked")
    still()
    restart(app, page)
    still()
    rename(page, "ben")
    await_count(page, "0 of 24 marked")
    send(page)
    await_said(page, "24 judged")
    assert {row.decision for row in verdicts.log(cat, rounds=("photos",))} == {"keep"}
    rename(page, "ann")
    await_count(page, "36 photos waiting")
    apart = page.get_by_text("3 of your marks are on pictures that are not on this page")
    apart.wait_for()  # ben has judged these: they are offered, and go by a named act only
    page.get_by_role("button", name="discard 3 marks").click()
    apart.wait_for(state="hidden")


@pytest.mark.slow
def test_u_takes_back_the_last_mark_and_then_the_last_page(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos")
    send(page)
    await_count(page, "12 photos waiting")
    for key in ("t", "n", "ArrowRight", "4"):
        page.keyboard.press(key)
    await_count(page, "2 of 12 marked")
    page.keyboard.press("u")
    assert marked(page) == {ids[48]: "✕ non-human"}
    page.keyboard.press("u")
    assert marked(page) == {ids[48]: "✕ text"}
    page.keyboard.press("u")
    assert marked(page) == {}
    assert len(given(cat, "photos")) == 48
    page.keyboard.press("u")
    await_count(page, "60 photos waiting")
    assert given(cat, "photos") == {}


@pytest.mark.slow
def test_a_page_sent_to_a_dead_server_is_sent_again_by_itself_exactly_once(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    page.locator(".state", has_text="1 not sent").wait_for()
    app.kill()
    send(page)
    page.locator(".state.offline", has_text="sent when the server is back").wait_for()
    page.keyboard.press("n")  # nothing falls on a page that is being sent
    app.start()
    await_count(page, "12 photos waiting")
    page.locator(".state", has_text="saved").wait_for()
    page.wait_for_timeout(9000)  # longer than it waits before it sends again
    assert sorted(rows(cat)) == sorted((id_, "ann") for id_ in ids[:48])
    assert given(cat, "photos")[ids[0]] == ("drop", "text")


@pytest.mark.slow
def test_the_first_enter_after_a_restart_is_not_lost(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    app.kill()
    app.start()
    send(page)
    await_count(page, "12 photos waiting")
    assert sorted(rows(cat)) == sorted((id_, "ann") for id_ in ids[:48])


@pytest.mark.slow
def test_a_closed_window_with_an_unsent_page_sends_it_when_it_is_opened_again(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, _ = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    app.kill()
    send(page)
    page.get_by_text("this page is kept here").wait_for()
    context = page.context
    page.close()
    app.start()
    again = context.new_page()
    again.goto(f"{app.url}/photos")
    await_count(again, "12 photos waiting")
    assert len(rows(cat)) == 48


@pytest.mark.slow
def test_a_voter_does_not_settle_their_own_dispute(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 2)
    review.plan(cat, 2)
    review.commit(cat, "photos", [Judged(ids[0]), Judged(ids[1])], "ann")
    review.commit(cat, "photos", [Judged(ids[0], "drop", "text"), Judged(ids[1])], "ben")
    app = run_app(tmp_path)
    sit(page, app.url, "ann")
    page.goto(f"{app.url}/disagreements")
    page.get_by_text("1 disagreements wait for somebody who has not voted on them").wait_for()
    assert page.locator(".tile").count() == 0
    other = another(page)
    open_round(other, app.url, "disagreements", "cleo")
    other.keyboard.press("k")
    send(other)
    other.get_by_text("Reviewers disagree on nothing").wait_for()


def leased_until(cat: Catalogue, who: str) -> str:
    with cat.read() as connection:
        ends = sa.select(sa.func.min(lease.c.until)).where(lease.c.reviewer == who)
        return str(connection.execute(ends).scalar())


@pytest.mark.slow
def test_an_open_page_stays_leased_and_a_loss_is_told_before_the_work(
    tmp_path: Path, run_app: Start, page_with_clock: Any
) -> None:
    page = page_with_clock
    cat, ids = make(tmp_path, 60)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("t")
    before = leased_until(cat, "ann")
    page.clock.fast_forward(datetime.timedelta(minutes=5).seconds * 1000)
    until(page, lambda: leased_until(cat, "ann") > before)

    votes.lease_only(cat, "photos", [], "ann", minutes=0)  # the computer slept, and ben came
    votes.lease_only(cat, "photos", ids[:40], "ben", minutes=20)
    page.clock.fast_forward(datetime.timedelta(minutes=25).seconds * 1000)
    page.keyboard.press("n")  # falls on nothing: the page is not known to be ann's
    page.get_by_text("40 pictures have left this page: 40 gone to other reviewers").wait_for()
    page.get_by_text("1 of your marks are on pictures that are not on this page").wait_for()
    assert marked(page) == {}
    votes.lease_only(cat, "photos", [], "ben", minutes=0)
    page.get_by_role("button", name="bring them back").click()
    page.locator(".tile.drop").wait_for()
    assert marked(page) == {ids[0]: "✕ text"}


@pytest.mark.slow
def test_two_windows_of_one_reviewer_share_a_page(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, ids = make(tmp_path, 100)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    second = page.context.new_page()
    open_round(second, app.url, "photos", "ann")
    assert tiles(page) == tiles(second) == set(ids[:48])
    page.keyboard.press("t")
    await_count(second, "1 of 48 marked")
    send(page)
    await_count(page, "52 photos waiting")
    await_count(second, "52 photos waiting")
    assert tiles(page) == tiles(second) == set(ids[48:96])
    second.bring_to_front()
    send(second)
    await_count(second, "4 photos waiting")
    await_count(page, "4 photos waiting")
    assert sorted(rows(cat)) == sorted((id_, "ann") for id_ in ids[:96])


@pytest.mark.slow
def test_another_choice_in_a_second_window_does_not_end_the_first_ones_leases(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    make(tmp_path, 140)
    app = run_app(tmp_path)
    open_round(page, app.url, "photos", "ann")
    second = page.context.new_page()
    open_round(second, app.url, "photos?class=sad", "ann")
    assert len(tiles(second)) == 20
    other = another(page)
    open_round(other, app.url, "photos", "ben")
    assert not tiles(other) & (tiles(page) | tiles(second))


@pytest.mark.slow
def test_pictures_that_nobody_saw_are_asked_about_and_do_not_count_into_the_pace(
    tmp_path: Path, run_app: Start, page: Any
) -> None:
    cat, _ = make(tmp_path, 100)
    app = run_app(tmp_path)
    page.set_viewport_size({"width": 700, "height": 520})
    open_round(page, app.url, "photos", "ann")
    page.keyboard.press("Enter")
    page.get_by_text("Keep 48 unseen?").wait_for()  # within a second of opening
    page.keyboard.press("t")
    page.reload()
    page.locator(".tile").first.wait_for()
    page.wait_for_timeout(1500)
    page.keyboard.press("Enter")
    page.get_by_text("unseen? Enter again keeps them").wait_for()
    assert rows(cat) == []
    page.keyboard.press("Enter")
    await_count(page, "52 photos waiting")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    await_count(page, "4 photos waiting")
    assert review.pace(cat, "ann").per_minute == 0.0
    for index in (3, 0):
        page.locator(".tile").nth(index).scroll_into_view_if_needed()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    send(page)
    page.get_by_text("Every photo").wait_for()
    with cat.read() as connection:
        pages = connection.execute(sa.select(review_page).order_by(review_page.c.at)).all()
    assert [one.unseen > 0 for one in pages] == [True, True, False]
    assert review.pace(cat, "ann").per_minute > 0
